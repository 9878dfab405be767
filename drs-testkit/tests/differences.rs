//! The comparison sees what a client's `=` does not: each pair of values here is two values.

use drs_testkit::{Installation, Server, Version, compare_tables};
use mysql::{Conn, prelude::Queryable};

/// A column's type, and two values of it.
const PAIRS: &[(&str, &str, &str)] = &[
    ("INT", "NULL", "0"),
    ("BLOB", "x'00ff00'", "x'00ff01'"),
    ("BLOB", "NULL", "''"),
    (
        "LONGBLOB",
        "REPEAT('a', 100000)",
        "CONCAT(REPEAT('a', 99999), 'A')",
    ),
    ("FLOAT", "0e0", "-0e0"),
    ("DOUBLE", "0e0", "-0e0"),
    ("DOUBLE", "0.3e0", "0.1e0 + 0.2e0"),
    ("FLOAT", "1.401298464324817e-45", "0"),
    (
        "DOUBLE",
        "-2.2250738585072014e-308",
        "-2.2250738585072010e-308",
    ),
    ("FLOAT", "16777216", "16777218"),
    ("DECIMAL(65,30)", "0.000000000000000000000000000001", "0"),
    ("BIT(64)", "b'1'", "18446744073709551615"),
    ("VARCHAR(10)", "NULL", "''"),
    ("VARCHAR(10)", "NULL", "'NULL'"),
    ("VARCHAR(10)", "'a'", "'a '"),
    ("VARCHAR(10)", "'a'", "'A'"),
    ("VARCHAR(10)", "'e'", "'é'"),
    ("TEXT", "'a'", "'a '"),
    ("BINARY(3)", "x'20'", "x'2020'"),
    ("VARBINARY(3)", "x'00'", "x'0000'"),
    ("VARCHAR(4) CHARACTER SET latin1", "x'81'", "x'80'"),
    (
        "VARCHAR(4) CHARACTER SET utf16",
        "_utf16 x'0041'",
        "_utf16 x'0061'",
    ),
    ("ENUM('a','b')", "0", "NULL"),
    ("ENUM('', 'b')", "0", "1"),
    ("SET('a','b')", "''", "NULL"),
    ("DATE", "'0000-00-00'", "NULL"),
    (
        "DATETIME(6)",
        "'2024-01-01 00:00:00'",
        "'2024-01-01 00:00:00.000001'",
    ),
    ("TIMESTAMP NULL", "0", "'1970-01-01 00:00:01'"),
    ("TIME(6)", "'-00:00:00.000001'", "'00:00:00.000001'"),
    ("YEAR", "0", "1900 + 1"),
    (
        "POINT",
        "ST_GeomFromText('POINT(1 2)', 4326)",
        "ST_GeomFromText('POINT(1 2)', 0)",
    ),
    (
        "POINT",
        "ST_GeomFromText('POINT(1 2)')",
        "ST_GeomFromText('POINT(2 1)')",
    ),
    (
        "GEOMETRY",
        "ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')",
        "NULL",
    ),
    (
        "VECTOR(2)",
        "STRING_TO_VECTOR('[0,1]')",
        "STRING_TO_VECTOR('[-0,1]')",
    ),
    ("JSON", "NULL", "'null'"),
    ("JSON", "'1'", "'1.0'"),
    ("JSON", "'1'", "'\"1\"'"),
    ("JSON", "'[1.5]'", "JSON_ARRAY(1.5)"),
    (
        "JSON",
        "'{\"a\": {\"b\": [0, \"2024-01-01\"]}}'",
        "JSON_OBJECT('a', JSON_OBJECT('b', JSON_ARRAY(0, DATE'2024-01-01')))",
    ),
    ("JSON", "'[{}, []]'", "'[[], {}]'"),
    ("JSON", "CAST(x'41' AS JSON)", "'\"base64:type253:QQ==\"'"),
];

#[test]
fn each_is_found() {
    let installation = Installation::find_or_fetch(Version::MySql97).unwrap();
    let [left, right] = [(); 2].map(|()| {
        Server::builder(&installation)
            .in_memory(true)
            .log_bin(false)
            .start()
            .unwrap()
    });
    let (mut source, mut destination) = (left.conn().unwrap(), right.conn().unwrap());
    for conn in [&mut source, &mut destination] {
        run(conn, "CREATE DATABASE other");
        run(conn, "CREATE DATABASE same");
    }
    for (number, (kind, left, right)) in PAIRS.iter().enumerate() {
        let name = format!("t{number:02}");
        fill(&mut source, "other", &name, kind, left);
        fill(&mut destination, "other", &name, kind, right);
        for conn in [&mut source, &mut destination] {
            fill(conn, "same", &name, kind, right);
        }
    }
    // A row more at the destination.
    for conn in [&mut source, &mut destination] {
        fill(conn, "other", "u", "INT", "1");
    }
    run(&mut destination, "INSERT INTO other.u VALUES (2, 1)");

    let found = compare_tables(&mut source, &mut destination, "other").unwrap();
    let found: Vec<&str> = found.iter().map(|table| table.table.as_str()).collect();
    for (number, pair) in PAIRS.iter().enumerate() {
        assert!(
            found.contains(&format!("t{number:02}").as_str()),
            "{pair:?}"
        );
    }
    assert!(found.contains(&"u"));
    assert_eq!(
        compare_tables(&mut source, &mut destination, "same").unwrap(),
        Vec::new()
    );
}

fn fill(conn: &mut Conn, database: &str, table: &str, kind: &str, value: &str) {
    run(conn, "SET sql_mode = ''");
    run(
        conn,
        &format!("CREATE TABLE {database}.{table} (id INT PRIMARY KEY, c {kind})"),
    );
    run(
        conn,
        &format!("INSERT INTO {database}.{table} VALUES (1, {value})"),
    );
}

fn run(conn: &mut Conn, statement: &str) {
    if let Err(error) = conn.query_drop(statement) {
        panic!("{statement}: {error}");
    }
}
