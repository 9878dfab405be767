//! One run of one contender, and running all of them in turn.

use std::{collections::BTreeMap, time::Duration};

use crate::{Amounts, Result};

/// What one run came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sample {
    /// The figure that is compared: less is better.
    pub(crate) value: f64,
    /// Processor time, by whose it is: `process`, `source`, `destination`.
    pub(crate) cpu_s: BTreeMap<&'static str, f64>,
    /// Peak memory of the contender's own process.
    pub(crate) peak_memory_mib: Option<f64>,
    /// What else is worth a column: MB/s, rows/s, commits.
    pub(crate) figures: BTreeMap<&'static str, f64>,
}

impl Sample {
    /// A run that took this long.
    pub(crate) fn seconds(elapsed: Duration) -> Self {
        Self {
            value: elapsed.as_secs_f64(),
            ..Self::default()
        }
    }

    /// With processor time of somebody.
    pub(crate) fn cpu(mut self, whose: &'static str, time: Duration) -> Self {
        self.cpu_s.insert(whose, time.as_secs_f64());
        self
    }

    /// With peak memory.
    pub(crate) fn memory(mut self, bytes: u64) -> Self {
        self.peak_memory_mib = Some(bytes as f64 / f64::from(1 << 20));
        self
    }

    /// With a further figure.
    pub(crate) fn figure(mut self, name: &'static str, value: f64) -> Self {
        self.figures.insert(name, value);
        self
    }
}

/// Somebody who does the work of a case.
pub(crate) struct Contender<'a> {
    pub(crate) name: String,
    run: Box<dyn FnMut() -> Result<Sample> + 'a>,
}

impl<'a> Contender<'a> {
    /// A contender and how it runs once.
    pub(crate) fn new(name: impl Into<String>, run: impl FnMut() -> Result<Sample> + 'a) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
        }
    }
}

/// The runs of one contender.
#[derive(Clone, Debug)]
pub(crate) struct Runs {
    pub(crate) name: String,
    pub(crate) samples: Vec<Sample>,
}

impl Runs {
    /// Whether it is a program of ours that ran.
    pub(crate) fn is_ours(&self) -> bool {
        self.name.starts_with("drs")
    }

    /// The median of the figure that is compared.
    pub(crate) fn median(&self) -> f64 {
        median(self.samples.iter().map(|sample| sample.value))
    }

    /// Least and most.
    pub(crate) fn range(&self) -> (f64, f64) {
        let values = self.samples.iter().map(|sample| sample.value);
        values.fold((f64::INFINITY, 0.0), |(least, most), value| {
            (least.min(value), value.max(most))
        })
    }

    /// The median of somebody's processor time.
    pub(crate) fn cpu_s(&self, whose: &str) -> Option<f64> {
        self.median_of(|sample| sample.cpu_s.get(whose).copied())
    }

    /// The median of a further figure.
    pub(crate) fn figure(&self, name: &str) -> Option<f64> {
        self.median_of(|sample| sample.figures.get(name).copied())
    }

    /// The most memory of all runs.
    pub(crate) fn peak_memory_mib(&self) -> Option<f64> {
        self.samples
            .iter()
            .filter_map(|sample| sample.peak_memory_mib)
            .reduce(f64::max)
    }

    fn median_of(&self, pick: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        let values: Vec<f64> = self.samples.iter().filter_map(pick).collect();
        (!values.is_empty()).then(|| median(values.into_iter()))
    }
}

/// Lets all run in turn, and that several times, so that a slow moment of the machine does not meet
/// one of them alone.
pub(crate) fn in_turn(amounts: Amounts, mut contenders: Vec<Contender<'_>>) -> Result<Vec<Runs>> {
    contenders.retain(|contender| {
        amounts
            .only
            .is_none_or(|only| contender.name.contains(only))
    });
    let mut runs: Vec<Runs> = contenders
        .iter()
        .map(|contender| Runs {
            name: contender.name.clone(),
            samples: Vec::new(),
        })
        .collect();
    for round in 1..=amounts.rounds {
        for (contender, runs) in contenders.iter_mut().zip(&mut runs) {
            let sample =
                (contender.run)().map_err(|error| format!("{}: {error}", contender.name))?;
            eprintln!(
                "   round {round}: {} {:.2} {:?} {:?} {:.0?} MiB",
                contender.name,
                sample.value,
                sample.cpu_s,
                sample.figures,
                sample.peak_memory_mib.unwrap_or_default()
            );
            runs.samples.push(sample);
        }
    }
    Ok(runs)
}

/// The middle value, or half way between the two in the middle.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    match values.len() {
        0 => f64::NAN,
        len => (at((len - 1) / 2) + at(len / 2)) / 2.0,
    }
}
