//! Rows as JSON text of bounded size, for the ledger of conflicts.
//!
//! The text is made here and not by the server's JSON functions, which old servers lack.

use std::fmt::Write;

use drs_binlog::Value;

use super::Image;
use crate::{
    schema::{Column, ColumnKind, TableSchema},
    sql,
};

/// Characters of a text, and bytes of a binary value, that are shown.
const VALUE_LENGTH_MAX: usize = 1000;
/// Where a row's text ends; the columns behind it are counted only.
const ROW_BYTES_MAX: usize = 64 << 10;
/// Stands behind what was cut.
const CUT: &str = "… [cut]";

/// The columns of an image that `wanted` picks, as a JSON object.
pub(super) fn image_json(
    schema: &TableSchema,
    image: &Image<'_>,
    wanted: impl Fn(usize) -> bool,
) -> drs_binlog::Result<String> {
    let mut row = RowJson::new();
    for item in image.values() {
        let (ordinal, value) = item?;
        if let Some(column) = schema.columns.get(ordinal)
            && wanted(ordinal)
            && !column.is_absent()
        {
            row.push_value(column, &value)?;
        }
    }
    Ok(row.finish())
}

/// The expression that brings a column's value for [`answer_json`], cut to what is shown.
pub(super) fn write_readable(out: &mut String, column: &Column) {
    let name = sql::identifier(&column.name);
    let length = VALUE_LENGTH_MAX + 1;
    _ = match column.kind {
        ColumnKind::Text | ColumnKind::Binary | ColumnKind::BinaryFixed | ColumnKind::Geometry => {
            write!(out, "LEFT({name}, {length})")
        }
        ColumnKind::Json => write!(out, "LEFT(CAST({name} AS CHAR), {length})"),
        // LEFT takes no VECTOR.
        ColumnKind::Vector => write!(out, "UNHEX(LEFT(HEX({name}), {}))", 2 * length),
        // Without the zeros of ZEROFILL, and BIT as a number.
        ColumnKind::Int | ColumnKind::Year | ColumnKind::Bit => write!(out, "{name} + 0"),
        _ => write!(out, "{name}"),
    };
}

/// Columns of a row that the destination answered with, from the one at `start` on, as a JSON
/// object.
pub(super) fn answer_json(columns: &[&Column], row: &mut mysql::Row, start: usize) -> String {
    let mut json = RowJson::new();
    for (index, column) in columns.iter().enumerate() {
        let bytes = row.take::<Option<Vec<u8>>, _>(start + index).flatten();
        json.push_answer(column, bytes.as_deref());
    }
    json.finish()
}

/// One value under one name, as a JSON object.
pub(crate) fn text_json(name: &str, value: &str) -> String {
    let mut row = RowJson::new();
    row.push(name, |out| write_string(out, value));
    row.finish()
}

struct RowJson {
    text: String,
    left_out: usize,
}

impl RowJson {
    fn new() -> Self {
        Self {
            text: String::from("{"),
            left_out: 0,
        }
    }

    fn push(&mut self, name: &str, write: impl FnOnce(&mut String)) {
        if self.text.len() >= ROW_BYTES_MAX {
            self.left_out += 1;
            return;
        }
        if self.text.len() > 1 {
            self.text.push_str(", ");
        }
        write_string(&mut self.text, name);
        self.text.push_str(": ");
        write(&mut self.text);
    }

    fn push_value(&mut self, column: &Column, value: &Value<'_>) -> drs_binlog::Result<()> {
        let document = match value {
            Value::Json(document) => Some(document.to_text()?),
            _ => None,
        };
        self.push(&column.name, |out| match (value, column.kind) {
            (Value::Null, _) => out.push_str("null"),
            (Value::Int { .. }, _) if column.unsigned => {
                _ = write!(out, "{}", value.as_unsigned().unwrap_or_default());
            }
            (Value::Int { .. }, _) => _ = write!(out, "{}", value.as_signed().unwrap_or_default()),
            (Value::Float(number), _) => _ = write!(out, "{number:?}"),
            (Value::Double(number), _) => _ = write!(out, "{number:?}"),
            (Value::Bit(_), _) => _ = write!(out, "{}", value.as_bits().unwrap_or_default()),
            (Value::Year(year), _) => _ = write!(out, "{year}"),
            (Value::Enum(index), _) => write_labels(out, column, &[u64::from(*index)]),
            (Value::Set(bits), _) => {
                let members: Vec<u64> = (0..64)
                    .filter(|bit| bits >> bit & 1 == 1)
                    .map(|bit| bit + 1)
                    .collect();
                write_labels(out, column, &members);
            }
            (Value::Bytes(bytes), ColumnKind::Text) => match decoded(bytes, column) {
                Some(text) => write_string(out, &text),
                None => write_bytes(out, bytes, bytes.len()),
            },
            (Value::Bytes(bytes), ColumnKind::BinaryFixed) => {
                let length = usize::try_from(column.bytes_max.unwrap_or(0)).unwrap_or(0);
                write_bytes(out, bytes, length.max(bytes.len()));
            }
            (Value::Bytes(bytes) | Value::Geometry(bytes) | Value::Vector(bytes), _) => {
                write_bytes(out, bytes, bytes.len());
            }
            (Value::Compressed(bytes), _) => {
                let bytes = bytes.stored();
                write_bytes(out, bytes, bytes.len());
            }
            (Value::JsonDiff(_), _) => write_string(out, "a partial update of the document"),
            (Value::Json(_), _) => write_string(out, document.as_deref().unwrap_or_default()),
            (
                Value::Decimal(_)
                | Value::Date(_)
                | Value::Time(_)
                | Value::DateTime(_)
                | Value::Timestamp(_),
                _,
            ) => write_string(out, &value.to_string()),
        });
        Ok(())
    }

    fn push_answer(&mut self, column: &Column, bytes: Option<&[u8]>) {
        self.push(&column.name, |out| {
            let Some(bytes) = bytes else {
                return out.push_str("null");
            };
            match column.kind {
                ColumnKind::Binary
                | ColumnKind::BinaryFixed
                | ColumnKind::Geometry
                | ColumnKind::Vector => write_bytes(out, bytes, bytes.len()),
                kind => match std::str::from_utf8(bytes) {
                    Ok(text) if is_number(kind) && is_json_number(text) => out.push_str(text),
                    Ok(text) => write_string(out, text),
                    Err(_) => write_bytes(out, bytes, bytes.len()),
                },
            }
        });
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            _ = write!(self.text, ", \"…\": \"{} more columns\"", self.left_out);
        }
        self.text.push('}');
        self.text
    }
}

/// Kinds that are JSON numbers. DECIMAL is not: readers of JSON would round it.
fn is_number(kind: ColumnKind) -> bool {
    matches!(
        kind,
        ColumnKind::Int
            | ColumnKind::Float
            | ColumnKind::Double
            | ColumnKind::Bit
            | ColumnKind::Year
    )
}

/// A number with leading zeros (ZEROFILL) is none.
fn is_json_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mut bytes = digits.bytes();
    match (bytes.next(), bytes.next()) {
        (Some(b'0'), Some(second)) => !second.is_ascii_digit(),
        (Some(first), _) => first.is_ascii_digit(),
        (None, _) => false,
    }
}

/// The labels with these numbers, counted from 1, as `SELECT` shows them.
fn write_labels(out: &mut String, column: &Column, numbers: &[u64]) {
    let labels = labels(&column.column_type);
    let texts: Vec<String> = numbers
        .iter()
        .map(|number| {
            let index = usize::try_from(*number).unwrap_or(0);
            match (index.checked_sub(1), column.kind) {
                (Some(index), ColumnKind::Enum | ColumnKind::Set) => labels
                    .get(index)
                    .cloned()
                    .unwrap_or_else(|| number.to_string()),
                // The empty text of an invalid value.
                _ => String::new(),
            }
        })
        .collect();
    write_string(out, &texts.join(","));
}

/// The labels of `enum('a','it''s')`.
fn labels(column_type: &str) -> Vec<String> {
    let mut labels = Vec::new();
    let mut rest = column_type;
    while let Some(open) = rest.find('\'') {
        let mut label = String::new();
        let mut chars = rest
            .get(open + 1..)
            .unwrap_or_default()
            .char_indices()
            .peekable();
        let mut end = rest.len();
        while let Some((at, c)) = chars.next() {
            if c != '\'' {
                label.push(c);
            } else if chars.peek().is_some_and(|(_, next)| *next == '\'') {
                label.push('\'');
                chars.next();
            } else {
                end = open + 1 + at + 1;
                break;
            }
        }
        labels.push(label);
        rest = rest.get(end..).unwrap_or_default();
    }
    labels
}

/// Text in a character set that can be read here; `None` for others.
fn decoded(bytes: &[u8], column: &Column) -> Option<String> {
    match column.charset.as_deref().unwrap_or_default() {
        "utf8mb4" | "utf8mb3" | "utf8" | "ascii" => {
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        }
        "ucs2" | "utf16" => utf16(bytes, u16::from_be_bytes),
        "utf16le" => utf16(bytes, u16::from_le_bytes),
        "utf32" => bytes
            .chunks_exact(4)
            .map(|unit| char::from_u32(u32::from_be_bytes(unit.try_into().ok()?)))
            .collect(),
        // MySQL's latin1 is Windows-1252; its letters above 0x9f are those of Unicode.
        "latin1" if bytes.iter().all(|byte| !(0x80..0xa0).contains(byte)) => {
            Some(bytes.iter().copied().map(char::from).collect())
        }
        _ if bytes.is_ascii() => std::str::from_utf8(bytes).ok().map(str::to_owned),
        _ => None,
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let units: Option<Vec<u16>> = bytes
        .chunks_exact(2)
        .map(|pair| pair.try_into().ok().map(unit))
        .collect();
    String::from_utf16(&units?).ok()
}

/// Bytes as hexadecimal digits, with zero bytes up to `length`.
fn write_bytes(out: &mut String, bytes: &[u8], length: usize) {
    out.push_str("\"0x");
    let zeros = std::iter::repeat_n(&0, length.saturating_sub(bytes.len()));
    for byte in bytes.iter().chain(zeros).take(VALUE_LENGTH_MAX) {
        _ = write!(out, "{byte:02x}");
    }
    if length > VALUE_LENGTH_MAX {
        out.push_str(CUT);
    }
    out.push('"');
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for (count, c) in text.chars().enumerate() {
        if count == VALUE_LENGTH_MAX {
            out.push_str(CUT);
            break;
        }
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read() {
        for (column_type, expected) in [
            ("enum('a','b')", &["a", "b"][..]),
            ("set('it''s','','ü')", &["it's", "", "ü"]),
            ("int", &[]),
        ] {
            assert_eq!(labels(column_type), expected, "{column_type}");
        }
    }

    #[test]
    fn texts_are_escaped_and_cut() {
        for (text, json) in [
            ("a\"b\\c", r#""a\"b\\c""#.to_owned()),
            ("line\nend\u{1}", "\"line\\nend\\u0001\"".to_owned()),
            (&"ü".repeat(1000), format!("\"{}\"", "ü".repeat(1000))),
            (
                &"ü".repeat(1001),
                format!("\"{}… [cut]\"", "ü".repeat(1000)),
            ),
        ] {
            let mut out = String::new();
            write_string(&mut out, text);
            assert_eq!(out, json);
        }
        let mut out = String::new();
        write_bytes(&mut out, &[0xab], 2);
        assert_eq!(out, "\"0xab00\"");
        out.clear();
        write_bytes(&mut out, &[1; 1001], 1001);
        assert_eq!(out, format!("\"0x{}… [cut]\"", "01".repeat(1000)));
    }

    #[test]
    fn numbers_stay_numbers_where_json_takes_them() {
        for (text, number) in [
            ("0", true),
            ("-0.5", true),
            ("1e20", true),
            ("0005", false),
            ("-007", false),
            ("", false),
            ("-", false),
        ] {
            assert_eq!(is_json_number(text), number, "{text:?}");
        }
    }

    #[test]
    fn a_row_is_bounded() {
        let mut row = RowJson::new();
        for number in 0..200 {
            row.push(&format!("c{number}"), |out| {
                write_string(out, &"x".repeat(999))
            });
        }
        let text = row.finish();
        assert!(text.len() < ROW_BYTES_MAX + 2000 && text.contains("more columns"));
    }
}
