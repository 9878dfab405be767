use std::{fmt, str::FromStr};

use crate::{Error, Result};

/// The 16 bytes that identify a server in its GTIDs (`@@server_uuid`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

impl FromStr for Uuid {
    type Err = Error;

    /// Accepts what the server does: 32 hexadecimal digits, with the four
    /// hyphens or without any, and with braces around or without.
    fn from_str(text: &str) -> Result<Self> {
        let fail = || {
            Error::parse(
                "UUID",
                text,
                "it has 32 hexadecimal digits in groups of 8-4-4-4-12",
            )
        };
        let inner = match text.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}').ok_or_else(fail)?,
            None => text,
        };
        let hyphens: &[usize] = match inner.len() {
            36 => &[8, 13, 18, 23],
            32 => &[],
            _ => return Err(fail()),
        };
        let mut digits = 0;
        let mut bytes = [0_u8; 16];
        for (at, c) in inner.bytes().enumerate() {
            if hyphens.contains(&at) {
                if c != b'-' {
                    return Err(fail());
                }
                continue;
            }
            let digit = char::from(c).to_digit(16).ok_or_else(fail)?;
            let byte = bytes.get_mut(digits / 2).ok_or_else(fail)?;
            *byte = *byte << 4 | digit as u8;
            digits += 1;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The tag of a GTID (MySQL 8.3 and later); empty in a GTID without one.
///
/// Letters, digits and `_`, at most 32, not beginning with a digit; always
/// lower case, as the server keeps it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tag([u8; Self::LEN_MAX]);

impl Tag {
    /// Bytes of the longest tag.
    pub const LEN_MAX: usize = 32;
    /// No tag.
    pub const NONE: Self = Self([0; Self::LEN_MAX]);

    /// The tag's text, empty if there is none.
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|b| *b == 0).unwrap_or(Self::LEN_MAX);
        // A tag holds ASCII alone, so that the default is never taken.
        self.0
            .get(..len)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// True if there is no tag.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }
}

impl FromStr for Tag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut bytes = [0; Self::LEN_MAX];
        let valid = text.len() <= Self::LEN_MAX
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !valid {
            return Err(Error::parse(
                "GTID tag",
                text,
                "it has up to 32 letters, digits and _, and does not begin with a digit",
            ));
        }
        for (to, from) in bytes.iter_mut().zip(text.bytes()) {
            *to = from.to_ascii_lowercase();
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A global transaction identifier of MySQL: `uuid:number` or `uuid:tag:number`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtid {
    /// The server that first committed the transaction.
    pub source: Uuid,
    /// The tag, empty in most GTIDs.
    pub tag: Tag,
    /// Counts the transactions of one source and tag, from 1 to [`Gtid::NUMBER_MAX`].
    pub number: u64,
}

impl Gtid {
    /// The largest number that the server gives out.
    pub const NUMBER_MAX: u64 = i64::MAX as u64 - 1;

    /// A GTID without a tag.
    pub fn new(source: Uuid, number: u64) -> Self {
        Self {
            source,
            tag: Tag::NONE,
            number,
        }
    }
}

impl FromStr for Gtid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fail = |reason| Error::parse("GTID", text, reason);
        let mut parts = text.split(':').map(str::trim);
        let source = parts.next().unwrap_or_default().parse()?;
        let (tag, number) = match (parts.next(), parts.next(), parts.next()) {
            (Some(number), None, None) => (Tag::NONE, number),
            (Some(tag), Some(number), None) => (tag.parse::<Tag>()?, number),
            _ => return Err(fail("it has the form uuid:number or uuid:tag:number")),
        };
        let number =
            parse_number(number).ok_or_else(|| fail("the number is not in 1 to 2^63-2"))?;
        Ok(Self {
            source,
            tag,
            number,
        })
    }
}

/// A transaction's number: digits alone, in the server's range.
pub(crate) fn parse_number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = digits.then(|| text.parse().ok())??;
    (1..=Gtid::NUMBER_MAX).contains(&number).then_some(number)
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tag.is_empty() {
            write!(f, "{}:{}", self.source, self.number)
        } else {
            write!(f, "{}:{}:{}", self.source, self.tag, self.number)
        }
    }
}

impl fmt::Debug for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A global transaction identifier of MariaDB: `domain-server-sequence`, as `0-1-270`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MariaDbGtid {
    /// The replication domain.
    pub domain: u32,
    /// The server that first committed the transaction.
    pub server_id: u32,
    /// The number within the domain.
    pub sequence: u64,
}

impl FromStr for MariaDbGtid {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let fail = || {
            Error::parse(
                "MariaDB GTID",
                text,
                "it has the form domain-server-sequence",
            )
        };
        let mut parts = text.trim().split('-');
        let mut next = || {
            let digits = parts
                .next()
                .filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
            digits
                .and_then(|digits| digits.parse::<u64>().ok())
                .ok_or_else(fail)
        };
        let gtid = Self {
            domain: next()?.try_into().map_err(|_| fail())?,
            server_id: next()?.try_into().map_err(|_| fail())?,
            sequence: next()?,
        };
        if parts.next().is_some() {
            Err(fail())
        } else {
            Ok(gtid)
        }
    }
}

impl fmt::Display for MariaDbGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server_id, self.sequence)
    }
}

impl fmt::Debug for MariaDbGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "ea352a82-e9a0-11ea-b650-fa163e1e82ed";

    #[test]
    fn uuids() {
        for text in [
            UUID.to_string(),
            UUID.to_uppercase(),
            UUID.replace('-', ""),
            format!("{{{UUID}}}"),
        ] {
            assert_eq!(text.parse::<Uuid>().unwrap().to_string(), UUID);
        }
        for bad in [
            "",
            "ea352a82",
            &UUID.replace('a', "g"),
            &format!("{{{UUID}"),
            &UUID.replacen('-', "0", 1),
        ] {
            assert!(bad.parse::<Uuid>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn gtids() {
        for text in [
            format!("{UUID}:1"),
            format!("{UUID}:tag_1:9223372036854775806"),
        ] {
            assert_eq!(text.parse::<Gtid>().unwrap().to_string(), text);
        }
        let upper: Gtid = format!("{UUID}:TAG:7").parse().unwrap();
        assert_eq!(upper.tag.as_str(), "tag");
        for bad in [
            "",
            ":0",
            ":9223372036854775807",
            ":1-2",
            ":1tag:1",
            ":t:1:2",
            ":+1",
            ":",
        ] {
            assert!(format!("{UUID}{bad}").parse::<Gtid>().is_err(), "{bad:?}");
        }
        assert!("a".repeat(33).parse::<Tag>().is_err());
        assert_eq!("a".repeat(32).parse::<Tag>().unwrap().as_str().len(), 32);
    }

    #[test]
    fn mariadb_gtids() {
        assert_eq!(
            "0-1-270".parse::<MariaDbGtid>().unwrap().to_string(),
            "0-1-270"
        );
        for bad in [
            "",
            "0-1",
            "0-1-2-3",
            "0-1-x",
            "0--1",
            "4294967296-1-1",
            "0-+1-1",
        ] {
            assert!(bad.parse::<MariaDbGtid>().is_err(), "{bad:?}");
        }
    }
}
