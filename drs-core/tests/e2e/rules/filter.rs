use drs_core::{DmlKind, Rule};
use mysql::{Row, prelude::Queryable};

use crate::{
    follow::run::FollowTest,
    servers::{gtid97, plain56, plain97, run, session},
};

/// One filter: the condition, statements before the copy, and statements that are followed.
struct Case {
    name: &'static str,
    table: &'static str,
    filter: &'static str,
    before: &'static str,
    after: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "in_and_out",
        table: "id INT PRIMARY KEY, region VARCHAR(10), n INT, UNIQUE KEY (n)",
        filter: "region = 'EU'",
        before: "INSERT INTO t VALUES (1, 'EU', 1), (2, 'US', 2), (3, NULL, 3), (4, 'eu ', 4), (5, 'éu', 5)",
        after: "INSERT INTO t VALUES (10, 'EU', 10), (11, 'US', 11);
                UPDATE t SET region = 'US' WHERE id = 1;
                UPDATE t SET region = 'EU' WHERE id = 2;
                UPDATE t SET n = 30 WHERE id = 3;
                UPDATE t SET region = 'Éü' WHERE id = 11;
                UPDATE t SET n = 40 WHERE id = 4;
                UPDATE t SET id = 100 WHERE id = 10;
                DELETE FROM t WHERE id IN (2, 3);
                INSERT INTO t VALUES (2, 'EU', 2);
                UPDATE t SET region = 'US' WHERE id = 2;
                UPDATE t SET region = 'EU', n = 22 WHERE id = 2",
    },
    Case {
        name: "one_transaction",
        table: "id INT PRIMARY KEY, region VARCHAR(10), n INT, UNIQUE KEY (n)",
        filter: "region <> 'US' AND n < 100 OR region IS NULL",
        before: "INSERT INTO t VALUES (1, 'EU', 1), (2, 'US', 2), (3, NULL, 300)",
        after: "BEGIN;
                UPDATE t SET region = 'US' WHERE id = 1;
                INSERT INTO t VALUES (4, 'EU', 4), (5, 'US', 5);
                UPDATE t SET region = 'EU' WHERE id = 1;
                UPDATE t SET n = 500 WHERE id = 4;
                UPDATE t SET region = NULL WHERE id = 5;
                DELETE FROM t WHERE id = 3;
                UPDATE t SET n = 3 WHERE id = 2;
                UPDATE t SET region = 'AS' WHERE id = 2;
                COMMIT",
    },
    Case {
        name: "types",
        table: "id BIGINT UNSIGNED PRIMARY KEY, d DATE, at DATETIME(3), ts TIMESTAMP NULL, x DECIMAL(20,4), e ENUM('a','B','é'), \
                s SET('x','y'), b VARBINARY(9), f DOUBLE",
        filter: "id >= 18446744073709551000 OR d BETWEEN '2026-01-01' AND '2026-12-31' OR at > '2026-01-01 00:00:00.5' OR \
                 ts < '2020-01-01' OR x IN (1.5, -0.0001) OR e LIKE 'b%' OR s = 'x,y' OR b = x'ff00' OR f > 0.5",
        before: "INSERT INTO t (id) VALUES (1), (18446744073709551615);
                 INSERT INTO t (id, d) VALUES (2, '2026-06-01'), (3, '2025-06-01');
                 INSERT INTO t (id, at) VALUES (4, '2026-01-01 00:00:00.499'), (5, '2026-01-01 00:00:00.501')",
        after: "INSERT INTO t (id, ts) VALUES (6, '2019-12-31 23:59:59'), (7, '2020-01-01 00:00:00');
                INSERT INTO t (id, x) VALUES (8, 1.5), (9, -0.0001), (10, 1.5001);
                INSERT INTO t (id, e) VALUES (11, 'a'), (12, 'B'), (13, 'é');
                INSERT INTO t (id, s) VALUES (14, 'x'), (15, 'y,x'), (16, '');
                INSERT INTO t (id, b) VALUES (17, x'ff00'), (18, x'ff');
                INSERT INTO t (id, f) VALUES (19, 0.5), (20, 0.6);
                UPDATE t SET d = '2024-01-01' WHERE id = 2;
                UPDATE t SET at = '2030-01-01' WHERE id = 4;
                UPDATE t SET x = 2 WHERE id = 8;
                UPDATE t SET e = 'B' WHERE id = 11;
                UPDATE t SET e = 'a' WHERE id = 12",
    },
    Case {
        name: "keyless",
        table: "region VARCHAR(10) COLLATE utf8_unicode_ci, n INT",
        filter: "region LIKE 'e_%' AND NOT n = 13",
        before: "INSERT INTO t VALUES ('EU', 1), ('EU', 1), ('US', 2), (NULL, 3), ('e', 4), ('éa', 5)",
        after: "INSERT INTO t VALUES ('EU', 1), ('ex', 6), ('ÉÉ', 7), ('US', 9);
                UPDATE t SET n = 13 WHERE n = 1 LIMIT 1;
                UPDATE t SET region = 'EU' WHERE n = 2;
                UPDATE t SET n = 8 WHERE n = 5;
                DELETE FROM t WHERE n = 1 LIMIT 1",
    },
];

#[test]
fn the_destination_has_the_rows_that_the_source_selects() {
    for source in [gtid97(), plain56()] {
        for case in CASES {
            let test = FollowTest::new(
                source,
                plain97(),
                &format!("filter_{}", case.name),
                &format!(
                    "CREATE TABLE t ({}) CHARACTER SET utf8;\n{}",
                    case.table, case.before
                ),
            );
            let table = format!("{}.t", test.name);
            let build = || {
                let rule = Rule::new(table.as_str()).filter(case.filter);
                test.task().rule(rule).build().unwrap()
            };
            test.catch_up_watched(&build(), &()).unwrap();
            assert_filtered(&test, case, "after the copy");
            run(&mut test.at_source(), case.after);
            let outcome = test.catch_up_watched(&build(), &()).unwrap();
            assert_filtered(&test, case, "after following");
            let follow = outcome.follow.unwrap();
            assert!(follow.row_changes_filtered > 0, "{}", case.name);
        }
    }
}

fn assert_filtered(test: &FollowTest, case: &Case, when: &str) {
    let name = &test.name;
    let rows = |conn: &mut mysql::Conn, rest: &str| -> Vec<String> {
        let rows: Vec<Row> = conn
            .query(format!("SELECT * FROM {name}.t {rest}"))
            .unwrap();
        let mut rows: Vec<String> = rows
            .into_iter()
            .map(|row| format!("{:?}", row.unwrap()))
            .collect();
        rows.sort();
        rows
    };
    let expected = rows(&mut session(test.source), &format!("WHERE {}", case.filter));
    let found = rows(&mut session(test.destination), "");
    assert_eq!(found, expected, "{} {when}", case.name);
    assert!(!found.is_empty(), "{}", case.name);
}

/// Changes between `from` and `until` of the copy are applied leniently, and by the filter.
#[test]
fn rows_move_in_and_out_while_others_are_copied() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "filter_moving",
        "CREATE TABLE t (id INT PRIMARY KEY, n INT, pad CHAR(200));\n",
    );
    for start in (0..6000).step_by(500) {
        let rows: Vec<String> = (start..start + 500)
            .map(|id| format!("({id}, {}, REPEAT('x', 200))", id % 10))
            .collect();
        run(
            &mut test.at_source(),
            &format!("INSERT INTO t VALUES {}", rows.join(", ")),
        );
    }
    let done = std::sync::atomic::AtomicBool::new(false);
    let build = || {
        let rule = Rule::new(format!("{}.t", test.name)).filter("n BETWEEN 3 AND 6");
        test.task()
            .chunk_bytes(64 << 10)
            .sessions(2)
            .rule(rule)
            .build()
            .unwrap()
    };
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut conn = test.at_source();
            let mut round = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                round += 1;
                let id = round * 37 % 6000;
                run(
                    &mut conn,
                    &format!("UPDATE t SET n = (n + {}) % 10 WHERE id = {id}", round % 7),
                );
                if round % 5 == 0 {
                    run(
                        &mut conn,
                        &format!("DELETE FROM t WHERE id = {}", round * 11 % 6000),
                    );
                }
            }
            round
        });
        test.catch_up_watched(&build(), &()).unwrap();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(writer.join().unwrap() > 10);
    });
    test.catch_up_watched(&build(), &()).unwrap();
    let case = Case {
        name: "moving",
        table: "",
        filter: "n BETWEEN 3 AND 6",
        before: "",
        after: "",
    };
    assert_filtered(&test, &case, "at the end");
}

/// Kinds of change that are left out are counted, and the rest is applied.
#[test]
fn kinds_of_change_can_be_left_out() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "dml_kinds",
        "CREATE TABLE t (id INT PRIMARY KEY, n INT);
         INSERT INTO t VALUES (1, 1), (2, 2);\n",
    );
    let build = || {
        let rule = Rule::new(format!("{}.t", test.name)).without(DmlKind::Delete);
        test.task().rule(rule).build().unwrap()
    };
    test.catch_up_watched(&build(), &()).unwrap();
    run(
        &mut test.at_source(),
        "DELETE FROM t WHERE id = 1;
         UPDATE t SET n = 20 WHERE id = 2;
         INSERT INTO t VALUES (3, 3);
         DELETE FROM t WHERE id = 3",
    );
    let follow = test
        .catch_up_watched(&build(), &())
        .unwrap()
        .follow
        .unwrap();
    assert_eq!(follow.row_changes_left_out, 2);
    let rows: Vec<(i32, i32)> = session(test.destination)
        .query(format!("SELECT * FROM {}.t ORDER BY id", test.name))
        .unwrap();
    assert_eq!(rows, [(1, 1), (2, 20), (3, 3)]);
}
