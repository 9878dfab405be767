//! Differences of rows that were planted at the destination: each is found and named.

use std::{
    sync::{Mutex, atomic::AtomicBool},
    time::Duration,
};

use drs_core::{
    TableName,
    compare::{
        CompareLevel, CompareObserver, CompareOptions, CompareOutcome, Comparison, RowDifference,
        RowDifferenceKind, Shown, TableResult, TableVerdict, repair_preamble,
    },
};
use drs_testkit::Server;
use mysql::prelude::Queryable;

use crate::{
    follow::run::FollowTest,
    servers::{gtid97, odd97, plain56, run, session},
};

/// A column's type, the value at the source, and the one that the destination has instead.
struct Planted {
    column: &'static str,
    source: &'static str,
    destination: &'static str,
    /// 5.6 has the type too.
    everywhere: bool,
}

const fn planted(column: &'static str, source: &'static str, destination: &'static str) -> Planted {
    Planted {
        column,
        source,
        destination,
        everywhere: true,
    }
}

const fn new_type(
    column: &'static str,
    source: &'static str,
    destination: &'static str,
) -> Planted {
    Planted {
        everywhere: false,
        ..planted(column, source, destination)
    }
}

const PLANTED: &[Planted] = &[
    planted("TINYINT", "1", "-1"),
    planted("SMALLINT UNSIGNED", "65535", "65534"),
    planted("MEDIUMINT", "NULL", "0"),
    planted("INT(5) ZEROFILL", "42", "43"),
    planted(
        "BIGINT UNSIGNED",
        "18446744073709551615",
        "18446744073709551614",
    ),
    planted("BIGINT", "9007199254740993", "9007199254740992"),
    planted("DECIMAL(65,30)", "1e-30", "2e-30"),
    planted("DECIMAL(10,2) ZEROFILL", "1.50", "1.51"),
    planted("FLOAT", "0e0", "-0e0"),
    planted("FLOAT", "16777216", "16777214"),
    planted("FLOAT(7,3)", "1.001", "1.002"),
    planted("DOUBLE", "-0e0", "0e0"),
    planted("DOUBLE", "1.7976931348623157e308", "1.7976931348623155e308"),
    planted("DOUBLE", "0.1", "0.10000000000000002"),
    planted("DOUBLE", "NULL", "0"),
    planted("BIT(1)", "b'1'", "b'0'"),
    planted("BIT(64)", "x'8000000000000001'", "x'8000000000000000'"),
    planted("YEAR", "1901", "0"),
    planted("DATE", "'0000-00-00'", "NULL"),
    planted("DATE", "'2024-02-29'", "'2024-02-30'"),
    planted("TIME(6)", "'-00:00:00.000001'", "'00:00:00.000001'"),
    planted("TIME", "'838:59:59'", "'-838:59:59'"),
    planted(
        "DATETIME(6)",
        "'2024-01-01 00:00:00.000001'",
        "'2024-01-01 00:00:00'",
    ),
    planted(
        "TIMESTAMP NULL",
        "'2024-01-01 00:00:00'",
        "'2024-01-01 01:00:00'",
    ),
    planted("TIMESTAMP(3) NULL", "NULL", "'0000-00-00'"),
    planted("CHAR(10)", "'a'", "'A'"),
    planted("CHAR(10)", "''", "NULL"),
    planted("CHAR(3) CHARACTER SET utf16", "'a'", "'b'"),
    planted("VARCHAR(10)", "'a'", "'a '"),
    planted("VARCHAR(10)", "NULL", "''"),
    planted("VARCHAR(10)", "'N'", "NULL"),
    planted("VARCHAR(10) CHARACTER SET latin1", "x'80'", "x'81'"),
    planted("VARCHAR(10) CHARACTER SET gbk", "x'815c'", "x'815d'"),
    planted(
        "VARCHAR(10) CHARACTER SET utf8 COLLATE utf8_general_ci",
        "'straße'",
        "'strase'",
    ),
    planted("VARCHAR(10) CHARACTER SET utf8mb4", "x'c3a9'", "x'65cc81'"),
    planted("TEXT", "'x'", "'x\\n'"),
    planted(
        "LONGTEXT",
        "REPEAT('x', 70000)",
        "CONCAT(REPEAT('x', 69999), 'y')",
    ),
    planted("TINYBLOB", "x''", "x'00'"),
    planted("BLOB", "x'00ff'", "x'00fe'"),
    planted(
        "LONGBLOB",
        "REPEAT(x'ff', 100000)",
        "CONCAT(REPEAT(x'ff', 99999), x'fe')",
    ),
    planted("BINARY(4)", "x'61000000'", "x'61200000'"),
    planted("VARBINARY(10)", "x'61'", "x'6100'"),
    planted("ENUM('a','b','')", "'a'", "0"),
    planted("ENUM('a','b','')", "3", "0"),
    planted("ENUM('a','b')", "NULL", "0"),
    planted("SET('a','b','c')", "'a,b'", "'a'"),
    planted("SET('a','b','c')", "''", "NULL"),
    planted(
        "POINT",
        "ST_GeomFromText('POINT(1 2)', 0)",
        "ST_GeomFromText('POINT(1 2)', 4326)",
    ),
    planted(
        "GEOMETRY",
        "ST_GeomFromText('LINESTRING(0 0,1 1)')",
        "ST_GeomFromText('LINESTRING(1 1,0 0)')",
    ),
    new_type("JSON", "'{\"a\": 1}'", "'{\"a\": 1.0}'"),
    new_type(
        "JSON",
        "JSON_OBJECT('a', CAST('2024-01-01' AS DATE))",
        "'{\"a\": \"2024-01-01\"}'",
    ),
    new_type("JSON", "JSON_ARRAY(CAST(1 AS DECIMAL(3,1)))", "'[1.0]'"),
    new_type("JSON", "'null'", "NULL"),
    new_type("JSON", "'[1, 2]'", "'[2, 1]'"),
    new_type("VECTOR(2)", "TO_VECTOR('[1,2]')", "TO_VECTOR('[1,3]')"),
];

/// Columns whose values begin alike, and the first byte that differs.
const FAR: &[(&str, u64)] = &[("LONGTEXT", 69_999), ("LONGBLOB", 99_999)];

/// Tables that others are planted into, and what the comparison says of each.
struct Rows {
    table: &'static str,
    columns: &'static str,
    source: &'static str,
    /// At the destination, with the table's name for `{t}`.
    change: &'static str,
    /// Missing, extra, different.
    expected: [u64; 3],
}

const ROWS: &[Rows] = &[
    Rows {
        table: "missing_first",
        columns: "id INT PRIMARY KEY, v INT",
        source: "(1,1),(2,2),(3,3)",
        change: "DELETE FROM {t} WHERE id = 1",
        expected: [1, 0, 0],
    },
    Rows {
        table: "extra_last",
        columns: "id INT PRIMARY KEY, v INT",
        source: "(1,1),(2,2),(3,3)",
        change: "INSERT INTO {t} VALUES (9, 9)",
        expected: [0, 1, 0],
    },
    Rows {
        table: "extra_in_empty",
        columns: "id INT PRIMARY KEY, v INT",
        source: "",
        change: "INSERT INTO {t} VALUES (9, 9)",
        expected: [0, 1, 0],
    },
    Rows {
        table: "all_missing",
        columns: "id INT PRIMARY KEY, v INT",
        source: "(1,1),(2,2),(3,3)",
        change: "DELETE FROM {t}",
        expected: [3, 0, 0],
    },
    Rows {
        table: "swapped",
        columns: "id INT PRIMARY KEY, v INT",
        source: "(1,1),(2,2),(3,3)",
        change: "UPDATE {t} SET v = 3 - v WHERE id < 3",
        expected: [0, 0, 2],
    },
    Rows {
        table: "key_in_other_letters",
        columns: "k VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, v INT",
        source: "('a',1),('b',2),('c',3)",
        change: "UPDATE {t} SET k = 'B' WHERE k = 'b'",
        expected: [0, 0, 1],
    },
    Rows {
        table: "key_moved",
        columns: "a INT, b VARCHAR(5), v INT, PRIMARY KEY (a, b)",
        source: "(1,'x',1),(1,'y',2),(2,'x',3)",
        change: "UPDATE {t} SET b = 'z' WHERE b = 'y'",
        expected: [1, 1, 0],
    },
    Rows {
        table: "columns_swapped",
        columns: "id INT PRIMARY KEY, a VARCHAR(10), b VARCHAR(10)",
        source: "(1,'x,1,y','z'),(2,'','xy'),(3,NULL,'N')",
        change: "UPDATE {t} SET a = CASE id WHEN 1 THEN 'x' WHEN 2 THEN 'x' ELSE 'N' END, \
                 b = CASE id WHEN 1 THEN '1,y,z' WHEN 2 THEN 'y' ELSE NULL END",
        expected: [0, 0, 3],
    },
    Rows {
        table: "unique_key_only",
        columns: "u INT NOT NULL, v INT, UNIQUE (u)",
        source: "(1,1),(2,2),(3,3)",
        change: "UPDATE {t} SET v = 9 WHERE u = 2",
        expected: [0, 0, 1],
    },
    Rows {
        table: "keyless_once_less",
        columns: "a INT, b VARCHAR(10)",
        source: "(1,'x'),(1,'x'),(1,'x'),(2,'y')",
        change: "DELETE FROM {t} WHERE a = 1 LIMIT 1",
        expected: [1, 0, 0],
    },
    Rows {
        table: "keyless_other_counts",
        columns: "a INT, b VARCHAR(10)",
        source: "(1,'x'),(1,'x'),(2,'y')",
        change: "UPDATE {t} SET a = 2, b = 'y' WHERE a = 1 LIMIT 1",
        expected: [1, 1, 0],
    },
    Rows {
        table: "keyless_null",
        columns: "a INT, b VARCHAR(10)",
        source: "(NULL,''),(2,'y')",
        change: "UPDATE {t} SET b = NULL WHERE a IS NULL",
        expected: [1, 1, 0],
    },
];

#[test]
fn each_difference_is_found_and_named_from_97_to_97() {
    each_difference_is_found(gtid97(), odd97(), "compare_planted", true);
}

#[test]
fn each_difference_is_found_and_named_from_56_to_97() {
    each_difference_is_found(plain56(), gtid97(), "compare_planted_56", false);
}

fn each_difference_is_found(
    source: &'static Server,
    destination: &'static Server,
    name: &str,
    has_new_types: bool,
) {
    let cases: Vec<&Planted> = PLANTED
        .iter()
        .filter(|case| case.everywhere || has_new_types)
        .collect();
    let mut tables =
        String::from("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
    for (index, case) in cases.iter().enumerate() {
        let (column, value) = (case.column, case.source);
        tables.push_str(&format!(
            ";\nCREATE TABLE t{index} (id INT PRIMARY KEY, v {column}) CHARSET utf8mb4"
        ));
        tables.push_str(&format!(
            ";\nINSERT INTO t{index} VALUES (1, {value}), (2, {value}), (3, {value})"
        ));
    }
    for case in ROWS {
        tables.push_str(&format!(
            ";\nCREATE TABLE {} ({})",
            case.table, case.columns
        ));
        if !case.source.is_empty() {
            tables.push_str(&format!(
                ";\nINSERT INTO {} VALUES {}",
                case.table, case.source
            ));
        }
    }
    let test = FollowTest::new(source, destination, name, &tables);
    test.catch_up().unwrap();

    let outcome = compare(&test, CompareLevel::Values);
    let unequal: Vec<&TableResult> = not_equal(&outcome);
    assert!(
        unequal.is_empty(),
        "before anything was planted: {unequal:#?}"
    );
    assert_eq!(outcome.tables.len(), cases.len() + ROWS.len());

    let mut conn = session(destination);
    run(
        &mut conn,
        &format!(
            "USE {};\nSET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'",
            test.name
        ),
    );
    for (index, case) in cases.iter().enumerate() {
        // An UPDATE would leave a document that is equal by its values as it is.
        let value = case.destination;
        run(
            &mut conn,
            &format!("REPLACE INTO t{index} VALUES (2, {value})"),
        );
    }
    for case in ROWS {
        run(&mut conn, &case.change.replace("{t}", case.table));
    }

    let outcome = compare(&test, CompareLevel::Values);
    let result = |table: &str| {
        let found = outcome
            .tables
            .iter()
            .find(|result| result.source.table == table);
        found.unwrap_or_else(|| panic!("no result of {table}"))
    };
    for (index, case) in cases.iter().enumerate() {
        let result = result(&format!("t{index}"));
        let what = format!(
            "{} {} -> {}: {result:#?}",
            case.column, case.source, case.destination
        );
        assert_eq!(result.verdict, TableVerdict::Different, "{what}");
        assert_eq!(result.counts.different, 1, "{what}");
        assert_eq!(result.counts.differences(), 1, "{what}");
        let [
            RowDifference {
                kind: RowDifferenceKind::Different,
                key,
                columns,
                ..
            },
        ] = result.examples.as_slice()
        else {
            panic!("{what}");
        };
        assert_eq!(
            key.iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>(),
            ["id='2'"],
            "{what}"
        );
        let [column] = columns.as_slice() else {
            panic!("{what}")
        };
        assert_eq!(column.column, "v", "{what}");
        assert_ne!(column.source, column.destination, "{what}");
        if let Some((_, place)) = FAR.iter().find(|(name, _)| *name == case.column) {
            let is_around = |shown: &Shown| matches!(shown, Shown::Around(_, at) if at == place);
            assert!(is_around(&column.source), "{what}");
            assert!(is_around(&column.destination), "{what}");
        }
    }
    for case in ROWS {
        let result = result(case.table);
        let counts = result.counts;
        assert_eq!(result.verdict, TableVerdict::Different, "{result:#?}");
        assert_eq!(
            [counts.missing, counts.extra, counts.different],
            case.expected,
            "{result:#?}"
        );
        let shown: u64 = result.examples.iter().map(|example| example.times).sum();
        assert_eq!(shown, case.expected.iter().sum::<u64>(), "{result:#?}");
    }

    // The level of counts finds the rows that are on one side only.
    let outcome = compare(&test, CompareLevel::Count);
    let mut counted: Vec<(&str, [u64; 3])> = not_equal(&outcome)
        .into_iter()
        .map(|result| {
            let counts = result.counts;
            (
                result.source.table.as_str(),
                [counts.missing, counts.extra, counts.different],
            )
        })
        .collect();
    counted.sort_unstable();
    assert_eq!(
        counted,
        [
            ("all_missing", [3, 0, 0]),
            ("extra_in_empty", [0, 1, 0]),
            ("extra_last", [0, 1, 0]),
            ("key_moved", [1, 1, 0]),
            ("keyless_once_less", [1, 0, 0]),
            ("missing_first", [1, 0, 0]),
        ]
    );
    assert_repairs(&test);
}

/// The statements that repair what was planted, run: both sides are equal then.
fn assert_repairs(test: &FollowTest) {
    #[derive(Default)]
    struct Script(Mutex<Vec<String>>);
    impl CompareObserver for Script {
        fn repair(&self, _: &TableName, statement: &str) {
            self.0.lock().unwrap().push(statement.to_owned());
        }
    }
    let script = Script::default();
    let options = CompareOptions {
        repairs: true,
        examples_max: 0,
        wait_max: Duration::from_secs(2),
        ..CompareOptions::default()
    };
    Comparison::new(&test.task().build().unwrap())
        .options(options)
        .observer(&script)
        .run(&AtomicBool::new(false))
        .unwrap();
    let mut conn = session(test.destination);
    for statement in repair_preamble().split_terminator(";\n") {
        conn.query_drop(statement).unwrap();
    }
    for statement in script.0.into_inner().unwrap() {
        conn.query_drop(&statement)
            .unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
    let outcome = compare(test, CompareLevel::Values);
    let unequal = not_equal(&outcome);
    assert!(unequal.is_empty(), "after the repair: {unequal:#?}");
    test.assert_equal();
}

fn compare(test: &FollowTest, level: CompareLevel) -> CompareOutcome {
    let options = CompareOptions {
        level,
        sessions: 2,
        wait_max: Duration::from_secs(2),
        ..CompareOptions::default()
    };
    Comparison::new(&test.task().build().unwrap())
        .options(options)
        .run(&AtomicBool::new(false))
        .unwrap()
}

fn not_equal(outcome: &CompareOutcome) -> Vec<&TableResult> {
    let is_not_equal = |result: &&TableResult| result.verdict != TableVerdict::Equal;
    outcome.tables.iter().filter(is_not_equal).collect()
}
