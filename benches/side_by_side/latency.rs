//! Two hundred commits a second: from a commit's answer at the source until its row is seen at the
//! destination.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use drs_testkit::{Server, cpu_time, peak_memory_bytes};
use mysql::prelude::Queryable;

use crate::{
    Amounts, Result,
    catch_up::follow_as_replica,
    program::{TaskFile, TaskText},
    report::{Goal, Report},
    sample::{Contender, Runs, Sample, in_turn},
    servers::Base,
};

const PER_SECOND: u32 = 200;
const SECONDS: u32 = 30;
const REPLICA: &str = "MySQL replica, 4 workers";
const OURS: &str = "drs, 4 lanes";
/// Between two looks at the destination.
const LOOK_PAUSE: Duration = Duration::from_micros(300);
/// How long anybody may take to begin following, or to bring the last row.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn measure(amounts: Amounts, report: &mut Report) -> Result<()> {
    let base = Base::prepare(|server| {
        let mut conn = server.conn()?;
        conn.query_drop("CREATE DATABASE latency")?;
        conn.query_drop("CREATE TABLE latency.t (id INT PRIMARY KEY, word VARCHAR(100))")?;
        Ok(())
    })?;
    let contenders = vec![
        Contender::new(REPLICA, || replica(&base, amounts)),
        Contender::new(OURS, || ours(&base, amounts)),
    ];
    let runs = in_turn(amounts, contenders)?;
    for (title, figure) in [("p50", "p50 ms"), ("p99", "p99 ms")] {
        let runs = runs.iter().map(|runs| by_figure(runs, figure)).collect();
        let goals = vec![Goal::new(OURS, REPLICA, 1.0)];
        report.add(
            format!("Latency at 200 commits a second, {title}"),
            "ms",
            runs,
            goals,
        );
    }
    Ok(())
}

/// The same runs with another figure as the one that is compared.
fn by_figure(runs: &Runs, figure: &str) -> Runs {
    let mut runs = runs.clone();
    for sample in &mut runs.samples {
        sample.value = sample.figures.get(figure).copied().unwrap_or(f64::NAN);
    }
    runs
}

fn replica(base: &Base, amounts: Amounts) -> Result<Sample> {
    let (source, destination) = (base.source()?, base.destination()?);
    let mut conn = destination.conn()?;
    follow_as_replica(&mut conn, &source)?;
    conn.query_drop("START REPLICA")?;
    latencies(&source, &destination, amounts)
}

fn ours(base: &Base, amounts: Amounts) -> Result<Sample> {
    let (source, destination) = (base.source()?, base.destination()?);
    let task = TaskFile::write(&TaskText {
        source: &source,
        destination: &destination,
        destination_port: None,
        task: format!(
            "mode = \"incremental\"\nstart_point = \"{}\"\n",
            crate::catch_up::start_point(&mut source.conn()?)?
        ),
        include: "\"latency\"".into(),
        sections: String::new(),
    })?;
    let program = task.start()?;
    let before = cpu_time(program.id())?;
    let sample = latencies(&source, &destination, amounts)?;
    let used = cpu_time(program.id())?.saturating_sub(before);
    let memory = peak_memory_bytes(program.id())?;
    Ok(sample.cpu("process", used).memory(memory))
}

/// Writes at an even pace, and notes when each row is there.
fn latencies(source: &Server, destination: &Server, amounts: Amounts) -> Result<Sample> {
    let rows = PER_SECOND * amounts.of(SECONDS);
    let mut writer = source.conn()?;
    let mut reader = destination.conn()?;
    // The first row tells that it follows.
    writer.query_drop("INSERT INTO latency.t VALUES (0, 'first')")?;
    let seen = |reader: &mut mysql::Conn| -> Result<Option<u32>> {
        Ok(reader
            .query_first::<Option<u32>, _>("SELECT MAX(id) FROM latency.t")?
            .flatten())
    };
    let limit = Instant::now() + LIMIT;
    while seen(&mut reader)?.is_none() {
        if Instant::now() > limit {
            return Err("nothing arrives at the destination".into());
        }
        thread::sleep(LOOK_PAUSE);
    }
    let answered = Mutex::new(vec![None; rows as usize + 1]);
    let failed = AtomicBool::new(false);
    let (mut arrived, mut latencies_ms) = (0, Vec::new());
    thread::scope(|scope| -> Result<()> {
        let (answered, failed) = (&answered, &failed);
        let writing = scope.spawn(move || -> Result<()> {
            let begun = Instant::now();
            for id in 1..=rows {
                let due = begun + Duration::from_secs(1) * id / PER_SECOND;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                writer
                    .exec_drop(
                        "INSERT INTO latency.t VALUES (?, 'some sixty characters or so of text, as rows have')",
                        (id,),
                    )
                    .inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
                let now = Instant::now();
                let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(slot) = answered.get_mut(id as usize) {
                    *slot = Some(now);
                }
            }
            Ok(())
        });
        let mut last_arrival = Instant::now();
        while arrived < rows && !failed.load(Ordering::Relaxed) {
            let there = seen(&mut reader)?.unwrap_or(0);
            let now = Instant::now();
            if there > arrived {
                let answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
                for id in arrived + 1..=there {
                    // Seen before the source's answer was: no time at all.
                    let latency = answered
                        .get(id as usize)
                        .copied()
                        .flatten()
                        .map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
                    latencies_ms.push(latency.as_secs_f64() * 1000.0);
                }
                arrived = there;
                last_arrival = now;
            }
            if last_arrival.elapsed() > LIMIT {
                return Err("rows do not arrive any more".into());
            }
            thread::sleep(LOOK_PAUSE);
        }
        writing
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    latencies_ms.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let index = (latencies_ms.len() as f64 * part) as usize;
        latencies_ms
            .get(index.min(latencies_ms.len().saturating_sub(1)))
            .copied()
            .unwrap_or(f64::NAN)
    };
    Ok(Sample {
        value: at(0.99),
        ..Sample::default()
    }
    .figure("p50 ms", at(0.5))
    .figure("p99 ms", at(0.99))
    .figure("most ms", at(1.0)))
}
