//! The full copy: mydumper and myloader, mysqldump into mysql, and ours, each into an empty server.
//!
//! myloader keeps its work out of the destination's binary log unless it is told otherwise, so both
//! settings are measured; `mysqldump | mysql` is logged. All connections are by TCP and not
//! encrypted. What a contender has copied is compared after each run.

use std::process::Command;

use drs_testkit::{Measured, Server, Tool, Tools};
use mysql::prelude::Queryable;

use crate::{
    Amounts, Result,
    program::{TaskFile, TaskText},
    report::{Goal, Report},
    sample::{Contender, Sample, in_turn},
    servers::{Base, ServerTimes, same_data},
    sysbench::Sysbench,
};

const DATABASE: &str = "sbtest";
const SESSIONS: &str = "4";

/// How many times the speed of mydumper and myloader is wanted.
const WANTED: f64 = 1.5;

/// Four tables of sysbench's, with their secondary indexes.
pub(crate) fn tables(amounts: Amounts, report: &mut Report) -> Result<()> {
    let title = "Copy of 4 x 250,000 sysbench rows";
    measure(title, amounts, report, |tools, source| {
        sysbench(tools, source, 4, amounts.of(250_000))
    })
}

/// One such table alone.
pub(crate) fn one_table(amounts: Amounts, report: &mut Report) -> Result<()> {
    let title = "Copy of one table of 1,000,000 sysbench rows";
    measure(title, amounts, report, |tools, source| {
        sysbench(tools, source, 1, amounts.of(1_000_000))
    })
}

/// Rows of 64 KiB, which nothing compresses.
pub(crate) fn wide_rows(amounts: Amounts, report: &mut Report) -> Result<()> {
    let title = "Copy of 4,000 rows of 64 KiB";
    measure(title, amounts, report, |_, source| {
        let mut conn = source.conn()?;
        conn.query_drop(format!("CREATE DATABASE {DATABASE}"))?;
        conn.query_drop(format!(
            "CREATE TABLE {DATABASE}.wide (id INT PRIMARY KEY, bytes MEDIUMBLOB NOT NULL)"
        ))?;
        conn.query_drop("SET SESSION cte_max_recursion_depth = 1000000")?;
        // RANDOM_BYTES gives 1 KiB at most.
        let bytes = vec!["RANDOM_BYTES(1024)"; 64].join(", ");
        conn.query_drop(format!(
            "INSERT INTO {DATABASE}.wide WITH RECURSIVE numbers (n) AS \
             (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {}) \
             SELECT n, CONCAT({bytes}) FROM numbers",
            amounts.of(4_000)
        ))?;
        Ok(())
    })
}

fn sysbench(tools: &Tools, server: &Server, tables: u32, rows: u32) -> Result<()> {
    Sysbench {
        tools,
        server,
        database: DATABASE,
        tables,
        rows,
    }
    .prepare()
}

fn measure(
    title: &str,
    amounts: Amounts,
    report: &mut Report,
    fill: impl Fn(&Tools, &Server) -> Result<()>,
) -> Result<()> {
    let tools = Tools::find_or_fetch()?;
    let base = Base::prepare(|_| Ok(()))?;
    let source = base.source()?;
    fill(&tools, &source)?;
    // Ours plans by the server's statistics, and myloader's order is by size.
    analyze(&source)?;
    let run = |copy: &dyn Fn(&Server) -> Result<Measured>| -> Result<Sample> {
        let destination = base.destination()?;
        let times = ServerTimes::start(&source, &destination)?;
        let run = copy(&destination)?;
        let (_, source_cpu, destination_cpu) = times.stop()?;
        same_data(&source, &destination)?;
        Ok(Sample::seconds(run.elapsed)
            .cpu("process", run.cpu)
            .cpu("source", source_cpu)
            .cpu("destination", destination_cpu)
            .memory(run.peak_memory_bytes))
    };
    let (run, source, tools) = (&run, &source, &tools);
    let mut contenders = Vec::new();
    for logged in [true, false] {
        contenders.push(Contender::new(theirs_name(logged), move || {
            run(&|destination| dump_and_load(tools, source, destination, logged))
        }));
    }
    contenders.push(Contender::new("mysqldump, mysql, log on", move || {
        run(&|destination| dump_into_client(source, destination))
    }));
    for logged in [true, false] {
        contenders.push(Contender::new(ours_name(logged), move || {
            run(&|destination| ours(source, destination, logged))
        }));
    }
    let runs = in_turn(amounts, contenders)?;
    let goals = [true, false]
        .map(|logged| Goal::new(ours_name(logged), theirs_name(logged), WANTED))
        .into();
    report.add(title, "s", runs, goals);
    Ok(())
}

fn theirs_name(logged: bool) -> String {
    format!("mydumper, myloader, log {}", on_or_off(logged))
}

fn ours_name(logged: bool) -> String {
    format!("drs, log {}", on_or_off(logged))
}

fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn analyze(server: &Server) -> Result<()> {
    let mut conn = server.conn()?;
    let tables: Vec<String> = conn.query(format!("SHOW TABLES FROM {DATABASE}"))?;
    for table in tables {
        conn.query_drop(format!("ANALYZE TABLE {DATABASE}.{table}"))?;
    }
    Ok(())
}

fn ours(source: &Server, destination: &Server, logged: bool) -> Result<Measured> {
    let task = TaskFile::write(&TaskText {
        source,
        destination,
        destination_port: None,
        task: "mode = \"full\"\n".into(),
        include: format!("\"{DATABASE}\""),
        sections: format!("[copy]\nsessions = {SESSIONS}\nbinlog = {logged}\n"),
    })?;
    task.until_caught_up()
}

fn dump_and_load(
    tools: &Tools,
    source: &Server,
    destination: &Server,
    logged: bool,
) -> Result<Measured> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("dump");
    let tool = |tool: Tool, server: &Server| -> Command {
        let mut command = tools.command(tool);
        command
            .args(["--host", Server::HOST])
            .args(["--port", &server.port().to_string()])
            .args(["--user", Server::USER])
            .args(["--password", Server::PASSWORD])
            .args(["--threads", SESSIONS]);
        command
    };
    let mut dump = tool(Tool::MyDumper, source);
    dump.args(["--database", DATABASE, "--rows", "50000", "--outputdir"])
        .arg(&folder);
    let dumped = Measured::run(&mut dump)?;
    let mut load = tool(Tool::MyLoader, destination);
    load.arg("--directory").arg(&folder);
    if logged {
        load.arg("--enable-binlog");
    }
    let loaded = Measured::run(&mut load)?;
    Ok(Measured {
        elapsed: dumped.elapsed + loaded.elapsed,
        cpu: dumped.cpu + loaded.cpu,
        peak_memory_bytes: dumped.peak_memory_bytes.max(loaded.peak_memory_bytes),
        stdout: Vec::new(),
    })
}

fn dump_into_client(source: &Server, destination: &Server) -> Result<Measured> {
    let client = |program: &str, server: &Server| -> Result<Command> {
        let mut command = server.installation().command(program)?;
        command
            .args(["--host", Server::HOST])
            .args(["--port", &server.port().to_string()])
            .args(["--user", Server::USER])
            .arg(format!("--password={}", Server::PASSWORD))
            .args(["--ssl-mode=DISABLED", "--get-server-public-key"]);
        Ok(command)
    };
    let mut dump = client("mysqldump", source)?;
    dump.args([
        "--single-transaction",
        "--set-gtid-purged=OFF",
        "--databases",
    ])
    .arg(DATABASE);
    let load = client("mysql", destination)?;
    Ok(Measured::run_pipeline([dump, load])?)
}
