//! Partial updates of JSON documents (`binlog_row_value_options = PARTIAL_JSON`).

use std::sync::atomic::{AtomicBool, Ordering};

use drs_core::{CopyProgress, Observer, Outcome, PipelineError};
use mysql::{Conn, Row, prelude::Queryable};

use super::{json::documents, run::FollowTest};
use crate::servers::{gtid97, plain97, run, session};

/// Updates that the server logs as changes of the document, where the session lets it.
const PARTIAL: &[&str] = &[
    "UPDATE t SET j = JSON_SET(j, '$.a', 2) WHERE id = 1",
    "UPDATE t SET j = JSON_SET(JSON_REPLACE(JSON_REMOVE(j, '$.a'), '$.l[1]', 'two'), '$.new', 1.5), n = n + 1 WHERE id = 1",
    "UPDATE t SET j = JSON_SET(j, '$.l[2]', CAST('1.50' AS DECIMAL(5,2)), '$.l[0]', CAST('2024-01-01' AS DATE)), k = JSON_SET(k, '$[1]', CAST(7 AS UNSIGNED))",
    "UPDATE t SET j = JSON_SET(j, '$.o', JSON_OBJECT('t', CAST('01:02:03' AS TIME), 'b', CAST(x'00ff' AS BINARY), 'd', 1.5e0, 'n', NULL))",
    "UPDATE t SET j = JSON_REMOVE(j, '$.l[0]', '$.o.t', '$.l[0]')",
    "UPDATE t SET k = JSON_SET(k, '$[2]', JSON_ARRAY(1, 2)), v = v + 1",
    "UPDATE t SET k = JSON_SET(k, '$[7]', 'appended')",
    "UPDATE t SET k = JSON_REMOVE(k, '$[0]')",
    // The log holds no changes of the document that stays as it is.
    "UPDATE t SET k = JSON_REPLACE(k, '$.absent', 1), n = n + 1",
    "UPDATE t SET j = JSON_SET(j, '$.c', 7), k = JSON_REMOVE(k, '$.absent')",
    r#"UPDATE t SET j = JSON_SET(j, '$.""', 'empty', '$."a.b"', 1, '$."q\\"q"', 2, '$."s\\\\s"', 3, '$."é😀"', 4, '$."it''s"', 5, '$."]"', 6, '$."[0]"', 7)"#,
    r#"UPDATE t SET j = JSON_REPLACE(j, '$.""', JSON_OBJECT('', 1), '$."a.b"', '\\"''', '$."q\\"q"', 'x\0y', '$."s\\\\s"', NULL, '$."é😀"', '😀', '$."]"', -0e0)"#,
    r#"UPDATE t SET j = JSON_REMOVE(j, '$."a.b"', '$."q\\"q"', '$."s\\\\s"', '$."it''s"', '$."]"', '$."[0]"')"#,
    "UPDATE t SET j = JSON_SET(j, '$.f', REPEAT('z', 100)), k = '[]' WHERE id = 2",
    "UPDATE t SET j = NULL WHERE id = 2",
    "UPDATE t SET j = JSON_OBJECT('f', REPEAT('x', 300), 'l', JSON_ARRAY(1)) WHERE id = 2",
    "UPDATE t SET j = JSON_SET(j, '$.l', JSON_ARRAY(JSON_ARRAY(1, 2), JSON_OBJECT('k', JSON_ARRAY(1, 2, 3)))) WHERE id = 2",
    "UPDATE t SET j = JSON_SET(j, '$.l[1].k[1]', 'deep', '$.l[0][1]', 5) WHERE id = 2",
    "UPDATE t SET id = id + 100, j = JSON_SET(j, '$.moved', true)",
    "UPDATE t SET id = id - 100",
    "UPDATE keyless SET j = JSON_SET(j, '$.a', 2) WHERE n = 1 LIMIT 1",
    "UPDATE keyless SET j = JSON_SET(j, '$.a', CAST(3 AS DECIMAL(3,1)))",
    "UPDATE plain SET j = JSON_SET(j, '$.a', 2), w = 'a longer word'",
];

const PARTIAL_TABLES: &str = "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(20) AS (j->>'$.a') VIRTUAL, j JSON, n INT, s INT AS (n * 2) STORED, k JSON, v INT, \
      tags JSON AS (j->'$.tags') VIRTUAL, KEY (a), KEY many ((CAST(j->'$.tags' AS UNSIGNED ARRAY))), KEY expression ((CAST(j->>'$.a' AS CHAR(20)))));
    CREATE TABLE keyless (n INT, j JSON);
    CREATE TABLE plain (id INT PRIMARY KEY, u INT UNIQUE, j JSON, w TEXT);\n";

const PARTIAL_ROWS: &str = r#"INSERT INTO t (id, j, n, k, v) VALUES
      (1, JSON_OBJECT('a', 1, 'l', JSON_ARRAY(1, 2, 3), 'f', REPEAT('x', 300), 'tags', JSON_ARRAY(1, 2)), 1, JSON_ARRAY(1, REPEAT('y', 300)), 1),
      (2, JSON_OBJECT('a', CAST(1 AS UNSIGNED), 'l', JSON_ARRAY(1, CAST(2 AS DECIMAL(4,2)), 3), 'f', REPEAT('x', 300), 'tags', JSON_ARRAY(3)), 1, JSON_ARRAY(CAST(1 AS UNSIGNED), REPEAT('y', 300)), 1),
      (3, JSON_OBJECT('a', 'it''s', 'l', JSON_ARRAY(1, 2, CAST(x'00' AS BINARY)), 'f', REPEAT('é😀"\\', 100)), 1, JSON_ARRAY(NULL, REPEAT('y', 300), 0), 1);
    INSERT INTO keyless SELECT 1, JSON_OBJECT('a', 1, 'f', REPEAT('x', 300));
    INSERT INTO keyless SELECT * FROM keyless;
    INSERT INTO plain VALUES (1, 1, JSON_OBJECT('a', 1, 'f', REPEAT('x', 300)), 'w'), (2, 2, JSON_OBJECT('a', 1, 'f', REPEAT('x', 300)), 'w');
"#;

fn partial_updates_arrive(row_image: &str, settings: &str) {
    let name = format!("partial_{}", row_image.to_lowercase());
    let test = FollowTest::new(gtid97(), plain97(), &name, PARTIAL_TABLES);
    let mut conn = test.at_source();
    run(&mut conn, PARTIAL_ROWS);
    test.catch_up().unwrap();
    let end: (String, u64) = end_of_log(&mut conn);
    run(
        &mut conn,
        &format!(
            "SET SESSION binlog_row_value_options = 'PARTIAL_JSON', binlog_row_image = '{row_image}';\n{settings}"
        ),
    );
    for statement in PARTIAL {
        run(&mut conn, statement);
    }
    // Several changes of a row in one transaction, and then in one batch.
    run(
        &mut conn,
        "BEGIN;\nUPDATE t SET j = JSON_SET(j, '$.n', 1);\nUPDATE t SET j = JSON_SET(j, '$.n', 2), k = JSON_SET(k, '$[0]', 3);\nCOMMIT",
    );
    if settings.is_empty() {
        let partial = events_since(&mut conn, end, "Update_rows_partial");
        assert!(partial > 15, "{partial} events with changes of documents");
    }
    test.catch_up().unwrap();
    assert_partial_equal(&test);
}

fn assert_partial_equal(test: &FollowTest) {
    for (table, column) in [
        ("t", "j"),
        ("t", "k"),
        ("keyless", "j"),
        ("(SELECT id AS n, j FROM {}.plain) p", "j"),
    ] {
        let of = |server| documents(server, &test.name, table, column);
        for (here, there) in of(test.source).iter().zip(&of(test.destination)) {
            assert_eq!(here, there, "{table}.{column}");
        }
    }
    test.assert_equal();
}

fn end_of_log(conn: &mut Conn) -> (String, u64) {
    let row: Row = conn.query_first("SHOW BINARY LOG STATUS").unwrap().unwrap();
    (row.get(0).unwrap(), row.get(1).unwrap())
}

/// Events of a kind behind a place, in later files too: another test may begin a new one.
fn events_since(conn: &mut Conn, (file, offset): (String, u64), kind: &str) -> usize {
    let files: Vec<Row> = conn.query("SHOW BINARY LOGS").unwrap();
    let names = files.iter().map(|row| row.get::<String, _>(0).unwrap());
    let mut events = Vec::new();
    for name in names.filter(|name| *name >= file) {
        let from = if name == file { offset } else { 4 };
        let show = format!("SHOW BINLOG EVENTS IN '{name}' FROM {from}");
        events.extend(conn.query::<Row, _>(show).unwrap());
    }
    events
        .iter()
        .filter(|row| row.get::<String, _>(2).unwrap() == kind)
        .count()
}

#[test]
fn partial_updates_with_whole_images() {
    partial_updates_arrive("FULL", "");
}

#[test]
fn partial_updates_with_minimal_images_in_compressed_transactions() {
    partial_updates_arrive("MINIMAL", "SET SESSION binlog_transaction_compression = ON");
}

#[test]
fn partial_updates_without_blobs_by_another_session() {
    partial_updates_arrive(
        "NOBLOB",
        "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '-05:00'",
    );
}

/// Changes rows once, when the first part of the copy is committed.
struct WhileCopying<'t> {
    test: &'t FollowTest,
    row_image: &'t str,
    done: AtomicBool,
}

impl Observer for WhileCopying<'_> {
    fn copying(&self, progress: &CopyProgress) {
        if progress.rows_copied == 0 || self.done.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut conn = self.test.at_source();
        run(
            &mut conn,
            &format!(
                "SET SESSION binlog_row_value_options = 'PARTIAL_JSON', binlog_row_image = '{}'",
                self.row_image
            ),
        );
        for statement in PARTIAL.iter().filter(|it| it.starts_with("UPDATE t ")) {
            run(&mut conn, statement);
        }
    }
}

/// Makes the changes while the one table is being copied.
fn change_while_copying(row_image: &str) -> (FollowTest, Result<Outcome, PipelineError>) {
    let name = format!("partial_copy_{}", row_image.to_lowercase());
    let test = FollowTest::new(gtid97(), plain97(), &name, PARTIAL_TABLES);
    let mut conn = test.at_source();
    run(&mut conn, PARTIAL_ROWS);
    run(&mut conn, "DROP TABLE keyless, plain");
    let observer = WhileCopying {
        test: &test,
        row_image,
        done: AtomicBool::new(false),
    };
    let outcome = test.catch_up_watched(&test.task().build().unwrap(), &observer);
    (test, outcome)
}

#[test]
fn partial_updates_while_the_table_is_copied() {
    let (test, outcome) = change_while_copying("FULL");
    outcome.unwrap();
    for column in ["j", "k"] {
        let of = |server| documents(server, &test.name, "t", column);
        assert_eq!(of(test.source), of(test.destination), "{column}");
    }
    test.assert_equal();
}

/// The copy may hold the change already, and making it twice is another one.
#[test]
fn partial_updates_of_documents_that_are_not_logged_stop_a_table_that_catches_up() {
    let (_, outcome) = change_while_copying("MINIMAL");
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("changes of a JSON document"), "{error}");
}

/// Where the log does not hold the document, the destination's must take every change.
#[test]
fn a_partial_update_that_does_not_fit_is_a_conflict() {
    let cases = [
        ("JSON_REPLACE(j, '$.a', 5)", "JSON_REMOVE(j, '$.a')"),
        ("JSON_REMOVE(j, '$.a')", "JSON_REMOVE(j, '$.a')"),
        ("JSON_SET(j, '$.new', 5)", "JSON_SET(j, '$.new', 6)"),
        ("JSON_SET(j, '$.o.new', 5)", "JSON_SET(j, '$.o', 6)"),
        ("JSON_SET(j, '$.l[2]', 5)", "JSON_SET(j, '$.l', '')"),
        (
            "JSON_SET(j, '$.a', 1, '$.l[1]', 5)",
            "JSON_SET(j, '$.l', JSON_ARRAY())",
        ),
        ("JSON_SET(j, '$.a', 1)", "NULL"),
    ];
    for (number, (change, other)) in cases.into_iter().enumerate() {
        let test = FollowTest::new(
            gtid97(),
            plain97(),
            &format!("unfit{number}"),
            "CREATE TABLE t (id INT PRIMARY KEY, j JSON);
             INSERT INTO t VALUES (1, JSON_OBJECT('a', 0, 'l', JSON_ARRAY(1, 2), 'o', JSON_OBJECT('x', 1), 'f', REPEAT('x', 300)));\n",
        );
        test.catch_up().unwrap();
        run(
            &mut session(test.destination),
            &format!("UPDATE {}.t SET j = {other}", test.name),
        );
        run(
            &mut test.at_source(),
            &format!(
                "SET SESSION binlog_row_value_options = 'PARTIAL_JSON', binlog_row_image = 'MINIMAL';\nUPDATE t SET j = {change}"
            ),
        );
        let error = test.catch_up().unwrap_err().to_string();
        assert!(error.contains("conflict"), "{change}: {error}");
    }
}

/// A statement that repeated each of them for every later one would be larger than a packet.
#[test]
fn many_long_values_go_into_a_document_that_is_not_logged() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "partial_long",
        "CREATE TABLE t (n INT PRIMARY KEY, j JSON);
         INSERT INTO t VALUES (1, JSON_OBJECT('f', REPEAT('x', 10000000)));
         UPDATE t SET j = JSON_SET(j, '$.a', 1, '$.b', 1, '$.c', 1, '$.d', 1, '$.e', 1, '$.g', 1)\n",
    );
    test.catch_up().unwrap();
    let mut conn = test.at_source();
    let sets: Vec<String> = ["a", "b", "c", "d", "e", "g"]
        .into_iter()
        .map(|key| format!("'$.{key}', REPEAT('{key}', 3500000)"))
        .collect();
    run(
        &mut conn,
        &format!(
            "SET SESSION binlog_row_value_options = 'PARTIAL_JSON', binlog_row_image = 'MINIMAL';
             UPDATE t SET j = JSON_SET(j, {}, '$.a[1]', 'second', '$.b[0]', 'first')",
            sets.join(", ")
        ),
    );
    test.catch_up().unwrap();
    test.assert_equal();
}
