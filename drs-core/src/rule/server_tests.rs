//! Real servers say whether a condition means here what it means to them.
use std::{collections::HashMap, fs, sync::OnceLock};

use drs_binlog::{Decoder, EventHeader, EventType, RowImage, Rows, TableColumns, TableMap};
use drs_testkit::{Installation, Server, Version};
use mysql::{Conn, prelude::Queryable};

use super::{
    asker::Asker,
    expression::Expression,
    filter::{Filter, Truth, opaque},
    text::known_collations,
};
use crate::{object::TableName, schema::TableSchema};

fn server(version: Version) -> &'static Server {
    static SERVERS: [OnceLock<Server>; 2] = [const { OnceLock::new() }; 2];
    let slot = usize::from(version == Version::MySql56);
    SERVERS[slot].get_or_init(|| {
        let installation = Installation::find_or_fetch(version).unwrap();
        Server::builder(&installation)
            .in_memory(true)
            .start()
            .unwrap()
    })
}

const VERSIONS: [Version; 2] = [Version::MySql97, Version::MySql56];

fn session(version: Version) -> Conn {
    let mut conn = server(version).conn().unwrap();
    let known = crate::dialect::ServerVersion::of(&mut conn).unwrap();
    crate::session::source_session(&mut conn, known).unwrap();
    conn
}

fn asker(version: Version) -> Asker {
    Asker::new(move || Ok(session(version)))
}

/// A column's type, values that it may hold, literals, and how many of the generated conditions
/// must at least be taken (of each version that has the type).
struct Case {
    column: &'static str,
    values: &'static [&'static str],
    literals: &'static [&'static str],
    taken_min: usize,
    since_97: bool,
}

const fn case(
    column: &'static str,
    values: &'static [&'static str],
    literals: &'static [&'static str],
    taken_min: usize,
) -> Case {
    Case {
        column,
        values,
        literals,
        taken_min,
        since_97: false,
    }
}

const INTEGERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "127",
    "128",
    "255",
    "TRUE",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "-9223372036854775808",
    "1.5",
    "1.0",
    "1e0",
    "'1'",
    "x'31'",
];
const TEXTS: &[&str] = &[
    "''", "'a'", "'A'", "'a '", "'b'", "'é'", "'e'", "'E'", "'eu'", "'_'", "'['", "'ss'", "'ß'",
    "'z'", "'a%'", "'_'", "'%U'", "'é%'", r"'\%'", r"'a\_'", "'€'", "'😀'", "'%'", "1", "x'61'",
];
const TEXT_VALUES: &[&str] = &[
    "''", "'a'", "'A'", "'a '", "'a\t'", "'ab'", "'b'", "'B'", "'é'", "'É'", "'e'", "'EU'", "'eu'",
    "'eU '", "'_'", "'['", "'{'", "'ss'", "'SS'", "'ß'", "'z'", "'%'", "'a_'", "'Ä'", "'ä'", "'y'",
    "'ü'", "' '", "'~'",
];
const MOMENTS: &[&str] = &[
    "'2026-01-31'",
    "'2026-01-31 00:00:00'",
    "'2026-01-31 10:11:12'",
    "'2026-01-31 10:11:12.5'",
    "'2026-01-31 10:11:12.500000'",
    "DATE '1999-12-31'",
    "TIMESTAMP '2026-01-31 10:11:12'",
    "'0001-01-01'",
    "'9999-12-31'",
    "20260131",
    "'2026-1-1'",
    "TIME '10:00:00'",
];
const MOMENT_VALUES: &[&str] = &[
    "'2026-01-31'",
    "'2026-01-31 10:11:12'",
    "'2026-01-31 10:11:12.5'",
    "'2026-01-31 10:11:13'",
    "'1999-12-31'",
    "'1999-12-31 23:59:59'",
    "'2026-02-01'",
    "'2000-02-29'",
];

#[rustfmt::skip]
const CASES: &[Case] = &[
    case("TINYINT", &["0", "1", "-1", "127", "-128"], INTEGERS, 100),
    case("TINYINT UNSIGNED", &["0", "1", "255", "128"], INTEGERS, 100),
    case("SMALLINT", &["0", "1", "-1", "128"], INTEGERS, 100),
    case("MEDIUMINT UNSIGNED", &["0", "1", "255", "16777215"], INTEGERS, 100),
    case("INT", &["0", "1", "-1", "2147483647"], INTEGERS, 100),
    case("BIGINT", &["0", "1", "-1", "9223372036854775807", "-9223372036854775808"], INTEGERS, 100),
    case("BIGINT UNSIGNED", &["0", "1", "9223372036854775807", "9223372036854775808", "18446744073709551615"], INTEGERS, 100),
    case("BIT(10)", &["0", "1", "128", "255", "1023"], INTEGERS, 80),
    case("BIT(64)", &["0", "1", "9223372036854775808", "18446744073709551615"], INTEGERS, 80),
    case("YEAR", &["0", "1901", "2024", "2155"], &["2024", "1901", "2155", "24", "0", "'2024'"], 30),
    case("DECIMAL(10,2)", &["0", "1.50", "-1.50", "1.49", "99999999.99"], &["1.5", "1.50", "-1.5", "0", "-0.0", "1.495", "99999999.99", "100000000", ".5", "1e0", "'1.5'"], 70),
    case("DECIMAL(65,30)", &["0", "0.000000000000000000000000000001", "99999999999999999999999999999999999.999999999999999999999999999999"],
        &["0", "0.000000000000000000000000000001", "99999999999999999999999999999999999.999999999999999999999999999999", "99999999999999999999999999999999999.9"], 30),
    case("FLOAT", &["0", "0.1", "0.5", "-0.5", "1e20", "16777216"], &["0.1", "0.5", "-0.5", "0", "16777216", "16777217", "1e0", "1.5e0"], 40),
    case("DOUBLE", &["0", "0.1", "0.5", "-0.5", "1e300", "9007199254740993"], &["0.1", "0.5", "-0.5", "0", "9007199254740993", "1e300", "1e400"], 40),
    case("DOUBLE(10,2)", &["0.1"], &["0.1"], 0),
    case("DATE", MOMENT_VALUES, MOMENTS, 30),
    case("DATETIME", MOMENT_VALUES, MOMENTS, 40),
    case("DATETIME(1)", MOMENT_VALUES, MOMENTS, 40),
    case("DATETIME(6)", MOMENT_VALUES, MOMENTS, 50),
    case("TIMESTAMP NULL", &["'2026-01-31'", "'2026-01-31 10:11:12'", "'1999-12-31'", "0"], MOMENTS, 40),
    case("TIMESTAMP(6) NULL", &["'2026-01-31'", "'2026-01-31 10:11:12.5'", "'1999-12-31'"], MOMENTS, 50),
    case("TIME", &["'10:11:12'", "'-10:11:12'", "'00:00:00'", "'838:59:59'", "'100:00:00'"],
        &["'10:11:12'", "'-10:11:12'", "'00:00:00'", "TIME '100:00:00'", "'838:59:59'", "'10:11:12.5'", "'839:00:00'", "101112"], 40),
    case("TIME(3)", &["'10:11:12.123'", "'-10:11:12.5'", "'-10:11:12'", "'00:00:00'"],
        &["'10:11:12.123'", "'-10:11:12.5'", "'10:11:12.1234'", "'00:00:00'"], 25),
    case("VARCHAR(50) COLLATE utf8_general_ci", TEXT_VALUES, TEXTS, 200),
    case("VARCHAR(50) COLLATE utf8_bin", TEXT_VALUES, TEXTS, 200),
    case("VARCHAR(50) COLLATE utf8mb4_general_ci", TEXT_VALUES, TEXTS, 200),
    case("VARCHAR(50) COLLATE utf8mb4_unicode_ci", TEXT_VALUES, TEXTS, 200),
    case("VARCHAR(50) COLLATE utf8mb4_bin", TEXT_VALUES, TEXTS, 200),
    case("VARCHAR(50) COLLATE utf8mb4_german2_ci", TEXT_VALUES, TEXTS, 200),
    case("VARCHAR(50) COLLATE latin1_swedish_ci", TEXT_VALUES, TEXTS, 150),
    case("VARCHAR(50) COLLATE latin1_german1_ci", TEXT_VALUES, TEXTS, 150),
    case("VARCHAR(50) COLLATE latin1_bin", TEXT_VALUES, TEXTS, 150),
    case("VARCHAR(50) COLLATE utf16_general_ci", TEXT_VALUES, TEXTS, 150),
    case("VARCHAR(50) COLLATE sjis_japanese_ci", &["'a'", "'日本'", "'ｱ'", "'B'"], &["'a'", "'日本'", "'b'", "'日%'", "'é'"], 30),
    Case { since_97: true, ..case("VARCHAR(50) COLLATE utf8mb4_0900_ai_ci", TEXT_VALUES, TEXTS, 200) },
    Case { since_97: true, ..case("VARCHAR(50) COLLATE utf8mb4_0900_as_cs", TEXT_VALUES, TEXTS, 200) },
    Case { since_97: true, ..case("VARCHAR(50) COLLATE utf8mb4_0900_bin", TEXT_VALUES, TEXTS, 200) },
    Case { since_97: true, ..case("CHAR(20) COLLATE utf8mb4_0900_ai_ci", TEXT_VALUES, TEXTS, 180) },
    Case { since_97: true, ..case("VARCHAR(50) COLLATE utf8mb4_de_pb_0900_ai_ci", TEXT_VALUES, TEXTS, 200) },
    case("CHAR(20) COLLATE utf8_general_ci", TEXT_VALUES, TEXTS, 180),
    case("CHAR(20) COLLATE latin1_swedish_ci", TEXT_VALUES, TEXTS, 140),
    case("CHAR(20) COLLATE utf8mb4_bin", TEXT_VALUES, TEXTS, 180),
    case("VARBINARY(20)", &["''", "'a'", "'A'", "'a '", "x'6100'", "x'ff'", "'é'"], &["''", "'a'", "'A'", "x'61'", "x'6100'", "x'ff'", "'a%'", "'_'", "'é'", "1"], 80),
    case("BINARY(3)", &["''", "'a'", "'abc'", "x'610000'", "x'616161'"], &["'abc'", "x'610000'", "x'000000'", "'a'", "'a%'", "'a__'", "'aaa'"], 40),
    case("ENUM('a','B','é','e''f','x\\\\y') COLLATE utf8_general_ci", &["'a'", "'B'", "'é'", "4", "5", "0"], &["'a'", "'b'", "'A'", "'e'", "'é'", "'e''f'", "''", "'%f'", "'1'", "'z'", r"'x\\y'", "1"], 90),
    case("ENUM('a','b') COLLATE latin1_bin", &["'a'", "'b'"], &["'a'", "'A'", "'b'"], 25),
    case("SET('a','b','é') COLLATE utf8_general_ci", &["''", "'a'", "'a,b'", "'b,é'", "'é'"], &["''", "'a'", "'A,B'", "'b,a'", "'b,e'", "'e'", "'%b%'", "'é'", "3"], 70),
    case("TEXT", &["'a'"], &["'a'"], 0),
    case("BLOB", &["'a'"], &["'a'"], 0),
];

/// Conditions on `c` of one or two literals.
fn conditions(literals: &[&str]) -> Vec<String> {
    let mut texts = vec![
        "c IS NULL".to_owned(),
        "NOT c IS NOT NULL".to_owned(),
        "c = NULL OR c <=> NULL".to_owned(),
    ];
    for (index, literal) in literals.iter().enumerate() {
        for operator in ["=", "<>", "<", "<=", ">", ">=", "<=>"] {
            texts.push(format!("c {operator} {literal}"));
            texts.push(format!("NOT ({literal} {operator} c)"));
        }
        let next = literals[(index + 1) % literals.len()];
        texts.push(format!("c IN ({literal}, {next})"));
        texts.push(format!("c NOT IN ({literal}, NULL, {next})"));
        texts.push(format!("c BETWEEN {literal} AND {next}"));
        texts.push(format!(
            "c NOT BETWEEN {literal} AND {next} AND c <> {next}"
        ));
        if literal.starts_with('\'') {
            texts.push(format!("c LIKE {literal}"));
            texts.push(format!("c NOT LIKE {literal} ESCAPE '|'"));
        }
    }
    texts
}

#[test]
fn conditions_mean_here_what_they_mean_to_the_server() {
    for version in VERSIONS {
        let mut conn = session(version);
        conn.query_drop("CREATE DATABASE rule_oracle").unwrap();
        let asker = asker(version);
        let (mut taken_all, mut refused_all) = (0, 0);
        let cases = CASES
            .iter()
            .filter(|case| version == Version::MySql97 || !case.since_97);
        for (number, case) in cases.enumerate() {
            let name = TableName::new("rule_oracle", &format!("t{number}")).unwrap();
            make_table(&mut conn, &name, case);
            let schema = TableSchema::load(&mut conn, &name).unwrap().unwrap();
            let mut filters = Vec::new();
            let mut refused = 0;
            for text in conditions(case.literals) {
                let expression: Expression = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
                match Filter::bind(&expression, &schema.columns, &asker) {
                    Ok(filter) => filters.push((text, filter, [vec![], vec![], vec![]])),
                    Err(super::BindError::Column { .. }) => refused += 1,
                    Err(error) => panic!("{version:?} {}: {text}: {error}", case.column),
                }
            }
            let taken = filters.len();
            (taken_all, refused_all) = (taken_all + taken, refused_all + refused);
            let mut rows = 0;
            for_each_row(version, &name, |image| {
                let id = image.value(0).unwrap().unwrap().as_signed().unwrap();
                rows += 1;
                for (text, filter, ids) in &mut filters {
                    let truth = filter.of(&schema.columns, &asker, &|ordinal| image.value(ordinal));
                    let place = match truth.unwrap_or_else(|e| panic!("{text}: {e}")) {
                        Truth::True => 0,
                        Truth::False => 1,
                        Truth::Unknown => 2,
                        Truth::Missing(_) => panic!("{text}"),
                    };
                    ids[place].push(id);
                }
            });
            // Each value once or twice, and a row with NULL.
            assert!(rows > case.values.len(), "{rows} rows of {}", case.column);
            let table = crate::sql::table(&name);
            for (text, filter, ids) in filters {
                let ours = filter.sql(&schema.columns);
                // The user's own text without an index: with one, LIKE misses what sorts before
                // its prefix, for instance 'a\t'.
                for (condition, hint, wrap) in [
                    (&ours, "FORCE INDEX (c)", true),
                    (&ours, "IGNORE INDEX (c)", false),
                    (&text, "IGNORE INDEX (c)", false),
                ] {
                    // 5.6 itself errs with some lists and ranges (unsigned ends, NULL among times),
                    // which ours are spelled out for.
                    if version == Version::MySql56
                        && !wrap
                        && condition == &text
                        && (text.contains(" IN ") || text.contains("BETWEEN"))
                    {
                        continue;
                    }
                    let mut matching = |condition: String| -> Vec<i64> {
                        let condition = match wrap {
                            true => opaque(&condition),
                            false => condition,
                        };
                        let select =
                            format!("SELECT id FROM {table} {hint} WHERE {condition} ORDER BY id");
                        conn.query(&select)
                            .unwrap_or_else(|e| panic!("{e}\n{select}"))
                    };
                    let found = [
                        matching(condition.clone()),
                        matching(format!("NOT ({condition})")),
                        matching(format!("({condition}) <=> NULL")),
                    ];
                    assert_eq!(
                        found, ids,
                        "{version:?} {}: {text} ({condition}) {hint}",
                        case.column
                    );
                }
            }
            assert!(
                taken >= case.taken_min,
                "{}: {taken} taken, {refused} refused",
                case.column
            );
            if case.taken_min == 0 {
                // IS NULL alone, or not even that.
                assert!(taken <= 3, "{}", case.column);
            }
        }
        eprintln!("{version:?}: {taken_all} conditions agree, {refused_all} are refused");
        conn.query_drop("DROP DATABASE rule_oracle").unwrap();
    }
}

/// Values that the type does not take are left out by INSERT IGNORE's conversions; the log and
/// the server then see the same converted ones.
fn make_table(conn: &mut Conn, name: &TableName, case: &Case) {
    let table = crate::sql::table(name);
    let prefix = if case.column == "TEXT" || case.column == "BLOB" {
        "(5)"
    } else {
        ""
    };
    let mode = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'";
    conn.query_drop(mode).unwrap();
    let column = case.column.replace("COLLATE ", "CHARACTER SET @ COLLATE ");
    let charset = case
        .column
        .split("COLLATE ")
        .nth(1)
        .and_then(|it| it.split('_').next());
    let column = column.replace('@', charset.unwrap_or_default());
    conn.query_drop(format!(
        "CREATE TABLE {table} (id INT AUTO_INCREMENT PRIMARY KEY, c {column}, KEY c (c{prefix}))"
    ))
    .unwrap_or_else(|e| panic!("{e} {column}"));
    for value in case.values.iter().chain(["NULL"].iter()) {
        conn.query_drop(format!("INSERT IGNORE INTO {table} (c) VALUES ({value})"))
            .unwrap_or_else(|e| panic!("{e} {value}"));
    }
}

/// Calls `each` with every inserted row of a table, as the log has it.
fn for_each_row(version: Version, name: &TableName, mut each: impl FnMut(&RowImage<'_, '_>)) {
    for path in server(version).binlog_files().unwrap() {
        let file = fs::read(path).unwrap();
        let mut decoder = Decoder::new();
        let mut maps: HashMap<u64, TableColumns> = HashMap::new();
        let mut rest = &file[4..];
        while let Some(header) = rest.get(..EventHeader::LEN) {
            let size = EventHeader::parse(header).unwrap().event_size as usize;
            let Some((event, tail)) = rest.split_at_checked(size) else {
                break;
            };
            rest = tail;
            let raw = decoder.raw(event).unwrap();
            let Some(format) = decoder.format() else {
                continue;
            };
            if raw.header.event_type == EventType::TABLE_MAP {
                let map = TableMap::parse(&raw, format).unwrap();
                maps.remove(&map.table_id);
                if map.table == name.table.as_bytes()
                    && map.database == name.database.as_str().as_bytes()
                {
                    maps.insert(map.table_id, map.compile_without_fractions().unwrap());
                }
            } else if raw.header.event_type.is_rows() {
                let rows = Rows::parse(&raw, format).unwrap();
                let Some(columns) = maps.get(&rows.table_id) else {
                    continue;
                };
                for change in rows.changes(columns) {
                    let after = change.unwrap().after.unwrap();
                    each(&after);
                }
            }
        }
    }
}

/// What is taken for certain of a collation holds for every printable character.
#[test]
fn printable_ascii_compares_as_the_server_says() {
    use super::{
        Operator,
        text::{TextOperator, TextTest},
    };
    for version in VERSIONS {
        let mut conn = session(version);
        let known: Vec<(String, String)> = conn
            .query("SELECT COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS")
            .unwrap();
        let mut tested = 0;
        for collation in known_collations() {
            let Some((_, charset)) = known.iter().find(|(name, _)| name == collation) else {
                continue;
            };
            conn.query_drop("DROP TEMPORARY TABLE IF EXISTS test.a, test.b")
                .unwrap();
            conn.query_drop("CREATE DATABASE IF NOT EXISTS test")
                .unwrap();
            for table in ["a", "b"] {
                conn.query_drop(format!(
                    "CREATE TEMPORARY TABLE test.{table} (c VARCHAR(9) CHARACTER SET {charset} COLLATE {collation})"
                ))
                .unwrap();
                // The character alone, and inside a text.
                let values: Vec<String> = (0x20..0x7f_u8)
                    .map(|c| format!("(x'{c:02x}'), (x'61{c:02x}62')"))
                    .collect();
                conn.query_drop(format!(
                    "INSERT INTO test.{table} VALUES ('a'), ('a '), ('b'), {}",
                    values.join(", ")
                ))
                .unwrap();
            }
            for operator in [Operator::Equal, Operator::Less] {
                let rows: Vec<(Vec<u8>, Vec<u8>, bool)> = conn
                    .query(format!(
                        "SELECT HEX(a.c), HEX(b.c), a.c {} b.c FROM test.a a, test.b b \
                         WHERE LENGTH(a.c) % 2 = LENGTH(b.c) % 2",
                        operator.as_str()
                    ))
                    .unwrap();
                let plain = |hex: Vec<u8>| -> Vec<u8> {
                    hex.chunks(2)
                        .map(|two| {
                            u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()
                        })
                        .collect()
                };
                for (left, right, answer) in rows {
                    let (left, right) = (plain(left), plain(right));
                    let test = TextTest::new(
                        charset,
                        collation,
                        TextOperator::Compare(operator),
                        right.clone(),
                    );
                    if let Some(certain) = test.certain(&left) {
                        tested += 1;
                        let shown =
                            [&left, &right].map(|text| String::from_utf8_lossy(text).into_owned());
                        assert_eq!(
                            certain, answer,
                            "{version:?} {collation} {operator:?} {shown:?}"
                        );
                    }
                }
            }
        }
        assert!(tested > 200_000, "{tested}");
    }
}
