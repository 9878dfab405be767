use std::sync::Mutex;

use drs_core::{Observer, StreamPoint};
use mysql::Conn;

use super::run::FollowTest;
use crate::servers::{gtid97, plain97, run};

/// Prepares an XA transaction between the start point and the copy.
struct PreparesFirst(Mutex<Conn>);

impl Observer for PreparesFirst {
    fn started(&self, resumed: bool, _: &StreamPoint) {
        if !resumed {
            run(
                &mut self.0.lock().unwrap(),
                "XA START 'drs-copy';\nINSERT INTO t VALUES (2);\nXA END 'drs-copy';\nXA PREPARE 'drs-copy'",
            );
        }
    }
}

/// The copy does not see the row, and the log has it before the point that the copy stands for.
#[test]
fn rows_prepared_before_the_copy_of_their_table_stop_the_task() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "xa",
        "CREATE TABLE t (id INT PRIMARY KEY);
         INSERT INTO t VALUES (1);\n",
    );
    let observer = PreparesFirst(Mutex::new(test.at_source()));
    let task = test.task().build().unwrap();
    let result = test.catch_up_watched(&task, &observer);
    run(&mut test.at_source(), "XA ROLLBACK 'drs-copy'");
    let error = result.unwrap_err().to_string();
    assert!(error.contains("XA transaction"), "{error}");
}

/// Those in other databases are no matter, and those that end are waited for.
#[test]
fn xa_transactions_on_other_tables_pass() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "xa_other",
        "CREATE TABLE t (id INT PRIMARY KEY);\n",
    );
    test.catch_up().unwrap();
    run(
        &mut test.at_source(),
        "CREATE DATABASE IF NOT EXISTS xa_elsewhere;
         CREATE TABLE IF NOT EXISTS xa_elsewhere.t (id INT);
         XA START 'drs-other';
         INSERT INTO xa_elsewhere.t VALUES (2);
         XA END 'drs-other';
         XA PREPARE 'drs-other';
         XA COMMIT 'drs-other';
         INSERT INTO t VALUES (1)",
    );
    test.catch_up().unwrap();
    test.assert_equal();
}
