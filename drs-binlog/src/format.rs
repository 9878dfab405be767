use crate::{EventHeader, EventType, RawEvent, Result};

/// How each event of a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// With nothing: `binlog_checksum=NONE`, or a server that knows no checksums.
    None,
    /// With the CRC32 of all bytes before it.
    Crc32,
}

impl Checksum {
    /// Bytes of a checksum.
    pub const LEN: usize = 4;
}

/// The first event of every file: how the events after it are laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormatDescription {
    /// The server's version, for instance `8.4.3` or `10.11.6-MariaDB-log`.
    pub server_version: String,
    /// When the server started, in seconds since 1970; 0 unless the file is
    /// the first one after a start.
    pub created: u32,
    /// How the events of the file end.
    pub checksum: Checksum,
    /// True when the file was not closed when this was read.
    pub in_use: bool,
    /// True for the relay log of a replica, where events keep the positions of the source's log.
    pub relay_log: bool,
    /// By type, from 1 on, the bytes of the fixed part of an event's body.
    post_header_lens: Vec<u8>,
}

impl FormatDescription {
    /// Reads the event; fails for binlog versions other than 4 (MySQL 5.0 and later).
    pub fn parse(raw: &RawEvent<'_>) -> Result<Self> {
        let mut r = raw.reader();
        if r.u16()? != 4 {
            return Err(r.malformed("the binlog version is not 4 (MySQL 5.0 and later)"));
        }
        let version: [u8; 50] = r.take_array()?;
        let version = version.split(|b| *b == 0).next().unwrap_or_default();
        let server_version = String::from_utf8_lossy(version).into_owned();
        let created = r.u32()?;
        if usize::from(r.u8()?) != EventHeader::LEN {
            return Err(r.malformed("the header's length is not 19"));
        }
        let checksum_aware = checksum_aware(&server_version);
        let count = match r.remaining().checked_sub(usize::from(checksum_aware)) {
            // Servers without checksums know no type after HEARTBEAT (MySQL 5.5). A longer list
            // shows a damaged version, which would keep the checksums from being verified.
            Some(count) if !checksum_aware && count > usize::from(EventType::IGNORABLE.0) => {
                return Err(
                    r.malformed("the list of lengths is longer than the server's version allows")
                );
            }
            Some(count) if count >= usize::from(EventType::FORMAT_DESCRIPTION.0) => count,
            _ => return Err(r.malformed("the event ends inside its list of lengths")),
        };
        let post_header_lens = r.take(count)?.to_vec();
        let checksum = match checksum_aware.then(|| r.u8()).transpose()? {
            None | Some(0) => Checksum::None,
            Some(1) => Checksum::Crc32,
            Some(_) => return Err(r.malformed("the checksum algorithm is not known")),
        };
        r.finish()?;
        Ok(Self {
            server_version,
            created,
            checksum,
            in_use: raw.header.has(EventHeader::IN_USE),
            relay_log: raw.header.has(EventHeader::RELAY_LOG),
            post_header_lens,
        })
    }

    /// The body of an event that [`parse`](Self::parse) reads back: so that events can be kept
    /// together with what they are read by. The header's marks are not in it.
    pub fn to_body(&self) -> Vec<u8> {
        let mut body = 4_u16.to_le_bytes().to_vec();
        let version = self.server_version.as_bytes();
        body.extend(version.iter().take(50));
        body.resize(52, 0);
        body.extend(self.created.to_le_bytes());
        body.push(EventHeader::LEN as u8);
        body.extend(&self.post_header_lens);
        if checksum_aware(&self.server_version) {
            body.push(u8::from(self.checksum == Checksum::Crc32));
        }
        body
    }

    /// Bytes of the fixed part of the body of events of this type; `None` if
    /// the server did not know the type.
    pub fn post_header_len(&self, event_type: EventType) -> Option<usize> {
        let at = usize::from(event_type.0).checked_sub(1)?;
        self.post_header_lens.get(at).map(|len| usize::from(*len))
    }

    /// True when MariaDB wrote the file.
    pub fn is_mariadb(&self) -> bool {
        self.server_version.contains("MariaDB")
    }

    /// The server's version as numbers: `8.0.36-log` is `(8, 0, 36)`.
    pub fn version(&self) -> (u32, u32, u32) {
        version_numbers(&self.server_version)
    }

    /// Whether the event with this body (not parsed yet) ends with a checksum.
    ///
    /// Whatever the file's other events do, that of a server that knows
    /// checksums (MySQL 5.6.1, MariaDB 5.3) always has room for one.
    pub(crate) fn body_is_checksum_aware(body: &[u8]) -> bool {
        let version = body.get(2..52).unwrap_or_default();
        let version = version.split(|b| *b == 0).next().unwrap_or_default();
        checksum_aware(&String::from_utf8_lossy(version))
    }
}

fn checksum_aware(server_version: &str) -> bool {
    let since = if server_version.contains("MariaDB") {
        (5, 3, 0)
    } else {
        (5, 6, 1)
    };
    version_numbers(server_version) >= since
}

fn version_numbers(text: &str) -> (u32, u32, u32) {
    let mut parts = text.splitn(3, '.').map(|part| {
        let digits = part.bytes().take_while(u8::is_ascii_digit);
        digits.fold(0_u32, |n, b| {
            n.saturating_mul(10).saturating_add(u32::from(b - b'0'))
        })
    });
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let table = [
            ("5.5.62-log", (5, 5, 62), false),
            ("5.6.0", (5, 6, 0), false),
            ("5.6.24-log", (5, 6, 24), true),
            ("9.7.0", (9, 7, 0), true),
            ("10.11.6-MariaDB-0+deb12u1-log", (10, 11, 6), true),
            ("5.5.64-MariaDB", (5, 5, 64), true),
            ("", (0, 0, 0), false),
            ("99999999999.1", (u32::MAX, 1, 0), true),
        ];
        for (text, numbers, aware) in table {
            assert_eq!(version_numbers(text), numbers, "{text}");
            assert_eq!(checksum_aware(text), aware, "{text}");
        }
    }
}
