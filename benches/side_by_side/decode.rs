//! Every value of a log, typed and touched, on one core: `mysqlbinlog -v`, which prints them,
//! `mysql_common`'s decoder, and ours.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use drs_testkit::{Measured, cpu_time};

use crate::{
    Amounts, Result,
    binlog::{
        Found, agree, mysql_common, ours,
        workload::{Log, Workload},
    },
    report::{Goal, Report},
    sample::{Contender, Sample, in_turn},
};

const MYSQLBINLOG: &str = "mysqlbinlog -v";
const MYSQL_COMMON: &str = "mysql_common";
const OURS: &str = "drs-binlog";

/// Bytes of the log that the goals are about, and of the others.
const LOG_BYTES: u32 = 320_000_000;
const OTHER_LOG_BYTES: u32 = 80_000_000;

pub(crate) fn write_only(amounts: Amounts, report: &mut Report) -> Result<()> {
    let goals = vec![
        Goal::new(OURS, MYSQLBINLOG, 8.0),
        Goal::new(OURS, MYSQL_COMMON, 4.0),
    ];
    measure(Workload::WriteOnly, LOG_BYTES, goals, amounts, report)
}

pub(crate) fn compressed(amounts: Amounts, report: &mut Report) -> Result<()> {
    other(Workload::Compressed, amounts, report)
}

pub(crate) fn wide(amounts: Amounts, report: &mut Report) -> Result<()> {
    other(Workload::Wide, amounts, report)
}

pub(crate) fn json(amounts: Amounts, report: &mut Report) -> Result<()> {
    other(Workload::Json, amounts, report)
}

fn other(workload: Workload, amounts: Amounts, report: &mut Report) -> Result<()> {
    measure(workload, OTHER_LOG_BYTES, Vec::new(), amounts, report)
}

fn measure(
    workload: Workload,
    bytes: u32,
    goals: Vec<Goal>,
    amounts: Amounts,
    report: &mut Report,
) -> Result<()> {
    let log = Log::write(workload, amounts.of(bytes).into())?;
    let found = agree(&log.files)?;
    let figures = |sample: Sample| {
        let (bytes, images, elapsed_s) = (log.bytes as f64, found.images as f64, sample.value);
        sample
            .figure("MB/s", bytes / 1e6 / elapsed_s)
            .figure("row images/s", images / elapsed_s)
    };
    let contenders = vec![
        Contender::new(MYSQLBINLOG, || {
            let mut command = log.mysqlbinlog(&["-v", "--base64-output=decode-rows"])?;
            let run = Measured::run(command.stdout(Stdio::null()))?;
            let sample = Sample::seconds(run.elapsed).cpu("process", run.cpu);
            Ok(figures(sample.memory(run.peak_memory_bytes)))
        }),
        Contender::new(MYSQL_COMMON, || {
            Ok(figures(here(found, || {
                Ok(mysql_common::from_files(&log.files)?)
            })?))
        }),
        Contender::new(OURS, || {
            Ok(figures(here(found, || Ok(ours::from_files(&log.files)?))?))
        }),
    ];
    let runs = in_turn(amounts, contenders)?;
    let title = format!(
        "Decode: {}, {} transactions, {:.0} MB",
        workload.name(),
        log.transactions,
        log.bytes as f64 / 1e6
    );
    report.add(title, "s", runs, goals);
    Ok(())
}

/// Runs a decoder in this process, which does nothing else meanwhile.
fn here(expected: Found, decode: impl FnOnce() -> Result<Found>) -> Result<Sample> {
    let cpu = || -> Result<Duration> { Ok(cpu_time(std::process::id())?) };
    let (cpu_before, begun) = (cpu()?, Instant::now());
    let found = decode()?;
    let sample = Sample::seconds(begun.elapsed()).cpu("process", cpu()?.saturating_sub(cpu_before));
    if found == expected {
        Ok(sample)
    } else {
        Err(format!("{found:?} where {expected:?} is").into())
    }
}
