//! Values inside JSON that keep an SQL type.
use std::fmt;

use super::Origin;
use crate::{Date, DateTime, Decimal, Result, Time, hidden::Hidden};

const TIMESTAMP: u8 = 7;
const DATE: u8 = 10;
const TIME: u8 = 11;
const DATETIME: u8 = 12;
const NEWDATE: u8 = 14;
const NEWDECIMAL: u8 = 246;

/// A value of an SQL type inside a JSON document, borrowed.
#[derive(Clone, Copy, PartialEq)]
pub struct JsonOpaque<'a> {
    field_type: u8,
    bytes: &'a [u8],
    origin: Origin,
}

/// What a [`JsonOpaque`] holds.
#[derive(Clone, Copy, PartialEq)]
pub enum JsonOpaqueValue<'a> {
    /// DECIMAL.
    Decimal(Decimal<'a>),
    /// DATE.
    Date(Date),
    /// TIME, always with 6 fractional digits.
    Time(Time),
    /// DATETIME, always with 6 fractional digits.
    DateTime(DateTime),
    /// A TIMESTAMP, kept as the date and time that it showed when it was put in.
    Timestamp(DateTime),
    /// Any other type (BIT, BLOB, VARBINARY and their kind): its bytes.
    Bytes(&'a [u8]),
}

impl<'a> JsonOpaque<'a> {
    pub(super) fn new(field_type: u8, bytes: &'a [u8], origin: Origin) -> Self {
        Self {
            field_type,
            bytes,
            origin,
        }
    }

    /// The number of the SQL type in MySQL's protocol, for instance 16 for BIT and 252 for BLOB.
    pub fn field_type(&self) -> u8 {
        self.field_type
    }

    /// The stored bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The value.
    pub fn value(&self) -> Result<JsonOpaqueValue<'a>> {
        let malformed = |reason| self.origin.malformed(reason);
        Ok(match self.field_type {
            NEWDECIMAL => JsonOpaqueValue::Decimal(
                match self.bytes {
                    [precision, scale, digits @ ..] => Decimal::new(digits, *precision, *scale),
                    _ => None,
                }
                .ok_or_else(|| malformed("a DECIMAL inside JSON is malformed"))?,
            ),
            DATE | NEWDATE => JsonOpaqueValue::Date(self.date_time()?.date),
            TIME => JsonOpaqueValue::Time(Time::from_json(self.packed()?).map_err(malformed)?),
            DATETIME => JsonOpaqueValue::DateTime(self.date_time()?),
            TIMESTAMP => JsonOpaqueValue::Timestamp(self.date_time()?),
            _ => JsonOpaqueValue::Bytes(self.bytes),
        })
    }

    fn date_time(&self) -> Result<DateTime> {
        DateTime::from_json(self.packed()?).map_err(|reason| self.origin.malformed(reason))
    }

    fn packed(&self) -> Result<i64> {
        let mut reader = self.origin.reader(self.bytes);
        let packed = reader.u64()? as i64;
        reader.finish()?;
        Ok(packed)
    }
}

impl fmt::Debug for JsonOpaque<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonOpaque")
            .field("field_type", &self.field_type)
            .field("bytes", &Hidden(self.bytes.len()))
            .finish()
    }
}

/// The kind alone: the value is a user's.
impl fmt::Debug for JsonOpaqueValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decimal(_) => "Decimal",
            Self::Date(_) => "Date",
            Self::Time(_) => "Time",
            Self::DateTime(_) => "DateTime",
            Self::Timestamp(_) => "Timestamp",
            Self::Bytes(_) => "Bytes",
        })
    }
}
