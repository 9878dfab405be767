//! Every column type: edge values in, what SELECT gives against what the log gives.
use drs_binlog::{RowsKind, Value};
use drs_testkit::Server;
use mysql::prelude::Queryable;

use crate::{
    log::{Scene, values},
    mariadb, mysql_56, mysql_97,
};

/// How a value is compared: what to select, and what to make of the decoded value.
#[derive(Clone, Copy, Debug)]
enum As {
    Signed,
    Unsigned,
    /// The server's text of the value.
    Text,
    /// The stored bytes.
    Hex,
    /// BINARY(n): the log leaves out trailing zeros.
    HexPadded(usize),
    /// ENUM, SET and BIT: the number.
    Number,
    /// FLOAT and DOUBLE: the bits of the exact double.
    Real,
}

impl As {
    fn expression(self) -> &'static str {
        match self {
            Self::Signed | Self::Unsigned | Self::Text => "CAST(c AS CHAR)",
            Self::Hex | Self::HexPadded(_) => "HEX(c)",
            Self::Number => "CAST(c AS UNSIGNED)",
            Self::Real => "c",
        }
    }

    fn decoded(self, value: &Value<'_>) -> Option<String> {
        if value.is_null() {
            return None;
        }
        Some(match (self, value) {
            (Self::Signed, value) => value.as_signed().unwrap().to_string(),
            (Self::Unsigned, value) => value.as_unsigned().unwrap().to_string(),
            (Self::Hex, value) => hex(value.as_bytes().unwrap()),
            (Self::HexPadded(len), value) => {
                let mut bytes = value.as_bytes().unwrap().to_vec();
                bytes.resize(len, 0);
                hex(&bytes)
            }
            (Self::Number, Value::Enum(number)) => number.to_string(),
            (Self::Number, Value::Set(bits)) => bits.to_string(),
            (Self::Number, value) => value.as_bits().unwrap().to_string(),
            (Self::Real, Value::Float(number)) => f64::from(*number).to_bits().to_string(),
            (Self::Real, Value::Double(number)) => number.to_bits().to_string(),
            (Self::Text, value) => value.to_string(),
            _ => panic!("{self:?} of {value:?}"),
        })
    }

    /// What the server says of all rows in their order.
    fn selected(self, scene: &mut Scene, table: &str) -> Vec<Option<String>> {
        let sql = format!("SELECT {} FROM {table} ORDER BY id", self.expression());
        if !matches!(self, Self::Real) {
            return scene.column(&sql);
        }
        // Texts of numbers are rounded; the binary protocol gives the bits.
        let rows: Vec<mysql::Value> = scene.conn.exec(sql, ()).unwrap();
        let bits = |value| match value {
            mysql::Value::Float(number) => Some(f64::from(number).to_bits().to_string()),
            mysql::Value::Double(number) => Some(number.to_bits().to_string()),
            _ => None,
        };
        rows.into_iter().map(bits).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The types that all servers have.
const COMMON: &[(&str, As, &[&str])] = &[
    ("TINYINT", As::Signed, &["-128", "-1", "0", "127"]),
    ("TINYINT UNSIGNED", As::Unsigned, &["0", "128", "255"]),
    ("SMALLINT", As::Signed, &["-32768", "-1", "32767"]),
    ("SMALLINT UNSIGNED", As::Unsigned, &["32768", "65535"]),
    ("MEDIUMINT", As::Signed, &["-8388608", "-1", "0", "8388607"]),
    (
        "MEDIUMINT UNSIGNED",
        As::Unsigned,
        &["8388608", "8592090", "16777215"],
    ),
    ("INT", As::Signed, &["-2147483648", "-1", "2147483647"]),
    ("INT UNSIGNED", As::Unsigned, &["2147483648", "4294967295"]),
    (
        "BIGINT",
        As::Signed,
        &["-9223372036854775808", "-1", "9223372036854775807"],
    ),
    (
        "BIGINT UNSIGNED",
        As::Unsigned,
        &["9223372036854775808", "18446744073709551615"],
    ),
    (
        "FLOAT",
        As::Real,
        &[
            "0",
            "-0e0",
            "0.1",
            "-3.402823466e38",
            "3.4e38",
            "1.17549435e-38",
            "1.5",
        ],
    ),
    (
        "DOUBLE",
        As::Real,
        &[
            "0",
            "-0e0",
            "0.1",
            "1.7976931348623157e308",
            "-2.2250738585072014e-308",
            "3.141592653589793",
        ],
    ),
    ("DECIMAL(1,0)", As::Text, &["0", "9", "-9"]),
    (
        "DECIMAL(10,0)",
        As::Text,
        &["9999999999", "-9999999999", "1", "-1", "1000000000"],
    ),
    (
        "DECIMAL(5,5)",
        As::Text,
        &["0.00001", "-0.99999", "0", "0.12345"],
    ),
    (
        "DECIMAL(10,2)",
        As::Text,
        &[
            "-0.01",
            "0.00",
            "-0.00",
            "99999999.99",
            "-99999999.99",
            "12345.67",
        ],
    ),
    (
        "DECIMAL(19,9)",
        As::Text,
        &["1234567890.123456789", "-1234567890.000000001"],
    ),
    (
        "DECIMAL(65,30)",
        As::Text,
        &[
            "99999999999999999999999999999999999.999999999999999999999999999999",
            "-99999999999999999999999999999999999.999999999999999999999999999999",
            "0.000000000000000000000000000001",
            "-0.000000000000000000000000000001",
            "-12345678901234567890.5",
        ],
    ),
    (
        "DECIMAL(65,0)",
        As::Text,
        &[
            "99999999999999999999999999999999999999999999999999999999999999999",
            "-7",
        ],
    ),
    (
        "DECIMAL(30,30)",
        As::Text,
        &[
            "0.123456789012345678901234567890",
            "-0.000000000000000000000000000009",
        ],
    ),
    ("BIT(1)", As::Number, &["b'0'", "b'1'"]),
    ("BIT(8)", As::Number, &["b'10000001'"]),
    ("BIT(9)", As::Number, &["b'100000001'", "1"]),
    ("BIT(33)", As::Number, &["8589934591"]),
    (
        "BIT(64)",
        As::Number,
        &["18446744073709551615", "9223372036854775808", "0"],
    ),
    ("YEAR", As::Text, &["0000", "1901", "2155", "1999"]),
    (
        "DATE",
        As::Text,
        &[
            "'0000-00-00'",
            "'2024-00-10'",
            "'2024-02-00'",
            "'9999-12-31'",
            "'1000-01-01'",
            "'2024-02-29'",
            "'2023-02-31'",
        ],
    ),
    (
        "TIME",
        As::Text,
        &[
            "'00:00:00'",
            "'-838:59:59'",
            "'838:59:59'",
            "'-00:00:01'",
            "'23:59:59'",
        ],
    ),
    (
        "TIME(1)",
        As::Text,
        &["'-00:00:00.1'", "'12:34:56.7'", "'-01:00:00.0'"],
    ),
    (
        "TIME(2)",
        As::Text,
        &["'-00:00:00.01'", "'-00:00:59.99'", "'00:00:00.99'"],
    ),
    ("TIME(3)", As::Text, &["'-00:00:00.001'", "'100:00:00.123'"]),
    (
        "TIME(4)",
        As::Text,
        &["'-00:00:00.0001'", "'-00:01:00.9999'"],
    ),
    (
        "TIME(5)",
        As::Text,
        &["'-00:00:00.00001'", "'00:00:00.99999'"],
    ),
    (
        "TIME(6)",
        As::Text,
        &[
            "'-00:00:00.000001'",
            "'-838:59:58.999999'",
            "'00:00:00.000001'",
            "'-01:02:03.000000'",
        ],
    ),
    (
        "DATETIME",
        As::Text,
        &[
            "'0000-00-00 00:00:00'",
            "'9999-12-31 23:59:59'",
            "'2024-00-00 12:00:00'",
        ],
    ),
    ("DATETIME(1)", As::Text, &["'2024-02-29 12:34:56.7'"]),
    ("DATETIME(2)", As::Text, &["'2024-02-29 12:34:56.78'"]),
    (
        "DATETIME(3)",
        As::Text,
        &["'2024-02-29 12:34:56.789'", "'0000-00-00 00:00:00.000'"],
    ),
    ("DATETIME(4)", As::Text, &["'2024-02-29 12:34:56.7891'"]),
    ("DATETIME(5)", As::Text, &["'2024-02-29 12:34:56.78912'"]),
    (
        "DATETIME(6)",
        As::Text,
        &[
            "'2024-02-29 12:34:56.789123'",
            "'1000-01-01 00:00:00.000001'",
        ],
    ),
    (
        "TIMESTAMP",
        As::Text,
        &[
            "'0000-00-00 00:00:00'",
            "'1970-01-01 00:00:01'",
            "'2038-01-19 03:14:07'",
            "'2000-02-29 12:00:00'",
        ],
    ),
    ("TIMESTAMP(1)", As::Text, &["'2038-01-19 03:14:07.9'"]),
    ("TIMESTAMP(2)", As::Text, &["'1970-01-01 00:00:01.01'"]),
    (
        "TIMESTAMP(3)",
        As::Text,
        &["'0000-00-00 00:00:00'", "'2024-12-31 23:59:59.999'"],
    ),
    ("TIMESTAMP(4)", As::Text, &["'2024-12-31 23:59:59.0001'"]),
    ("TIMESTAMP(5)", As::Text, &["'2024-12-31 23:59:59.00001'"]),
    (
        "TIMESTAMP(6)",
        As::Text,
        &[
            "'2024-02-29 12:34:56.789123'",
            "'1970-01-01 00:00:01.000001'",
        ],
    ),
    ("CHAR(10)", As::Hex, &["''", "'abc'", "'é😀'", "x'00'"]),
    (
        "CHAR(255) CHARACTER SET utf8mb4",
        As::Hex,
        &["REPEAT('😀', 255)", "'a'"],
    ),
    (
        "CHAR(200) CHARACTER SET utf8",
        As::Hex,
        &["REPEAT('é', 200)", "''"],
    ),
    (
        "CHAR(255) CHARACTER SET latin1",
        As::Hex,
        &["REPEAT('x', 255)", "x'81'"],
    ),
    (
        "BINARY(16)",
        As::HexPadded(16),
        &[
            "x'000102030405060708090a0b0c0d0e00'",
            "x''",
            "x'00'",
            "x'20'",
        ],
    ),
    (
        "VARCHAR(255) CHARACTER SET latin1",
        As::Hex,
        &["''", "REPEAT('x', 255)", "'a '", "x'80819f'"],
    ),
    (
        "VARCHAR(256) CHARACTER SET latin1",
        As::Hex,
        &["''", "REPEAT('x', 256)"],
    ),
    ("VARCHAR(63)", As::Hex, &["REPEAT('😀', 63)", "''"]),
    ("VARCHAR(64)", As::Hex, &["REPEAT('😀', 64)", "'NULL'"]),
    ("VARCHAR(10) CHARACTER SET utf16", As::Hex, &["'a😀'"]),
    ("VARCHAR(10) CHARACTER SET utf32", As::Hex, &["'a😀'"]),
    ("VARCHAR(10) CHARACTER SET ucs2", As::Hex, &["'é'"]),
    ("VARCHAR(10) CHARACTER SET gbk", As::Hex, &["_gbk x'c4e3'"]),
    (
        "VARCHAR(10) CHARACTER SET sjis",
        As::Hex,
        &["_sjis x'835c'"],
    ),
    (
        "VARBINARY(300)",
        As::Hex,
        &["x'0000'", "REPEAT(x'ff', 300)"],
    ),
    ("TINYBLOB", As::Hex, &["''", "REPEAT(x'00ff', 127)"]),
    ("BLOB", As::Hex, &["REPEAT('b', 65535)", "x'1a0a5c27'"]),
    ("MEDIUMBLOB", As::Hex, &["REPEAT('m', 70000)"]),
    ("LONGBLOB", As::Hex, &["REPEAT('l', 70000)", "''"]),
    ("TINYTEXT", As::Hex, &["'é'"]),
    ("TEXT", As::Hex, &["'some text'", "''"]),
    ("MEDIUMTEXT", As::Hex, &["'é😀'"]),
    ("LONGTEXT", As::Hex, &["REPEAT('é', 40000)"]),
    (
        "ENUM('1','0','2')",
        As::Number,
        &["'1'", "'2'", "0", "'invalid'"],
    ),
    ("SET('a','b','c')", As::Number, &["''", "'a,c'", "'a,b,c'"]),
    (
        "POINT",
        As::Hex,
        &[
            "ST_GeomFromText('POINT(1 -2)')",
            "ST_GeomFromText('POINT(1.5 2.5)', 4326)",
        ],
    ),
    (
        "GEOMETRY",
        As::Hex,
        &[
            "ST_GeomFromText('LINESTRING(0 0,1 1,2 2)')",
            "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')",
        ],
    ),
];

const MYSQL_97: &[(&str, As, &[&str])] = &[
    (
        "VECTOR(3)",
        As::Hex,
        &["TO_VECTOR('[1,-2.5,3e10]')", "TO_VECTOR('[0]')"],
    ),
    (
        "GEOMETRYCOLLECTION",
        As::Hex,
        &["ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')"],
    ),
];

const MARIADB: &[(&str, As, &[&str])] = &[
    (
        "DECIMAL(65,38)",
        As::Text,
        &[
            "0.00000000000000000000000000000000000001",
            "-123456789012345678901234567.5",
        ],
    ),
    (
        "UUID",
        As::HexPadded(16),
        &["'00112233-4455-6677-8899-aabbccddee00'"],
    ),
    ("INET6", As::HexPadded(16), &["'::1'", "'ff00::'"]),
];

/// ENUM with two bytes, SETs of every size.
fn wide_enum_and_sets() -> Vec<(String, As, Vec<String>)> {
    let labels = |count: usize| {
        (1..=count)
            .map(|n| format!("'l{n}'"))
            .collect::<Vec<_>>()
            .join(",")
    };
    let mut cases = vec![
        (
            format!("ENUM({})", labels(255)),
            As::Number,
            vec!["'l255'".to_owned()],
        ),
        (
            format!("ENUM({})", labels(256)),
            As::Number,
            vec!["'l256'".to_owned(), "'l1'".to_owned()],
        ),
    ];
    for count in [8, 9, 16, 17, 24, 25, 32, 33, 40, 48, 63, 64] {
        let all = u64::MAX >> (64 - count);
        cases.push((
            format!("SET({})", labels(count)),
            As::Number,
            vec![all.to_string(), "'l1'".to_owned()],
        ));
    }
    cases
}

fn all_types(server: &'static Server, database: &str, own: &[(&str, As, &[&str])]) {
    let mut scene = Scene::new(server, database);
    let cases = COMMON.iter().chain(own).map(|(definition, how, literals)| {
        (
            (*definition).to_owned(),
            *how,
            literals
                .iter()
                .map(|literal| (*literal).to_owned())
                .collect::<Vec<_>>(),
        )
    });
    for (index, (definition, how, literals)) in cases.chain(wide_enum_and_sets()).enumerate() {
        let table = format!("t{index}");
        check(&mut scene, &table, &definition, how, &literals);
    }
}

/// Inserts, updates and deletes a row for each literal, and NULL; all images must equal the selected values.
fn check(scene: &mut Scene, table: &str, definition: &str, how: As, literals: &[String]) {
    // The last column shows that the walk came out where the value ends.
    scene.run(&format!(
        "CREATE TABLE {table} (id INT PRIMARY KEY, c {definition} NULL, tail INT)"
    ));
    for (id, literal) in literals
        .iter()
        .map(String::as_str)
        .chain(["NULL"])
        .enumerate()
    {
        scene.run(&format!(
            "INSERT INTO {table} VALUES ({id}, {literal}, 16909060)"
        ));
    }
    let selected = how.selected(scene, table);
    scene.run(&format!("UPDATE {table} SET tail = 7 ORDER BY id"));
    scene.run(&format!("DELETE FROM {table} ORDER BY id"));

    let mut seen = Vec::new();
    scene.changes(table, |_, logged| {
        for (image, tail) in [(logged.before, 16_909_060), (logged.after, 7)] {
            let Some(image) = image else { continue };
            let values = values(&image);
            assert!(image.is_complete());
            let tail = if logged.kind() == RowsKind::Insert {
                16_909_060
            } else if logged.kind() == RowsKind::Delete {
                7
            } else {
                tail
            };
            assert_eq!(values[2].1.as_signed(), Some(tail), "{definition}");
            let id = values[0].1.as_unsigned().unwrap() as usize;
            let decoded = how.decoded(&values[1].1);
            assert_eq!(
                decoded,
                selected[id],
                "{definition}, row {id}, {:?}",
                logged.kind()
            );
            assert_eq!(
                image.value(1).unwrap().map(|value| how.decoded(&value)),
                Some(decoded)
            );
            seen.push(id);
        }
    });
    assert_eq!(
        seen.len(),
        selected.len() * 4,
        "{definition}: rows are missing"
    );
}

#[test]
fn mysql_97_types() {
    all_types(mysql_97(), "types", MYSQL_97);
}

#[test]
fn mysql_56_types() {
    all_types(mysql_56(), "types", &[]);
}

#[test]
fn mariadb_types() {
    all_types(mariadb(), "types", MARIADB);
}
