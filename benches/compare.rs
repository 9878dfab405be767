//! How long a comparison takes, against `CHECKSUM TABLE` of both sides in parallel.
//!
//! `cargo bench --bench compare [-- ROWS]`: four sysbench tables of 250,000 rows on two servers of
//! MySQL 9.7, in turn for several rounds: `CHECKSUM TABLE` of all four at both servers at once, the
//! comparison of all values, and the same with 100 differing rows scattered over the tables. It
//! prints the medians and their ratios.

use std::{
    error::Error,
    sync::atomic::AtomicBool,
    thread,
    time::{Duration, Instant},
};

use drs_core::{
    Endpoint, Task,
    compare::{CompareOptions, Comparison},
};
use drs_testkit::{Installation, Server, Version};
use mysql::prelude::Queryable;

const TABLES: u32 = 4;
const ROUNDS: usize = 7;
const DIFFERING: u32 = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let rows = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .next()
        .unwrap_or(250_000);
    let installation = Installation::find_or_fetch(Version::MySql97)?;
    let start = |id: u32| {
        Server::builder(&installation)
            .server_id(id)
            .buffer_pool_mib(1024)
            .start()
    };
    let (source, destination) = (start(1)?, start(2)?);
    for server in [&source, &destination] {
        fill(server, rows)?;
    }
    let tables: Vec<String> = (1..=TABLES).map(|t| format!("sbtest.sbtest{t}")).collect();
    let checksum = |server: &Server| -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut conn = server.conn()?;
        conn.query_drop(format!("CHECKSUM TABLE {}", tables.join(", ")))?;
        Ok(())
    };
    let task = Task::builder(
        Endpoint::socket(source.socket(), "root"),
        Endpoint::socket(destination.socket(), "root"),
    )
    .name("bench")
    .select("sbtest")
    .build()?;
    let compare = |sessions: u16| -> Result<u64, Box<dyn Error>> {
        let options = CompareOptions {
            sessions,
            ..CompareOptions::default()
        };
        let outcome = Comparison::new(&task)
            .options(options)
            .run(&AtomicBool::new(false))?;
        Ok(outcome
            .tables
            .iter()
            .map(|table| table.counts.differences())
            .sum())
    };
    let mut measured: [Vec<Duration>; 4] = Default::default();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        thread::scope(|scope| {
            let other = scope.spawn(|| checksum(&source));
            checksum(&destination).and(
                other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            )
        })
        .map_err(|error| error.to_string())?;
        measured[0].push(begun.elapsed());
        for (place, sessions) in [(1, 1), (2, 4)] {
            let begun = Instant::now();
            let differences = compare(sessions)?;
            measured[place].push(begun.elapsed());
            if differences != 0 {
                return Err(format!("{differences} differences where there are none").into());
            }
        }
        differ(&destination, rows, 1)?;
        let begun = Instant::now();
        let differences = compare(1)?;
        measured[3].push(begun.elapsed());
        if differences != u64::from(DIFFERING) {
            return Err(format!("{differences} differences where there are {DIFFERING}").into());
        }
        differ(&destination, rows, -1)?;
    }
    let [checksum, one, four, differing] = measured.map(median);
    let ratio = |time: f64, to: f64| format!("{time:.2} s, {:.2}", time / to);
    println!("{TABLES} tables of {rows} rows, medians of {ROUNDS} rounds");
    println!("CHECKSUM TABLE of both sides in parallel: {checksum:.2} s");
    println!("comparison, 1 session: {} of it", ratio(one, checksum));
    println!("comparison, 4 sessions: {} of it", ratio(four, checksum));
    println!(
        "comparison, 1 session, {DIFFERING} differing rows: {} of the one without",
        ratio(differing, one)
    );
    Ok(())
}

/// The tables as `sysbench oltp_common prepare` makes them, with the same rows on each server.
fn fill(server: &Server, rows: u32) -> Result<(), Box<dyn Error>> {
    let mut conn = server.conn()?;
    conn.query_drop("CREATE DATABASE sbtest")?;
    conn.query_drop("SET SESSION cte_max_recursion_depth = 100000000")?;
    for table in 1..=TABLES {
        conn.query_drop(format!(
            "CREATE TABLE sbtest.sbtest{table} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL DEFAULT 0, \
             c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT '', KEY k_{table} (k))"
        ))?;
        let digits = |groups: u32, salt: u32| {
            let each: Vec<String> = (0..groups)
                .map(|group| {
                    format!("LPAD(CRC32(n * 31 + {salt} + {group}) % 100000000000, 11, '1')")
                })
                .collect();
            format!("CONCAT_WS('-', {})", each.join(", "))
        };
        conn.query_drop(format!(
            "INSERT INTO sbtest.sbtest{table} (k, c, pad) WITH RECURSIVE numbers (n) AS \
             (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows}) \
             SELECT CRC32(n) % {rows}, {}, {} FROM numbers",
            digits(10, table),
            digits(5, table + 100)
        ))?;
    }
    Ok(())
}

/// Moves one column of rows that are scattered over all tables.
fn differ(server: &Server, rows: u32, by: i32) -> Result<(), Box<dyn Error>> {
    let mut conn = server.conn()?;
    for table in 1..=TABLES {
        let step = rows / (DIFFERING / TABLES);
        conn.query_drop(format!(
            "UPDATE sbtest.sbtest{table} SET k = k + {by} WHERE id % {step} = {table}"
        ))?;
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .map_or(0.0, Duration::as_secs_f64)
}
