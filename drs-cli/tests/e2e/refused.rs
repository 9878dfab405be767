//! What the program stops at rather than guess, and what it says then.

use crate::{
    program::{Program, catch_up},
    servers::{self, assert_equal, in_new_database, run},
    task::Task,
};

const TABLES: [&str; 3] = [
    "CREATE TABLE t (id INT PRIMARY KEY, n INT)",
    "CREATE TABLE other (id INT PRIMARY KEY)",
    "INSERT INTO t VALUES (1, 1), (2, 2)",
];

/// Changes that are in the log as statements are not in it as rows.
#[test]
fn a_change_in_statement_format() {
    for (database, pair) in [
        ("statement_gtid", servers::gtid()),
        ("statement_56", servers::from_56()),
        ("statement_to_56", servers::to_56()),
    ] {
        let mut conn = in_new_database(pair.source, database);
        run(&mut conn, &TABLES);
        let task = Task::of(pair, database);
        catch_up(&task);
        run(
            &mut conn,
            &[
                "INSERT INTO other VALUES (1)",
                "SET SESSION binlog_format = 'STATEMENT'",
                "UPDATE t SET n = n + 1",
            ],
        );
        for _ in 0..2 {
            let said = Program::run(&task, &["--until-caught-up"]).fail();
            assert!(
                said.contains("binlog_format") && said.contains("binlog.0"),
                "{said}"
            );
        }
        let mut there = pair.destination.conn().unwrap();
        let sum = format!("SELECT SUM(n) FROM {database}.t");
        assert_eq!(servers::value(&mut there, &sum).as_deref(), Some("3"));
        let count = format!("SELECT COUNT(*) FROM {database}.other");
        assert_eq!(servers::value(&mut there, &count).as_deref(), Some("1"));
    }
}

/// The same where nothing selected is touched.
#[test]
fn a_statement_elsewhere_is_none_of_its_business() {
    let pair = servers::gtid();
    let mut elsewhere = in_new_database(pair.source, "statement_elsewhere");
    run(&mut elsewhere, &TABLES);
    let mut conn = in_new_database(pair.source, "statement_here");
    run(&mut conn, &TABLES);
    let task = Task::of(pair, "statement_here");
    catch_up(&task);
    run(
        &mut elsewhere,
        &[
            "SET SESSION binlog_format = 'STATEMENT'",
            "UPDATE t SET n = n + 1",
        ],
    );
    run(&mut conn, &["UPDATE t SET n = n + 1"]);
    catch_up(&task);
    assert_equal(pair.source, pair.destination, "statement_here");
}

#[test]
fn a_destination_table_that_is_gone() {
    let pair = servers::gtid();
    let mut conn = in_new_database(pair.source, "gone");
    run(&mut conn, &TABLES);
    let task = Task::of(pair, "gone");
    catch_up(&task);
    let mut there = pair.destination.conn().unwrap();
    run(
        &mut there,
        &["USE gone", "SHOW CREATE TABLE t", "RENAME TABLE t TO kept"],
    );
    run(&mut conn, &["UPDATE t SET n = n + 1"]);
    let said = Program::run(&task, &["--until-caught-up"]).fail();
    assert!(
        said.contains("`gone`.`t`") && said.contains("binlog.0") && said.contains("GTID"),
        "{said}"
    );
    // Once it is back, nothing is missing.
    run(&mut there, &["RENAME TABLE kept TO t"]);
    catch_up(&task);
    assert_equal(pair.source, pair.destination, "gone");
}

/// Dropped while the program knows it, in the middle of following.
#[test]
fn a_destination_table_dropped_while_following() {
    let pair = servers::gtid();
    let mut conn = in_new_database(pair.source, "dropped");
    run(&mut conn, &TABLES);
    let task = Task::of(pair, "dropped");
    let mut program = Program::run(&task, &[]);
    program.wait_until_it_follows();
    run(&mut conn, &["UPDATE t SET n = n + 1"]);
    let mut there = pair.destination.conn().unwrap();
    servers::wait_for_value(&mut there, "SELECT SUM(n) FROM dropped.t", "5");
    run(&mut there, &["DROP TABLE dropped.t"]);
    run(&mut conn, &["UPDATE t SET n = n + 1"]);
    let said = program.fail();
    assert!(said.contains("`dropped`.`t`"), "{said}");
}

/// Tables that stand at the destination before the task begins.
#[test]
fn a_destination_table_of_another_definition() {
    let pair = servers::gtid();
    for (database, definition, reason) in [
        (
            "defined_type",
            "CREATE TABLE t (id INT PRIMARY KEY, n BIGINT)",
            "bigint",
        ),
        (
            "defined_less",
            "CREATE TABLE t (id INT PRIMARY KEY)",
            "column n",
        ),
        (
            "defined_key",
            "CREATE TABLE t (id INT, n INT, PRIMARY KEY (id), UNIQUE (n))",
            "unique key",
        ),
    ] {
        let mut conn = in_new_database(pair.source, database);
        run(&mut conn, &TABLES);
        let mut there = in_new_database(pair.destination, database);
        run(&mut there, &[definition]);
        let said = Program::run(&Task::of(pair, database), &[]).fail();
        assert!(
            said.contains(&format!("`{database}`.`t`")) && said.contains(reason),
            "{said}"
        );
    }
}

#[test]
fn a_source_that_logs_statements() {
    use drs_testkit::{BinlogFormat, Version};

    let pair = servers::gtid();
    for format in [BinlogFormat::Statement, BinlogFormat::Mixed] {
        let builder = servers::builder(Version::MySql97);
        let source = servers::start(builder.binlog_format(format));
        let task = Task::new(&source, pair.destination, "statements");
        let said = Program::run(&task, &[]).fail();
        assert!(
            said.contains("binlog_format") && said.contains("ROW"),
            "{said}"
        );
    }
}
