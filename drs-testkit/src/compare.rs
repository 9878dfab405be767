//! Whether two servers hold the same tables: definitions, row counts and every byte of every row.
//!
//! The work is done by the servers in SQL, by nothing that the engine under test has a part in. A
//! row's digest is the SHA-256 of all its columns, each as the bytes that are stored; a table's is the
//! sum of its rows' digests, which minds no order but does mind how often a row is there, so it
//! tells tables without a primary key apart too.

use std::{collections::BTreeMap, fmt, thread};

use mysql::{Conn, Row, prelude::Queryable};

use crate::{Error, Result};

/// How many differing rows of a table are looked up to be shown.
const EXAMPLES: usize = 5;

/// A table's content in brief. Equal content has equal digests, on every version of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDigest {
    /// The exact number of rows.
    pub rows: u64,
    /// The sums of both halves of the first 128 bits of the rows' SHA-256, in hexadecimal.
    pub checksum: String,
}

/// One table of a database, on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableComparison {
    /// The table's name.
    pub table: String,
    /// Its content at the source; `None` where there is no such table.
    pub source: Option<TableDigest>,
    /// Its content at the destination; `None` where there is no such table.
    pub destination: Option<TableDigest>,
    /// What is not the same; empty for an equal table.
    pub differences: Vec<String>,
}

impl TableComparison {
    /// Whether the table is there on both sides with the same definition and the same rows.
    pub fn is_equal(&self) -> bool {
        self.differences.is_empty() && self.source.is_some() && self.source == self.destination
    }
}

impl fmt::Display for TableComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_equal() {
            return write!(f, "{}: equal", self.table);
        }
        write!(f, "{}: {}", self.table, self.differences.join("\n  "))
    }
}

/// A table that is not the same on both sides.
pub type TableDifference = TableComparison;

/// Compares all base tables of a database and returns those that differ.
///
/// Definitions are compared where both servers print them alike, which takes the same major and
/// minor version on both sides; the names and order of columns are compared always.
///
/// # Errors
/// What a server says.
pub fn compare_tables(
    source: &mut Conn,
    destination: &mut Conn,
    database: &str,
) -> Result<Vec<TableDifference>> {
    let mut tables = compare_all_tables(source, destination, database, |_| ())?;
    tables.retain(|table| !table.is_equal());
    Ok(tables)
}

/// Compares all base tables of a database, by name, and shows each to `seen` as soon as it is done.
///
/// # Errors
/// What a server says.
pub fn compare_all_tables(
    source: &mut Conn,
    destination: &mut Conn,
    database: &str,
    mut seen: impl FnMut(&TableComparison),
) -> Result<Vec<TableComparison>> {
    let (source_version, destination_version) = (prepare(source)?, prepare(destination)?);
    let same_release = source_version == destination_version;
    let walks_json = walks_json(source_version) && walks_json(destination_version);
    let mut names = table_names(source, database)?;
    names.extend(table_names(destination, database)?);
    names.sort();
    names.dedup();
    let mut tables = Vec::with_capacity(names.len());
    for name in names {
        let table = Table {
            database,
            name: &name,
            walks_json,
        };
        let comparison = compare(source, destination, &table, same_release)?;
        seen(&comparison);
        tables.push(comparison);
    }
    Ok(tables)
}

/// The content of one table in brief; `None` when there is no such table.
///
/// # Errors
/// What the server says.
pub fn digest_table(conn: &mut Conn, database: &str, table: &str) -> Result<Option<TableDigest>> {
    let walks_json = walks_json(prepare(conn)?);
    let table = Table {
        database,
        name: table,
        walks_json,
    };
    Ok(Side::read(conn, &table, false)?.map(|side| side.digest))
}

/// Values print the same whatever the session was before. Returns the major and minor version.
fn prepare(conn: &mut Conn) -> Result<(u16, u16)> {
    conn.query_drop(
        "SET time_zone = '+00:00', sql_mode = '', character_set_results = 'utf8mb4', \
         sql_quote_show_create = 1, group_concat_max_len = 1 << 30",
    )?;
    let (major, minor, _) = conn.server_version();
    Ok((major, minor))
}

/// Whether the server can list the types of all values inside a JSON document in one expression.
fn walks_json(version: (u16, u16)) -> bool {
    version >= (8, 0)
}

fn table_names(conn: &mut Conn, database: &str) -> Result<Vec<String>> {
    Ok(conn.exec(
        "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
         WHERE table_schema = ? AND table_type = 'BASE TABLE'",
        (database,),
    )?)
}

fn compare(
    source: &mut Conn,
    destination: &mut Conn,
    table: &Table<'_>,
    same_release: bool,
) -> Result<TableComparison> {
    // Both servers at once: they do the work.
    let (left, right) = thread::scope(|scope| {
        let left = scope.spawn(|| Side::read(source, table, same_release));
        let right = Side::read(destination, table, same_release);
        (join(left), right)
    });
    let (left, right) = (left?, right?);
    let mut differences = Vec::new();
    match (&left, &right) {
        (Some(left), Some(right)) => {
            if left.columns != right.columns {
                differences.push(format!(
                    "columns {} at the source, {} at the destination",
                    names(&left.columns),
                    names(&right.columns)
                ));
            } else if left.digest != right.digest {
                differences.push(format!(
                    "{} rows at the source, {} at the destination",
                    left.digest.rows, right.digest.rows
                ));
                differences.extend(examples(source, destination, table, &left.columns)?);
            }
            if left.definition != right.definition {
                differences.push(format!(
                    "defined at the source as\n{}\nand at the destination as\n{}",
                    left.definition, right.definition
                ));
            }
        }
        (Some(_), None) => differences.push("it is not at the destination".into()),
        (None, Some(_)) => differences.push("it is not at the source".into()),
        (None, None) => differences.push("it is gone from both sides".into()),
    }
    Ok(TableComparison {
        table: table.name.to_owned(),
        source: left.map(|side| side.digest),
        destination: right.map(|side| side.digest),
        differences,
    })
}

fn join<T>(handle: thread::ScopedJoinHandle<'_, T>) -> T {
    handle
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

struct Table<'a> {
    database: &'a str,
    name: &'a str,
    walks_json: bool,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", quoted(self.database), quoted(self.name))
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A column's name and its type's, in lower case.
type Column = (String, String);

fn names(columns: &[Column]) -> String {
    let names: Vec<String> = columns
        .iter()
        .map(|(name, kind)| format!("{name} {kind}"))
        .collect();
    names.join(", ")
}

struct Side {
    columns: Vec<Column>,
    definition: String,
    digest: TableDigest,
}

impl Side {
    fn read(conn: &mut Conn, table: &Table<'_>, with_definition: bool) -> Result<Option<Self>> {
        let columns: Vec<Column> = conn.exec(
            "SELECT CAST(column_name AS CHAR), LOWER(CAST(data_type AS CHAR)) \
             FROM information_schema.columns WHERE table_schema = ? AND table_name = ? \
             ORDER BY ordinal_position",
            (table.database, table.name),
        )?;
        if columns.is_empty() {
            return Ok(None);
        }
        let definition = if with_definition {
            definition(conn, table)?
        } else {
            String::new()
        };
        let digest = digest(conn, table, &columns)?;
        Ok(Some(Self {
            columns,
            definition,
            digest,
        }))
    }
}

/// `SHOW CREATE TABLE` without what the same statement prints differently elsewhere: the counter for
/// the next row, and the character set beside a collation. (The server prints that where the
/// collation was written out, as it is in any statement that the server itself has printed.)
fn definition(conn: &mut Conn, table: &Table<'_>) -> Result<String> {
    let row: Option<(String, String)> = conn.query_first(format!("SHOW CREATE TABLE {table}"))?;
    let text = row.map(|(_, text)| text).unwrap_or_default();
    // The counter is behind the columns, so the last place that looks like it is it.
    let text = match text.rsplit_once(" AUTO_INCREMENT=") {
        None => text,
        Some((before, after)) => {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{before}{rest}")
        }
    };
    Ok(without_redundant_charsets(&text))
}

/// A collation is of one character set only.
fn without_redundant_charsets(text: &str) -> String {
    const PREFIX: &str = " CHARACTER SET ";
    let mut parts = text.split(PREFIX);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(' ') {
            Some((_, rest)) if rest.starts_with("COLLATE ") => {
                kept.push(' ');
                kept.push_str(rest);
            }
            _ => {
                kept.push_str(PREFIX);
                kept.push_str(part);
            }
        }
    }
    kept
}

fn digest(conn: &mut Conn, table: &Table<'_>, columns: &[Column]) -> Result<TableDigest> {
    let half = |start: u32| format!("CONV(SUBSTRING(d, {start}, 16), 16, 10)");
    // A row too long for a packet has no digest, and nothing can be said of it.
    let sql = format!(
        "SELECT COUNT(*), COUNT(*) - COUNT(d), \
         CAST(IFNULL(SUM(CAST({} AS UNSIGNED)), 0) AS CHAR), \
         CAST(IFNULL(SUM(CAST({} AS UNSIGNED)), 0) AS CHAR) \
         FROM (SELECT {} AS d FROM {table}) AS digests",
        half(1),
        half(17),
        row_digest(table, columns)
    );
    let row: Option<(u64, u64, String, String)> = conn.query_first(sql)?;
    let (rows, without, high, low) = row.unwrap_or_default();
    if without > 0 {
        return Err(Error::Incomparable {
            table: table.to_string(),
            rows: without,
        });
    }
    let checksum = format!("{}{}", short_hex(&high), short_hex(&low));
    Ok(TableDigest { rows, checksum })
}

/// A sum modulo 2^64, in hexadecimal.
fn short_hex(decimal: &str) -> String {
    let sum = decimal.parse::<u128>().unwrap_or_default();
    format!("{:016x}", sum & u128::from(u64::MAX))
}

fn row_digest(table: &Table<'_>, columns: &[Column]) -> String {
    let parts: Vec<String> = columns
        .iter()
        .map(|(name, kind)| {
            let column = quoted(name);
            format!(
                "IF({column} IS NULL, 'NULL', {})",
                exact(table, &column, kind)
            )
        })
        .collect();
    format!("SHA2(CONCAT({}), 256)", parts.join(", ',', "))
}

/// An expression that tells any two values of a column apart, without a comma and never `NULL` as a
/// word.
fn exact(table: &Table<'_>, column: &str, kind: &str) -> String {
    match kind {
        // As a double every float prints with all its digits. Adding would lose the sign of -0.
        "float" => double(&format!("({column} * 1e0)")),
        "double" => double(column),
        // The label too: its bytes may differ where the definitions can't be compared.
        "enum" | "set" => format!("CONCAT({column} + 0, 'x', HEX({column}))"),
        "bit" => format!("HEX({column})"),
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "year" | "date"
        | "time" | "datetime" | "timestamp" => format!("CAST({column} AS CHAR)"),
        // Long values: a digest, lest the row outgrow a packet.
        "json" => {
            let text = format!("SHA2(CAST({column} AS CHAR), 256)");
            let types = format!("JSON_TYPE({column})");
            match table.walks_json {
                true => format!("CONCAT({types}, {text}, SHA2({}, 256))", json_types(column)),
                false => format!("CONCAT({types}, {text})"),
            }
        }
        _ if kind.ends_with("text") || kind.ends_with("blob") => {
            format!("CONCAT(LENGTH({column}), ':', SHA2({column}, 256))")
        }
        "char" | "varchar" | "binary" | "varbinary" => format!("CONCAT('x', HEX({column}))"),
        // Spatial values and vectors.
        _ => format!("CONCAT(LENGTH({column}), ':', SHA2(HEX({column}), 256))"),
    }
}

/// A value for a person to read.
fn legible(column: &str, kind: &str) -> String {
    match kind {
        "float" | "double" | "enum" | "set" | "json" | "decimal" | "year" | "date" | "time"
        | "datetime" | "timestamp" => format!("CAST({column} AS CHAR)"),
        _ if kind.ends_with("int") || kind.ends_with("char") || kind.ends_with("text") => {
            format!("CAST({column} AS CHAR)")
        }
        // Bytes, spatial values and vectors.
        _ => format!("HEX({column})"),
    }
}

/// The types of all values inside a JSON document with their places, since text shows 1.0 alike for a
/// double and a decimal, and a date like a string.
fn json_types(column: &str) -> String {
    format!(
        "IF(JSON_TYPE({column}) IN ('ARRAY', 'OBJECT'), \
         (WITH RECURSIVE nodes (place, node) AS (\
         SELECT CAST('' AS CHAR(1000)), {column} UNION ALL \
         SELECT CONCAT(nodes.place, '.', entry.number), entry.child \
         FROM nodes, JSON_TABLE(IF(JSON_TYPE(nodes.node) = 'OBJECT', JSON_EXTRACT(nodes.node, '$.*'), nodes.node), \
         '$[*]' COLUMNS (number FOR ORDINALITY, child JSON PATH '$')) AS entry \
         WHERE JSON_TYPE(nodes.node) IN ('ARRAY', 'OBJECT')) \
         SELECT GROUP_CONCAT(place, JSON_TYPE(node) ORDER BY place) FROM nodes), '')"
    )
}

/// A double as its sign, its digits and its power of ten: versions print the same digits, but differ
/// in when they write an exponent.
///
/// 9.7 leaves out digits of what is longer than 22 characters: no sign and no exponent of three
/// digits may come with them. Multiplying by a power of two changes no other digit of a double.
fn double(value: &str) -> String {
    let scale = format!(
        "CASE WHEN ABS({value}) < 1e-200 THEN POW(2, 900) WHEN ABS({value}) < 1e-90 THEN POW(2, 450) \
         WHEN ABS({value}) > 1e200 THEN POW(2, -900) WHEN ABS({value}) > 1e90 THEN POW(2, -450) ELSE 1 END"
    );
    let (signed, text) = (
        format!("CAST({value} AS CHAR)"),
        format!("CAST(ABS({value}) * {scale} AS CHAR)"),
    );
    let digits = format!("REPLACE(SUBSTRING_INDEX({text}, 'e', 1), '.', '')");
    format!(
        "CONCAT(LEFT({signed}, {signed} LIKE '-%'), TRIM(BOTH '0' FROM {digits}), \
         'e', IFNULL(FLOOR(LOG10(ABS({value}))), ''))"
    )
}

/// Rows that are on one side only, or more often on one side, as the start of their columns.
fn examples(
    source: &mut Conn,
    destination: &mut Conn,
    table: &Table<'_>,
    columns: &[Column],
) -> Result<Vec<String>> {
    let mut surplus: BTreeMap<String, i64> = BTreeMap::new();
    let digests = format!("SELECT {} FROM {table}", row_digest(table, columns));
    for (conn, step) in [(&mut *source, 1), (&mut *destination, -1)] {
        for digest in conn.query_iter(&digests)? {
            let digest: Option<String> = mysql::from_row(digest?);
            *surplus.entry(digest.unwrap_or_default()).or_default() += step;
        }
    }
    let mut shown = Vec::new();
    for (conn, side, sign) in [(source, "source", 1), (destination, "destination", -1)] {
        let mut more: Vec<(&String, i64)> = surplus
            .iter()
            .map(|(digest, count)| (digest, count * sign))
            .filter(|(_, count)| *count > 0)
            .collect();
        let rows: i64 = more.iter().map(|(_, count)| count).sum();
        if rows == 0 {
            continue;
        }
        shown.push(format!("{rows} rows only at the {side}, such as"));
        more.truncate(EXAMPLES);
        for (digest, count) in more {
            let row = show_row(conn, table, columns, digest)?;
            shown.push(format!("  {count} x {row}"));
        }
    }
    Ok(shown)
}

fn show_row(
    conn: &mut Conn,
    table: &Table<'_>,
    columns: &[Column],
    digest: &str,
) -> Result<String> {
    let values: Vec<String> = columns
        .iter()
        .map(|(name, kind)| format!("LEFT({}, 40)", legible(&quoted(name), kind)))
        .collect();
    let row: Option<Row> = conn.query_first(format!(
        "SELECT {} FROM {table} WHERE {} = '{digest}' LIMIT 1",
        values.join(", "),
        row_digest(table, columns)
    ))?;
    let Some(row) = row else {
        return Ok("(gone)".into());
    };
    let parts: Vec<String> = columns
        .iter()
        .zip(row.unwrap())
        .map(|((name, _), value)| format!("{name}={}", value.as_sql(true)))
        .collect();
    Ok(parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_is_left_out_beside_its_collation_only() {
        for (text, expected) in [
            (
                "a char(1) CHARACTER SET ascii COLLATE ascii_bin,",
                "a char(1) COLLATE ascii_bin,",
            ),
            (
                "a char(1) CHARACTER SET ascii,",
                "a char(1) CHARACTER SET ascii,",
            ),
            (
                "a char(1) CHARACTER SET ascii NOT NULL",
                "a char(1) CHARACTER SET ascii NOT NULL",
            ),
            ("a char(1) COLLATE ascii_bin", "a char(1) COLLATE ascii_bin"),
            ("", ""),
        ] {
            assert_eq!(without_redundant_charsets(text), expected);
        }
    }
}
