//! The values of a row image.
use std::fmt;

use crate::{
    ColumnType, CompressedBytes, Date, DateTime, Decimal, Json, JsonDiffs, Reader, Result, Time,
    Timestamp, hidden::Hidden, row_image::Step,
};

/// One column's value in a row image, borrowed from the event.
///
/// What a log does not say is not guessed: whether an integer is unsigned,
/// the character set of bytes and the labels of an ENUM are the schema's.
#[derive(Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// TINYINT to BIGINT, signed or unsigned.
    Int {
        /// The stored bytes, zero-extended.
        bits: u64,
        /// How many bytes are stored: 1, 2, 3, 4 or 8.
        bytes: u8,
    },
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// DECIMAL.
    Decimal(Decimal<'a>),
    /// BIT: big-endian, as many bytes as the column's bits need.
    Bit(&'a [u8]),
    /// YEAR; 0 is the year 0000.
    Year(u16),
    /// DATE.
    Date(Date),
    /// TIME.
    Time(Time),
    /// DATETIME.
    DateTime(DateTime),
    /// TIMESTAMP.
    Timestamp(Timestamp),
    /// CHAR, VARCHAR, TEXT, BINARY, VARBINARY, BLOB: the bytes that the column stores, in its character set.
    ///
    /// CHAR comes without its trailing spaces and BINARY without its trailing
    /// zero bytes; the server pads both again when it stores them.
    Bytes(&'a [u8]),
    /// ENUM: the label's number from 1 on; 0 is the empty string of an invalid value.
    Enum(u16),
    /// SET: one bit a label, the first label's lowest.
    Set(u64),
    /// JSON.
    Json(Json<'a>),
    /// JSON of which a partial update carries only the changes.
    JsonDiff(JsonDiffs<'a>),
    /// GEOMETRY: 4 bytes SRID, then WKB.
    Geometry(&'a [u8]),
    /// VECTOR: 4-byte floating point numbers, little-endian.
    Vector(&'a [u8]),
    /// A compressed string of MariaDB.
    Compressed(CompressedBytes<'a>),
}

impl<'a> Value<'a> {
    /// Is it NULL?
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// An integer as a signed column has it.
    pub fn as_signed(&self) -> Option<i64> {
        match *self {
            Self::Int { bits, bytes } => {
                let unused = 64 - u32::from(bytes.clamp(1, 8)) * 8;
                Some((bits << unused) as i64 >> unused)
            }
            _ => None,
        }
    }

    /// An integer as an unsigned column has it.
    pub fn as_unsigned(&self) -> Option<u64> {
        match *self {
            Self::Int { bits, .. } => Some(bits),
            _ => None,
        }
    }

    /// The number whose binary digits a BIT value holds.
    pub fn as_bits(&self) -> Option<u64> {
        match *self {
            Self::Bit(bytes) => Some(
                bytes
                    .iter()
                    .fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
            ),
            _ => None,
        }
    }

    /// The bytes of a string, a geometry or a vector.
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        match *self {
            Self::Bytes(bytes) | Self::Geometry(bytes) | Self::Vector(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// The kind and size alone: a row's values are a user's data.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, len) = match self {
            Self::Null => return f.write_str("Null"),
            Self::Int { bytes, .. } => ("Int", usize::from(*bytes)),
            Self::Float(_) => return f.write_str("Float"),
            Self::Double(_) => return f.write_str("Double"),
            Self::Decimal(number) => ("Decimal", number.bytes().len()),
            Self::Bit(bytes) => ("Bit", bytes.len()),
            Self::Year(_) => return f.write_str("Year"),
            Self::Date(_) => return f.write_str("Date"),
            Self::Time(_) => return f.write_str("Time"),
            Self::DateTime(_) => return f.write_str("DateTime"),
            Self::Timestamp(_) => return f.write_str("Timestamp"),
            Self::Bytes(bytes) => ("Bytes", bytes.len()),
            Self::Enum(_) => return f.write_str("Enum"),
            Self::Set(_) => return f.write_str("Set"),
            Self::Json(json) => ("Json", json.bytes().len()),
            Self::JsonDiff(diffs) => ("JsonDiff", diffs.bytes().len()),
            Self::Geometry(bytes) => ("Geometry", bytes.len()),
            Self::Vector(bytes) => ("Vector", bytes.len()),
            Self::Compressed(bytes) => ("Compressed", bytes.stored().len()),
        };
        f.debug_tuple(kind).field(&Hidden(len)).finish()
    }
}

/// The value's text, for people: integers as signed, bytes in hexadecimal
/// unless they are printable ASCII, MySQL's own text for the rest.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Int { .. } => self.as_signed().unwrap_or_default().fmt(f),
            Self::Float(number) => number.fmt(f),
            Self::Double(number) => number.fmt(f),
            Self::Decimal(number) => number.fmt(f),
            Self::Bit(_) => write!(f, "b'{:b}'", self.as_bits().unwrap_or_default()),
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Date(date) => date.fmt(f),
            Self::Time(time) => time.fmt(f),
            Self::DateTime(at) => at.fmt(f),
            Self::Timestamp(at) => at.fmt(f),
            Self::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) => {
                    write!(f, "'{text}'")
                }
                _ => write_hex(f, bytes),
            },
            Self::Enum(number) => number.fmt(f),
            Self::Set(bits) => bits.fmt(f),
            Self::Json(json) => match json.to_text() {
                Ok(text) => f.write_str(&text),
                Err(_) => write_hex(f, json.bytes()),
            },
            Self::JsonDiff(diffs) => write_hex(f, diffs.bytes()),
            Self::Geometry(bytes) | Self::Vector(bytes) => write_hex(f, bytes),
            Self::Compressed(bytes) => write_hex(f, bytes.stored()),
        }
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("0x")?;
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
}

impl Step {
    /// Makes `out` the value that the next bytes of `reader` hold.
    #[inline(always)]
    pub(crate) fn read<'a>(&self, reader: &mut Reader<'a>, out: &mut Value<'a>) -> Result<()> {
        let event_type = reader.event_type();
        // Errors point at the value's first byte.
        let start = reader.offset();
        let malformed = |reason| Err(Reader::new(&[], start, event_type).malformed(reason));
        *out = match self.column_type {
            ColumnType::Tiny => int(reader.u8()?, 1),
            ColumnType::Short => int(reader.u16()?, 2),
            ColumnType::Int24 => int(reader.u24()?, 3),
            ColumnType::Long => int(reader.u32()?, 4),
            ColumnType::LongLong => int(reader.u64()?, 8),
            ColumnType::Float => Value::Float(f32::from_bits(reader.u32()?)),
            ColumnType::Double => Value::Double(f64::from_bits(reader.u64()?)),
            ColumnType::NewDecimal { precision, scale } => {
                match Decimal::new(self.extent.take(reader)?, precision, scale) {
                    Some(number) => Value::Decimal(number),
                    None => return malformed("a DECIMAL's digits are malformed"),
                }
            }
            ColumnType::Bit { .. } => Value::Bit(self.extent.take(reader)?),
            ColumnType::Year => Value::Year(match reader.u8()? {
                0 => 0,
                year => 1900 + u16::from(year),
            }),
            ColumnType::Date => match Date::from_packed(reader.u24()?) {
                Ok(date) => Value::Date(date),
                Err(reason) => return malformed(reason),
            },
            ColumnType::TimeOld => match Time::from_old(reader.u24()?) {
                Ok(time) => Value::Time(time),
                Err(reason) => return malformed(reason),
            },
            ColumnType::Time { fsp } => {
                match Time::from_ordered(uint_be(self.extent.take(reader)?), fsp) {
                    Ok(time) => Value::Time(time),
                    Err(reason) => return malformed(reason),
                }
            }
            ColumnType::DateTimeOld => match DateTime::from_old(reader.u64()?) {
                Ok(at) => Value::DateTime(at),
                Err(reason) => return malformed(reason),
            },
            ColumnType::DateTime { fsp } => {
                match DateTime::from_ordered(uint_be(self.extent.take(reader)?), fsp) {
                    Ok(at) => Value::DateTime(at),
                    Err(reason) => return malformed(reason),
                }
            }
            ColumnType::TimestampOld => match Timestamp::from_parts(reader.u32()?, 0, 0) {
                Ok(at) => Value::Timestamp(at),
                Err(reason) => return malformed(reason),
            },
            ColumnType::Timestamp { fsp } => {
                let bytes = self.extent.take(reader)?;
                let (seconds, fraction) = bytes.split_at_checked(4).unwrap_or((bytes, &[]));
                match Timestamp::from_parts(uint_be(seconds) as u32, uint_be(fraction), fsp) {
                    Ok(at) => Value::Timestamp(at),
                    Err(reason) => return malformed(reason),
                }
            }
            ColumnType::VarChar { max_bytes } | ColumnType::String { max_bytes } => {
                let bytes = self.extent.take(reader)?;
                if bytes.len() > max_bytes.into() {
                    return malformed("a string is longer than its column");
                }
                Value::Bytes(bytes)
            }
            ColumnType::Blob { .. } => Value::Bytes(self.extent.take(reader)?),
            ColumnType::Enum { .. } => Value::Enum(uint_le(self.extent.take(reader)?) as u16),
            ColumnType::Set { .. } => Value::Set(uint_le(self.extent.take(reader)?)),
            ColumnType::Json { .. } => {
                let bytes = self.extent.take(reader)?;
                let at = reader.offset() - bytes.len();
                Value::Json(Json::in_event(bytes, at, event_type))
            }
            ColumnType::Geometry { .. } => Value::Geometry(self.extent.take(reader)?),
            ColumnType::Vector { .. } => Value::Vector(self.extent.take(reader)?),
            ColumnType::VarCharCompressed { .. } | ColumnType::BlobCompressed { .. } => {
                Value::Compressed(CompressedBytes::new(self.extent.take(reader)?))
            }
        };
        Ok(())
    }
}

#[inline]
fn int<'a>(bits: impl Into<u64>, bytes: u8) -> Value<'a> {
    Value::Int {
        bits: bits.into(),
        bytes,
    }
}

/// At most 8 bytes, little-endian.
#[inline]
fn uint_le(bytes: &[u8]) -> u64 {
    match *bytes {
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        _ => bytes
            .iter()
            .rev()
            .fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
    }
}

/// At most 8 bytes, big-endian, of the lengths that temporal values have.
#[inline]
fn uint_be(bytes: &[u8]) -> u64 {
    match *bytes {
        [] => 0,
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_be_bytes([a, b])),
        [a, b, c] => u64::from(u32::from_be_bytes([0, a, b, c])),
        [a, b, c, d] => u64::from(u32::from_be_bytes([a, b, c, d])),
        [a, b, c, d, e] => u64::from_be_bytes([0, 0, 0, a, b, c, d, e]),
        [a, b, c, d, e, f] => u64::from_be_bytes([0, 0, a, b, c, d, e, f]),
        [a, b, c, d, e, f, g] => u64::from_be_bytes([0, a, b, c, d, e, f, g]),
        [a, b, c, d, e, f, g, h] => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventType;

    fn decode(column_type: ColumnType, bytes: &[u8]) -> Result<Value<'_>> {
        let mut reader = Reader::new(bytes, 0, EventType::WRITE_ROWS);
        let mut value = Value::Null;
        Step::new(column_type).read(&mut reader, &mut value)?;
        reader.finish()?;
        Ok(value)
    }

    #[test]
    fn integers_have_the_callers_sign() {
        for (column_type, bytes, signed, unsigned) in [
            (ColumnType::Tiny, &[0xff][..], -1, 255),
            (ColumnType::Short, &[0, 0x80], -32768, 32768),
            (
                ColumnType::Int24,
                &[0x5a, 0x1b, 0x83],
                -8_184_998,
                8_592_218,
            ),
            (
                ColumnType::Long,
                &[0, 0, 0, 0x80],
                i64::from(i32::MIN),
                1 << 31,
            ),
            (ColumnType::LongLong, &[0xff; 8], -1, u64::MAX),
        ] {
            let value = decode(column_type, bytes).unwrap();
            assert_eq!(
                (value.as_signed(), value.as_unsigned()),
                (Some(signed), Some(unsigned))
            );
        }
    }

    #[test]
    fn printed() {
        for (column_type, bytes, text) in [
            (ColumnType::Year, &[0][..], "0000"),
            (ColumnType::Year, &[1], "1901"),
            (ColumnType::Year, &[255], "2155"),
            (ColumnType::Bit { bits: 9 }, &[1, 0x80], "b'110000000'"),
            (ColumnType::Enum { bytes: 2 }, &[0, 1], "256"),
            (ColumnType::Set { bytes: 3 }, &[1, 0, 1], "65537"),
            (ColumnType::VarChar { max_bytes: 255 }, b"\x02ab", "'ab'"),
            (
                ColumnType::VarChar { max_bytes: 256 },
                b"\x01\0\x07",
                "0x07",
            ),
            (ColumnType::Blob { length_bytes: 3 }, b"\x01\0\0a", "'a'"),
            (
                ColumnType::TimestampOld,
                &[1, 0, 0, 0],
                "1970-01-01 00:00:01",
            ),
            (ColumnType::Json { length_bytes: 4 }, &[0; 4], "null"),
        ] {
            assert_eq!(decode(column_type, bytes).unwrap().to_string(), text);
        }
    }

    #[test]
    fn longer_than_the_column_is_malformed() {
        assert!(decode(ColumnType::VarChar { max_bytes: 1 }, b"\x02ab").is_err());
    }

    #[test]
    fn values_are_small() {
        assert!(size_of::<Value<'_>>() <= 32);
    }
}
