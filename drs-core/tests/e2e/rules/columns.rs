use drs_core::{Rule, RuleVerdict, Task, check_rules};
use mysql::{Row, prelude::Queryable};

use crate::{
    follow::run::FollowTest,
    servers::{gtid97, plain56, plain97, run, session},
};

fn rows(conn: &mut mysql::Conn, query: &str) -> Vec<String> {
    let rows: Vec<Row> = conn.query(query).unwrap();
    let mut rows: Vec<String> = rows
        .into_iter()
        .map(|row| format!("{:?}", row.unwrap()))
        .collect();
    rows.sort();
    rows
}

/// The destination's rows are what the source selects with these expressions.
fn assert_selected(test: &FollowTest, table: &str, list: &str, when: &str) {
    let source = format!("SELECT {list} FROM {}.{table}", test.name);
    let destination = format!("SELECT * FROM {}.{table}", test.name);
    assert_eq!(
        rows(&mut session(test.destination), &destination),
        rows(&mut session(test.source), &source),
        "{table} {when}"
    );
}

#[test]
fn columns_are_left_out_and_renamed() {
    for (source, destination) in [
        (gtid97(), plain97()),
        (plain97(), gtid97()),
        (plain56(), plain97()),
    ] {
        let test = FollowTest::new(
            source,
            destination,
            "columns",
            "CREATE TABLE keyed (card VARCHAR(20), id INT AUTO_INCREMENT PRIMARY KEY, cust INT, e ENUM('a', 'b'), secret BLOB,
               region VARCHAR(5), UNIQUE KEY u (cust), KEY k (region, cust), KEY later (e)) CHARACTER SET utf8;
             CREATE TABLE keyless (a INT, hidden INT, b VARCHAR(9));
             CREATE TABLE picked (id INT PRIMARY KEY, a INT, b INT, c INT);
             INSERT INTO keyed VALUES ('4111', 1, 10, 'a', 'x', 'EU'), ('4222', 2, 20, 'b', 'y', 'US'), ('4333', 3, 30, NULL, 'z', 'eu');
             INSERT INTO keyless VALUES (1, 1, 'x'), (1, 2, 'x'), (2, 3, 'y');
             INSERT INTO picked VALUES (1, 2, 3, 4);\n",
        );
        let name = &test.name;
        let build = || -> Task {
            test.task()
                .rule(
                    Rule::new(format!("{name}.keyed"))
                        .exclude("card")
                        .exclude("SECRET")
                        .rename("cust", "customer_id")
                        .filter("card LIKE '4%'"),
                )
                .rule(
                    Rule::new(format!("{name}.keyless"))
                        .exclude("hidden")
                        .rename("b", "`odd` name"),
                )
                .rule(
                    Rule::new(format!("{name}.picked"))
                        .include("id")
                        .include("b"),
                )
                .build()
                .unwrap()
        };
        for finding in check_rules(&build()).unwrap() {
            assert!(
                matches!(finding.verdict, RuleVerdict::Good { .. }),
                "{finding:?}"
            );
        }
        let check = |when: &str| {
            assert_selected(&test, "keyed", "id, cust, e, region", when);
            assert_selected(&test, "keyless", "a, b", when);
            assert_selected(&test, "picked", "id, b", when);
        };
        test.catch_up_watched(&build(), &()).unwrap();
        check("after the copy");
        let keys: Vec<(String, String)> = session(destination)
            .query(format!(
                "SELECT INDEX_NAME, GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX) FROM information_schema.STATISTICS \
                 WHERE TABLE_SCHEMA = '{name}' AND TABLE_NAME = 'keyed' GROUP BY INDEX_NAME ORDER BY INDEX_NAME"
            ))
            .unwrap();
        let keys: Vec<_> = keys
            .iter()
            .map(|(name, columns)| format!("{name} {columns}"))
            .collect();
        assert_eq!(
            keys,
            [
                "k region,customer_id",
                "later e",
                "PRIMARY id",
                "u customer_id"
            ]
        );
        run(
            &mut test.at_source(),
            "INSERT INTO keyed VALUES ('4444', 4, 40, 'b', NULL, 'AS');
             UPDATE keyed SET card = '4999' WHERE id = 1;
             UPDATE keyed SET secret = 'new', cust = 21 WHERE id = 2;
             UPDATE keyed SET id = 33, cust = 20 WHERE id = 3;
             DELETE FROM keyed WHERE id = 4;
             INSERT INTO keyless VALUES (1, 9, 'x'), (7, 7, NULL);
             UPDATE keyless SET hidden = 100 WHERE a = 2;
             UPDATE keyless SET b = 'changed' WHERE hidden = 2;
             DELETE FROM keyless WHERE hidden = 1;
             UPDATE picked SET a = 5, c = 6;
             UPDATE picked SET b = 7;
             CREATE INDEX later ON picked (b);
             INSERT INTO picked VALUES (2, 2, 2, 2);
             TRUNCATE TABLE picked;
             INSERT INTO picked VALUES (3, 3, 3, 3)",
        );
        test.catch_up_watched(&build(), &()).unwrap();
        check("after following");
        // Out of the filter by a column that the destination does not have, and in again.
        run(
            &mut test.at_source(),
            "UPDATE keyed SET card = '5' WHERE id = 2;
             UPDATE keyed SET cust = 99 WHERE id = 2",
        );
        test.catch_up_watched(&build(), &()).unwrap();
        let there = rows(
            &mut session(destination),
            &format!("SELECT id FROM {name}.keyed"),
        );
        assert_eq!(there.len(), 2, "{there:?}");
        run(
            &mut test.at_source(),
            "UPDATE keyed SET card = '44' WHERE id = 2",
        );
        test.catch_up_watched(&build(), &()).unwrap();
        check("after moving");
    }
}

#[test]
fn what_a_rule_on_columns_can_not_carry_is_refused() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "columns_refused",
        "CREATE TABLE p (id INT PRIMARY KEY, n INT);
         CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, c INT, d INT, e INT, f INT, g INT AS (a + 1), KEY (b), CHECK (c > 0),
           FOREIGN KEY (d) REFERENCES p (id), KEY x ((e + 1)));
         CREATE TABLE parted (id INT PRIMARY KEY, a INT) PARTITION BY HASH (id) PARTITIONS 2;\n",
    );
    let rule = |table: &str| Rule::new(format!("{}.{table}", test.name));
    for (rule, reason) in [
        (rule("t").exclude("id"), "it is in the key `PRIMARY`"),
        (rule("t").exclude("none"), "there is no column `none`"),
        (rule("t").exclude("a"), "column `g` is computed from `a`"),
        (
            rule("t").rename("a", "a2"),
            "column `g` is computed from `a`",
        ),
        (rule("t").exclude("b"), "because this needs it"),
        (rule("t").rename("c", "c2"), "because this needs it"),
        (rule("t").rename("d", "d2"), "because this needs it"),
        (rule("t").exclude("e"), "because this needs it"),
        (
            rule("t").rename("f", "B"),
            "has a column of this name already",
        ),
        (
            rule("t").exclude("f").rename("f", "h"),
            "it is renamed and left out",
        ),
        (rule("parted").exclude("a"), "a partitioned table"),
    ] {
        let task = test.task().rule(rule).build().unwrap();
        let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
        assert!(error.contains(reason), "{reason}: {error}");
    }
}

#[test]
fn structure_changes_of_a_table_with_a_rule_on_its_columns_stop_the_task() {
    for (name, statement) in [
        ("alter", "ALTER TABLE t ADD COLUMN n INT"),
        ("index", "CREATE INDEX i ON t (a)"),
        ("like", "CREATE TABLE other LIKE t"),
        ("rename", "RENAME TABLE t TO other"),
    ] {
        let test = FollowTest::new(
            gtid97(),
            plain97(),
            &format!("columns_{name}"),
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT);
             INSERT INTO t VALUES (1, 1, 1);\n",
        );
        let build = || {
            let rule = Rule::new(format!("{}.t", test.name)).exclude("a");
            test.task().rule(rule).build().unwrap()
        };
        test.catch_up_watched(&build(), &()).unwrap();
        run(
            &mut test.at_source(),
            &format!("INSERT INTO t VALUES (2, 2, 2);\n{statement}"),
        );
        let error = test
            .catch_up_watched(&build(), &())
            .unwrap_err()
            .to_string();
        let reason = match name {
            "index" => "failed at the destination: error 1072",
            _ => "rule",
        };
        assert!(error.contains(reason), "{name}: {error}");
    }
}
