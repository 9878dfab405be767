use std::fmt::Write;

use drs_binlog::{JsonDiffs, Value};

use super::{
    json::{self, Base},
    write_hex, write_text,
};
use crate::schema::{Column, ColumnKind};

/// Why a value cannot be written as SQL.
#[derive(Debug, thiserror::Error)]
pub enum LiteralError {
    /// The binary log's type of the value and the destination's column do not go together.
    #[error("column {column} ({column_type}) cannot take the binary log's {value}")]
    TypeMismatch {
        /// The column.
        column: String,
        /// Its type at the destination.
        column_type: String,
        /// The kind of value in the log.
        value: &'static str,
    },
    /// The value's bytes are malformed.
    #[error(transparent)]
    Decode(#[from] drs_binlog::Error),
    /// A row image does not carry a column of the row key.
    #[error("a row image of {table} does not carry every column of its key")]
    MissingKey {
        /// The table.
        table: String,
    },
    /// It can't be told what a rule makes of a change.
    #[error(transparent)]
    Rule(#[from] crate::apply::RuleError),
    /// A JSON document cannot be written so that it is stored with the same types.
    #[error("a JSON document of column {column} cannot be written exactly: {reason}")]
    Json {
        /// The column.
        column: String,
        /// What stands in the way.
        reason: String,
    },
    /// A partial JSON update stood where a whole value is needed.
    #[error(
        "column {column} carries a partial JSON update, and the log does not hold the document that it changes; \
         set binlog_row_image=FULL or binlog_row_value_options='' at the source"
    )]
    PartialJson {
        /// The column.
        column: String,
    },
}

/// Writes a value of the binary log as the literal that makes `column` hold the same bytes.
pub(crate) fn write_literal(
    out: &mut String,
    value: &Value<'_>,
    column: &Column,
) -> Result<(), LiteralError> {
    match (value, column.kind) {
        (Value::Null, _) => out.push_str("NULL"),
        (Value::Int { .. }, ColumnKind::Int) => write_int(out, value, column.unsigned),
        // As an exact double in exponent form: FLOAT's own decimal text is rounded to six digits.
        (Value::Float(number), ColumnKind::Float) => _ = write!(out, "{:e}", f64::from(*number)),
        (Value::Double(number), ColumnKind::Double) => _ = write!(out, "{number:e}"),
        (Value::Decimal(number), ColumnKind::Decimal) => _ = write!(out, "{number}"),
        (Value::Bit(bytes), ColumnKind::Bit) => {
            let number = bytes
                .iter()
                .fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
            _ = write!(out, "{number}");
        }
        (Value::Year(year), ColumnKind::Year) => _ = write!(out, "{year}"),
        (Value::Date(date), ColumnKind::Date) => _ = write!(out, "'{date}'"),
        (Value::Time(time), ColumnKind::Time) => _ = write!(out, "'{time}'"),
        (Value::DateTime(time), ColumnKind::DateTime) => _ = write!(out, "'{time}'"),
        (Value::Timestamp(time), ColumnKind::Timestamp) => _ = write!(out, "'{time}'"),
        (Value::Bytes(bytes), ColumnKind::Text) => write_stored_text(out, bytes, column),
        (Value::Bytes(bytes), ColumnKind::Binary) => write_hex(out, bytes),
        (Value::Bytes(bytes), ColumnKind::BinaryFixed) => write_padded(out, bytes, column),
        (Value::Enum(index), ColumnKind::Enum) => _ = write!(out, "{index}"),
        (Value::Set(bits), ColumnKind::Set) => _ = write!(out, "{bits}"),
        (Value::Json(document), ColumnKind::Json) => {
            json::write_document(out, document).map_err(|error| error.in_column(&column.name))?;
        }
        (Value::Geometry(bytes), ColumnKind::Geometry)
        | (Value::Vector(bytes), ColumnKind::Vector) => {
            write_hex(out, bytes);
        }
        (Value::JsonDiff(_), _) => {
            return Err(LiteralError::PartialJson {
                column: column.name.clone(),
            });
        }
        (value, _) => {
            return Err(LiteralError::TypeMismatch {
                column: column.name.clone(),
                column_type: column.column_type.clone(),
                value: kind_name(value),
            });
        }
    }
    Ok(())
}

/// Writes the value that a column has after an update: its literal, or, for a partial update of a
/// JSON document, the expression that makes it. `before` is what the log says was there; without
/// it a partial update is made to the stored document if `stored` gives its name.
pub(crate) fn write_new_value(
    out: &mut String,
    value: &Value<'_>,
    before: Option<&Value<'_>>,
    column: &Column,
    stored: Option<&str>,
) -> Result<(), LiteralError> {
    let Value::JsonDiff(diffs) = value else {
        return write_literal(out, value, column);
    };
    let base = match (before, stored) {
        (Some(Value::Json(document)), _) => Base::Document(*document),
        (None, Some(name)) => Base::Column(name),
        _ => {
            return Err(LiteralError::PartialJson {
                column: column.name.clone(),
            });
        }
    };
    json::write_partial(out, diffs, &base).map_err(|error| error.in_column(&column.name))
}

/// Writes the condition that a partial update can be made to the stored document.
pub(crate) fn write_partial_condition(
    out: &mut String,
    diffs: &JsonDiffs<'_>,
    column: &Column,
    quoted_name: &str,
) -> Result<(), LiteralError> {
    json::write_partial_condition(out, diffs, quoted_name)
        .map_err(|error| error.in_column(&column.name))
}

/// Writes the condition that a column holds exactly this value, byte for byte, NULL included.
///
/// Used to find a row of a table without a key; text is compared as bytes, since its
/// collation would also match other spellings.
pub(crate) fn write_text_match(
    out: &mut String,
    value: &Value<'_>,
    column: &Column,
    quoted_name: &str,
) -> Result<(), LiteralError> {
    match (value, column.kind) {
        (Value::Null, _) => _ = write!(out, "{quoted_name} IS NULL"),
        (Value::Bytes(bytes), ColumnKind::Text) => {
            _ = write!(out, "CAST({quoted_name} AS BINARY) <=> ");
            match std::str::from_utf8(bytes) {
                Ok(text) => {
                    out.push_str("_binary ");
                    write_text(out, text);
                }
                Err(_) => write_hex(out, bytes),
            }
        }
        // Comparing geometries compares their shapes, and vectors can't be compared; their
        // stored bytes are what is meant.
        (Value::Geometry(bytes), ColumnKind::Geometry)
        | (Value::Vector(bytes), ColumnKind::Vector) => {
            _ = write!(out, "HEX({quoted_name}) <=> HEX(");
            write_hex(out, bytes);
            out.push(')');
        }
        (Value::Json(document), ColumnKind::Json) => {
            json::write_match(out, document, quoted_name)
                .map_err(|error| error.in_column(&column.name))?;
        }
        _ => {
            _ = write!(out, "{quoted_name} <=> ");
            write_literal(out, value, column)?;
            if let Some(negative) = sign_of_zero(value) {
                let operator = if negative { "=" } else { "<>" };
                _ = write!(out, " AND LEFT(CAST({quoted_name} AS CHAR),1){operator}'-'");
            }
        }
    }
    Ok(())
}

/// For a floating zero, which is equal to the other one: true when it is -0.
fn sign_of_zero(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Float(number) if *number == 0.0 => Some(number.is_sign_negative()),
        Value::Double(number) if *number == 0.0 => Some(number.is_sign_negative()),
        _ => None,
    }
}

fn write_int(out: &mut String, value: &Value<'_>, unsigned: bool) {
    if unsigned {
        _ = write!(out, "{}", value.as_unsigned().unwrap_or_default());
    } else {
        _ = write!(out, "{}", value.as_signed().unwrap_or_default());
    }
}

/// Text as the bytes that are stored, in the column's own character set.
fn write_stored_text(out: &mut String, bytes: &[u8], column: &Column) {
    let charset = column.charset.as_deref().unwrap_or("binary");
    let plain = match charset {
        "utf8mb4" | "utf8mb3" | "utf8" => std::str::from_utf8(bytes).ok(),
        // These agree with ASCII on every byte below 0x80.
        "ascii" | "latin1" | "latin2" | "latin5" | "latin7" | "cp1250" | "cp1251" | "cp1256"
        | "cp1257" | "koi8r" | "koi8u" | "greek" | "hebrew" | "cp850" | "cp852" | "cp866"
        | "macroman" | "macce" | "gbk" | "gb2312" | "gb18030" | "big5" | "euckr" | "eucjpms"
        | "ujis" => {
            if bytes.is_ascii() {
                std::str::from_utf8(bytes).ok()
            } else {
                None
            }
        }
        _ => None,
    };
    match plain {
        Some(text) => write_text(out, text),
        None => {
            // Without an introducer a comparison would be one of bytes, not of the column's collation.
            if charset != "binary" {
                out.push('_');
                out.push_str(charset);
                out.push(' ');
            }
            write_hex(out, bytes);
        }
    }
}

/// BINARY(n) travels without its trailing zero bytes, and a comparison needs them.
fn write_padded(out: &mut String, bytes: &[u8], column: &Column) {
    let missing = usize::try_from(column.bytes_max.unwrap_or(0))
        .unwrap_or(0)
        .saturating_sub(bytes.len());
    if missing == 0 {
        return write_hex(out, bytes);
    }
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len() + missing, 0);
    write_hex(out, &padded);
}

fn kind_name(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "NULL",
        Value::Int { .. } => "integer",
        Value::Float(_) => "FLOAT",
        Value::Double(_) => "DOUBLE",
        Value::Decimal(_) => "DECIMAL",
        Value::Bit(_) => "BIT",
        Value::Year(_) => "YEAR",
        Value::Date(_) => "DATE",
        Value::Time(_) => "TIME",
        Value::DateTime(_) => "DATETIME",
        Value::Timestamp(_) => "TIMESTAMP",
        Value::Bytes(_) => "string",
        Value::Enum(_) => "ENUM",
        Value::Set(_) => "SET",
        Value::Json(_) => "JSON",
        Value::JsonDiff(_) => "partial JSON",
        Value::Geometry(_) => "GEOMETRY",
        Value::Vector(_) => "VECTOR",
        Value::Compressed(_) => "compressed column",
    }
}
