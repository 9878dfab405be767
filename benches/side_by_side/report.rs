//! All that was measured, as a table and as data.

use std::{collections::BTreeSet, fmt::Write as _};

use serde::Serialize;

use crate::{Amounts, Result, machine::Machine, sample::Runs};

/// What our process may take in any case.
const MEMORY_MIB_MAX: f64 = 256.0;

/// The results of all cases.
pub(crate) struct Report {
    amounts: Amounts,
    machine: Machine,
    pub(crate) cases: Vec<CaseReport>,
}

/// One case: what was measured, who took part, and what is to be reached.
pub(crate) struct CaseReport {
    pub(crate) title: String,
    /// What the compared figure is: `s`, `ms`.
    pub(crate) unit: &'static str,
    pub(crate) runs: Vec<Runs>,
    pub(crate) goals: Vec<Goal>,
}

/// So many times as fast as somebody.
pub(crate) struct Goal {
    pub(crate) ours: String,
    pub(crate) theirs: String,
    pub(crate) times: f64,
}

impl Goal {
    /// The contender `ours` takes a `times`-th part of what `theirs` takes.
    pub(crate) fn new(ours: impl Into<String>, theirs: impl Into<String>, times: f64) -> Self {
        Self {
            ours: ours.into(),
            theirs: theirs.into(),
            times,
        }
    }
}

impl CaseReport {
    fn median(&self, name: &str) -> Option<f64> {
        Some(self.runs.iter().find(|runs| runs.name == name)?.median())
    }

    /// How many times as fast as theirs ours is.
    fn reached(&self, goal: &Goal) -> Option<f64> {
        Some(self.median(&goal.theirs)? / self.median(&goal.ours)?)
    }

    /// The further columns: whose processor time, and which figures.
    fn columns(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let samples = || self.runs.iter().flat_map(|runs| &runs.samples);
        let cpu: BTreeSet<_> = samples().flat_map(|it| it.cpu_s.keys().copied()).collect();
        let figures: BTreeSet<_> = samples()
            .flat_map(|it| it.figures.keys().copied())
            .collect();
        (cpu.into_iter().collect(), figures.into_iter().collect())
    }
}

impl Report {
    pub(crate) fn new(amounts: Amounts, machine: Machine) -> Self {
        Self {
            amounts,
            machine,
            cases: Vec::new(),
        }
    }

    /// Takes in a case. Ratios in its table are to the first contender.
    pub(crate) fn add(
        &mut self,
        title: impl Into<String>,
        unit: &'static str,
        runs: Vec<Runs>,
        goals: Vec<Goal>,
    ) {
        let case = CaseReport {
            title: title.into(),
            unit,
            runs,
            goals,
        };
        eprint!("{}", case.markdown());
        self.cases.push(case);
    }

    /// The tables.
    pub(crate) fn markdown(&self) -> String {
        let mut out = format!(
            "\n{}\n{} rounds, amounts divided by {}\n",
            self.machine.markdown(),
            self.amounts.rounds,
            self.amounts.scale
        );
        for case in &self.cases {
            out.push_str(&case.markdown());
        }
        if let Some((most, case)) = self.peak_memory() {
            _ = writeln!(
                out,
                "\nMost memory of drs: {most:.0} MiB, in {case:?}; {MEMORY_MIB_MAX:.0} MiB at most wanted: {}",
                if most <= MEMORY_MIB_MAX {
                    "reached"
                } else {
                    "MISSED"
                }
            );
        }
        out
    }

    /// The most that our process took, and in which case.
    fn peak_memory(&self) -> Option<(f64, &str)> {
        let ours = |case: &CaseReport| {
            let runs = case.runs.iter().filter(|runs| runs.is_ours());
            runs.filter_map(Runs::peak_memory_mib).reduce(f64::max)
        };
        self.cases
            .iter()
            .filter_map(|case| Some((ours(case)?, case.title.as_str())))
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
    }

    /// Every sample.
    pub(crate) fn json(&self) -> Result<String> {
        let cases = self
            .cases
            .iter()
            .map(|case| JsonCase {
                title: &case.title,
                unit: case.unit,
                contenders: case.runs.iter().map(JsonRuns::new).collect(),
                goals: case
                    .goals
                    .iter()
                    .map(|goal| JsonGoal {
                        ours: &goal.ours,
                        theirs: &goal.theirs,
                        times_wanted: goal.times,
                        times_reached: case.reached(goal),
                    })
                    .collect(),
            })
            .collect();
        let all = JsonReport {
            machine: &self.machine,
            rounds: self.amounts.rounds,
            scale: self.amounts.scale,
            cases,
        };
        Ok(serde_json::to_string_pretty(&all)?)
    }
}

impl CaseReport {
    fn markdown(&self) -> String {
        let (cpu, figures) = self.columns();
        let mut out = format!(
            "\n### {}\n\n| | {} (median) | from–to | times",
            self.title, self.unit
        );
        for whose in &cpu {
            _ = write!(out, " | CPU s, {whose}");
        }
        for name in &figures {
            _ = write!(out, " | {name}");
        }
        out.push_str(" | peak MiB |\n|---|---|---|---");
        out.push_str(&"|---".repeat(cpu.len() + figures.len()));
        out.push_str("|---|\n");
        let first = self.runs.first().map_or(f64::NAN, Runs::median);
        let optional = |value: Option<f64>| value.map_or("–".into(), significant);
        for runs in &self.runs {
            let (least, most) = runs.range();
            _ = write!(
                out,
                "| {} | **{}** | {}–{} | {:.2}",
                runs.name,
                significant(runs.median()),
                significant(least),
                significant(most),
                first / runs.median()
            );
            for whose in &cpu {
                _ = write!(out, " | {}", optional(runs.cpu_s(whose)));
            }
            for name in &figures {
                _ = write!(out, " | {}", optional(runs.figure(name)));
            }
            _ = writeln!(out, " | {} |", optional(runs.peak_memory_mib()));
        }
        out.push('\n');
        for goal in &self.goals {
            let reached = self.reached(goal);
            let word = match reached {
                Some(times) if times >= goal.times => "reached",
                Some(_) => "MISSED",
                None => "not measured",
            };
            _ = writeln!(
                out,
                "- {} against {}: {:.2} times wanted, {:.2}: {word}",
                goal.ours,
                goal.theirs,
                goal.times,
                reached.unwrap_or(f64::NAN)
            );
        }
        out
    }
}

/// Three significant digits, or all of a larger whole.
fn significant(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[derive(Serialize)]
struct JsonReport<'a> {
    machine: &'a Machine,
    rounds: usize,
    scale: u32,
    cases: Vec<JsonCase<'a>>,
}

#[derive(Serialize)]
struct JsonCase<'a> {
    title: &'a str,
    unit: &'a str,
    contenders: Vec<JsonRuns<'a>>,
    goals: Vec<JsonGoal<'a>>,
}

#[derive(Serialize)]
struct JsonGoal<'a> {
    ours: &'a str,
    theirs: &'a str,
    times_wanted: f64,
    times_reached: Option<f64>,
}

#[derive(Serialize)]
struct JsonRuns<'a> {
    name: &'a str,
    median: f64,
    samples: Vec<serde_json::Value>,
}

impl<'a> JsonRuns<'a> {
    fn new(runs: &'a Runs) -> Self {
        let samples = runs.samples.iter().map(|sample| {
            serde_json::json!({
                "value": sample.value,
                "cpu_s": sample.cpu_s,
                "peak_memory_mib": sample.peak_memory_mib,
                "figures": sample.figures,
            })
        });
        Self {
            name: &runs.name,
            median: runs.median(),
            samples: samples.collect(),
        }
    }
}
