//! Logs built by the format's rules, for what a server can't easily be made to log.
use drs_binlog::{EventHeader, EventType};

/// A log as a file has it, with a CRC32 after each event.
pub(crate) struct Log {
    pub(crate) bytes: Vec<u8>,
    /// Where the events are.
    pub(crate) events: Vec<std::ops::Range<usize>>,
}

impl Log {
    /// A file of MySQL 9.7 with its format description.
    pub(crate) fn new() -> Self {
        let mut log = Self {
            bytes: vec![0xfe, b'b', b'i', b'n'],
            events: Vec::new(),
        };
        log.push(
            EventType::FORMAT_DESCRIPTION,
            0,
            &format_description("9.7.0", 42, Some(1)),
        );
        log
    }

    pub(crate) fn push(&mut self, kind: EventType, flags: u16, body: &[u8]) -> &mut Self {
        let start = self.bytes.len();
        let size = EventHeader::LEN + body.len() + 4;
        self.bytes
            .extend(header(kind, flags, size, start + size).to_bytes());
        self.bytes.extend(body);
        let crc = crc32fast::hash(&self.bytes[start..]);
        self.bytes.extend(crc.to_le_bytes());
        self.events.push(start..self.bytes.len());
        self
    }

    /// The last event's bytes.
    pub(crate) fn last(&self) -> &[u8] {
        &self.bytes[self.events.last().unwrap().clone()]
    }
}

/// An event without a checksum, as a compressed transaction has them.
pub(crate) fn nested(kind: EventType, body: &[u8]) -> Vec<u8> {
    let mut bytes = header(kind, 0, EventHeader::LEN + body.len(), 0)
        .to_bytes()
        .to_vec();
    bytes.extend(body);
    bytes
}

fn header(event_type: EventType, flags: u16, size: usize, end: usize) -> EventHeader {
    let (event_size, log_pos) = (size as u32, end as u32);
    EventHeader {
        timestamp: 1_700_000_000,
        event_type,
        server_id: 1,
        event_size,
        log_pos,
        flags,
    }
}

pub(crate) fn format_description(version: &str, types: usize, algorithm: Option<u8>) -> Vec<u8> {
    let mut body = 4_u16.to_le_bytes().to_vec();
    body.extend(version.as_bytes());
    body.resize(52, 0);
    body.extend(0_u32.to_le_bytes());
    body.push(19);
    let mut lens = vec![0; types];
    for (kind, len) in [
        (EventType::TABLE_MAP, 8),
        (EventType::WRITE_ROWS, 10),
        (EventType::QUERY, 13),
    ] {
        if let Some(entry) = lens.get_mut(usize::from(kind.0) - 1) {
            *entry = len;
        }
    }
    body.extend(lens);
    body.extend(algorithm);
    body
}

/// A QUERY event's body without status variables.
pub(crate) fn query(text: &str) -> Vec<u8> {
    query_with(&[], text)
}

pub(crate) fn query_with(status: &[u8], text: &str) -> Vec<u8> {
    let mut body = 7_u32.to_le_bytes().to_vec();
    body.extend(1_u32.to_le_bytes());
    body.push(2);
    body.extend(0_u16.to_le_bytes());
    body.extend((status.len() as u16).to_le_bytes());
    body.extend(status);
    body.extend(b"db\0");
    body.extend(text.as_bytes());
    body
}

/// The parts one after another.
pub(crate) fn concat(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}
