//! A backlog of 60,000 transactions: MySQL's own replica with its defaults (4 workers), and ours.
//!
//! The replica has fetched the whole backlog before its time begins; ours is the whole run of the
//! program, from its start until it has ended. The destination is durable.

use std::time::{Duration, Instant};

use drs_testkit::{DelayProxy, Server, Tools};
use mysql::{Conn, prelude::Queryable};

use crate::{
    Amounts, Result,
    program::{TaskFile, TaskText},
    report::{Goal, Report},
    sample::{Contender, Sample, in_turn},
    servers::{Base, ServerTimes, same_data},
    sysbench::Sysbench,
};

pub(crate) const REPLICA: &str = "MySQL replica, 4 workers";
const TRANSACTIONS: u32 = 60_000;
const DATABASES: &str = "\"sbtest\", \"hot\", \"uniques\"";

/// One kind of work, and how many times the replica's speed is wanted, with 4 lanes and with 1.
struct Backlog {
    title: &'static str,
    write: fn(&Tools, &Server, Amounts) -> Result<()>,
    wanted: f64,
    wanted_one_lane: f64,
}

const HOT_ROWS: Backlog = Backlog {
    title: "oltp_write_only, hot rows (sysbench's default)",
    write: |tools, server, amounts| {
        let transactions = amounts.of(TRANSACTIONS);
        sbtest(tools, server, amounts).transactions("oltp_write_only", transactions, &[])
    },
    wanted: 9.0,
    wanted_one_lane: 6.0,
};

const UNIFORM: Backlog = Backlog {
    title: "oltp_write_only, uniform",
    write: |tools, server, amounts| {
        let (transactions, uniform) = (amounts.of(TRANSACTIONS), ["--rand-type=uniform"]);
        sbtest(tools, server, amounts).transactions("oltp_write_only", transactions, &uniform)
    },
    wanted: 6.0,
    wanted_one_lane: 1.0,
};

const UPDATES: Backlog = Backlog {
    title: "single-row updates",
    write: |tools, server, amounts| {
        let transactions = amounts.of(TRANSACTIONS);
        sbtest(tools, server, amounts).transactions("oltp_update_non_index", transactions, &[])
    },
    wanted: 9.0,
    wanted_one_lane: 1.0,
};

const INSERTS: Backlog = Backlog {
    title: "single-row inserts, two unique keys",
    write: |_, server, amounts| insert_uniques(server, amounts.of(TRANSACTIONS)),
    wanted: 1.0,
    wanted_one_lane: 1.0,
};

const HOT_TABLE: Backlog = Backlog {
    title: "oltp_write_only on one table of 1,000 rows",
    write: |tools, server, amounts| {
        hot(tools, server).transactions("oltp_write_only", amounts.of(TRANSACTIONS), &[])
    },
    wanted: 1.0,
    wanted_one_lane: 1.0,
};

fn sbtest<'a>(tools: &'a Tools, server: &'a Server, amounts: Amounts) -> Sysbench<'a> {
    Sysbench {
        tools,
        server,
        database: "sbtest",
        tables: 4,
        rows: amounts.of(250_000),
    }
}

fn hot<'a>(tools: &'a Tools, server: &'a Server) -> Sysbench<'a> {
    Sysbench {
        tools,
        server,
        database: "hot",
        tables: 1,
        rows: 1_000,
    }
}

/// What all backlogs begin with.
pub(crate) fn base(tools: &Tools, amounts: Amounts) -> Result<Base> {
    Base::prepare(|server| {
        sbtest(tools, server, amounts).prepare()?;
        hot(tools, server).prepare()?;
        let mut conn = server.conn()?;
        conn.query_drop("CREATE DATABASE uniques")?;
        conn.query_drop(
            "CREATE TABLE uniques.t (id INT AUTO_INCREMENT PRIMARY KEY, code VARCHAR(40) NOT NULL UNIQUE, \
             n INT NOT NULL, note VARCHAR(100), UNIQUE KEY (n))",
        )?;
        Ok(())
    })
}

/// One of the backlogs, from nothing to its table.
fn measure(backlog: &Backlog, amounts: Amounts, report: &mut Report) -> Result<()> {
    let tools = Tools::find_or_fetch()?;
    let base = base(&tools, amounts)?;
    let source = base.source()?;
    let start = start_point(&mut source.conn()?)?;
    (backlog.write)(&tools, &source, amounts)?;
    let mut contenders = vec![Contender::new(REPLICA, || replica(&base, &source))];
    for lanes in [1, 2, 4, 8] {
        let (base, source, start) = (&base, &source, &start);
        contenders.push(Contender::new(lanes_name(lanes), move || {
            ours(base, source, start, lanes, None)
        }));
    }
    let runs = in_turn(amounts, contenders)?;
    let goals = vec![
        Goal::new(lanes_name(4), REPLICA, backlog.wanted),
        Goal::new(lanes_name(1), REPLICA, backlog.wanted_one_lane),
    ];
    report.add(format!("Catch-up: {}", backlog.title), "s", runs, goals);
    Ok(())
}

pub(crate) fn hot_rows(amounts: Amounts, report: &mut Report) -> Result<()> {
    measure(&HOT_ROWS, amounts, report)
}

pub(crate) fn uniform(amounts: Amounts, report: &mut Report) -> Result<()> {
    measure(&UNIFORM, amounts, report)
}

pub(crate) fn updates(amounts: Amounts, report: &mut Report) -> Result<()> {
    measure(&UPDATES, amounts, report)
}

pub(crate) fn inserts(amounts: Amounts, report: &mut Report) -> Result<()> {
    measure(&INSERTS, amounts, report)
}

pub(crate) fn hot_table(amounts: Amounts, report: &mut Report) -> Result<()> {
    measure(&HOT_TABLE, amounts, report)
}

/// The catch-up of the first backlog with the destination further away.
pub(crate) fn delayed(amounts: Amounts, report: &mut Report) -> Result<()> {
    let tools = Tools::find_or_fetch()?;
    let base = base(&tools, amounts)?;
    let source = base.source()?;
    let start = start_point(&mut source.conn()?)?;
    (HOT_ROWS.write)(&tools, &source, amounts)?;
    let mut contenders = Vec::new();
    for lanes in [1, 4] {
        for delay_ms in [0, 1, 10] {
            let (base, source, start) = (&base, &source, &start);
            let delay = Some(Duration::from_millis(delay_ms));
            contenders.push(Contender::new(delayed_name(lanes, delay_ms), move || {
                ours(base, source, start, lanes, delay)
            }));
        }
    }
    let runs = in_turn(amounts, contenders)?;
    let goals =
        [1, 4].map(|lanes| Goal::new(delayed_name(lanes, 10), delayed_name(lanes, 0), 0.667));
    report.add(
        "Catch-up with network delay to the destination (each way half of it)",
        "s",
        runs,
        goals.into(),
    );
    Ok(())
}

fn lanes_name(lanes: u32) -> String {
    format!("drs, {lanes} lane{}", if lanes == 1 { "" } else { "s" })
}

fn delayed_name(lanes: u32, delay_ms: u64) -> String {
    format!("{}, {delay_ms} ms round trip", lanes_name(lanes))
}

/// Where the source is, as a task file says it.
pub(crate) fn start_point(conn: &mut Conn) -> Result<String> {
    let (file, position, gtids): (String, u64, String) = conn
        .query_first("SHOW BINARY LOG STATUS")?
        .map(|row: mysql::Row| {
            let text = |at| row.get::<String, _>(at).unwrap_or_default();
            (text(0), row.get(1).unwrap_or(0), text(4).replace('\n', ""))
        })
        .ok_or("the source has no binary log")?;
    Ok(format!("{file}:{position};{gtids}")
        .trim_end_matches(';')
        .to_owned())
}

fn replica(base: &Base, source: &Server) -> Result<Sample> {
    let destination = base.destination()?;
    let mut conn = destination.conn()?;
    let target: String = source
        .conn()?
        .query_first("SELECT @@GLOBAL.gtid_executed")?
        .unwrap_or_default();
    follow_as_replica(&mut conn, source)?;
    conn.query_drop("START REPLICA IO_THREAD")?;
    let fetched = || -> Result<bool> {
        let mut conn = destination.conn()?;
        let row: mysql::Row = conn
            .query_first("SHOW REPLICA STATUS")?
            .ok_or("no replica")?;
        let retrieved: String = row.get("Retrieved_Gtid_Set").unwrap_or_default();
        let covered: Option<bool> =
            conn.exec_first("SELECT GTID_SUBSET(?, ?)", (&target, &retrieved))?;
        Ok(covered == Some(true))
    };
    let limit = Instant::now() + Duration::from_secs(120);
    while !fetched()? {
        if Instant::now() > limit {
            return Err("the replica has not fetched the log".into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let times = ServerTimes::start(source, &destination)?;
    conn.query_drop("START REPLICA SQL_THREAD")?;
    let waited: Option<u8> =
        conn.exec_first("SELECT WAIT_FOR_EXECUTED_GTID_SET(?, 900)", (&target,))?;
    let (elapsed, _, cpu) = times.stop()?;
    if waited != Some(0) {
        return Err("the replica has not applied the log".into());
    }
    same_data(source, &destination)?;
    Ok(Sample::seconds(elapsed).cpu("destination", cpu))
}

/// Points a server at a source, from where its own data ends.
pub(crate) fn follow_as_replica(conn: &mut Conn, source: &Server) -> Result<()> {
    Ok(conn.query_drop(format!(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '{}', SOURCE_PORT = {}, SOURCE_USER = '{}', \
         SOURCE_PASSWORD = '{}', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1",
        Server::HOST,
        source.port(),
        Server::USER,
        Server::PASSWORD
    ))?)
}

/// An incremental task from a start point on, with so many lanes.
pub(crate) fn task(
    source: &Server,
    destination: &Server,
    destination_port: Option<u16>,
    start: &str,
    lanes: u32,
) -> Result<TaskFile> {
    TaskFile::write(&TaskText {
        source,
        destination,
        destination_port,
        task: format!("mode = \"incremental\"\nstart_point = \"{start}\"\n"),
        include: DATABASES.into(),
        sections: format!("[sync]\nlanes = {lanes}\n"),
    })
}

fn ours(
    base: &Base,
    source: &Server,
    start: &str,
    lanes: u32,
    round_trip: Option<Duration>,
) -> Result<Sample> {
    let destination = base.destination()?;
    let proxy = round_trip
        .map(|delay| DelayProxy::start(([127, 0, 0, 1], destination.port()).into(), delay / 2))
        .transpose()?;
    let task = task(
        source,
        &destination,
        proxy.as_ref().map(DelayProxy::port),
        start,
        lanes,
    )?;
    let times = ServerTimes::start(source, &destination)?;
    let run = task.until_caught_up()?;
    let (_, source_cpu, destination_cpu) = times.stop()?;
    same_data(source, &destination)?;
    Ok(Sample::seconds(run.elapsed)
        .cpu("process", run.cpu)
        .cpu("source", source_cpu)
        .cpu("destination", destination_cpu)
        .memory(run.peak_memory_bytes))
}

/// Single inserts, each its own transaction, from 4 connections.
fn insert_uniques(server: &Server, rows: u32) -> Result<()> {
    const WRITERS: u32 = 4;
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || -> Result<()> {
                    let mut conn = server.conn()?;
                    for n in (writer..rows).step_by(WRITERS as usize) {
                        conn.exec_drop(
                            "INSERT INTO uniques.t (code, n, note) VALUES (?, ?, ?)",
                            (
                                format!("code-{:08}", n ^ 0x5a5a),
                                n,
                                format!("a note on {n}, which is of no matter"),
                            ),
                        )?;
                    }
                    Ok(())
                })
            })
            .collect();
        writers.into_iter().try_for_each(|writer| {
            writer
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}
