//! What looks equal, and is not: rows that are there twice, texts that outgrow a packet, keys that
//! are shown in another width.

use std::{
    sync::{Mutex, atomic::AtomicBool},
    time::Duration,
};

use drs_core::{
    TableName,
    compare::{
        CompareObserver, CompareOptions, CompareOutcome, Comparison, TableVerdict, repair_preamble,
    },
};
use drs_testkit::{Server, Version};
use mysql::prelude::Queryable;

use crate::{
    follow::run::FollowTest,
    servers::{gtid97, plain56, plain97, run, session, start},
};

fn compare(test: &FollowTest, observer: &dyn CompareObserver) -> CompareOutcome {
    let options = CompareOptions {
        wait_max: Duration::from_secs(2),
        repairs: true,
        ..CompareOptions::default()
    };
    Comparison::new(&test.task().build().unwrap())
        .options(options)
        .observer(observer)
        .run(&AtomicBool::new(false))
        .unwrap()
}

/// The name, whether it is equal, and missing, extra and different rows of each table.
fn results(outcome: &CompareOutcome) -> Vec<(&str, bool, [u64; 3])> {
    let result = |result: &'_ drs_core::compare::TableResult| {
        let counts = result.counts;
        (
            result.verdict == TableVerdict::Equal,
            [counts.missing, counts.extra, counts.different],
        )
    };
    outcome
        .tables
        .iter()
        .map(|table| {
            let (is_equal, counts) = result(table);
            (table.source.table.as_str(), is_equal, counts)
        })
        .collect()
}

/// Statements that a comparison gives to repair what it found.
#[derive(Default)]
struct Script(Mutex<Vec<String>>);

impl CompareObserver for Script {
    fn repair(&self, _: &TableName, statement: &str) {
        self.0.lock().unwrap().push(statement.to_owned());
    }
}

#[test]
fn rows_that_the_destination_has_twice_are_found_and_repaired() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "compare_twice",
        "CREATE TABLE number (id INT PRIMARY KEY, v INT);\n\
         INSERT INTO number VALUES (1, 1), (2, 2), (3, 3), (4, 4);\n\
         CREATE TABLE text (k VARCHAR(20) PRIMARY KEY, v INT);\n\
         INSERT INTO text VALUES ('a', 1), ('b', 2), ('c', 3);\n\
         CREATE TABLE often (id INT PRIMARY KEY, v INT);\n\
         INSERT INTO often VALUES (1, 1), (2, 2)",
    );
    test.catch_up().unwrap();
    let mut conn = session(test.destination);
    run(
        &mut conn,
        &format!(
            "USE {};\n\
             ALTER TABLE number DROP PRIMARY KEY;\n\
             INSERT INTO number VALUES (2, 2), (3, 3), (3, 3);\n\
             UPDATE number SET v = 9 WHERE id = 4;\n\
             ALTER TABLE text DROP PRIMARY KEY;\n\
             INSERT INTO text VALUES ('b', 2);\n\
             ALTER TABLE often DROP PRIMARY KEY;\n\
             SET SESSION cte_max_recursion_depth = 10000;\n\
             INSERT INTO often WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000) SELECT 2, 2 FROM n",
            test.name
        ),
    );
    let outcome = compare(&test, &());
    assert_eq!(
        results(&outcome),
        [
            ("number", false, [0, 3, 1]),
            ("often", false, [0, 0, 0]),
            ("text", false, [0, 1, 0]),
        ],
        "{:#?}",
        outcome.tables
    );
    let of_many = &outcome.tables[1].verdict;
    assert!(
        matches!(of_many, TableVerdict::NotCompared(reason) if reason.contains("the same key")),
        "{of_many:?}"
    );

    run(&mut conn, "DELETE FROM often WHERE id = 2 LIMIT 5000");
    let script = Script::default();
    compare(&test, &script);
    for statement in repair_preamble().split_terminator(";\n") {
        conn.query_drop(statement).unwrap();
    }
    for statement in script.0.into_inner().unwrap() {
        conn.query_drop(statement).unwrap();
    }
    let outcome = compare(&test, &());
    assert!(outcome.is_equal(), "{:#?}", outcome.tables);
}

#[test]
fn documents_whose_text_outgrows_a_packet_are_not_equal() {
    // The packet's size is the whole server's.
    let own =
        |id| -> &'static Server { Box::leak(Box::new(start(Version::MySql97, id, true, true))) };
    let (source, destination) = (own(978), own(979));
    let test = FollowTest::new(
        source,
        destination,
        "compare_packet",
        "CREATE TABLE one (id INT PRIMARY KEY, j JSON);\n\
         INSERT INTO one VALUES (1, '1'), (2, CONCAT('[', REPEAT('1,', 400000), '1]'));\n\
         CREATE TABLE many (j JSON);\n\
         INSERT INTO many SELECT j FROM one",
    );
    test.catch_up().unwrap();
    let mut conn = session(destination);
    let mut at_source = session(source);
    run(
        &mut conn,
        &format!(
            "USE {};\nUPDATE one SET j = JSON_SET(j, '$[7]', 2) WHERE id = 2;\n\
             UPDATE many SET j = JSON_SET(j, '$[7]', 2) WHERE j <> CAST('1' AS JSON)",
            test.name
        ),
    );
    // Both servers cut the text off, and neither tells.
    for conn in [&mut conn, &mut at_source] {
        run(
            conn,
            "SET GLOBAL max_allowed_packet = 65536, GLOBAL max_error_count = 0",
        );
    }
    let outcome = Comparison::new(&test.task().build().unwrap())
        .options(CompareOptions {
            wait_max: Duration::from_secs(2),
            ..CompareOptions::default()
        })
        .run(&AtomicBool::new(false));
    for result in &outcome.unwrap().tables {
        assert_ne!(result.verdict, TableVerdict::Equal, "{result:#?}");
    }
}

#[test]
fn keys_that_are_shown_in_another_width_are_the_same() {
    for source in [gtid97(), plain56()] {
        let test = FollowTest::new(
            source,
            plain97(),
            "compare_width",
            "CREATE TABLE t (id INT(6) ZEROFILL PRIMARY KEY, v INT);\n\
             INSERT INTO t VALUES (0, 0), (1, 1), (20, 2)",
        );
        test.catch_up().unwrap();
        run(
            &mut session(test.destination),
            &format!(
                "ALTER TABLE {0}.t MODIFY id INT UNSIGNED NOT NULL;\nUPDATE {0}.t SET v = 9 WHERE id = 20",
                test.name
            ),
        );
        let outcome = compare(&test, &());
        assert_eq!(
            results(&outcome),
            [("t", false, [0, 0, 1])],
            "{:#?}",
            outcome.tables
        );
    }
}

/// Such a row is above no bound and below none.
#[test]
fn a_row_whose_key_is_null_at_the_destination_is_found() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "compare_null_key",
        "SET SESSION cte_max_recursion_depth = 3000;\n\
         CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v INT);\n\
         INSERT INTO t WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3000) \
         SELECT n, n FROM numbers;\n\
         ANALYZE TABLE t",
    );
    test.catch_up().unwrap();
    run(
        &mut session(test.destination),
        &format!(
            "ALTER TABLE {0}.t DROP PRIMARY KEY, MODIFY id INT NULL, ADD UNIQUE (id);\nINSERT INTO {0}.t VALUES (NULL, 5)",
            test.name
        ),
    );
    let outcome = compare(&test, &());
    let expected = [("t", false, [0, 1, 0])];
    assert_eq!(results(&outcome), expected, "{:#?}", outcome.tables);
}
