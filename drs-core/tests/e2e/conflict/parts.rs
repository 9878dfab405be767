//! Images that are not the whole row: by `binlog_row_image`, and at a destination with columns of
//! its own; changes in parts, and triggers.

use drs_core::ConflictPolicy;

use super::ledger::{entries, rows};
use crate::{
    follow::run::FollowTest,
    servers::{gtid97, plain56, plain97, run, session},
};

const TABLE: &str = "CREATE TABLE t (id INT PRIMARY KEY, a INT DEFAULT 7, b VARCHAR(20) CHARACTER SET latin1, c BLOB, UNIQUE (a, b));
    INSERT INTO t VALUES (1, 1, 'one', 'ours'), (2, 2, 'two', 'ours'), (3, 3, 'three', 'ours')";

/// `binlog_row_image`; what is done there, and here; whether an overwrite is possible.
const PARTIAL: &[(&str, &str, &str, bool)] = &[
    // Columns that an INSERT does not name get their defaults.
    (
        "MINIMAL",
        "INSERT INTO t VALUES (9, 1, 'x', 'theirs')",
        "INSERT INTO t (id, b) VALUES (9, 'nine')",
        true,
    ),
    (
        "MINIMAL",
        "INSERT INTO t VALUES (8, 7, 'nine', 'theirs')",
        "INSERT INTO t (id, b) VALUES (9, 'nine')",
        true,
    ),
    // The other part of the key is in no image.
    (
        "MINIMAL",
        "INSERT INTO t VALUES (8, 5, 'one', 'theirs')",
        "UPDATE t SET a = 5 WHERE id = 1",
        true,
    ),
    (
        "MINIMAL",
        "INSERT INTO t VALUES (9, 5, 'x', 'theirs')",
        "UPDATE t SET id = 9 WHERE id = 2",
        true,
    ),
    (
        "NOBLOB",
        "INSERT INTO t VALUES (8, 5, 'x', 'theirs')",
        "UPDATE t SET a = 5, b = 'x' WHERE id = 1",
        true,
    ),
    (
        "MINIMAL",
        "DELETE FROM t WHERE id = 1",
        "DELETE FROM t WHERE id = 1",
        true,
    ),
    (
        "MINIMAL",
        "DELETE FROM t WHERE id = 1",
        "UPDATE t SET a = 5 WHERE id = 1",
        false,
    ),
    (
        "NOBLOB",
        "DELETE FROM t WHERE id = 1",
        "UPDATE t SET a = 5 WHERE id = 1",
        false,
    ),
    // All that the table has is in the image.
    (
        "NOBLOB",
        "DELETE FROM t WHERE id = 1",
        "UPDATE t SET c = 'new' WHERE id = 1",
        true,
    ),
];

#[test]
fn partial_images_are_overwritten_only_where_the_row_is_known() {
    for (source, destination) in [(gtid97(), plain97()), (plain56(), gtid97())] {
        for (index, (image, there, here, possible)) in PARTIAL.iter().enumerate() {
            let test = FollowTest::new(
                source,
                destination,
                &format!("conflict_part_{index}"),
                TABLE,
            );
            test.catch_up().unwrap();
            let mut at_destination = session(destination);
            run(&mut at_destination, &format!("USE {};\n{there}", test.name));
            run(
                &mut test.at_source(),
                &format!("SET binlog_row_image = {image};\n{here}"),
            );
            let task = test
                .task()
                .conflict(ConflictPolicy::Overwrite)
                .build()
                .unwrap();
            let result = test.catch_up_watched(&task, &());
            let ledger = entries(&mut at_destination, &test.name, "t");
            if *possible {
                assert!(result.is_ok(), "{here}: {result:?}");
                test.assert_equal();
                assert_eq!(ledger.len(), 1, "{here}: {ledger:?}");
                continue;
            }
            let error = result.unwrap_err().to_string();
            assert!(error.contains("can't be overwritten"), "{here}: {error}");
            assert_eq!(ledger, [""; 0]);
            // Left out, it can be.
            let task = test
                .task()
                .conflict(ConflictPolicy::Ignore)
                .build()
                .unwrap();
            test.catch_up_watched(&task, &()).unwrap();
            assert_eq!(
                entries(&mut at_destination, &test.name, "t"),
                [r#"missing_on_update - {"id": 1} -"#]
            );
        }
    }
}

#[test]
fn columns_of_the_destination_survive_an_overwrite() {
    for (source, destination) in [(gtid97(), plain97()), (plain56(), gtid97())] {
        let table = "CREATE TABLE t (id INT PRIMARY KEY, word VARCHAR(20) CHARACTER SET latin1, UNIQUE (word)";
        let test = FollowTest::new(
            source,
            destination,
            "conflict_own_columns",
            &format!(
                "{table}) CHARACTER SET latin1;\nINSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three')"
            ),
        );
        let mut there = session(destination);
        run(
            &mut there,
            &format!(
                "CREATE DATABASE {0};\nUSE {0};\n{table}, own VARCHAR(20) CHARACTER SET latin1 DEFAULT 'default') CHARACTER SET latin1",
                test.name
            ),
        );
        test.catch_up().unwrap();
        run(
            &mut there,
            "UPDATE t SET own = CONCAT('own of ', id);\n\
             INSERT INTO t VALUES (9, 'nine', 'own of 9'), (8, 'eight', 'own of 8'), (7, 'seven', 'own of 7');\n\
             DELETE FROM t WHERE id = 3",
        );
        run(
            &mut test.at_source(),
            "INSERT INTO t VALUES (9, 'neun');\nUPDATE t SET id = 8 WHERE id = 1;\n\
             UPDATE t SET word = 'seven' WHERE id = 2;\nUPDATE t SET word = 'drei' WHERE id = 3",
        );
        let task = test.task().conflict(ConflictPolicy::Overwrite).lanes(1);
        test.catch_up_watched(&task.build().unwrap(), &()).unwrap();
        assert_eq!(
            rows(&mut there, "t"),
            [
                "2,seven,own of 2",
                "3,drei,default",
                "8,one,own of 1",
                "9,neun,own of 9"
            ]
        );
        assert_eq!(
            entries(&mut there, &test.name, "t"),
            [
                r#"duplicate_on_insert PRIMARY {"id": 9} {"id": 9}"#,
                r#"duplicate_on_update PRIMARY {"id": 8} {"id": 8}"#,
                r#"duplicate_on_update word {"id": 2} {"id": 7}"#,
                r#"missing_on_update - {"id": 3} -"#,
            ]
        );
    }
}

/// A transaction too large for memory is applied in parts, and begins again change by change.
#[test]
fn conflicts_of_a_transaction_in_parts_are_noted_once() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "conflict_large",
        "CREATE TABLE t (id INT PRIMARY KEY, note LONGTEXT)",
    );
    test.catch_up().unwrap();
    let mut there = session(plain97());
    let note = |who: &str| {
        format!(
            "INSERT INTO {}.t VALUES (3, '{who}'), (17, '{who}')",
            test.name
        )
    };
    run(&mut there, &note("theirs"));
    let rows: Vec<String> = (0..20)
        .map(|id| format!("({id}, REPEAT('x', 1000000))"))
        .collect();
    run(
        &mut test.at_source(),
        &format!(
            "INSERT INTO t VALUES {};\nUPDATE t SET note = 'ours' WHERE id = 17",
            rows.join(",")
        ),
    );
    let task = test.task().conflict(ConflictPolicy::Overwrite);
    let outcome = test.catch_up_watched(&task.build().unwrap(), &()).unwrap();
    assert_eq!(outcome.follow.unwrap().conflicts, 2);
    test.assert_equal();
    assert_eq!(
        entries(&mut there, &test.name, "t"),
        [3, 17].map(|id| format!(r#"duplicate_on_insert PRIMARY {{"id": {id}}} {{"id": {id}}}"#))
    );
}

/// A duplicate entry in another table is no conflict of this one: no policy lets it pass.
#[test]
fn a_duplicate_entry_of_a_trigger_stops_the_task() {
    for policy in [ConflictPolicy::Ignore, ConflictPolicy::Overwrite] {
        let test = FollowTest::new(
            gtid97(),
            plain97(),
            &format!("conflict_trigger_{}", policy.as_str()),
            "CREATE TABLE t (id INT PRIMARY KEY);\nCREATE TABLE audit (id INT PRIMARY KEY)",
        );
        test.catch_up().unwrap();
        let mut there = session(plain97());
        run(
            &mut there,
            &format!(
                "USE {};\nINSERT INTO audit VALUES (1);\n\
                 CREATE TRIGGER noted AFTER INSERT ON t FOR EACH ROW INSERT INTO audit VALUES (NEW.id)",
                test.name
            ),
        );
        run(&mut test.at_source(), "INSERT INTO t VALUES (1)");
        let task = test.task().conflict(policy).build().unwrap();
        let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
        assert!(error.contains("which no row of the table holds"), "{error}");
        assert_eq!(rows(&mut there, "t"), [""; 0]);
        run(&mut there, "DROP TRIGGER noted");
        test.catch_up_watched(&task, &()).unwrap();
        assert_eq!(rows(&mut there, "t"), ["1"]);
    }
}
