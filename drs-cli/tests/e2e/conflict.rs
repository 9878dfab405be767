//! Rows at the destination that are not what the source's changes take them to be.

use crate::{
    program::{Program, catch_up},
    servers::{self, assert_equal, in_new_database, run},
    task::Task,
};

/// What is done to the destination's table, and what to the source's, so that it meets a conflict.
const CASES: [(&str, &str, &str, &str); 4] = [
    (
        "insert",
        "INSERT INTO t VALUES (9, 'in the way', 'nine')",
        "INSERT INTO t VALUES (9, 'new', 'nine')",
        "PRIMARY",
    ),
    (
        "unique",
        "INSERT INTO t VALUES (8, 'in the way', 'nine')",
        "INSERT INTO t VALUES (9, 'new', 'nine')",
        "word",
    ),
    (
        "update",
        "DELETE FROM t WHERE id = 1",
        "UPDATE t SET note = 'changed' WHERE id = 1",
        "does not exist",
    ),
    (
        "delete",
        "DELETE FROM t WHERE id = 1",
        "DELETE FROM t WHERE id = 1",
        "does not exist",
    ),
];

#[test]
fn report_error_stops_and_overwrite_repairs() {
    for (pair, gtid, lanes) in [
        (servers::gtid(), true, 1),
        (servers::gtid(), true, 8),
        (servers::by_position(), false, 4),
        (servers::to_56(), true, 2),
    ] {
        for (case, there, here, reason) in CASES {
            let database = format!("conflict_{case}_{lanes}");
            let mut conn = in_new_database(pair.source, &database);
            run(
                &mut conn,
                &[
                    "CREATE TABLE t (id INT PRIMARY KEY, note TEXT, word VARCHAR(40) UNIQUE)",
                    "CREATE TABLE other (id INT PRIMARY KEY)",
                    "INSERT INTO t VALUES (1, 'old', 'one'), (2, 'old', 'two')",
                ],
            );
            let task = Task::of(pair, &database).sync(&format!("lanes = {lanes}"));
            catch_up(&task);
            let mut destination = pair.destination.conn().unwrap();
            run(&mut destination, &[&format!("USE {database}"), there]);
            // The conflict's transaction is whole or not there.
            run(
                &mut conn,
                &[
                    "INSERT INTO other VALUES (1)",
                    "BEGIN",
                    "INSERT INTO other VALUES (2)",
                    here,
                    "COMMIT",
                    "INSERT INTO other VALUES (3)",
                ],
            );
            // Again and again, until somebody does something about it.
            for _ in 0..2 {
                let said = Program::run(&task, &["--until-caught-up"]).fail();
                let named = format!("`{database}`.`t`");
                assert!(
                    said.contains(&named)
                        && said.contains(reason)
                        && said.contains("binlog.0")
                        && said.contains("GTID") == gtid,
                    "{case}: {said}"
                );
                for value in ["in the way", "nine", "changed"] {
                    assert!(!said.contains(value), "{case}: a row's value in {said}");
                }
                let query = format!("SELECT COUNT(*) FROM {database}.other WHERE id = 2");
                assert_eq!(
                    servers::value(&mut destination, &query).as_deref(),
                    Some("0"),
                    "{case}"
                );
            }
            let task = task.sync(&format!("lanes = {lanes}\nconflict = \"overwrite\""));
            let ended = catch_up(&task);
            assert!(ended.number("done", "conflicts") > 0, "{case}: {ended:?}");
            assert_equal(pair.source, pair.destination, &database);
        }
    }
}
