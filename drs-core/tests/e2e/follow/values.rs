use super::run::FollowTest;
use crate::servers::{gtid97, plain97, run, session};

/// Index 0 is what a lax session stores for a label that is none.
#[test]
fn the_invalid_enum_value_is_stored_as_it_is() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "enum_zero",
        "CREATE TABLE t (id INT PRIMARY KEY, e ENUM('a', 'b') NOT NULL, f ENUM('', 'x'), c VARCHAR(3));
         CREATE TABLE keyless (e ENUM('a', 'b'), n INT);\n",
    );
    test.catch_up().unwrap();
    run(
        &mut test.at_source(),
        "INSERT INTO t VALUES (1, 0, 0, 'x'), (2, 'a', '', 'y'), (3, 'b', 'x', 'z');
         UPDATE t SET e = 'none', f = 'none' WHERE id = 3;
         INSERT INTO keyless VALUES (0, 1), (0, 2), (0, 1);
         DELETE FROM keyless WHERE n = 1 LIMIT 1;
         UPDATE keyless SET e = 'b' WHERE n = 2;
         UPDATE keyless SET e = 0 WHERE n = 2",
    );
    test.catch_up().unwrap();
    test.assert_equal();
}

/// Vectors and geometries have no comparison of their own that finds a row.
#[test]
fn a_row_without_a_key_is_found_by_any_value() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "found",
        "CREATE TABLE t (v VECTOR(2), g GEOMETRY, j JSON, n INT);
         INSERT INTO t VALUES (TO_VECTOR('[1,2]'), POINT(1, 2), '{\"a\": 1}', 1), (NULL, NULL, NULL, 2);
         INSERT INTO t SELECT * FROM t;\n",
    );
    test.catch_up().unwrap();
    run(
        &mut test.at_source(),
        "UPDATE t SET n = 3 WHERE n = 1 LIMIT 1;
         DELETE FROM t WHERE n = 2 LIMIT 1",
    );
    test.catch_up().unwrap();
    test.assert_equal();
}

/// What a rolled back batch did to such a table stays.
#[test]
fn a_table_without_transactions_stops_the_task_until_it_has_them() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "myisam",
        "CREATE TABLE t (n INT) ENGINE = MyISAM;\n",
    );
    test.catch_up().unwrap();
    run(&mut test.at_source(), "INSERT INTO t VALUES (1)");
    let error = test.catch_up().unwrap_err().to_string();
    assert!(error.contains("MyISAM"), "{error}");
    for server in [test.source, test.destination] {
        run(
            &mut session(server),
            &format!(
                "SET sql_log_bin = 0;\nALTER TABLE {}.t ENGINE = InnoDB",
                test.name
            ),
        );
    }
    test.catch_up().unwrap();
    test.assert_equal();
}

/// The same bytes mean other characters in another character set, and a column of another name may
/// be any: both are seen before the first row.
#[test]
fn a_destination_column_that_means_something_else_stops_the_task() {
    let cases = [
        (
            "charset",
            "ALTER TABLE {}.t MODIFY word VARCHAR(20) CHARACTER SET latin1",
            "character set latin1",
        ),
        (
            "binary",
            "ALTER TABLE {}.t MODIFY word VARBINARY(80)",
            "character set binary",
        ),
        (
            "name",
            "ALTER TABLE {}.t RENAME COLUMN b TO c",
            "no column b",
        ),
    ];
    for (name, change, expected) in cases {
        let test = FollowTest::new(
            gtid97(),
            plain97(),
            &format!("other_{name}"),
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, word VARCHAR(20) CHARACTER SET utf8mb4);\n",
        );
        test.catch_up().unwrap();
        run(
            &mut session(test.destination),
            &change.replace("{}", &test.name),
        );
        run(
            &mut test.at_source(),
            "SET GLOBAL binlog_row_metadata = 'FULL'; INSERT INTO t VALUES (1, 2, 3, 'é');
             SET GLOBAL binlog_row_metadata = 'MINIMAL'",
        );
        let error = test.catch_up().unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

/// A database that is selected as a whole may be empty when the task begins.
#[test]
fn an_empty_database_gets_its_tables_from_the_log() {
    let test = FollowTest::new(gtid97(), plain97(), "empty_database", "\n");
    test.catch_up().unwrap();
    run(
        &mut test.at_source(),
        "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)",
    );
    test.catch_up().unwrap();
    test.assert_equal();
}

/// The server reads numbers of more than 32 bits from text as unsigned, and shows both kinds alike.
#[test]
fn integers_in_documents_keep_their_sign() {
    let numbers = [
        "0",
        "-1",
        "2147483647",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "-9223372036854775808",
        "-4294967296",
    ];
    let expressions: Vec<String> = numbers
        .iter()
        .flat_map(|number| {
            let signed = format!("CAST({number} AS SIGNED)");
            let unsigned = format!("CAST({} AS UNSIGNED)", number.trim_start_matches('-'));
            [
                format!("CAST({signed} AS JSON)"),
                format!("CAST({unsigned} AS JSON)"),
                format!("CAST('{number}' AS JSON)"),
                format!("JSON_OBJECT('s', {signed}, 'u', {unsigned}, 'a', JSON_ARRAY({unsigned}, {signed}))"),
            ]
        })
        .collect();
    let values: Vec<String> = expressions
        .iter()
        .enumerate()
        .map(|(id, expression)| format!("({id}, {expression})"))
        .collect();
    let rows = values.join(", ");
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "json_integers",
        &format!(
            "CREATE TABLE copied (id INT PRIMARY KEY, j JSON);
             CREATE TABLE followed (id INT PRIMARY KEY, j JSON);
             CREATE TABLE keyless (id INT, j JSON);
             INSERT INTO copied VALUES {rows};
             INSERT INTO keyless VALUES {rows};\n"
        ),
    );
    test.catch_up().unwrap();
    test.assert_equal();
    run(
        &mut test.at_source(),
        &format!(
            "INSERT INTO followed VALUES {rows};
             UPDATE copied SET j = JSON_ARRAY(j), id = id + 100 ORDER BY id DESC;
             UPDATE keyless SET id = id + 1000;
             DELETE FROM keyless WHERE id % 3 = 0"
        ),
    );
    test.catch_up().unwrap();
    test.assert_equal();
}
