use std::time::Duration;

use drs_testkit::deadline;
use mysql::prelude::Queryable;

use super::run::FollowTest;
use crate::servers::{gtid97, plain97, run, session};

/// A server goes on with an ALTER TABLE whose client was killed; its session holds the lock.
#[test]
fn a_statement_waits_for_the_one_that_an_earlier_run_left_running() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "ddl_turn",
        "CREATE TABLE t (id INT PRIMARY KEY);\n",
    );
    test.catch_up().unwrap();
    run(&mut test.at_source(), "ALTER TABLE t ADD c INT");
    let mut earlier = session(test.destination);
    let lock = format!("drs_ddl_{}", test.name);
    let held: Option<bool> = earlier
        .exec_first("SELECT GET_LOCK(?, 0)", (&lock,))
        .unwrap();
    assert_eq!(held, Some(true));
    std::thread::scope(|scope| {
        let running = scope.spawn(|| test.catch_up());
        let mut look = session(test.destination);
        deadline::until(
            Duration::from_secs(30),
            "a session that waits for the lock",
            || {
                let waiting: Option<u64> = look
                    .query_first(
                        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User lock'",
                    )
                    .unwrap();
                (waiting > Some(0)).then_some(())
            },
        );
        let column: Option<String> = look
            .query_first(format!("SHOW COLUMNS FROM {}.t LIKE 'c'", test.name))
            .map(|row: Option<mysql::Row>| row.and_then(|row| row.get(0)))
            .unwrap();
        assert_eq!(column, None, "it ran beside the other one");
        drop(earlier);
        running.join().unwrap().unwrap();
    });
    test.assert_equal();
}
