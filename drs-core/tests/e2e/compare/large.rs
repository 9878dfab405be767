//! Tables of many ranges: differences at their borders, many extra rows, and a comparison that is
//! cut off and goes on.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use drs_core::{
    FlowControl, FlowLimit, Selection,
    compare::{
        CompareError, CompareObserver, CompareOptions, CompareOutcome, CompareProgress, Comparison,
        TableVerdict,
    },
};

use crate::{
    follow::run::FollowTest,
    servers::{gtid97, plain97, run, session},
};

const ROWS: u32 = 40_000;

/// The same rows under keys that are divided in different ways: a number without gaps, one with
/// wide gaps, two columns, text.
fn test(name: &str) -> FollowTest {
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ROWS})"
    );
    let tables = format!(
        "SET SESSION cte_max_recursion_depth = {ROWS};\n\
         CREATE TABLE even (id INT PRIMARY KEY, v INT);\n\
         CREATE TABLE wide (id BIGINT PRIMARY KEY, v INT);\n\
         CREATE TABLE two (a INT, b VARCHAR(10), v INT, PRIMARY KEY (a, b));\n\
         CREATE TABLE text (k VARCHAR(20) PRIMARY KEY, v INT);\n\
         INSERT INTO even {numbers} SELECT n, n FROM numbers;\n\
         INSERT INTO wide {numbers} SELECT n * 1000000007, n FROM numbers;\n\
         INSERT INTO two {numbers} SELECT n DIV 100, n MOD 100, n FROM numbers;\n\
         INSERT INTO text {numbers} SELECT CONCAT('Key ', n), n FROM numbers;\n\
         ANALYZE TABLE even, wide, two, text"
    );
    let test = FollowTest::new(gtid97(), plain97(), name, &tables);
    test.catch_up().unwrap();
    test
}

fn compare(test: &FollowTest, options: CompareOptions) -> CompareOutcome {
    Comparison::new(&test.task().build().unwrap())
        .options(options)
        .run(&AtomicBool::new(false))
        .unwrap()
}

fn options() -> CompareOptions {
    CompareOptions {
        wait_max: Duration::from_secs(2),
        ..CompareOptions::default()
    }
}

#[test]
fn differences_at_the_borders_of_ranges_and_among_many_extra_rows_are_found() {
    let test = test("compare_large");
    let outcome = compare(&test, options());
    assert!(outcome.is_equal(), "{:#?}", outcome.tables);
    for result in &outcome.tables {
        assert_eq!(result.counts.source, u64::from(ROWS));
        assert_eq!(result.counts.destination, u64::from(ROWS));
    }

    let mut conn = session(test.destination);
    run(&mut conn, &format!("USE {}", test.name));
    // Ranges begin and end near multiples of 500 rows.
    for table in ["even", "wide", "two", "text"] {
        run(
            &mut conn,
            &format!("UPDATE {table} SET v = -v WHERE v MOD 500 < 2"),
        );
    }
    let changed = u64::from(ROWS) / 500 * 2;
    // More rows than a range may have, in the place of one row.
    run(
        &mut conn,
        "SET SESSION cte_max_recursion_depth = 10000;\n\
         INSERT INTO wide WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 7000) \
         SELECT 20000 * 1000000007 + n, 0 FROM numbers",
    );
    let outcome = compare(&test, options());
    for result in &outcome.tables {
        let extra = match result.source.table.as_str() {
            "wide" => 7_000,
            _ => 0,
        };
        let counts = result.counts;
        assert_eq!(result.verdict, TableVerdict::Different);
        assert_eq!(
            [counts.missing, counts.extra, counts.different],
            [0, extra, changed],
            "{result:#?}"
        );
        assert_eq!(counts.destination, u64::from(ROWS) + extra);
        assert_eq!(result.examples.len(), 20);
    }
}

/// Stops a run after so many rows of it.
struct Stopper {
    stop: AtomicBool,
    rows: u64,
}

impl CompareObserver for Stopper {
    fn progress(&self, progress: &CompareProgress) {
        if progress.rows_done >= self.rows {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn what_was_compared_of_another_definition_is_compared_again() {
    let test = test("compare_altered");
    let folder = tempfile::tempdir().unwrap();
    let options = CompareOptions {
        sessions: 1,
        journal: Some(folder.path().join("journal")),
        // Slow enough to be stopped in the first table.
        flow_control: FlowControl::new(vec![FlowLimit::parse(None, "1MiB/s").unwrap()]).unwrap(),
        ..options()
    };
    let task = test.task().build().unwrap();
    let stopper = Stopper {
        stop: AtomicBool::new(false),
        rows: 1,
    };
    let run_once = |options: &CompareOptions| {
        Comparison::new(&task)
            .options(options.clone())
            .observer(&stopper)
            .run(&stopper.stop)
    };
    assert!(matches!(run_once(&options), Err(CompareError::Stopped)));
    let journal = std::fs::read_to_string(folder.path().join("journal")).unwrap();
    assert!(
        journal.contains("\"part\"") && !journal.contains("\"table\""),
        "{journal}"
    );
    stopper.stop.store(false, Ordering::Relaxed);

    let others = CompareOptions {
        tables: Some(Selection::new(&[format!("{}.even", test.name)], &[]).unwrap()),
        ..options.clone()
    };
    assert!(matches!(
        run_once(&others),
        Err(CompareError::OtherJournal { .. })
    ));

    for server in [test.source, test.destination] {
        for table in ["even", "wide", "two", "text"] {
            let table = format!("{}.{table}", test.name);
            let default = u8::from(server.server_id() == test.destination.server_id());
            run(
                &mut session(server),
                &format!(
                    "ALTER TABLE {table} ADD COLUMN w INT NOT NULL DEFAULT 0;\nUPDATE {table} SET w = {default} WHERE v = 1"
                ),
            );
        }
    }
    let options = CompareOptions {
        flow_control: FlowControl::default(),
        ..options
    };
    let outcome = Comparison::new(&task)
        .options(options)
        .run(&AtomicBool::new(false))
        .unwrap();
    for result in &outcome.tables {
        assert_eq!(result.counts.different, 1, "{result:#?}");
        assert_eq!(result.counts.source, u64::from(ROWS), "{result:#?}");
    }
}

#[test]
fn a_comparison_that_is_cut_off_goes_on() {
    let test = test("compare_resumed");
    let mut conn = session(test.destination);
    run(
        &mut conn,
        &format!(
            "UPDATE {0}.even SET v = 0 WHERE id IN (1, 20000, 40000);\nDELETE FROM {0}.text WHERE v IN (1, 40000)",
            test.name
        ),
    );
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    let options = CompareOptions {
        sessions: 1,
        journal: Some(journal.clone()),
        wait_max: Duration::from_secs(2),
        ..CompareOptions::default()
    };
    let task = test.task().build().unwrap();
    let mut runs = 0;
    let outcome = loop {
        runs += 1;
        assert!(runs < 50);
        let stopper = Stopper {
            stop: AtomicBool::new(false),
            rows: runs * 36_000,
        };
        let result = Comparison::new(&task)
            .options(options.clone())
            .observer(&stopper)
            .run(&stopper.stop);
        match result {
            Err(CompareError::Stopped) => {
                // A line that a crash cuts off.
                use std::io::Write;
                let mut file = std::fs::OpenOptions::new()
                    .append(true)
                    .open(&journal)
                    .unwrap();
                file.write_all(b"{\"part\":{\"sour").unwrap();
            }
            result => break result.unwrap(),
        }
    };
    assert!(runs > 1, "it was never cut off");
    assert!(!journal.exists());
    assert_eq!(outcome.tables.len(), 4);
    for result in &outcome.tables {
        let counts = result.counts;
        let expected = match result.source.table.as_str() {
            "even" => [0, 0, 3],
            "text" => [2, 0, 0],
            _ => [0, 0, 0],
        };
        assert_eq!(
            [counts.missing, counts.extra, counts.different],
            expected,
            "{result:#?}"
        );
        assert_eq!(counts.source, u64::from(ROWS), "{result:#?}");
        let shown: u64 = result.examples.iter().map(|example| example.times).sum();
        assert_eq!(shown, expected.iter().sum::<u64>());
    }
}
