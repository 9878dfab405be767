//! The program is killed with -9 while it follows what it can't apply at once, or not by itself:
//! prepared XA transactions, and what foreign keys cascade to.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use drs_testkit::{Server, Version, workload::Random};
use mysql::{Conn, prelude::Queryable};

use crate::{
    program::{Program, catch_up, is},
    servers::{self, assert_equal, builder, in_new_database, run, start, value},
    task::Task,
};

const KILLS: u64 = 5;

/// A change that is made twice shows in the sums, and one that is lost too.
#[test]
fn prepared_transactions() {
    let source = start(builder(Version::MySql97).gtid(true).server_id(15));
    let destination = servers::gtid().destination;
    let mut conn = in_new_database(&source, "kill_xa");
    run(
        &mut conn,
        &[
            "CREATE TABLE sums (id INT PRIMARY KEY, n BIGINT NOT NULL)",
            "INSERT INTO sums VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0)",
            "CREATE TABLE marks (n INT, word VARCHAR(100))",
            "CREATE DATABASE kill_xa_elsewhere",
            "CREATE TABLE kill_xa_elsewhere.t (id INT PRIMARY KEY AUTO_INCREMENT, n INT)",
        ],
    );
    let task = Task::new(&source, destination, "kill_xa");
    kill_again_and_again(&task, "follow", 1, |stop| {
        let mut random = Random::new(2);
        let mut conn = conn_of(&source, "kill_xa");
        let mut open: Vec<Option<u64>> = vec![None; 4];
        let mut number = 0;
        // At the end, none is left prepared.
        while !stop.load(Ordering::Relaxed) || open.iter().any(Option::is_some) {
            let slot = random.below(4) as usize;
            match open[slot].take() {
                Some(xid) => {
                    let end = ["COMMIT", "COMMIT", "ROLLBACK"][random.below(3) as usize];
                    run(&mut conn, &[&format!("XA {end} 'kill-{xid}'")]);
                }
                None if stop.load(Ordering::Relaxed) => {}
                None => {
                    number += 1;
                    let xid = format!("'kill-{number}'");
                    run(
                        &mut conn,
                        &[
                            &format!("XA START {xid}"),
                            &format!("INSERT INTO kill_xa_elsewhere.t (n) VALUES ({number})"),
                        ],
                    );
                    if random.below(4) != 0 {
                        run(
                            &mut conn,
                            &[
                                &format!(
                                    "UPDATE sums SET n = (n * 3 + 1) % 1000003 WHERE id = {slot}"
                                ),
                                &format!("INSERT INTO marks VALUES ({slot}, REPEAT('x', 90))"),
                            ],
                        );
                    }
                    run(
                        &mut conn,
                        &[&format!("XA END {xid}"), &format!("XA PREPARE {xid}")],
                    );
                    open[slot] = Some(number);
                }
            }
            run(&mut conn, &["UPDATE sums SET n = n + 1 WHERE id = 4"]);
        }
    });
    assert_equal(&source, destination, "kill_xa");
    let mut there = destination.conn().unwrap();
    let kept = "SELECT COUNT(*) FROM drs_meta.xa WHERE task = 'kill_xa'";
    assert_eq!(value(&mut there, kept).as_deref(), Some("0"));
}

#[test]
fn cascading_foreign_keys() {
    let pair = servers::to_56();
    let (source, destination) = (pair.source, pair.destination);
    let mut conn = in_new_database(source, "kill_family");
    let rows = |first: u64, shape: &dyn Fn(u64) -> String| {
        (first..first + 6000)
            .map(shape)
            .collect::<Vec<_>>()
            .join(",")
    };
    run(
        &mut conn,
        &[
            "CREATE TABLE a (id INT PRIMARY KEY, v INT) ENGINE = InnoDB",
            "CREATE TABLE b (id INT PRIMARY KEY, a_id INT, v INT, \
             FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE = InnoDB",
            "CREATE TABLE c (id INT PRIMARY KEY, b_id INT, \
             FOREIGN KEY (b_id) REFERENCES b (id) ON DELETE SET NULL) ENGINE = InnoDB",
            &format!(
                "INSERT INTO a VALUES {}",
                rows(1, &|id| format!("({id}, 0)"))
            ),
            &format!(
                "INSERT INTO b VALUES {}",
                rows(1, &|id| format!("({id}, {}, 0)", id % 500 + 1))
            ),
            &format!(
                "INSERT INTO c VALUES {}",
                rows(1, &|id| format!("({id}, {id})"))
            ),
        ],
    );
    let task = Task::new(source, destination, "kill_family").copy("chunk_bytes = \"64KiB\"");
    kill_again_and_again(&task, "copy", 2, |stop| {
        let mut random = Random::new(3);
        let mut conn = conn_of(source, "kill_family");
        while !stop.load(Ordering::Relaxed) {
            let mut id = |end: u64| random.below(end) + 1;
            let statement = match id(7) {
                1 => format!("DELETE FROM a WHERE id = {}", id(500)),
                2 | 3 => format!("INSERT INTO a VALUES ({}, 1)", id(500)),
                4 => format!("UPDATE a SET id = {} WHERE id = {}", id(500), id(500)),
                5 => format!("REPLACE INTO c VALUES ({}, {})", id(6000), id(6000)),
                6 => format!("DELETE FROM b WHERE id = {}", id(6000)),
                _ => format!("INSERT INTO b VALUES ({}, {}, 1)", id(6000), id(500)),
            };
            // Many meet a key that is taken, or a parent that is not there: that is well.
            _ = conn.query_drop(statement);
        }
    });
    assert_equal(source, destination, "kill_family");
}

/// Runs the task, and lets `write` change the source from the first event of a kind on, while the
/// task is killed and run again.
fn kill_again_and_again(
    task: &Task,
    first_event: &str,
    seed: u64,
    write: impl FnOnce(&AtomicBool) + Send,
) {
    let mut random = Random::new(seed);
    let stop = AtomicBool::new(false);
    let mut program = Program::run(task, &[]);
    program.wait_for(first_event, |event| is(event, first_event).then_some(()));
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(&stop));
        for kill in 0..KILLS {
            if kill > 0 {
                thread::sleep(Duration::from_millis(random.below(1_500)));
            }
            assert!(program.is_running(), "{:?}", program.last());
            program.kill();
            program = Program::run(task, &[]);
            if kill > 0 {
                program.wait_until_it_follows();
            }
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        program.kill();
    });
    catch_up(task);
}

fn conn_of(server: &Server, database: &str) -> Conn {
    let mut conn = server.conn().unwrap();
    run(&mut conn, &[&format!("USE {database}")]);
    conn
}
