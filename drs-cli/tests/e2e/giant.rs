//! Transactions and files far larger than the memory that the program takes.

use std::{env, time::Instant};

use drs_testkit::Version;

use crate::{
    program::{Ended, Program},
    servers::{self, Pair, assert_equal, in_new_database, run},
    task::Task,
};

/// The whole process stays below, whatever the size of a transaction.
const MEMORY_MIB: u64 = 256;
/// Rows in one transaction, unless `DRS_GIANT_ROWS` says how many.
const ROWS: u64 = 100_000;

#[test]
fn one_transaction_with_gtid() {
    one_transaction("giant_gtid", servers::gtid());
}

#[test]
fn one_transaction_from_5_6() {
    one_transaction("giant_56", servers::from_56());
}

fn one_transaction(database: &str, pair: Pair) {
    let rows = env::var("DRS_GIANT_ROWS").map_or(ROWS, |rows| rows.parse().unwrap());
    let mut conn = in_new_database(pair.source, database);
    run(
        &mut conn,
        &[
            "CREATE TABLE numbers (n INT PRIMARY KEY)",
            "INSERT INTO numbers VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
            "INSERT INTO numbers SELECT a.n * 1000 + b.n * 100 + c.n * 10 + d.n FROM numbers a, numbers b, numbers c, numbers d
             WHERE a.n * 1000 + b.n * 100 + c.n * 10 + d.n > 9",
            "CREATE TABLE giant (id BIGINT PRIMARY KEY AUTO_INCREMENT, n INT NOT NULL, word VARCHAR(100), KEY (n))",
            "CREATE TABLE keyless (n INT, word VARCHAR(100))",
        ],
    );
    let task = Task::of(pair, database);
    Program::run(&task, &["--until-caught-up"]).succeed();

    let begun = Instant::now();
    run(&mut conn, &["BEGIN"]);
    for part in 0..rows / 10_000 {
        run(
            &mut conn,
            &[&format!(
                "INSERT INTO giant (n, word) SELECT n, CONCAT('part {part} of a very large transaction ', REPEAT(CHAR(97 + n % 26), n % 50)) FROM numbers"
            )],
        );
    }
    run(
        &mut conn,
        &[
            "UPDATE giant SET n = n + 1, word = REVERSE(word) WHERE id % 3 = 0",
            "DELETE FROM giant WHERE id % 10 = 1",
            "INSERT INTO keyless SELECT n DIV 7, 'row without a key' FROM numbers",
            "COMMIT",
        ],
    );
    println!(
        "{database}: written at the source in {:.1?}",
        begun.elapsed()
    );

    let begun = Instant::now();
    let ended = Program::run(&task, &["--until-caught-up"]).end(servers::LIMIT * 10);
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    println!(
        "{database}: {} row changes in one transaction, applied in {:.1?}, at most {} MiB",
        ended.number("done", "row_changes"),
        begun.elapsed(),
        ended.memory_peak_mib
    );
    assert_small(&ended);
    assert!(ended.number("done", "row_changes") >= rows);
    assert_equal(pair.source, pair.destination, database);
    for server in [pair.source, pair.destination] {
        run(
            &mut server.conn().unwrap(),
            &[&format!("DROP DATABASE {database}")],
        );
    }
}

/// One transaction of `DRS_LOG_FILE_MIB` MiB, most of it of a table that is not selected: with more
/// than 4,096 its file of the log ends behind what 32 bits can count, and that is where a task without
/// GTIDs must go on.
#[test]
fn goes_on_behind_the_end_of_a_long_file() {
    const ROW_MIB: u64 = 8;
    let mib: u64 = env::var("DRS_LOG_FILE_MIB").map_or(32, |mib| mib.parse().unwrap());
    let database = "long_file";
    let source = servers::start(servers::builder(Version::MySql97).server_id(31));
    let destination = servers::by_position().destination;
    let mut conn = in_new_database(&source, database);
    run(
        &mut conn,
        &[
            "CREATE DATABASE other",
            "CREATE TABLE other.wide (id INT PRIMARY KEY, b LONGBLOB)",
            "CREATE TABLE small (id INT PRIMARY KEY)",
        ],
    );
    let task = Task::new(&source, destination, database);
    Program::run(&task, &["--until-caught-up"]).succeed();

    run(&mut conn, &["BEGIN"]);
    for id in 0..mib / ROW_MIB {
        run(
            &mut conn,
            &[&format!(
                "INSERT INTO other.wide VALUES ({id}, REPEAT(CHAR(64 + {id} % 50), {ROW_MIB} * 1024 * 1024))"
            )],
        );
    }
    run(&mut conn, &["INSERT INTO small VALUES (1)", "COMMIT"]);
    let begun = Instant::now();
    let ended = Program::run(&task, &["--until-caught-up"]).end(servers::LIMIT * 10);
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    println!(
        "{database}: {mib} MiB in one transaction, followed in {:.1?}, at most {} MiB",
        begun.elapsed(),
        ended.memory_peak_mib
    );
    run(
        &mut conn,
        &[
            "INSERT INTO small VALUES (2)",
            "UPDATE small SET id = 3 WHERE id = 1",
        ],
    );
    Program::run(&task, &["--until-caught-up"]).succeed();
    assert_equal(&source, destination, database);
    run(
        &mut destination.conn().unwrap(),
        &[&format!("DROP DATABASE {database}")],
    );
}

/// Counting the events of a log of `DRS_LOG_MIB` MiB.
#[test]
fn the_statistics_of_a_log() {
    let mib: u64 = env::var("DRS_LOG_MIB").map_or(32, |mib| mib.parse().unwrap());
    let source = servers::start(servers::builder(Version::MySql97).option("--max-binlog-size=1G"));
    let mut conn = in_new_database(&source, "logged");
    run(
        &mut conn,
        &[
            "CREATE TABLE wide (id INT PRIMARY KEY AUTO_INCREMENT, n INT, word VARCHAR(1000))",
            "INSERT INTO wide (n, word) VALUES (0, REPEAT('wide ', 180))",
        ],
    );
    for _ in 0..10 {
        run(
            &mut conn,
            &["INSERT INTO wide (n, word) SELECT n, word FROM wide"],
        );
    }
    let log = source.binlog_files().unwrap().remove(0);
    let (mut rows, mut updated) = (1_024, 0);
    while log.metadata().unwrap().len() < mib << 20 {
        run(&mut conn, &["UPDATE wide SET n = n + 1"]);
        updated += rows;
        if rows < 16_384 {
            run(
                &mut conn,
                &["INSERT INTO wide (n, word) SELECT n, word FROM wide"],
            );
            rows *= 2;
        }
    }
    let bytes = log.metadata().unwrap().len();
    let begun = Instant::now();
    // It may be over before anybody has looked at its memory.
    let count =
        || Program::start(&["binlog", log.to_str().unwrap(), "--format", "stats"]).succeed();
    let ended = (0..20)
        .map(|_| count())
        .find(|ended| ended.memory_peak_mib > 0)
        .expect("its memory was never seen");
    println!(
        "{} MiB of log counted in {:.1?}, at most {} MiB",
        bytes >> 20,
        begun.elapsed(),
        ended.memory_peak_mib
    );
    assert_small(&ended);
    let table = &ended.events[0]["tables"][0];
    assert_eq!(
        (&table["inserted"], &table["updated"], &table["deleted"]),
        (&rows.into(), &updated.into(), &0.into()),
        "{table}"
    );
}

fn assert_small(ended: &Ended) {
    assert!(
        (1..MEMORY_MIB).contains(&ended.memory_peak_mib),
        "it took {} MiB",
        ended.memory_peak_mib
    );
}
