//! The values whose type JSON text does not tell.

use std::{borrow::Cow, fmt::Write};

use super::JsonError;
use crate::sql::{write_hex, write_text};

/// A value in a document, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf<'a> {
    /// As a JSON path.
    pub(super) path: String,
    pub(super) place: Place,
    pub(super) value: Typed<'a>,
}

/// Where a value stands in the order in which the server lists a document's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Root,
    /// Counts from 1.
    Listed(u64),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Typed<'a> {
    /// One that is read from text as an unsigned one: see [`reads_as_unsigned`].
    Signed(i64),
    Unsigned(u64),
    Decimal {
        /// As it is shown.
        digits: String,
        /// The digits that are stored, where that is known.
        precision: Option<usize>,
    },
    Date(String),
    Time(String),
    DateTime(String),
    Timestamp(String),
    /// Bytes with the number of their SQL type in the protocol.
    Bytes {
        field_type: u8,
        bytes: Cow<'a, [u8]>,
    },
}

impl Leaf<'_> {
    /// False where the text is read as the same type again.
    pub(super) fn is_lost_in_text(&self) -> bool {
        !matches!(self.value, Typed::Unsigned(number) if number > TEXT_SIGNED_MAX)
    }
}

/// The largest positive number that the server's parser takes for an INTEGER: those that need more
/// than 32 bits are UNSIGNED INTEGER, as tried on MySQL 9.7.
pub(super) const TEXT_SIGNED_MAX: u64 = u32::MAX as u64;

/// True for an INTEGER that would be an UNSIGNED INTEGER when its text is read.
pub(super) fn reads_as_unsigned(number: i64) -> bool {
    u64::try_from(number).is_ok_and(|number| number > TEXT_SIGNED_MAX)
}

impl Typed<'_> {
    /// What `JSON_TYPE()` says.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Signed(_) => "INTEGER",
            Self::Unsigned(_) => "UNSIGNED INTEGER",
            Self::Decimal { .. } => "DECIMAL",
            Self::Date(_) => "DATE",
            Self::Time(_) => "TIME",
            Self::DateTime(_) => "DATETIME",
            Self::Timestamp(_) => "TIMESTAMP",
            Self::Bytes { field_type, .. } => match *field_type {
                BIT => "BIT",
                VARCHAR | TINY_BLOB..=STRING => "BLOB",
                _ => "OPAQUE",
            },
        }
    }

    /// Writes an expression whose value a JSON function takes as this very type.
    pub(super) fn write(&self, out: &mut String) -> Result<(), JsonError> {
        match self {
            Self::Signed(number) => _ = write!(out, "CAST({number} AS SIGNED)"),
            Self::Unsigned(number) => _ = write!(out, "CAST({number} AS UNSIGNED)"),
            Self::Decimal { digits, precision } => write_decimal(out, digits, *precision),
            Self::Date(text) => _ = write!(out, "CAST('{text}' AS DATE)"),
            Self::Time(text) => _ = write!(out, "CAST('{text}' AS TIME(6))"),
            Self::DateTime(text) => _ = write!(out, "CAST('{text}' AS DATETIME(6))"),
            Self::Timestamp(text) => {
                let mut value = String::new();
                write_text(&mut value, &format!("\"{text}\""));
                write_column(out, &value, "TIMESTAMP(6)");
            }
            Self::Bytes { field_type, bytes } => write_bytes(out, *field_type, bytes)?,
        }
        Ok(())
    }
}

const VARCHAR: u8 = 15;
const BIT: u8 = 16;
const TINY_BLOB: u8 = 249;
const MEDIUM_BLOB: u8 = 250;
const LONG_BLOB: u8 = 251;
const BLOB: u8 = 252;
const STRING: u8 = 254;

/// The limits of `CAST(… AS DECIMAL)`; literals go beyond them.
const PRECISION_MAX: usize = 65;
const SCALE_MAX: usize = 30;

/// A literal is stored with its own digits, the value of a `CAST` with whole groups of nine.
fn write_decimal(out: &mut String, digits: &str, precision: Option<usize>) {
    let (sign, unsigned) = match digits.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", digits),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let scale = fraction.len();
    let zero = whole.bytes().all(|byte| byte == b'0');
    match precision {
        Some(precision) if zero && precision == scale && scale > 0 => {
            _ = write!(out, "{sign}.{fraction}");
        }
        Some(precision)
            if precision != whole.len() + scale
                && precision <= PRECISION_MAX
                && scale <= SCALE_MAX =>
        {
            _ = write!(out, "CAST({digits} AS DECIMAL({precision},{scale}))");
        }
        _ => _ = write!(out, "{sign}{whole}.{fraction}"),
    }
}

/// The longest values of VARCHAR and BLOB, and of MEDIUMBLOB.
const BLOB_BYTES_MAX: usize = 0xffff;
const MEDIUM_BLOB_BYTES_MAX: usize = 0xff_ffff;

/// The server gives binary literals the smallest of VARCHAR, MEDIUMBLOB and LONGBLOB that holds them.
fn write_bytes(out: &mut String, field_type: u8, bytes: &[u8]) -> Result<(), JsonError> {
    let mut binary = String::from("CAST(");
    write_hex(&mut binary, bytes);
    binary.push_str(" AS BINARY)");
    let column_type = match (field_type, bytes.len()) {
        (VARCHAR, ..=BLOB_BYTES_MAX) => {
            out.push_str(&binary);
            return Ok(());
        }
        (MEDIUM_BLOB, len) if (BLOB_BYTES_MAX + 1..=MEDIUM_BLOB_BYTES_MAX).contains(&len) => {
            out.push_str(&binary);
            return Ok(());
        }
        (LONG_BLOB, _) => {
            // What was compressed may be of any length, so the type is the largest.
            _ = write!(out, "UNCOMPRESS(COMPRESS({binary}))");
            return Ok(());
        }
        (BIT, 1..=8) => {
            let number = bytes
                .iter()
                .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            let column_type = format!("BIT({})", bytes.len() * 8);
            write_column(out, &format!("CAST({number} AS JSON)"), &column_type);
            return Ok(());
        }
        (TINY_BLOB, ..=0xff) => "TINYBLOB".to_owned(),
        (MEDIUM_BLOB, ..=BLOB_BYTES_MAX) => "MEDIUMBLOB".to_owned(),
        (BLOB, ..=BLOB_BYTES_MAX) => "BLOB".to_owned(),
        (STRING, len @ ..=0xff) => format!("BINARY({len})"),
        (other, len) => {
            return Err(JsonError::Unwritable(format!(
                "it holds {len} bytes of the SQL type number {other}, which no expression is known to rebuild"
            )));
        }
    };
    write_column(out, &format!("CAST({binary} AS JSON)"), &column_type);
    Ok(())
}

/// A value of a type that only a column has: what `CAST` can't name, a column of `JSON_TABLE` can.
///
/// It becomes JSON inside of the subquery, which would make one of all kinds of BLOB.
fn write_column(out: &mut String, json: &str, column_type: &str) {
    _ = write!(
        out,
        "(SELECT CAST(v AS JSON) FROM JSON_TABLE({json},'$' COLUMNS (v {column_type} PATH '$' ERROR ON EMPTY ERROR ON ERROR)) one)"
    );
}

/// Writes what [`super::typed_list`] gives for a document with these values.
pub(super) fn write_list(out: &mut String, leaves: &[Leaf<'_>]) {
    let mut entries: Vec<(Place, &str)> = leaves
        .iter()
        .map(|leaf| (leaf.place, leaf.value.type_name()))
        .collect();
    entries.sort_unstable();
    out.push_str("CAST('[");
    for (index, (place, type_name)) in entries.into_iter().enumerate() {
        let place = match place {
            Place::Root => 0,
            Place::Listed(number) => number,
        };
        let comma = if index > 0 { "," } else { "" };
        _ = write!(out, "{comma}[{place},\"{type_name}\"]");
    }
    out.push_str("]' AS JSON)");
}
