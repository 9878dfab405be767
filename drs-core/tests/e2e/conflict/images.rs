use drs_core::{CheckpointError, ConflictPolicy, conflicts};
use mysql::prelude::Queryable;

use crate::{
    follow::run::FollowTest,
    servers::{gtid97, plain56, plain97, run, session},
};

/// A type, a value of it, and how the ledger shows that, on whichever side it was.
const OLD: &[(&str, &str, &str)] = &[
    ("TINYINT", "-1", "-1"),
    (
        "BIGINT UNSIGNED",
        "18446744073709551615",
        "18446744073709551615",
    ),
    ("INT(6) ZEROFILL", "42", "42"),
    (
        "DECIMAL(30,10)",
        "-12345678901234567890.0123456789",
        "\"-12345678901234567890.0123456789\"",
    ),
    ("DOUBLE", "-2.5", "-2.5"),
    ("BIT(9)", "b'100000001'", "257"),
    ("YEAR", "2001", "2001"),
    ("DATE", "'2020-02-29'", "\"2020-02-29\""),
    ("TIME(3)", "'-838:59:58.999'", "\"-838:59:58.999\""),
    (
        "DATETIME(6)",
        "'2020-02-29 23:59:59.000001'",
        "\"2020-02-29 23:59:59.000001\"",
    ),
    (
        "TIMESTAMP NULL",
        "'2020-02-29 23:59:59'",
        "\"2020-02-29 23:59:59\"",
    ),
    (
        "VARCHAR(20) CHARACTER SET utf8mb4",
        "'it''s \\\"ü\\\" \\\\ \\n😀'",
        r#""it's \"ü\" \\ \n😀""#,
    ),
    ("VARCHAR(20) CHARACTER SET latin1", "'straße'", "\"straße\""),
    ("VARCHAR(20) CHARACTER SET utf16", "'ä😀'", "\"ä😀\""),
    ("CHAR(5) CHARACTER SET utf32", "'ä'", "\"ä\""),
    ("VARBINARY(10)", "x'00ff'", "\"0x00ff\""),
    ("BINARY(4)", "x'0100'", "\"0x01000000\""),
    ("BLOB", "NULL", "null"),
    ("ENUM('a','it''s')", "2", "\"it's\""),
    ("SET('x','y','z')", "5", "\"x,z\""),
    ("TEXT", "REPEAT('ab', 600)", ""),
    ("LONGBLOB", "REPEAT(x'07', 70000)", ""),
    (
        "POINT",
        "POINT(1, 2)",
        "\"0x000000000101000000000000000000f03f0000000000000040\"",
    ),
];
const NEW: &[(&str, &str, &str)] = &[
    (
        "JSON",
        "'{\"a\": [1, 2.5, null]}'",
        r#""{\"a\": [1, 2.5, null]}""#,
    ),
    ("VECTOR(2)", "TO_VECTOR('[1,2]')", "\"0x0000803f00000040\""),
];

/// The same row on both sides: what is read from the log is shown as what the server answers.
#[test]
fn rows_are_shown_alike_and_cut() {
    for (source, destination) in [
        (gtid97(), plain97()),
        (plain56(), gtid97()),
        (plain56(), crate::servers::gtid56()),
    ] {
        let old = source.release().to_string().contains("5.6");
        let cases: Vec<_> = OLD.iter().chain(NEW.iter().filter(|_| !old)).collect();
        let columns: Vec<String> = cases
            .iter()
            .enumerate()
            .map(|(index, (column_type, ..))| format!("c{index} {column_type}"))
            .collect();
        let values: Vec<&str> = cases.iter().map(|(_, value, _)| *value).collect();
        let test = FollowTest::new(
            source,
            destination,
            "conflict_images",
            &format!(
                "CREATE TABLE t (id INT PRIMARY KEY, {}) CHARACTER SET latin1",
                columns.join(", ")
            ),
        );
        test.catch_up().unwrap();
        let insert = format!(
            "INSERT INTO {}.t VALUES (1, {})",
            test.name,
            values.join(", ")
        );
        let mut there = session(destination);
        run(&mut there, &insert);
        run(&mut test.at_source(), &insert);
        let task = test.task().conflict(ConflictPolicy::Ignore);
        test.catch_up_watched(&task.conflict_images(true).build().unwrap(), &())
            .unwrap();
        let mut images = None;
        conflicts::for_each(&mut there, &test.name, None, None, |row| {
            images = Some(row.images);
            Ok::<_, CheckpointError>(())
        })
        .unwrap();
        let images = images.unwrap();
        let (ours, theirs) = (images.source_after.unwrap(), images.destination.unwrap());
        assert_eq!(ours, theirs);
        assert_eq!(images.source_before, None);
        for (index, (column_type, _, shown)) in cases.iter().enumerate() {
            let member = format!("\"c{index}\": {shown}");
            assert!(ours.contains(&member), "{column_type}: {member} in {ours}");
        }
        assert_eq!(ours.matches("… [cut]").count(), 2);
        assert!(ours.len() < 10_000);
        if !old {
            let valid: Option<bool> = there.exec_first("SELECT JSON_VALID(?)", (&ours,)).unwrap();
            assert_eq!(valid, Some(true), "{ours}");
        }
    }
}
