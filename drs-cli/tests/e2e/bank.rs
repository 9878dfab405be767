//! Money is moved between accounts at the source while the destination is looked at as fast as it
//! answers: no look may ever see an account missing or another sum.

use std::{
    env,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use drs_testkit::{Server, workload::Random};
use mysql::prelude::Queryable;

use crate::{
    program::Program,
    servers::{self, assert_equal, in_new_database, run, wait_for_value},
    task::Task,
};

const ACCOUNTS: u64 = 200;
const TRANSFERS_PER_SECOND: u64 = 400;
const TELLERS: u64 = 4;
/// Looks at the destination, unless `DRS_POLLS` says how many.
const POLLS: u64 = 5_000;

#[test]
fn no_look_sees_the_middle_with_1_lane() {
    bank("bank_1", 1);
}

#[test]
fn no_look_sees_the_middle_with_8_lanes() {
    bank("bank_8", 8);
}

fn bank(database: &str, lanes: u8) {
    let polls = env::var("DRS_POLLS").map_or(POLLS, |polls| polls.parse().unwrap());
    let pair = servers::gtid();
    let mut conn = in_new_database(pair.source, database);
    run(
        &mut conn,
        &[
            "CREATE TABLE accounts (id INT PRIMARY KEY, balance DECIMAL(12,2) NOT NULL, moves INT NOT NULL)",
            "CREATE TABLE watched (started INT)",
        ],
    );
    for id in 1..=ACCOUNTS {
        conn.exec_drop("INSERT INTO accounts VALUES (?, 1000, 0)", (id,))
            .unwrap();
    }

    let task = Task::of(pair, database).sync(&format!("lanes = {lanes}"));
    let mut program = Program::run(&task, &[]);
    let stop = AtomicBool::new(false);
    let transfers = AtomicU64::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        let tellers: Vec<_> = (0..TELLERS)
            .map(|number| {
                let (stop, transfers) = (&stop, &transfers);
                scope.spawn(move || move_money(pair.source, database, number, stop, transfers))
            })
            .collect();
        // A failure must not leave them at it.
        let closing = Closing(&stop);
        program.wait_until_it_follows();
        let mut there = pair.destination.conn().unwrap();
        run(&mut conn, &["INSERT INTO watched VALUES (1)"]);
        wait_for_value(
            &mut there,
            &format!("SELECT started FROM {database}.watched"),
            "1",
        );

        let before = transfers.load(Ordering::Relaxed);
        let query = format!("SELECT COUNT(*), CAST(SUM(balance) AS CHAR) FROM {database}.accounts");
        let looked = Instant::now();
        let mut wrong = 0;
        for _ in 0..polls {
            let (count, sum): (u64, String) = there.query_first(&query).unwrap().unwrap();
            if (count, sum.as_str()) != (ACCOUNTS, "200000.00") {
                wrong += 1;
                println!("{database}: saw {count} accounts with {sum}");
            }
        }
        let elapsed = looked.elapsed();
        let moved = transfers.load(Ordering::Relaxed) - before;
        println!(
            "{database}: {polls} looks in {elapsed:.1?} during {moved} transfers, {wrong} wrong"
        );
        drop(closing);
        for teller in tellers {
            teller.join().unwrap();
        }
        assert_eq!(wrong, 0, "of {polls} looks");
        assert!(moved > 0, "nothing happened while it was looked at");
        assert!(program.is_running());

        run(&mut conn, &["UPDATE watched SET started = 2"]);
        wait_for_value(
            &mut there,
            &format!("SELECT started FROM {database}.watched"),
            "2",
        );
    });
    println!(
        "{database}: {} transfers in {:.1?}",
        transfers.into_inner(),
        begun.elapsed()
    );
    program.interrupt();
    // Everything before the last mark is there, and nothing came behind it.
    assert_equal(pair.source, pair.destination, database);
}

/// The bank closes when this is dropped.
struct Closing<'a>(&'a AtomicBool);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Transfers at an even pace, each by one of the ways that rows can be changed.
fn move_money(source: &Server, database: &str, number: u64, stop: &AtomicBool, done: &AtomicU64) {
    let mut conn = source.conn().unwrap();
    run(&mut conn, &[&format!("USE {database}")]);
    let mut random = Random::new(number);
    let pause = Duration::from_micros(1_000_000 * TELLERS / TRANSFERS_PER_SECOND);
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let (from, to) = (random.between(1, ACCOUNTS), random.between(1, ACCOUNTS));
        let cents = random.between(1, 10_000);
        let way = random.below(4);
        let moved = (|| {
            conn.query_drop("BEGIN")?;
            // In the order of the ids, so that tellers seldom wait for each other in a circle.
            let (first, second) = (from.min(to), from.max(to));
            for id in [first, second] {
                let sign = if id == from { '-' } else { '+' };
                if from == to {
                    break;
                }
                conn.query_drop(match way {
                    0 => format!(
                        "REPLACE INTO accounts SELECT id, balance {sign} {cents} / 100, moves + 1 FROM accounts WHERE id = {id} FOR UPDATE"
                    ),
                    1 => format!(
                        "INSERT INTO accounts VALUES ({id}, 0, 0) ON DUPLICATE KEY UPDATE balance = balance {sign} {cents} / 100, moves = moves + 1"
                    ),
                    _ => format!(
                        "UPDATE accounts SET balance = balance {sign} {cents} / 100, moves = moves + 1 WHERE id = {id}"
                    ),
                })?;
            }
            if way == 3 {
                // Another key, and back: the row goes and comes within the transaction.
                conn.query_drop(format!("UPDATE accounts SET id = -id WHERE id = {first}"))?;
                conn.query_drop(format!("UPDATE accounts SET id = -id WHERE id = -{first}"))?;
            }
            conn.query_drop("COMMIT")
        })();
        match moved {
            Ok(()) => drop(done.fetch_add(1, Ordering::Relaxed)),
            Err(mysql::Error::MySqlError(error)) if [1205, 1213].contains(&error.code) => {
                conn.query_drop("ROLLBACK").unwrap();
            }
            Err(error) => panic!("{error}"),
        }
        due = (due + pause).max(Instant::now() - Duration::from_secs(1));
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}
