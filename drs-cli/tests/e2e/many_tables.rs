//! A task on very many tables.

use std::{env, fmt::Write as _, time::Instant};

use mysql::prelude::Queryable;

use crate::{
    program::Program,
    servers::{self, assert_equal, in_new_database, run, wait_for_value},
    task::Task,
};

/// Tables, unless `DRS_TABLES` says how many.
const TABLES: u32 = 300;

#[test]
fn start_up_and_steady_state() {
    let tables = env::var("DRS_TABLES").map_or(TABLES, |tables| tables.parse().unwrap());
    let pair = servers::gtid();
    let mut conn = in_new_database(pair.source, "many");
    for number in 1..=tables {
        run(
            &mut conn,
            &[
                &format!(
                    "CREATE TABLE t{number} (id INT PRIMARY KEY, word VARCHAR(40), KEY (word))"
                ),
                &format!("INSERT INTO t{number} VALUES (1, 'one'), (2, '{number}')"),
            ],
        );
    }
    let task = Task::of(pair, "many");
    let limit = servers::LIMIT * 20;
    let begun = Instant::now();
    let ended = Program::run(&task, &["--until-caught-up"]).end(limit);
    assert_eq!(ended.code, Some(0), "{}", ended.errors);
    assert_eq!(ended.number("done", "rows_copied"), u64::from(tables) * 2);
    println!(
        "{tables} tables: copied in {:.1?}, at most {} MiB",
        begun.elapsed(),
        ended.memory_peak_mib
    );

    let begun = Instant::now();
    let mut program = Program::run(&task, &[]);
    program.wait_until_it_follows();
    println!(
        "{tables} tables: follows again after {:.1?}",
        begun.elapsed()
    );

    // Every table is met for the first time, then all of them again.
    let mut there = pair.destination.conn().unwrap();
    for round in ["first", "second"] {
        let mut last = String::new();
        let begun = Instant::now();
        for number in 1..=tables {
            last.clear();
            let _ = write!(last, "UPDATE t{number} SET word = '{round}' WHERE id = 2");
            conn.query_drop(&last).unwrap();
        }
        println!(
            "{tables} tables: {round} change of each, written in {:.1?}",
            begun.elapsed()
        );
        wait_for_value(
            &mut there,
            &format!("SELECT word FROM many.t{tables} WHERE id = 2"),
            round,
        );
        println!(
            "{tables} tables: {round} change of each, there after {:.1?}",
            begun.elapsed()
        );
    }
    program.interrupt();
    Program::run(&task, &["--until-caught-up"]).succeed();
    assert_equal(pair.source, pair.destination, "many");
    for server in [pair.source, pair.destination] {
        run(&mut server.conn().unwrap(), &["DROP DATABASE many"]);
    }
}
