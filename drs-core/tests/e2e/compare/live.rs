//! Comparisons while a task follows and the source is written to: no false difference, and the real
//! ones are found.
//!
//! `DRS_COMPARE_SECONDS=600` goes on for ten minutes, see docs/campaigns.md.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use drs_core::{
    MySqlDestination, Pipeline,
    compare::{CompareLevel, CompareOptions, Comparison, TableVerdict},
};
use drs_testkit::Server;
use mysql::prelude::Queryable;

use crate::{
    follow::run::FollowTest,
    servers::{gtid97, plain56, plain97, run, session},
};

const WRITERS: u64 = 3;
const ROWS: u64 = 2_000;

#[test]
fn no_false_difference_under_writes_from_97() {
    compare_under_writes(gtid97(), plain97(), "compare_live");
}

#[test]
fn no_false_difference_under_writes_from_56() {
    compare_under_writes(plain56(), gtid97(), "compare_live_56");
}

fn compare_under_writes(source: &'static Server, destination: &'static Server, name: &str) {
    let rows: Vec<String> = (0..ROWS).map(|id| format!("({id}, 0, 'start')")).collect();
    let rows = rows.join(", ");
    let tables = format!(
        "CREATE TABLE busy (id INT PRIMARY KEY, v INT, t VARCHAR(50));\nINSERT INTO busy VALUES {rows};\n\
         CREATE TABLE hot (id INT PRIMARY KEY, v INT, t VARCHAR(50));\nINSERT INTO hot VALUES (1, 0, ''), (2, 0, '');\n\
         CREATE TABLE coming (id INT AUTO_INCREMENT PRIMARY KEY, v INT, t VARCHAR(50));\n\
         CREATE TABLE quiet (id INT PRIMARY KEY, v INT, t VARCHAR(50));\nINSERT INTO quiet VALUES {rows};\n\
         CREATE TABLE keyless (id INT, v INT);\nINSERT INTO keyless VALUES (1, 1), (1, 1), (2, 2)"
    );
    let test = FollowTest::new(source, destination, name, &tables);
    test.catch_up().unwrap();
    let mut conn = session(destination);
    // A real difference in a table that nobody writes to, and one in a table that everybody does.
    run(
        &mut conn,
        &format!(
            "UPDATE {0}.quiet SET v = 1 WHERE id = 77;\nINSERT INTO {0}.busy VALUES (1000000, 1, 'extra')",
            test.name
        ),
    );
    let seconds = std::env::var("DRS_COMPARE_SECONDS").ok();
    let seconds: u64 = seconds.and_then(|text| text.parse().ok()).unwrap_or(6);
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let task = test.task().build().unwrap();
    let stop = AtomicBool::new(false);
    let (mut comparisons, mut unsettled) = (0, 0);
    thread::scope(|scope| {
        let running = scope.spawn(|| Pipeline::new(&task, MySqlDestination::new(&task)).run(&stop));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn({
                    let (test, stop) = (&test, &stop);
                    move || write(test, writer, stop)
                })
            })
            .collect();
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while Instant::now() < deadline {
                let level = match comparisons % 4 {
                    3 => CompareLevel::Count,
                    _ => CompareLevel::Values,
                };
                let options = CompareOptions {
                    level,
                    sessions: 2,
                    ..CompareOptions::default()
                };
                let outcome = Comparison::new(&task)
                    .options(options)
                    .run(&AtomicBool::new(false))
                    .unwrap();
                assert!(outcome.is_live);
                comparisons += 1;
                for result in &outcome.tables {
                    let counts = result.counts;
                    let expected = match (result.source.table.as_str(), level) {
                        ("quiet", CompareLevel::Values) => [0, 0, 1],
                        ("busy", _) => [0, 1, 0],
                        _ => [0, 0, 0],
                    };
                    assert_eq!(
                        [counts.missing, counts.extra, counts.different],
                        expected,
                        "{result:#?}"
                    );
                    match result.verdict {
                        TableVerdict::Unsettled => unsettled += 1,
                        TableVerdict::NotCompared(_) => panic!("{result:#?}"),
                        TableVerdict::Equal | TableVerdict::Different => {}
                    }
                }
            }
        }));
        stop.store(true, Ordering::Relaxed);
        let transactions: u64 = writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .sum();
        running.join().unwrap().unwrap();
        println!(
            "{comparisons} comparisons during {transactions} transactions, {unsettled} tables were not settled"
        );
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
        assert!(comparisons > 0 && transactions > 0);
    });
}

/// Writes until it is stopped; how many transactions.
fn write(test: &FollowTest, writer: u64, stop: &AtomicBool) -> u64 {
    let mut conn = test.at_source();
    let mut number = writer;
    let mut transactions = 0;
    while !stop.load(Ordering::Relaxed) {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(writer * 2 + 1);
        let id = (number >> 33) % ROWS;
        let statement = match number >> 60 {
            0..=4 => format!("UPDATE busy SET v = v + 1, t = 'by {writer}' WHERE id = {id}"),
            5 => format!("DELETE FROM busy WHERE id = {id}"),
            6 => format!("REPLACE INTO busy VALUES ({id}, 0, 'again')"),
            7..=10 => format!(
                "UPDATE hot SET v = v + 1, t = '{number}' WHERE id = {}",
                id % 2 + 1
            ),
            11..=12 => format!("INSERT INTO coming (v, t) VALUES ({id}, 'new')"),
            13 => "DELETE FROM coming ORDER BY id LIMIT 1".to_owned(),
            14 => format!("INSERT INTO keyless VALUES ({id}, 1)"),
            _ => "DELETE FROM keyless LIMIT 1".to_owned(),
        };
        match conn.query_drop(&statement) {
            Ok(()) => transactions += 1,
            // A deadlock, or a row that the comparison holds.
            Err(mysql::Error::MySqlError(error)) if matches!(error.code, 1205 | 1213) => {}
            Err(error) => panic!("{error}: {statement}"),
        }
    }
    transactions
}
