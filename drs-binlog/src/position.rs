use std::{cmp::Ordering, fmt, str::FromStr, sync::Arc};

use crate::{Error, GtidSet, Result};

/// The name of a binary log file, without a folder: `mysql-bin.014734`.
///
/// Cheap to clone. Ordered by the number at its end, as the server counts
/// (`binlog.1000000` comes after `binlog.999999`), then by the whole name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LogFile(Arc<str>);

impl LogFile {
    /// A file of this name; any text will do, also the empty one for "not known yet".
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name before the last dot.
    pub fn base(&self) -> &str {
        self.0.rsplit_once('.').map_or(&self.0, |(base, _)| base)
    }

    /// The number after the last dot, if there is one.
    pub fn number(&self) -> Option<u64> {
        let (_, digits) = self.0.rsplit_once('.')?;
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse().ok())?
    }
}

impl FromStr for LogFile {
    type Err = Error;

    /// Accepts what a server can have named a binary log: `base.number`, no folder.
    fn from_str(text: &str) -> Result<Self> {
        let file = Self::new(text);
        let reason = if text.len() > 255 {
            "a log file's name has at most 255 bytes"
        } else if text.contains(['/', '\\']) || text.contains(char::is_control) {
            "a log file's name holds no folder and no control characters"
        } else if file.number().is_none() || file.base().is_empty() {
            "a log file's name ends with a dot and a number, as in mysql-bin.000001"
        } else {
            return Ok(file);
        };
        Err(Error::parse("log file", text, reason))
    }
}

impl Ord for LogFile {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number()
            .cmp(&other.number())
            .then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for LogFile {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place in a source's binary log: `mysql-bin.014734:8937`.
///
/// Ordered as the log was written. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The file.
    pub file: LogFile,
    /// Bytes from the file's start, the true 64-bit offset.
    pub offset: u64,
}

impl Position {
    /// The offset of the first event in a file, after the magic number.
    pub const FIRST_OFFSET: u64 = 4;

    /// The place `offset` bytes into `file`.
    pub fn new(file: LogFile, offset: u64) -> Self {
        Self { file, offset }
    }
}

impl FromStr for Position {
    type Err = Error;

    /// Accepts `file:offset` with any spacing; the offset is 4 or more, as the server demands.
    fn from_str(text: &str) -> Result<Self> {
        let fail = |reason| Error::parse("position", text, reason);
        let (file, offset) = text
            .split_once(':')
            .ok_or_else(|| fail("it has the form file:offset"))?;
        let file: LogFile = file.trim().parse()?;
        let offset = offset.trim();
        if offset.is_empty() || !offset.bytes().all(|b| b.is_ascii_digit()) {
            return Err(fail("the offset after the colon is a number"));
        }
        let offset = offset
            .parse()
            .map_err(|_| fail("the offset is too large"))?;
        if offset < Self::FIRST_OFFSET {
            return Err(fail("the first event of a file is at offset 4"));
        }
        Ok(Self { file, offset })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.offset)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where an incremental task begins: a position, and with GTIDs the set executed by then.
///
/// Its text is `file:offset` or `file:offset;gtid_set`, for instance
/// `mysql-bin.014734:8937;ea352a82-e9a0-11ea-b650-fa163e1e82ed:1-23377228, 8404bb4b-cc96-11ea-ae7f-fa163ead1b99:1-59684135`.
/// A `.` is read like the `;`, and spaces and line breaks may stand around every part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartPoint {
    /// The position.
    pub position: Position,
    /// The GTIDs executed at that position; `None` where the source has none.
    pub gtid_set: Option<GtidSet>,
}

impl FromStr for StartPoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // The offset is the digits after the first colon; a file's name has no colon.
        let after_colon = text.find(':').map_or(text.len(), |at| at + 1);
        let (file, rest) = text.split_at_checked(after_colon).unwrap_or((text, ""));
        let digits = rest.len() - rest.trim_start().len();
        let end = rest
            .char_indices()
            .find(|(at, c)| *at >= digits && !c.is_ascii_digit())
            .map_or(rest.len(), |(at, _)| at);
        let (offset, set) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let position = format!("{}{}", file.trim(), offset.trim()).parse()?;
        let set = set.trim();
        if set.is_empty() {
            return Ok(Self {
                position,
                gtid_set: None,
            });
        }
        let Some(set) = set.strip_prefix([';', '.']) else {
            return Err(Error::parse(
                "start point",
                text,
                "a GTID set follows the position after a semicolon",
            ));
        };
        let set: GtidSet = set.parse()?;
        // `file:offset;` says that the source has GTIDs, and that none was executed yet.
        Ok(Self {
            position,
            gtid_set: Some(set),
        })
    }
}

impl fmt::Display for StartPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.position)?;
        match &self.gtid_set {
            Some(set) => write!(f, ";{}", set.separated_by(", ")),
            None => Ok(()),
        }
    }
}

/// Reads `data` as a start point; what is valid prints and parses to itself.
pub fn fuzz_start_point(data: &[u8]) {
    let text = std::str::from_utf8(data).unwrap_or_default();
    if let Ok(point) = text.parse::<StartPoint>() {
        assert_eq!(point.to_string().parse().ok(), Some(point));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "ea352a82-e9a0-11ea-b650-fa163e1e82ed";
    const B: &str = "8404bb4b-cc96-11ea-ae7f-fa163ead1b99";

    #[test]
    fn positions_are_ordered_as_written() {
        let sorted = [
            "binlog.000001:4",
            "binlog.000001:5000000000",
            "binlog.000002:4",
            "binlog.999999:1000",
            "binlog.1000000:4",
        ];
        for pair in sorted.windows(2) {
            let [a, b] = pair else { unreachable!() };
            let (a, b): (Position, Position) = (a.parse().unwrap(), b.parse().unwrap());
            assert!(a < b, "{a} {b}");
        }
    }

    #[test]
    fn positions_are_refused() {
        let bad = [
            "",
            "binlog.000001",
            "binlog.000001:",
            "binlog.000001:3",
            "binlog.000001:+9",
            "binlog.000001:-9",
            "binlog.000001:4x",
            "binlog.000001:99999999999999999999",
            "binlog:8937",
            ".000001:4",
            "../binlog.000001:4",
            "binlog.+1:4",
        ];
        for text in bad {
            assert!(text.parse::<Position>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn start_points() {
        let canonical = format!("mysql-bin.014734:8937;{B}:1-59684135, {A}:1-23377228");
        let plain = "mysql-bin.014734:8937";
        let table = [
            (plain.to_string(), plain.to_string()),
            (format!(" {plain}\n"), plain.to_string()),
            (
                format!("{plain};{A}:1-23377228, {B}:1-59684135"),
                canonical.clone(),
            ),
            (
                format!("{plain}.{A}:1-23377228,{B}:1-59684135"),
                canonical.clone(),
            ),
            (
                format!("{plain} ; {A}:1-23377228 ,\n {B}:1-59684135"),
                canonical.clone(),
            ),
            (
                format!("mysql-bin.014734 : 8937. {A}:1-23377228,  {B}:1-59684135"),
                canonical,
            ),
            (format!("{plain};"), format!("{plain};")),
        ];
        for (text, expected) in table {
            let point: StartPoint = text.parse().unwrap();
            assert_eq!(point.to_string(), expected, "{text:?}");
            assert_eq!(point.to_string().parse::<StartPoint>().unwrap(), point);
        }
        for bad in [
            "",
            "x",
            "binlog.000001",
            &format!("{plain},{A}:1"),
            &format!("{plain};{A}"),
        ] {
            assert!(bad.parse::<StartPoint>().is_err(), "{bad:?}");
        }
    }
}
