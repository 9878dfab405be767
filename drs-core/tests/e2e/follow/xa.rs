use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use drs_core::{Observer, StreamPoint};
use drs_testkit::{Server, Version};
use mysql::{Conn, prelude::Queryable};

use super::run::FollowTest;
use crate::servers::{gtid56, plain97, run, session, start};

/// What is prepared on a server concerns every task that begins there: these tests have a source
/// of their own, one at a time.
fn source97() -> (&'static Server, MutexGuard<'static, ()>) {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = SERVER.get_or_init(|| start(Version::MySql97, 976, true, false));
    (server, turn)
}

/// Statements of numbered sessions; between two steps the task stops and is run again.
struct Case {
    name: &'static str,
    tables: &'static str,
    steps: &'static [&'static [(usize, &'static str)]],
    /// 5.6 ends what is prepared with its session.
    detached: bool,
}

const TABLES: &str = "CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE = InnoDB;
    INSERT INTO t VALUES (1, 0), (2, 0), (3, 0);\n";

/// `@` stands for the test's name, which makes the identifiers its own.
const CASES: [Case; 9] = [
    Case {
        name: "commit",
        tables: TABLES,
        steps: &[
            &[(
                0,
                "XA START '@';\nINSERT INTO t VALUES (4, 4);\nUPDATE t SET v = 9 WHERE id = 1;\n\
                 DELETE FROM t WHERE id = 2;\nXA END '@';\nXA PREPARE '@'",
            )],
            &[(1, "INSERT INTO t VALUES (5, 5)")],
            &[(
                0,
                "XA COMMIT '@';\nUPDATE t SET v = v + 1 WHERE id IN (1, 4)",
            )],
        ],
        detached: false,
    },
    Case {
        name: "rollback",
        tables: TABLES,
        steps: &[
            &[(
                0,
                "XA START '@';\nDELETE FROM t;\nXA END '@';\nXA PREPARE '@'",
            )],
            &[(0, "XA ROLLBACK '@';\nINSERT INTO t VALUES (4, 4)")],
        ],
        detached: false,
    },
    Case {
        name: "one_phase",
        tables: TABLES,
        steps: &[&[(
            0,
            "XA START '@';\nUPDATE t SET v = 7;\nXA END '@';\nXA COMMIT '@' ONE PHASE;\n\
             XA START '@';\nDELETE FROM t WHERE id = 1;\nXA END '@';\nXA ROLLBACK '@'",
        )]],
        detached: false,
    },
    Case {
        name: "interleaved",
        tables: TABLES,
        steps: &[
            &[
                (
                    0,
                    "XA START '@','a',7;\nUPDATE t SET v = v + 1 WHERE id = 1;\nXA END '@','a',7;\nXA PREPARE '@','a',7",
                ),
                (
                    1,
                    "XA START '@','b',7;\nUPDATE t SET v = v + 1 WHERE id = 2;\nXA END '@','b',7;\nXA PREPARE '@','b',7",
                ),
                (2, "UPDATE t SET v = v + 10 WHERE id = 3"),
            ],
            &[
                (1, "XA COMMIT '@','b',7"),
                (2, "UPDATE t SET v = v + 10 WHERE id = 2"),
            ],
            &[(0, "XA COMMIT '@','a',7"), (2, "UPDATE t SET v = v + 10")],
        ],
        detached: false,
    },
    // The same identifier again and again, and changes whose order shows.
    Case {
        name: "again",
        tables: TABLES,
        steps: &[&[(
            0,
            "XA START '@';\nUPDATE t SET v = v * 2 + 1;\nXA END '@';\nXA PREPARE '@';\nXA COMMIT '@';\n\
             XA START '@';\nUPDATE t SET v = v * 3 + 1;\nXA END '@';\nXA PREPARE '@';\nXA ROLLBACK '@';\n\
             XA START '@';\nUPDATE t SET v = v * 5 + 1;\nXA END '@';\nXA PREPARE '@';\nXA COMMIT '@'",
        )]],
        detached: false,
    },
    Case {
        name: "others_too",
        tables: "CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE = InnoDB;
            CREATE TABLE k (v INT, d VARCHAR(10)) ENGINE = InnoDB;
            INSERT INTO k VALUES (1, 'a'), (1, 'a'), (2, NULL);
            CREATE DATABASE IF NOT EXISTS xa_elsewhere;
            CREATE TABLE IF NOT EXISTS xa_elsewhere.t (id INT) ENGINE = InnoDB;\n",
        steps: &[
            &[(
                0,
                "XA START '@';\nINSERT INTO xa_elsewhere.t VALUES (1);\nINSERT INTO t VALUES (1, 1);\n\
                 DELETE FROM k WHERE v = 1 LIMIT 1;\nUPDATE k SET d = 'x' WHERE v = 2;\n\
                 UPDATE t, xa_elsewhere.t e SET t.v = 5, e.id = 6;\nXA END '@';\nXA PREPARE '@'",
            )],
            &[(0, "XA COMMIT '@'")],
            &[(
                0,
                "XA START '@';\nINSERT INTO xa_elsewhere.t VALUES (2);\nXA END '@';\nXA PREPARE '@'",
            )],
            &[(0, "XA COMMIT '@';\nINSERT INTO t VALUES (2, 2)")],
        ],
        detached: false,
    },
    // Nobody but the server knows of it any more.
    Case {
        name: "detached",
        tables: TABLES,
        steps: &[
            &[(
                0,
                "XA START '@';\nUPDATE t SET v = 3 WHERE id = 1;\nXA END '@';\nXA PREPARE '@';\nINSERT INTO t VALUES (4, 4)",
            )],
            &[(1, "XA COMMIT '@'")],
        ],
        detached: true,
    },
    Case {
        name: "compressed",
        tables: TABLES,
        steps: &[
            &[(
                0,
                "SET binlog_transaction_compression = ON;\nXA START '@';\nUPDATE t SET v = 3;\n\
                 INSERT INTO t SELECT id + 10, v FROM t;\nXA END '@';\nXA PREPARE '@'",
            )],
            &[(1, "XA COMMIT '@'")],
        ],
        detached: true,
    },
    // More than is held in memory, and a row larger than a part of what is kept.
    Case {
        name: "large",
        tables: "CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE = InnoDB;
            CREATE TABLE big (id INT PRIMARY KEY, v LONGBLOB) ENGINE = InnoDB;\n",
        steps: &[
            &[(
                0,
                "XA START '@';\n\
                 INSERT INTO big VALUES (1, REPEAT('a', 900000)), (2, REPEAT('b', 900000)), (3, REPEAT('c', 900000));\n\
                 INSERT INTO big VALUES (4, REPEAT('d', 900000)), (5, REPEAT('e', 900000)), (6, REPEAT('f', 900000));\n\
                 UPDATE big SET v = CONCAT(v, id);\nINSERT INTO t VALUES (1, 1);\nXA END '@';\nXA PREPARE '@'",
            )],
            &[(0, "XA COMMIT '@';\nDELETE FROM big WHERE id = 3")],
        ],
        detached: false,
    },
];

#[test]
fn xa_transactions_are_applied_once_when_they_commit() {
    let (source97, _turn) = source97();
    for source in [source97, gtid56()] {
        for case in &CASES {
            if case.detached && source.release().number < (9, 0, 0) {
                continue;
            }
            for (resumes, lanes) in [(true, 4), (false, 1), (false, 8)] {
                check(source, case, resumes, lanes);
            }
        }
    }
}

fn check(source: &'static Server, case: &Case, resumes: bool, lanes: u64) {
    let name = format!("xa_{}_{lanes}", case.name);
    let test = FollowTest::new(source, plain97(), &name, case.tables);
    let task = test.task().lanes(lanes).build().unwrap();
    let catch_up = || {
        test.catch_up_watched(&task, &())
            .unwrap_or_else(|error| panic!("{}: {error}", test.name))
    };
    catch_up();
    let mut sessions: Vec<Conn> = (0..3).map(|_| test.at_source()).collect();
    for step in case.steps {
        for (number, script) in *step {
            run(&mut sessions[*number], &script.replace('@', &test.name));
        }
        if resumes {
            catch_up();
        }
    }
    let outcome = catch_up();
    assert_eq!(outcome.follow.unwrap().conflicts, 0, "{}", test.name);
    test.assert_equal();
    assert_eq!(kept(&test), 0, "{}", test.name);
}

/// Parts of prepared transactions that the destination keeps for the task.
fn kept(test: &FollowTest) -> u64 {
    let count: Option<u64> = session(test.destination)
        .exec_first(
            "SELECT COUNT(*) FROM drs_meta.xa WHERE task = ?",
            (&test.name,),
        )
        .unwrap();
    count.unwrap()
}

/// Runs a script between the start point and the copy.
struct Between(Mutex<Conn>, String);

impl Observer for Between {
    fn started(&self, resumed: bool, _: &StreamPoint) {
        if !resumed {
            run(&mut self.0.lock().unwrap(), &self.1);
        }
    }
}

/// The copy does not see the row, and the log has it before the point that the copy stands for.
#[test]
fn rows_prepared_before_the_copy_of_their_table_arrive_with_their_commit() {
    let (source, _turn) = source97();
    for (ends, kept_then) in [
        ("", 1),
        ("XA COMMIT 'drs-copy'", 0),
        ("XA ROLLBACK 'drs-copy'", 0),
    ] {
        let test = FollowTest::new(
            source,
            plain97(),
            "xa_copy",
            "CREATE TABLE t (id INT PRIMARY KEY);
             INSERT INTO t VALUES (1);\n",
        );
        forget(&test);
        let script = format!(
            "XA START 'drs-copy';\nINSERT INTO t VALUES (2);\nXA END 'drs-copy';\nXA PREPARE 'drs-copy';\n{ends}"
        );
        let observer = Between(Mutex::new(test.at_source()), script);
        let task = test.task().build().unwrap();
        test.catch_up_watched(&task, &observer).unwrap();
        assert_eq!(kept(&test), kept_then);
        test.assert_equal();
        if ends.is_empty() {
            run(&mut test.at_source(), "XA COMMIT 'drs-copy'");
            test.catch_up().unwrap();
            test.assert_equal();
        }
    }
}

/// Its rows are neither in a copy nor in the log from the start point on.
#[test]
fn what_was_prepared_before_the_start_point_stops_the_task_when_it_commits() {
    let (source, _turn) = source97();
    let test = FollowTest::new(
        source,
        plain97(),
        "xa_before",
        "CREATE TABLE t (id INT PRIMARY KEY);\n",
    );
    let mut writer = test.at_source();
    run(
        &mut session(test.destination),
        &format!(
            "CREATE DATABASE {0};\nCREATE TABLE {0}.t (id INT PRIMARY KEY)",
            test.name
        ),
    );
    for (ends, stops) in [
        ("XA COMMIT 'drs-before'", true),
        ("XA ROLLBACK 'drs-before'", false),
    ] {
        forget(&test);
        run(
            &mut writer,
            "DELETE FROM t;\nXA START 'drs-before';\nINSERT INTO t VALUES (2);\nXA END 'drs-before';\nXA PREPARE 'drs-before'",
        );
        let status: mysql::Row = writer
            .query_first("SHOW BINARY LOG STATUS")
            .unwrap()
            .unwrap();
        let (file, offset): (String, u64) = (status.get(0).unwrap(), status.get(1).unwrap());
        let set: String = status.get::<String, _>(4).unwrap().replace('\n', "");
        let task = test
            .task()
            .mode(drs_core::Mode::Incremental {
                start_point: format!("{file}:{offset};{set}").parse().unwrap(),
            })
            .build()
            .unwrap();
        run(&mut writer, ends);
        let result = test.catch_up_watched(&task, &());
        match stops {
            true => {
                let error = result.unwrap_err().to_string();
                assert!(error.contains("prepared before the point"), "{error}");
            }
            false => _ = result.unwrap(),
        }
    }
}

/// Makes the destination forget the task and its tables.
fn forget(test: &FollowTest) {
    let mut destination = session(test.destination);
    for table in ["task", "lane", "table_state", "chunk", "xa"] {
        let name = if table == "task" { "name" } else { "task" };
        _ = destination.exec_drop(
            format!("DELETE FROM drs_meta.{table} WHERE {name} = ?"),
            (&test.name,),
        );
    }
}

/// The server has it prepared after a crash too (XA RECOVER), and its end is in another file.
#[test]
fn a_source_that_crashes_between_prepare_and_commit_loses_nothing() {
    let source: &'static Server = Box::leak(Box::new(start(Version::MySql97, 974, true, false)));
    let test = FollowTest::new(source, plain97(), "xa_crash", TABLES);
    test.catch_up().unwrap();
    run(
        &mut test.at_source(),
        "XA START 'drs-a';\nUPDATE t SET v = 5 WHERE id = 1;\nXA END 'drs-a';\nXA PREPARE 'drs-a';\n\
         XA START 'drs-b';\nUPDATE t SET v = 6 WHERE id = 2;\nXA END 'drs-b';\nXA PREPARE 'drs-b'",
    );
    test.catch_up().unwrap();
    source.kill().unwrap();
    source.restart().unwrap();
    run(
        &mut test.at_source(),
        "XA COMMIT 'drs-a';\nXA ROLLBACK 'drs-b';\nUPDATE t SET v = v + 1",
    );
    test.catch_up().unwrap();
    test.assert_equal();
    assert_eq!(kept(&test), 0);
    source.stop().unwrap();
}
