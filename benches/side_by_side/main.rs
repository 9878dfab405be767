//! drs beside MySQL's own tools and the best of the others, on the same data in the same run.
//!
//! ```text
//! cargo bench --bench side_by_side                     # everything
//! cargo bench --bench side_by_side -- catch-up copy    # the cases that begin so
//! cargo bench --bench side_by_side -- --rounds 3 --scale 10
//! ```
//!
//! It brings up its own servers, fetches the other tools, and lets all run in turn, several rounds.
//! Medians and ratios go to standard output, everything measured to
//! `target/side_by_side/results.json`, and a chart beside it. `--scale N` divides the amounts by N,
//! to try the harness itself; `--only NAME` lets those run alone whose names hold NAME.

#[path = "../binlog/mod.rs"]
mod binlog;
mod catch_up;
mod chart;
mod copy;
mod decode;
mod latency;
mod machine;
mod program;
mod report;
mod sample;
mod scaling;
mod servers;
mod sysbench;

use std::{error::Error, fs, path::PathBuf};

use machine::Machine;
use report::Report;

/// What everything here that can fail returns.
pub(crate) type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// How much is to be measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amounts {
    /// How often each contender runs.
    pub(crate) rounds: usize,
    /// Divides rows and transactions.
    pub(crate) scale: u32,
    /// Only contenders whose names hold this.
    pub(crate) only: Option<&'static str>,
}

impl Amounts {
    /// An amount at this scale.
    pub(crate) fn of(self, full: u32) -> u32 {
        (full / self.scale).max(1)
    }
}

type Case = fn(Amounts, &mut Report) -> Result<()>;

const CASES: [(&str, Case); 17] = [
    ("decode-write-only", decode::write_only),
    ("decode-compressed", decode::compressed),
    ("decode-wide", decode::wide),
    ("decode-json", decode::json),
    ("copy-tables", copy::tables),
    ("copy-one-table", copy::one_table),
    ("copy-wide-rows", copy::wide_rows),
    ("catch-up-hot-rows", catch_up::hot_rows),
    ("catch-up-uniform", catch_up::uniform),
    ("catch-up-updates", catch_up::updates),
    ("catch-up-inserts", catch_up::inserts),
    ("catch-up-hot-table", catch_up::hot_table),
    ("latency", latency::measure),
    ("scaling-rows", scaling::rows),
    ("scaling-columns", scaling::columns),
    ("scaling-delay", catch_up::delayed),
    ("scaling-tables", scaling::tables),
];

fn main() -> Result<()> {
    let (amounts, wanted) = arguments()?;
    let mut report = Report::new(amounts, Machine::look()?);
    for (name, case) in CASES {
        if wanted.is_empty() || wanted.iter().any(|it| name.starts_with(it)) {
            eprintln!("== {name}");
            case(amounts, &mut report)?;
        }
    }
    let folder = results_folder();
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("results.json"), report.json()?)?;
    fs::write(folder.join("chart.svg"), chart::svg(&report))?;
    print!("{}", report.markdown());
    eprintln!("written: {}/{{results.json,chart.svg}}", folder.display());
    Ok(())
}

/// Beside the program itself, in the target folder.
fn results_folder() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_drs"));
    program
        .ancestors()
        .nth(2)
        .map_or_else(|| PathBuf::from("target"), PathBuf::from)
        .join("side_by_side")
}

/// The amounts, and how the names of the cases wanted begin; none means all.
fn arguments() -> Result<(Amounts, Vec<String>)> {
    let mut amounts = Amounts {
        rounds: 3,
        scale: 1,
        only: None,
    };
    let mut wanted = Vec::new();
    let mut arguments = std::env::args().skip(1);
    let number = |text: Option<String>| -> Result<u32> {
        Ok(text.ok_or("a number is missing")?.parse::<u32>()?.max(1))
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // What cargo itself says to a bench.
            "--bench" => {}
            "--rounds" => amounts.rounds = number(arguments.next())? as usize,
            "--scale" => amounts.scale = number(arguments.next())?,
            "--only" => amounts.only = arguments.next().map(|name| &*name.leak()),
            name if CASES.iter().any(|(case, _)| case.starts_with(name)) => {
                wanted.push(name.to_owned())
            }
            other => {
                let names: Vec<_> = CASES.iter().map(|(name, _)| *name).collect();
                return Err(format!(
                    "{other}? There are {}, --rounds N, --scale N and --only NAME",
                    names.join(", ")
                )
                .into());
            }
        }
    }
    Ok((amounts, wanted))
}
