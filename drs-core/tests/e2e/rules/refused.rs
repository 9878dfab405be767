use drs_core::{Rule, RuleVerdict, check_rules};

use crate::{
    follow::run::FollowTest,
    servers::{gtid97, plain97, run},
};

/// What a check at the source says of conditions.
#[test]
fn conditions_that_cannot_be_exact_are_refused() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "filter_refused",
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9), x TEXT, j JSON, f FLOAT, f2 FLOAT(7,2), d DATE, g INT AS (id + 1), \
         b BLOB, l VARCHAR(9) CHARACTER SET latin1);\n",
    );
    for (filter, reason) in [
        ("nothing = 1", "there is no column `nothing`"),
        ("v = 1", "compare it with a text"),
        ("id = '1'", "compare it with an integer"),
        ("id = 1.5", "compare it with an integer"),
        ("x = 'a'", "can't be filtered by a text"),
        ("b IS NULL", "can't be filtered by a blob"),
        ("j = 'a'", "can't be filtered by a json"),
        ("f = 0.1", "no FLOAT is exactly this literal"),
        ("f2 < 0.5", "approximately"),
        ("d = '2026-02-30'", "compare it with a date"),
        ("d > '2026-02-03 10:00:00'", "compare it with a date"),
        ("g = 1", "it is generated"),
        ("l = '日本'", "latin1 does not have"),
        ("id LIKE '1%'", "LIKE is for texts"),
        ("v = 'a' AND id = 1", ""),
    ] {
        let rule = Rule::new(format!("{}.t", test.name)).filter(filter);
        let task = test.task().rule(rule).build().unwrap();
        let findings = check_rules(&task).unwrap();
        match &findings[0].verdict {
            RuleVerdict::Refused(found) if !reason.is_empty() => {
                assert!(found.contains(reason), "{filter}: {found}");
                // The task does not begin then.
                let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
                assert!(error.contains(reason), "{error}");
            }
            RuleVerdict::Good { condition } if reason.is_empty() => assert!(condition.is_some()),
            other => panic!("{filter}: {other:?}"),
        }
    }
}

/// Each of these leaves it open which rows belong at the destination.
#[test]
fn what_would_leave_the_filter_unclear_stops_the_task() {
    for (name, statements, reason) in [
        (
            "partial",
            "SET binlog_row_image = 'MINIMAL';\nUPDATE t SET n = 5 WHERE id = 1",
            "does not carry",
        ),
        ("renamed", "RENAME TABLE t TO other", "moves rows between"),
        (
            "redefined",
            "ALTER TABLE t MODIFY region VARCHAR(10) COLLATE utf8mb4_bin;\nINSERT INTO t VALUES (9, 'EU', 9)",
            "were changed since",
        ),
        (
            "dropped",
            "ALTER TABLE t DROP COLUMN region;\nINSERT INTO t VALUES (9, 9)",
            "there is no column",
        ),
    ] {
        let test = FollowTest::new(
            gtid97(),
            plain97(),
            &format!("filter_{name}"),
            "CREATE TABLE t (id INT PRIMARY KEY, region VARCHAR(10), n INT);
             INSERT INTO t VALUES (1, 'EU', 1), (2, 'US', 2);\n",
        );
        let build = || {
            let rule = Rule::new(format!("{}.t", test.name)).filter("region = 'EU'");
            test.task().rule(rule).build().unwrap()
        };
        test.catch_up_watched(&build(), &()).unwrap();
        run(&mut test.at_source(), statements);
        for _ in 0..2 {
            let error = test
                .catch_up_watched(&build(), &())
                .unwrap_err()
                .to_string();
            assert!(error.contains(reason), "{name}: {error}");
        }
    }
}

/// Neither touches the columns that the filter needs.
#[test]
fn other_statements_on_a_filtered_table_are_followed() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "filter_ddl",
        "CREATE TABLE t (id INT PRIMARY KEY, region VARCHAR(10), n INT);
         INSERT INTO t VALUES (1, 'EU', 1), (2, 'US', 2);\n",
    );
    let build = || {
        let rule = Rule::new(format!("{}.t", test.name)).filter("region = 'EU'");
        test.task().rule(rule).build().unwrap()
    };
    test.catch_up_watched(&build(), &()).unwrap();
    run(
        &mut test.at_source(),
        "ALTER TABLE t ADD COLUMN m INT FIRST;
         CREATE INDEX n ON t (n);
         INSERT INTO t VALUES (3, 3, 'EU', 3), (4, 4, 'US', 4);
         TRUNCATE TABLE t;
         INSERT INTO t VALUES (5, 5, 'EU', 5), (6, 6, 'US', 6);
         DROP TABLE t;
         CREATE TABLE t (region VARCHAR(20), id INT PRIMARY KEY);
         INSERT INTO t VALUES ('EU', 1), ('US', 2)",
    );
    test.catch_up_watched(&build(), &()).unwrap();
    run(&mut test.at_source(), "DELETE FROM t WHERE region = 'US'");
    test.assert_equal();
}
