//! Rows that move in and out of rules' conditions, through kills in the copy and behind it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use mysql::{Conn, Row, prelude::Queryable};

use crate::{
    program::{Program, catch_up, is},
    servers::{self, Pair, in_new_database, run},
    task::Task,
};

#[test]
fn with_gtid() {
    follow_through_kills(servers::gtid(), "rules_gtid");
}

#[test]
fn from_5_6() {
    follow_through_kills(servers::from_56(), "rules_from_56");
}

const ROWS: usize = 3000;

fn follow_through_kills(pair: Pair, database: &str) {
    let mut conn = in_new_database(pair.source, database);
    run(
        &mut conn,
        &[
            "CREATE TABLE keyed (id INT PRIMARY KEY, region VARCHAR(9) CHARACTER SET utf8, n INT, hidden INT, pad CHAR(100))",
            "CREATE TABLE keyless (region VARCHAR(9) CHARACTER SET utf8, n INT, hidden INT)",
        ],
    );
    for start in (0..ROWS).step_by(500) {
        let region = |id: usize| ["EU", "US", "éu", "eu"][id % 4];
        let keyed: Vec<String> = (start..start + 500)
            .map(|id| format!("({id}, '{}', {id}, 0, REPEAT('x', 100))", region(id)))
            .collect();
        let keyless: Vec<String> = (start / 5..start / 5 + 100)
            .map(|id| format!("('{}', {}, 0)", region(id), id % 50))
            .collect();
        run(
            &mut conn,
            &[
                "SET NAMES utf8",
                &format!("INSERT INTO keyed VALUES {}", keyed.join(", ")),
                &format!("INSERT INTO keyless VALUES {}", keyless.join(", ")),
            ],
        );
    }
    let task = Task::of(pair, database)
        .copy("chunk_bytes = \"64KiB\"\nsessions = 2")
        .rules(&format!(
            "[[rules]]\ntable = \"{database}.keyed\"\nwhere = \"region = 'eu'\"\n\
             columns = {{ exclude = [\"hidden\"], rename = {{ n = \"number\" }} }}\n\
             [[rules]]\ntable = \"{database}.keyless\"\nwhere = \"region LIKE 'e%' AND n < 40\"\n\
             columns = {{ exclude = [\"hidden\"] }}"
        ));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(pair, database, &done));
        for round in 0..8 {
            let mut program = Program::run(&task, &[]);
            // In the copy, and then further and further behind it.
            match round {
                0 => program.wait_for("it copies", |event| is(event, "copy").then_some(())),
                _ => {
                    program.wait_for("it applies", |event| {
                        let changes = event["row_changes"].as_u64().unwrap_or(0);
                        (is(event, "follow") && changes > round * 20).then_some(())
                    });
                }
            }
            program.kill();
        }
        done.store(true, Ordering::Relaxed);
        assert!(writer.join().unwrap() > 100);
    });
    catch_up(&task);
    let mut destination = pair.destination.conn().unwrap();
    for (table, list, filter) in [
        ("keyed", "id, region, n, pad", "region = 'eu'"),
        ("keyless", "region, n", "region LIKE 'e%' AND n < 40"),
    ] {
        let expected = rows(
            &mut conn,
            &format!("SELECT {list} FROM {database}.{table} WHERE {filter}"),
        );
        let found = rows(
            &mut destination,
            &format!("SELECT * FROM {database}.{table}"),
        );
        assert!(expected.len() > 50, "{}", expected.len());
        assert_eq!(found, expected, "{table}");
    }
}

/// Changes rows until `done`, and says how often.
fn write(pair: Pair, database: &str, done: &AtomicBool) -> usize {
    let mut conn = pair.source.conn().unwrap();
    run(&mut conn, &["SET NAMES utf8", &format!("USE {database}")]);
    let mut round = 0;
    while !done.load(Ordering::Relaxed) {
        round += 1;
        let (id, region) = (round * 37 % ROWS, ["US", "ÉU", "EU", "eu "][round % 4]);
        let statement = match round % 9 {
            0 => format!("DELETE FROM keyed WHERE id = {id}"),
            1 => format!("REPLACE INTO keyed VALUES ({id}, '{region}', {round}, 1, 'new')"),
            2 => format!("UPDATE keyed SET hidden = hidden + 1 WHERE id = {id}"),
            3 => format!(
                "UPDATE keyless SET region = '{region}' WHERE n = {} LIMIT 3",
                round % 50
            ),
            4 => format!(
                "UPDATE keyless SET n = (n + 7) % 50, hidden = {round} WHERE n = {} LIMIT 2",
                round % 50
            ),
            5 => format!("INSERT INTO keyless VALUES ('{region}', {}, 1)", round % 50),
            6 => format!("UPDATE keyed SET id = id + {ROWS}, region = '{region}' WHERE id = {id}"),
            _ => format!(
                "UPDATE keyed SET region = '{region}', n = n + 1 WHERE id BETWEEN {id} AND {}",
                id + 3
            ),
        };
        run(&mut conn, &["BEGIN"]);
        // A row that was moved once may be in the way of the next one.
        let _ = conn.query_drop(&statement);
        run(&mut conn, &["COMMIT"]);
    }
    round
}

fn rows(conn: &mut Conn, query: &str) -> Vec<String> {
    let rows: Vec<Row> = conn.query(query).unwrap();
    let mut rows: Vec<String> = rows
        .into_iter()
        .map(|row| format!("{:?}", row.unwrap()))
        .collect();
    rows.sort();
    rows
}
