//! What foreign keys cascade to is not in the log before 9.6: the destination cascades itself.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use drs_core::{Observer, StreamPoint};
use drs_testkit::{Server, workload::Random};
use mysql::{Conn, prelude::Queryable};

use super::run::FollowTest;
use crate::servers::{gtid56, gtid97, native97, plain56, plain97, run, session};

const TABLES: &str = "CREATE TABLE a (id INT PRIMARY KEY, v INT) ENGINE = InnoDB;
    CREATE TABLE b (id INT PRIMARY KEY, a_id INT, v INT, UNIQUE (a_id, id),
      FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE = InnoDB;
    CREATE TABLE c (id INT PRIMARY KEY, a_id INT, b_id INT, v INT,
      FOREIGN KEY (a_id, b_id) REFERENCES b (a_id, id) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE = InnoDB;
    CREATE TABLE d (id INT PRIMARY KEY, c_id INT, FOREIGN KEY (c_id) REFERENCES c (id) ON DELETE SET NULL) ENGINE = InnoDB;
    CREATE TABLE e (id INT PRIMARY KEY, a_id INT, FOREIGN KEY (a_id) REFERENCES a (id)) ENGINE = InnoDB;
    CREATE TABLE tree (id INT PRIMARY KEY, parent INT, v INT,
      FOREIGN KEY (parent) REFERENCES tree (id) ON DELETE CASCADE) ENGINE = InnoDB;
    CREATE TABLE keyless (a_id INT, v INT,
      FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE SET NULL ON UPDATE CASCADE) ENGINE = InnoDB;
    CREATE TABLE alone (id INT PRIMARY KEY, v INT) ENGINE = InnoDB;
    INSERT INTO a VALUES (1, 0), (2, 0), (3, 0), (4, 0);
    INSERT INTO b VALUES (1, 1, 0), (2, 1, 0), (3, 2, 0), (4, NULL, 0);
    INSERT INTO c VALUES (1, 1, 1, 0), (2, 1, 2, 0), (3, 2, 3, 0);
    INSERT INTO d VALUES (1, 1), (2, 2), (3, 3), (4, NULL);
    INSERT INTO e VALUES (1, 4);
    INSERT INTO tree VALUES (1, NULL, 0), (2, 1, 0), (3, 2, 0), (4, 1, 0), (5, NULL, 0), (6, 6, 0);
    INSERT INTO keyless VALUES (1, 1), (1, 1), (2, 2), (NULL, 3);\n";

/// Each is one transaction after the other; then both sides are the same.
const CASES: [(&str, &str); 9] = [
    ("delete", "DELETE FROM a WHERE id = 1;\nUPDATE a SET v = 1"),
    (
        "update",
        "UPDATE a SET id = 10 WHERE id = 1;\nUPDATE a SET id = 1 WHERE id = 10;\nUPDATE b SET v = v + 1",
    ),
    (
        "self",
        "DELETE FROM tree WHERE id = 2;\nDELETE FROM tree WHERE id = 6;\nINSERT INTO tree VALUES (2, 1, 1), (3, 2, 1);\nDELETE FROM tree",
    ),
    (
        "one_transaction",
        "BEGIN;\nINSERT INTO a VALUES (9, 0);\nINSERT INTO b VALUES (9, 9, 0);\nINSERT INTO c VALUES (9, 9, 9, 0);\n\
         UPDATE a SET id = 8 WHERE id = 9;\nINSERT INTO d VALUES (9, 9);\nINSERT INTO alone VALUES (1, 1);\n\
         DELETE FROM a WHERE id = 8;\nINSERT INTO b VALUES (9, 3, 1);\nCOMMIT",
    ),
    // A parent that comes back, and children that come back to it.
    (
        "again",
        "DELETE FROM a WHERE id = 2;\nINSERT INTO a VALUES (2, 2);\nINSERT INTO b VALUES (3, 2, 2);\nUPDATE d SET c_id = 1 WHERE id = 3;\n\
         DELETE FROM b WHERE id = 1;\nUPDATE keyless SET a_id = 2 WHERE v = 3;\nDELETE FROM a WHERE id = 2",
    ),
    // Nothing cascades in a session that does not check.
    (
        "unchecked",
        "SET foreign_key_checks = 0;\nDELETE FROM a WHERE id = 1;\nUPDATE a SET id = 20 WHERE id = 2;\n\
         INSERT INTO b VALUES (7, 77, 0);\nSET foreign_key_checks = 1;\nUPDATE b SET v = 5 WHERE id = 1;\nDELETE FROM b WHERE id = 7",
    ),
    (
        "restrict",
        "INSERT INTO e VALUES (2, 3);\nDELETE FROM e WHERE id = 1;\nDELETE FROM a WHERE id = 4;\nUPDATE e SET a_id = 1 WHERE id = 2",
    ),
    // A family that grows while it is followed.
    (
        "ddl",
        "CREATE TABLE f (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES tree (id) ON DELETE CASCADE) ENGINE = InnoDB;\n\
         INSERT INTO f VALUES (1, 3), (2, 5);\nDELETE FROM tree WHERE id = 1;\n\
         ALTER TABLE alone ADD a_id INT, ADD FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE SET NULL;\n\
         INSERT INTO alone VALUES (5, 5, 3);\nDELETE FROM a WHERE id = 3",
    ),
    (
        "many",
        "INSERT INTO a SELECT id + 100, v FROM a WHERE id < 4;\nINSERT INTO b SELECT id + 100, a_id + 100, v FROM b WHERE a_id < 4;\n\
         UPDATE a SET id = id + 1000 WHERE id > 100;\nDELETE FROM a WHERE id > 1000 OR id < 3",
    ),
];

fn pairs() -> [(&'static Server, &'static Server); 3] {
    [
        (gtid56(), native97()),
        (plain56(), gtid56()),
        (gtid97(), plain97()),
    ]
}

#[test]
fn children_change_as_they_did_at_the_source() {
    for (source, destination) in pairs() {
        for (name, script) in CASES {
            for lanes in [1, 8] {
                let name = format!("fk_{name}_{lanes}");
                let test = FollowTest::new(source, destination, &name, TABLES);
                let task = test.task().lanes(lanes).build().unwrap();
                test.catch_up_watched(&task, &()).unwrap();
                let mut conn = test.at_source();
                for statement in script.split(";\n") {
                    let result = conn.query_drop(statement);
                    // From 9.6 on a server refuses some of what InnoDB does.
                    if source.release().number < (9, 6, 0) {
                        result.unwrap_or_else(|error| panic!("{name}: {error}\n{statement}"));
                    }
                }
                let outcome = test
                    .catch_up_watched(&task, &())
                    .unwrap_or_else(|error| panic!("{}: {error}", test.name));
                assert_eq!(outcome.follow.unwrap().conflicts, 0, "{}", test.name);
                test.assert_equal();
            }
        }
    }
}

/// Writes to the family for as long as it lives.
struct Writer<'a> {
    conn: Mutex<Conn>,
    seed: u64,
    stop: &'a AtomicBool,
    changes: u32,
}

impl Writer<'_> {
    fn run(&self) {
        let mut random = Random::new(self.seed);
        let mut conn = self.conn.lock().unwrap();
        let mut done = 0;
        while done < self.changes && !self.stop.load(Ordering::Relaxed) {
            let mut id = |below: u64| random.below(below) + 1;
            let statement = match id(9) {
                1 => format!("INSERT INTO a VALUES ({}, 1)", id(12)),
                2 => format!("DELETE FROM a WHERE id = {}", id(12)),
                3 => format!("UPDATE a SET id = {} WHERE id = {}", id(12), id(12)),
                4 | 5 => format!("INSERT INTO b VALUES ({}, {}, 1)", id(30), id(12)),
                6 => format!(
                    "INSERT INTO c SELECT {}, a_id, id, 1 FROM b ORDER BY id % {} LIMIT 1",
                    id(40),
                    id(7)
                ),
                7 => format!("INSERT INTO d VALUES ({}, {})", id(1000), id(40)),
                8 => format!("INSERT INTO keyless VALUES ({}, {})", id(12), id(9)),
                _ => format!("UPDATE b SET a_id = {} WHERE id = {}", id(12), id(30)),
            };
            // Many meet a key that is taken, or a parent that is not there: that is well.
            _ = conn.query_drop(statement);
            done += 1;
        }
    }
}

/// Lets writers at the source run from the start point on.
struct Starts<'a>(&'a AtomicBool);

impl Observer for Starts<'_> {
    fn started(&self, _: bool, _: &StreamPoint) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_family_is_copied_while_it_is_written_to() {
    for (source, destination) in pairs() {
        for lanes in [1, 8] {
            let name = format!("fk_busy_{lanes}");
            let test = FollowTest::new(source, destination, &name, TABLES);
            let rows: Vec<String> = (100..8000).map(|id| format!("({id}, 0)")).collect();
            run(
                &mut test.at_source(),
                &format!("INSERT INTO a VALUES {}", rows.join(",")),
            );
            let task = test.task().lanes(lanes).build().unwrap();
            let (begun, stop) = (AtomicBool::new(false), AtomicBool::new(false));
            std::thread::scope(|scope| {
                for seed in 0..2 {
                    let writer = Writer {
                        conn: Mutex::new(test.at_source()),
                        seed,
                        stop: &stop,
                        changes: 3000,
                    };
                    let begun = &begun;
                    scope.spawn(move || {
                        while !begun.load(Ordering::Relaxed) {
                            std::thread::yield_now();
                        }
                        writer.run();
                    });
                }
                let result = test.catch_up_watched(&task, &Starts(&begun));
                stop.store(true, Ordering::Relaxed);
                begun.store(true, Ordering::Relaxed);
                result.unwrap_or_else(|error| panic!("{}: {error}", test.name));
            });
            test.catch_up_watched(&task, &()).unwrap();
            test.assert_equal();
        }
    }
}

/// From 9.6 on a server leaves children behind that InnoDB removes.
#[test]
fn a_destination_that_cascades_in_another_way_is_refused() {
    let test = FollowTest::new(plain56(), plain97(), "fk_97", TABLES);
    let error = test.catch_up().unwrap_err().to_string();
    assert!(error.contains("innodb_native_foreign_keys"), "{error}");
    // Also when the first such key comes while the log is followed.
    let test = FollowTest::new(
        plain56(),
        plain97(),
        "fk_97_ddl",
        "CREATE TABLE p (id INT PRIMARY KEY) ENGINE = InnoDB;\n",
    );
    test.catch_up().unwrap();
    run(
        &mut test.at_source(),
        "CREATE TABLE k (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES p (id) ON DELETE CASCADE) ENGINE = InnoDB;\n\
         DROP TABLE k",
    );
    let error = test.catch_up().unwrap_err().to_string();
    assert!(error.contains("innodb_native_foreign_keys"), "{error}");
}

/// The parent would not change at the destination, and so the child would not either.
#[test]
fn a_family_that_is_not_selected_as_a_whole_is_refused() {
    let test = FollowTest::new(plain56(), native97(), "fk_part", TABLES);
    let task = drs_core::Task::builder(
        super::run::endpoint(test.source),
        super::run::endpoint(test.destination),
    )
    .name(test.name.as_str())
    .select(format!("{}.b", test.name))
    .build()
    .unwrap();
    let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
    assert!(
        error.contains("`a`") && error.contains("not selected"),
        "{error}"
    );
    // A rule would have to be kept for what cascades, too.
    let task = test
        .task()
        .rule(drs_core::Rule::new(format!("{}.a", test.name)).filter("v = 0"))
        .build()
        .unwrap();
    let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
    assert!(error.contains("has a rule"), "{error}");
    // Without its children, a parent is a table like any other.
    let task = drs_core::Task::builder(
        super::run::endpoint(test.source),
        super::run::endpoint(test.destination),
    )
    .name(test.name.as_str())
    .select(format!("{}.a", test.name))
    .build()
    .unwrap();
    test.catch_up_watched(&task, &()).unwrap();
}

/// The destination would change children that stayed as they were at the source, or the reverse.
#[test]
fn other_cascades_at_the_destination_are_refused() {
    let test = FollowTest::new(
        plain56(),
        native97(),
        "fk_other",
        "CREATE TABLE p (id INT PRIMARY KEY) ENGINE = InnoDB;
         CREATE TABLE k (id INT PRIMARY KEY, p INT, KEY (p)) ENGINE = InnoDB;\n",
    );
    run(
        &mut session(test.destination),
        &format!(
            "CREATE DATABASE {0};\nCREATE TABLE {0}.p (id INT PRIMARY KEY);\n\
             CREATE TABLE {0}.k (id INT PRIMARY KEY, p INT, KEY (p), FOREIGN KEY (p) REFERENCES {0}.p (id) ON DELETE CASCADE)",
            test.name
        ),
    );
    let error = test.catch_up().unwrap_err().to_string();
    assert!(error.contains("other foreign keys"), "{error}");
}
