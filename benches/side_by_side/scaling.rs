//! How the cost grows with rows, tables and columns. Lanes and network delay are in [`catch_up`](crate::catch_up).

use drs_testkit::Server;
use mysql::prelude::Queryable;

use crate::{
    Amounts, Result,
    catch_up::start_point,
    program::{TaskFile, TaskText},
    report::Report,
    sample::{Contender, Sample, in_turn},
    servers::{Base, ServerTimes, same_data},
};

/// A table of this many rows, in one statement; `values` says what each row `n` holds.
fn fill(server: &Server, table: &str, values: &str, rows: u32) -> Result<()> {
    let mut conn = server.conn()?;
    conn.query_drop("SET SESSION cte_max_recursion_depth = 1000000000")?;
    conn.query_drop(format!(
        "INSERT INTO {table} WITH RECURSIVE numbers (n) AS \
         (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows}) SELECT {values} FROM numbers"
    ))?;
    Ok(())
}

/// Copies one database of the source to an empty server.
fn copy(base: &Base, source: &Server, database: &str, rows: f64) -> Result<Sample> {
    let destination = base.destination()?;
    let task = TaskFile::write(&TaskText {
        source,
        destination: &destination,
        destination_port: None,
        task: "mode = \"full\"\n".into(),
        include: format!("\"{database}\""),
        sections: String::new(),
    })?;
    let times = ServerTimes::start(source, &destination)?;
    let run = task.until_caught_up()?;
    let (_, source_cpu, destination_cpu) = times.stop()?;
    Ok(Sample::seconds(run.elapsed)
        .cpu("process", run.cpu)
        .cpu("source", source_cpu)
        .cpu("destination", destination_cpu)
        .memory(run.peak_memory_bytes)
        .figure("µs for each", run.elapsed.as_secs_f64() * 1e6 / rows))
}

fn empty_base() -> Result<Base> {
    Base::prepare(|_| Ok(()))
}

pub(crate) fn rows(amounts: Amounts, report: &mut Report) -> Result<()> {
    let base = empty_base()?;
    let source = base.source()?;
    let sizes: Vec<u32> = [125_000, 250_000, 500_000, 1_000_000]
        .map(|rows| amounts.of(rows))
        .into();
    for rows in &sizes {
        source
            .conn()?
            .query_drop(format!("CREATE DATABASE rows_{rows}"))?;
        source.conn()?.query_drop(format!(
            "CREATE TABLE rows_{rows}.t (id INT PRIMARY KEY, k INT, c CHAR(120), pad CHAR(60), KEY (k))"
        ))?;
        let values =
            "n, CRC32(n) % 1000000, LEFT(REPEAT(SHA2(n, 256), 2), 119), LEFT(SHA2(n + 1, 256), 59)";
        fill(&source, &format!("rows_{rows}.t"), values, *rows)?;
    }
    let contenders = sizes
        .iter()
        .map(|rows| {
            let (base, source) = (&base, &source);
            Contender::new(format!("drs, {rows} rows"), move || {
                copy(base, source, &format!("rows_{rows}"), f64::from(*rows))
            })
        })
        .collect();
    let runs = in_turn(amounts, contenders)?;
    report.add("Scaling: copy of more rows", "s", runs, Vec::new());
    Ok(())
}

/// Tables are made and read one by one, so this case runs once: it takes minutes.
pub(crate) fn tables(amounts: Amounts, report: &mut Report) -> Result<()> {
    let base = empty_base()?;
    let source = base.source()?;
    let numbers: Vec<u32> = [10, 100, 1_000, 10_000]
        .map(|tables| amounts.of(tables))
        .into();
    for tables in &numbers {
        let mut conn = source.conn()?;
        conn.query_drop(format!("CREATE DATABASE tables_{tables}"))?;
        conn.query_drop(format!("USE tables_{tables}"))?;
        for table in 0..*tables {
            conn.query_drop(format!(
                "CREATE TABLE t{table} (id INT PRIMARY KEY, word VARCHAR(20))"
            ))?;
            conn.query_drop(format!(
                "INSERT INTO t{table} VALUES (1, 'one'), (2, 'two')"
            ))?;
        }
    }
    let contenders = numbers
        .iter()
        .map(|tables| {
            let (base, source) = (&base, &source);
            Contender::new(format!("drs, {tables} tables"), move || {
                copy(
                    base,
                    source,
                    &format!("tables_{tables}"),
                    f64::from(*tables),
                )
            })
        })
        .collect();
    let runs = in_turn(
        Amounts {
            rounds: 1,
            ..amounts
        },
        contenders,
    )?;
    report.add(
        "Scaling: copy of more tables of 2 rows",
        "s",
        runs,
        Vec::new(),
    );
    Ok(())
}

/// The same number of values in more and more columns: copied, and all of their rows changed once
/// in transactions of 100 rows.
pub(crate) fn columns(amounts: Amounts, report: &mut Report) -> Result<()> {
    const VALUES: u32 = 4_000_000;
    let widths = [4, 40, 400];
    let rows_of = |width: u32| amounts.of(VALUES / width);
    let base = Base::prepare(|server| {
        for width in widths {
            let columns: Vec<String> = (1..width).map(|c| format!("c{c} INT NOT NULL")).collect();
            let values: Vec<String> = (1..width).map(|c| format!("n + {c}")).collect();
            let mut conn = server.conn()?;
            conn.query_drop(format!("CREATE DATABASE columns_{width}"))?;
            conn.query_drop(format!(
                "CREATE TABLE columns_{width}.t (id INT PRIMARY KEY, {})",
                columns.join(", ")
            ))?;
            let table = format!("columns_{width}.t");
            fill(
                server,
                &table,
                &format!("n, {}", values.join(", ")),
                rows_of(width),
            )?;
        }
        Ok(())
    })?;
    let empty = empty_base()?;
    let mut sources = Vec::new();
    for width in widths {
        let source = base.source()?;
        let start = start_point(&mut source.conn()?)?;
        let mut conn = source.conn()?;
        for first in (1..=rows_of(width)).step_by(100) {
            conn.query_drop(format!(
                "UPDATE columns_{width}.t SET c1 = c1 + 1 WHERE id BETWEEN {first} AND {}",
                first + 99
            ))?;
        }
        sources.push((width, source, start));
    }
    let mut contenders = Vec::new();
    for (width, source, _) in &sources {
        let empty = &empty;
        contenders.push(Contender::new(
            format!("drs, copy, {width} columns"),
            move || {
                copy(
                    empty,
                    source,
                    &format!("columns_{width}"),
                    f64::from(rows_of(*width)) * f64::from(*width),
                )
            },
        ));
    }
    for (width, source, start) in &sources {
        let base = &base;
        contenders.push(Contender::new(
            format!("drs, catch-up, {width} columns"),
            move || {
                let destination = base.destination()?;
                let task = TaskFile::write(&TaskText {
                    source,
                    destination: &destination,
                    destination_port: None,
                    task: format!("mode = \"incremental\"\nstart_point = \"{start}\"\n"),
                    include: format!("\"columns_{width}\""),
                    sections: String::new(),
                })?;
                let times = ServerTimes::start(source, &destination)?;
                let run = task.until_caught_up()?;
                let (_, source_cpu, destination_cpu) = times.stop()?;
                same_data(source, &destination)?;
                let values = f64::from(rows_of(*width)) * f64::from(*width);
                Ok(Sample::seconds(run.elapsed)
                    .cpu("process", run.cpu)
                    .cpu("source", source_cpu)
                    .cpu("destination", destination_cpu)
                    .memory(run.peak_memory_bytes)
                    .figure("µs for each", run.elapsed.as_secs_f64() * 1e6 / values))
            },
        ));
    }
    let runs = in_turn(amounts, contenders)?;
    report.add(
        "Scaling: 4 million values in more columns",
        "s",
        runs,
        Vec::new(),
    );
    Ok(())
}
