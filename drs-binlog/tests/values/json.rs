//! JSON documents: their text, and what a partial update carries.
use drs_binlog::{Json, JsonDiffOperation, JsonOpaqueValue, JsonValue, RowsKind, Value};

use crate::{
    log::{Scene, values},
    mysql_97,
};

/// Documents as SQL expressions.
const DOCUMENTS: &[&str] = &[
    "'null'",
    "'true'",
    "'false'",
    "'0'",
    "'-1'",
    "'32767'",
    "'-32768'",
    "'32768'",
    "'65535'",
    "'65536'",
    "'2147483647'",
    "'-2147483648'",
    "'2147483648'",
    "'4294967295'",
    "'4294967296'",
    "'9223372036854775807'",
    "'-9223372036854775808'",
    "'9223372036854775808'",
    "'18446744073709551615'",
    "'1.0'",
    "'1e0'",
    "'-0.0'",
    "'0.1'",
    "'3.0000000000000004e-5'",
    "'1e14'",
    "'1e15'",
    "'1e16'",
    "'1.5e15'",
    "'123456789012345.6'",
    "'1234567890123456.7'",
    "'1e-4'",
    "'1e-5'",
    "'1e-14'",
    "'1.25e-14'",
    "'1e-15'",
    "'1.25e-15'",
    "'1e-16'",
    "'1.7976931348623157e308'",
    "'2.2250738585072014e-308'",
    "'5e-324'",
    "'1e23'",
    "'9007199254740993.0'",
    "'1e100'",
    "'-1.5e-100'",
    "'18446744073709551616'",
    "'0.30000000000000004'",
    "'100000.0'",
    "'123e-20'",
    "'\"\"'",
    "'\"text\"'",
    r#"'"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u00e9😀"'"#,
    "'[]'",
    "'{}'",
    "'[[], {}, \"\", null]'",
    r#"'{"":0,"b":1,"a":2,"aa":[1,2.5,"x",true,false,null,{"k":-1}]}'"#,
    r#"'[32767,32768,65535,65536,-32769,2147483648,4294967296,-2147483649,1e3]'"#,
    r#"'{"a":{"b":{"c":[[[1]]]}},"\\"q\\\\":"\\u0000"}'"#,
    "JSON_ARRAY(CAST('12.340' AS DECIMAL(10,3)), CAST('-0.5' AS DECIMAL(5,5)))",
    "CAST(99999999999999999999999999999999999.999999999999999999999999999999 AS JSON)",
    "JSON_ARRAY(CAST('2024-02-29' AS DATE), CAST('-12:34:56.789' AS TIME(3)), CAST('2024-02-29 12:34:56.789123' AS DATETIME(6)))",
    "CAST(CAST('-838:59:59' AS TIME) AS JSON)",
    "CAST(CAST('0000-00-00' AS DATE) AS JSON)",
    "CAST(TIMESTAMP'2024-02-29 12:34:56' AS JSON)",
    "CAST(CAST(2024 AS YEAR) AS JSON)",
    "JSON_OBJECT('bit', b'101', 'blob', x'00ff10', 'empty', CAST('' AS BINARY))",
    "JSON_ARRAY(CAST(REPEAT(x'00ff10', 19) AS BINARY), CAST(REPEAT(x'01', 58) AS BINARY), CAST(REPEAT(x'01', 200) AS BINARY))",
    "CAST(ST_GeomFromText('POINT(1 2.5)') AS JSON)",
    "JSON_ARRAY(REPEAT('x', 127), REPEAT('y', 128), REPEAT('é', 20000))",
    // Over 64 KiB: the large format, with small parts inside.
    "JSON_OBJECT('big', REPEAT('z', 70000), 'n', 1, 'i', 100000, 'u', 4294967295, 'in', JSON_ARRAY(1, 70000, JSON_OBJECT('k', 'v')))",
    "JSON_ARRAY(REPEAT('z', 70000), -1, 100000, 4294967295, -100000, true, 1.5)",
    "CONCAT(REPEAT('[', 100), REPEAT(']', 100))",
    "CONCAT('[', REPEAT('1,', 40000), '2]')",
];

#[test]
fn text_is_the_servers() {
    let mut scene = Scene::new(mysql_97(), "json_text");
    scene.run("CREATE TABLE t (id INT PRIMARY KEY, c JSON, tail INT)");
    scene.run("SET NAMES utf8mb4");
    for (id, document) in DOCUMENTS.iter().enumerate() {
        scene.run(&format!("INSERT INTO t VALUES ({id}, {document}, 7)"));
    }
    let texts = scene.column("SELECT c FROM t ORDER BY id");
    let mut seen = 0;
    scene.changes("t", |_, logged| {
        let values = values(&logged.after.unwrap());
        let id = values[0].1.as_unsigned().unwrap() as usize;
        let Value::Json(json) = values[1].1 else {
            panic!("{:?}", values[1].1)
        };
        assert_eq!(
            Some(json.to_text().unwrap()),
            texts[id],
            "{}",
            DOCUMENTS[id]
        );
        json.validate().unwrap();
        // A document cut anywhere is refused or, where only unused bytes went, the same.
        for len in (1..json.bytes().len()).step_by(1 + json.bytes().len() / 500) {
            let cut = Json::new(&json.bytes()[..len]).to_text();
            assert!(cut.is_err(), "{} cut to {len} bytes", DOCUMENTS[id]);
        }
        seen += 1;
    });
    assert_eq!(seen, DOCUMENTS.len());
}

/// The types that `JSON_TYPE` names, kept apart.
#[test]
fn types_are_the_servers() {
    let mut scene = Scene::new(mysql_97(), "json_types");
    scene.run("CREATE TABLE t (id INT PRIMARY KEY, c JSON)");
    for (id, document) in DOCUMENTS.iter().enumerate() {
        scene.run(&format!("INSERT INTO t VALUES ({id}, {document})"));
    }
    let types = scene.column("SELECT JSON_TYPE(c) FROM t ORDER BY id");
    scene.changes("t", |_, logged| {
        let values = values(&logged.after.unwrap());
        let id = values[0].1.as_unsigned().unwrap() as usize;
        let Value::Json(json) = values[1].1 else {
            panic!("{:?}", values[1].1)
        };
        let name = match json.root().unwrap() {
            JsonValue::Null => "NULL",
            JsonValue::Bool(_) => "BOOLEAN",
            JsonValue::Int(_) => "INTEGER",
            JsonValue::UInt(_) => "UNSIGNED INTEGER",
            JsonValue::Double(_) => "DOUBLE",
            JsonValue::String(_) => "STRING",
            JsonValue::Object(_) => "OBJECT",
            JsonValue::Array(_) => "ARRAY",
            JsonValue::Opaque(opaque) => match opaque.value().unwrap() {
                JsonOpaqueValue::Decimal(_) => "DECIMAL",
                JsonOpaqueValue::Date(_) => "DATE",
                JsonOpaqueValue::Time(_) => "TIME",
                JsonOpaqueValue::DateTime(_) => "DATETIME",
                JsonOpaqueValue::Timestamp(_) => "TIMESTAMP",
                JsonOpaqueValue::Bytes(_) => "BLOB",
            },
        };
        assert_eq!(Some(name), types[id].as_deref(), "{}", DOCUMENTS[id]);
    });
}

#[test]
fn partial_updates() {
    let mut scene = Scene::new(mysql_97(), "json_partial");
    scene.run("SET SESSION binlog_row_value_options = 'PARTIAL_JSON'");
    scene.run("CREATE TABLE t (id INT PRIMARY KEY, a JSON, n INT, b JSON, c JSON)");
    let filler = "x".repeat(200);
    scene.run(&format!(
        r#"INSERT INTO t VALUES (1, '{{"a": 1, "l": [1, 2, 3], "f": "{filler}"}}', 1, '{{"b": "{filler}"}}', '[1, "{filler}"]')"#
    ));
    scene.run("UPDATE t SET a = JSON_SET(JSON_REPLACE(JSON_REMOVE(a, '$.a'), '$.l[1]', 'two'), '$.new', 1.5), n = 2");
    scene.run("UPDATE t SET b = JSON_SET(b, '$.k', CAST('1.50' AS DECIMAL(5,2))), c = JSON_SET(c, '$[2]', JSON_OBJECT('o', true))");
    scene.run("UPDATE t SET a = NULL, c = JSON_REMOVE(c, '$[0]')");
    scene.run("SET SESSION binlog_row_image = 'MINIMAL'");
    scene.run("UPDATE t SET b = JSON_REPLACE(b, '$.k', 2), c = JSON_SET(c, '$[1].o', false)");
    scene.run("UPDATE t SET c = '[]'");

    let mut seen = Vec::new();
    scene.changes("t", |_, logged| {
        if logged.kind() == RowsKind::Insert {
            return;
        }
        let after = logged.after.unwrap();
        let mut changes = Vec::new();
        for (ordinal, value) in values(&after) {
            match value {
                Value::JsonDiff(diffs) => {
                    for diff in diffs.iter() {
                        let diff = diff.unwrap();
                        let path = std::str::from_utf8(diff.path).unwrap();
                        let value = diff
                            .value
                            .map_or_else(String::new, |value| value.to_text().unwrap());
                        let sign = match diff.operation {
                            JsonDiffOperation::Replace => '=',
                            JsonDiffOperation::Insert => '+',
                            JsonDiffOperation::Remove => '-',
                        };
                        changes.push(format!("{ordinal} {sign} {path} {value}"));
                    }
                }
                Value::Null => changes.push(format!("{ordinal} NULL")),
                Value::Json(json) if json.bytes().len() < 20 => {
                    changes.push(format!("{ordinal} {}", json.to_text().unwrap()))
                }
                _ => {}
            }
        }
        seen.push((logged.kind(), changes.join("; ")));
    });
    let expected = [
        (
            RowsKind::PartialUpdate,
            "1 - $.a ; 1 = $.l[1] \"two\"; 1 + $.new 1.5",
        ),
        (
            RowsKind::PartialUpdate,
            "3 + $.k 1.50; 4 + $[2] {\"o\": true}",
        ),
        (RowsKind::PartialUpdate, "1 NULL; 4 - $[0] "),
        (RowsKind::PartialUpdate, "3 = $.k 2; 4 = $[1].o false"),
        (RowsKind::PartialUpdate, "4 []"),
    ];
    assert_eq!(
        seen,
        expected.map(|(kind, changes)| (kind, changes.to_owned()))
    );
}
