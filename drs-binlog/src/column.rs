//! Column types as a table map gives them, and how far each value reaches.
use crate::{Reader, Result, decimal};

/// A column's type with what its values' layout depends on.
///
/// It is the real type: what a table map hides behind STRING (ENUM, SET, and
/// the high bits of a CHAR's length) is resolved here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// TINYINT, BOOL.
    Tiny,
    /// SMALLINT.
    Short,
    /// MEDIUMINT.
    Int24,
    /// INT.
    Long,
    /// BIGINT.
    LongLong,
    /// FLOAT.
    Float,
    /// DOUBLE, REAL.
    Double,
    /// DECIMAL, NUMERIC.
    NewDecimal {
        /// Digits in all, 1 to 65.
        precision: u8,
        /// Digits after the point, 0 to 30 (MariaDB: 38).
        scale: u8,
    },
    /// BIT.
    Bit {
        /// 1 to 64.
        bits: u16,
    },
    /// YEAR.
    Year,
    /// DATE.
    Date,
    /// TIME as before MySQL 5.6.4.
    TimeOld,
    /// TIME.
    Time {
        /// Fractional digits, 0 to 6.
        fsp: u8,
    },
    /// DATETIME as before MySQL 5.6.4.
    DateTimeOld,
    /// DATETIME.
    DateTime {
        /// Fractional digits, 0 to 6.
        fsp: u8,
    },
    /// TIMESTAMP as before MySQL 5.6.4.
    TimestampOld,
    /// TIMESTAMP.
    Timestamp {
        /// Fractional digits, 0 to 6.
        fsp: u8,
    },
    /// VARCHAR, VARBINARY.
    VarChar {
        /// The longest value in bytes.
        max_bytes: u16,
    },
    /// CHAR, BINARY.
    String {
        /// The longest value in bytes.
        max_bytes: u16,
    },
    /// TINYBLOB to LONGBLOB, TINYTEXT to LONGTEXT.
    Blob {
        /// Bytes of a value's length, 1 to 4.
        length_bytes: u8,
    },
    /// ENUM.
    Enum {
        /// Bytes of a value, 1 or 2.
        bytes: u8,
    },
    /// SET.
    Set {
        /// Bytes of a value, 1 to 8.
        bytes: u8,
    },
    /// JSON (MySQL's; MariaDB's is a LONGTEXT).
    Json {
        /// Bytes of a value's length.
        length_bytes: u8,
    },
    /// GEOMETRY and the types below it.
    Geometry {
        /// Bytes of a value's length.
        length_bytes: u8,
    },
    /// VECTOR.
    Vector {
        /// Bytes of a value's length.
        length_bytes: u8,
    },
    /// MariaDB: VARCHAR or VARBINARY with COMPRESSED.
    VarCharCompressed {
        /// The longest stored value in bytes.
        max_bytes: u16,
    },
    /// MariaDB: a BLOB or TEXT type with COMPRESSED.
    BlobCompressed {
        /// Bytes of a value's length, 1 to 4.
        length_bytes: u8,
    },
}

/// MySQL's numbers of the types.
mod code {
    pub(super) const DECIMAL: u8 = 0;
    pub(super) const TINY: u8 = 1;
    pub(super) const SHORT: u8 = 2;
    pub(super) const LONG: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const DOUBLE: u8 = 5;
    pub(super) const TIMESTAMP: u8 = 7;
    pub(super) const LONGLONG: u8 = 8;
    pub(super) const INT24: u8 = 9;
    pub(super) const DATE: u8 = 10;
    pub(super) const TIME: u8 = 11;
    pub(super) const DATETIME: u8 = 12;
    pub(super) const YEAR: u8 = 13;
    pub(super) const NEWDATE: u8 = 14;
    pub(super) const VARCHAR: u8 = 15;
    pub(super) const BIT: u8 = 16;
    pub(super) const TIMESTAMP2: u8 = 17;
    pub(super) const DATETIME2: u8 = 18;
    pub(super) const TIME2: u8 = 19;
    pub(super) const TYPED_ARRAY: u8 = 20;
    pub(super) const MARIADB_BLOB_COMPRESSED: u8 = 140;
    pub(super) const MARIADB_VARCHAR_COMPRESSED: u8 = 141;
    pub(super) const VECTOR: u8 = 242;
    pub(super) const JSON: u8 = 245;
    pub(super) const NEWDECIMAL: u8 = 246;
    pub(super) const ENUM: u8 = 247;
    pub(super) const SET: u8 = 248;
    pub(super) const TINY_BLOB: u8 = 249;
    pub(super) const BLOB: u8 = 252;
    pub(super) const VAR_STRING: u8 = 253;
    pub(super) const STRING: u8 = 254;
    pub(super) const GEOMETRY: u8 = 255;
}

/// How many bytes a value takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Bytes of a length in front of the value; 0: the length is always `fixed`.
    pub(crate) prefix: u8,
    pub(crate) fixed: u16,
}

impl ColumnType {
    /// The type with this number in a table map; reads what belongs to it from the metadata block.
    pub(crate) fn parse(type_code: u8, metadata: &mut Reader<'_>) -> Result<Self> {
        Ok(match type_code {
            code::TINY => Self::Tiny,
            code::SHORT => Self::Short,
            code::INT24 => Self::Int24,
            code::LONG => Self::Long,
            code::LONGLONG => Self::LongLong,
            code::FLOAT => match metadata.u8()? {
                4 => Self::Float,
                _ => return Err(metadata.malformed("a FLOAT is not 4 bytes long")),
            },
            code::DOUBLE => match metadata.u8()? {
                8 => Self::Double,
                _ => return Err(metadata.malformed("a DOUBLE is not 8 bytes long")),
            },
            code::NEWDECIMAL => {
                let [precision, scale] = metadata.take_array()?;
                if decimal::byte_len(precision, scale).is_none() {
                    return Err(
                        metadata.malformed("there is no DECIMAL of that precision and scale")
                    );
                }
                Self::NewDecimal { precision, scale }
            }
            code::BIT => {
                let [odd_bits, whole_bytes] = metadata.take_array()?;
                match u16::from(whole_bytes) * 8 + u16::from(odd_bits) {
                    bits @ 1..=64 if odd_bits < 8 => Self::Bit { bits },
                    _ => return Err(metadata.malformed("a BIT column is not 1 to 64 bits long")),
                }
            }
            code::YEAR => Self::Year,
            code::DATE | code::NEWDATE => Self::Date,
            code::TIME => Self::TimeOld,
            code::DATETIME => Self::DateTimeOld,
            code::TIMESTAMP => Self::TimestampOld,
            code::TIME2 => Self::Time {
                fsp: parse_fsp(metadata)?,
            },
            code::DATETIME2 => Self::DateTime {
                fsp: parse_fsp(metadata)?,
            },
            code::TIMESTAMP2 => Self::Timestamp {
                fsp: parse_fsp(metadata)?,
            },
            code::VARCHAR | code::VAR_STRING => Self::VarChar {
                max_bytes: metadata.u16()?,
            },
            code::MARIADB_VARCHAR_COMPRESSED => Self::VarCharCompressed {
                max_bytes: metadata.u16()?,
            },
            code::STRING | code::ENUM | code::SET => return Self::parse_string(metadata),
            code::TINY_BLOB..=code::BLOB => Self::Blob {
                length_bytes: parse_length_bytes(metadata)?,
            },
            code::MARIADB_BLOB_COMPRESSED => Self::BlobCompressed {
                length_bytes: parse_length_bytes(metadata)?,
            },
            code::JSON => Self::Json {
                length_bytes: parse_length_bytes(metadata)?,
            },
            code::GEOMETRY => Self::Geometry {
                length_bytes: parse_length_bytes(metadata)?,
            },
            code::VECTOR => Self::Vector {
                length_bytes: parse_length_bytes(metadata)?,
            },
            code::DECIMAL => {
                return Err(
                    metadata.malformed("a DECIMAL from before MySQL 5.0: rebuild the table")
                );
            }
            code::TYPED_ARRAY => {
                return Err(metadata.malformed(
                    "the hidden column of a multi-valued index: its values are not supported",
                ));
            }
            _ => return Err(metadata.malformed("an unknown column type")),
        })
    }

    /// CHAR, ENUM and SET share a number; the first byte of metadata tells them apart.
    ///
    /// Of a CHAR over 255 bytes, bits 8 and 9 of the length are in bits 4 and
    /// 5 of that byte, inverted: both are set in all types' numbers.
    fn parse_string(metadata: &mut Reader<'_>) -> Result<Self> {
        let [real_type, length] = metadata.take_array()?;
        let high_bits = u16::from(real_type & 0x30 ^ 0x30) << 4;
        match (real_type | 0x30, length) {
            (code::ENUM, 1..=2) if high_bits == 0 => Ok(Self::Enum { bytes: length }),
            (code::SET, 1..=8) if high_bits == 0 => Ok(Self::Set { bytes: length }),
            (code::STRING, _) => Ok(Self::String {
                max_bytes: high_bits | u16::from(length),
            }),
            _ => Err(metadata.malformed("a string column's type or length is not known")),
        }
    }

    /// How far a value reaches.
    pub(crate) fn extent(self) -> Extent {
        let fixed = |fixed| Extent { prefix: 0, fixed };
        let prefixed = |prefix| Extent { prefix, fixed: 0 };
        match self {
            Self::Tiny | Self::Year => fixed(1),
            Self::Short => fixed(2),
            Self::Int24 | Self::Date | Self::TimeOld => fixed(3),
            Self::Long | Self::Float | Self::TimestampOld => fixed(4),
            Self::LongLong | Self::Double | Self::DateTimeOld => fixed(8),
            // Types of another size were refused when the type was made.
            Self::NewDecimal { precision, scale } => {
                fixed(decimal::byte_len(precision, scale).unwrap_or_default() as u16)
            }
            Self::Bit { bits } => fixed(bits.div_ceil(8)),
            Self::Time { fsp } => fixed(3 + u16::from(fsp.div_ceil(2))),
            Self::Timestamp { fsp } => fixed(4 + u16::from(fsp.div_ceil(2))),
            Self::DateTime { fsp } => fixed(5 + u16::from(fsp.div_ceil(2))),
            Self::Enum { bytes } | Self::Set { bytes } => fixed(bytes.into()),
            Self::VarChar { max_bytes }
            | Self::String { max_bytes }
            | Self::VarCharCompressed { max_bytes } => {
                prefixed(if max_bytes > 255 { 2 } else { 1 })
            }
            Self::Blob { length_bytes }
            | Self::BlobCompressed { length_bytes }
            | Self::Json { length_bytes }
            | Self::Geometry { length_bytes }
            | Self::Vector { length_bytes } => prefixed(length_bytes),
        }
    }

    /// The types whose sign is in a table map's SIGNEDNESS field.
    pub(crate) fn has_sign(self) -> bool {
        matches!(
            self,
            Self::Tiny
                | Self::Short
                | Self::Int24
                | Self::Long
                | Self::LongLong
                | Self::Float
                | Self::Double
                | Self::NewDecimal { .. }
                | Self::Year
        )
    }

    /// The types whose collation is in MySQL's character set fields: binary strings and vectors too.
    pub(crate) fn has_collation(self) -> bool {
        matches!(
            self,
            Self::VarChar { .. }
                | Self::String { .. }
                | Self::Blob { .. }
                | Self::Vector { .. }
                | Self::VarCharCompressed { .. }
                | Self::BlobCompressed { .. }
        )
    }

    /// The same for MariaDB, which has GEOMETRY among them.
    pub(crate) fn has_collation_in_mariadb(self) -> bool {
        self.has_collation() || matches!(self, Self::Geometry { .. })
    }

    pub(crate) fn is_old_temporal(self) -> bool {
        matches!(self, Self::TimeOld | Self::DateTimeOld | Self::TimestampOld)
    }

    pub(crate) fn is_enum_or_set(self) -> bool {
        matches!(self, Self::Enum { .. } | Self::Set { .. })
    }
}

impl Extent {
    /// Takes a value's bytes, without the length in front.
    #[inline]
    pub(crate) fn take<'a>(self, reader: &mut Reader<'a>) -> Result<&'a [u8]> {
        let len = match self.prefix {
            0 => usize::from(self.fixed),
            1 => usize::from(reader.u8()?),
            2 => usize::from(reader.u16()?),
            3 => reader.u24()? as usize,
            _ => reader.u32()? as usize,
        };
        reader.take(len)
    }

    /// What is left of `bytes` behind the value; `None` if it reaches beyond them.
    #[inline]
    pub(crate) fn pass(self, bytes: &[u8]) -> Option<&[u8]> {
        let (len, rest) = match self.prefix {
            0 => (self.fixed.into(), bytes),
            1 => {
                let (len, rest) = bytes.split_first()?;
                (usize::from(*len), rest)
            }
            2 => {
                let (len, rest) = bytes.split_first_chunk()?;
                (usize::from(u16::from_le_bytes(*len)), rest)
            }
            3 => {
                let ([a, b, c], rest) = bytes.split_first_chunk()?;
                (u32::from_le_bytes([*a, *b, *c, 0]) as usize, rest)
            }
            _ => {
                let (len, rest) = bytes.split_first_chunk()?;
                (u32::from_le_bytes(*len) as usize, rest)
            }
        };
        rest.get(len..)
    }
}

fn parse_fsp(metadata: &mut Reader<'_>) -> Result<u8> {
    match metadata.u8()? {
        fsp @ 0..=6 => Ok(fsp),
        _ => Err(metadata.malformed("a temporal column has more than 6 fractional digits")),
    }
}

fn parse_length_bytes(metadata: &mut Reader<'_>) -> Result<u8> {
    match metadata.u8()? {
        length_bytes @ 1..=4 => Ok(length_bytes),
        _ => Err(metadata.malformed("the length of a BLOB's length is not 1 to 4 bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventType;

    #[test]
    fn types_from_metadata() {
        for (type_code, metadata, expected) in [
            (
                254,
                &[0xfe, 40][..],
                Some(ColumnType::String { max_bytes: 40 }),
            ),
            (
                254,
                &[0xee, 0xfc],
                Some(ColumnType::String { max_bytes: 0x1fc }),
            ),
            (
                254,
                &[0xce, 0xfc],
                Some(ColumnType::String { max_bytes: 0x3fc }),
            ),
            (254, &[0xf7, 2], Some(ColumnType::Enum { bytes: 2 })),
            (254, &[0xf7, 3], None),
            (254, &[0xf8, 8], Some(ColumnType::Set { bytes: 8 })),
            (254, &[0x01, 8], None),
            (16, &[1, 1], Some(ColumnType::Bit { bits: 9 })),
            (16, &[0, 8], Some(ColumnType::Bit { bits: 64 })),
            (16, &[1, 8], None),
            (16, &[0, 0], None),
            (16, &[9, 0], None),
            (
                246,
                &[65, 30],
                Some(ColumnType::NewDecimal {
                    precision: 65,
                    scale: 30,
                }),
            ),
            (246, &[66, 30], None),
            (18, &[6], Some(ColumnType::DateTime { fsp: 6 })),
            (18, &[7], None),
            (252, &[4], Some(ColumnType::Blob { length_bytes: 4 })),
            (252, &[0], None),
            (4, &[8], None),
            (0, &[], None),
            (100, &[], None),
        ] {
            let mut reader = Reader::new(metadata, 0, EventType::TABLE_MAP);
            let parsed = ColumnType::parse(type_code, &mut reader);
            assert_eq!(parsed.ok(), expected, "{type_code} {metadata:x?}");
        }
    }
}
