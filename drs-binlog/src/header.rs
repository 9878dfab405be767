use crate::{Error, EventType, Result};

/// The header that every event begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventHeader {
    /// When the statement began at its first server, in seconds since 1970.
    pub timestamp: u32,
    /// What the event is.
    pub event_type: EventType,
    /// The server that first wrote the event.
    pub server_id: u32,
    /// Bytes of the whole event: header, body and checksum.
    pub event_size: u32,
    /// The offset of the event's end in its file, modulo 2^32; 0 when the
    /// event lies in no file, or in one compressed transaction.
    pub log_pos: u32,
    /// The `LOG_EVENT_*_F` bits.
    pub flags: u16,
}

impl EventHeader {
    /// Bytes of a header (binlog version 4: MySQL 5.0 and later).
    pub const LEN: usize = 19;

    /// `LOG_EVENT_BINLOG_IN_USE_F`: the file was not closed (in its first event only).
    pub const IN_USE: u16 = 0x1;
    /// `LOG_EVENT_THREAD_SPECIFIC_F`: the statement used temporary tables.
    pub const THREAD_SPECIFIC: u16 = 0x4;
    /// `LOG_EVENT_SUPPRESS_USE_F`: the statement needs no default database.
    pub const SUPPRESS_USE: u16 = 0x8;
    /// `LOG_EVENT_ARTIFICIAL_F`: made up for the stream; it is in no file.
    pub const ARTIFICIAL: u16 = 0x20;
    /// `LOG_EVENT_RELAY_LOG_F`: made by a replica for its relay log.
    pub const RELAY_LOG: u16 = 0x40;
    /// `LOG_EVENT_IGNORABLE_F`: a reader that does not know the type may skip the event.
    pub const IGNORABLE: u16 = 0x80;
    /// `LOG_EVENT_NO_FILTER_F`: replication filters do not apply.
    pub const NO_FILTER: u16 = 0x100;
    /// `LOG_EVENT_MTS_ISOLATE_F`: to be applied alone.
    pub const MTS_ISOLATE: u16 = 0x200;

    /// Reads the header at the start of `bytes`, which may be longer.
    ///
    /// Fails when `bytes` is too short or the size in it is smaller than a header.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let Some(
            &[
                t0,
                t1,
                t2,
                t3,
                kind,
                s0,
                s1,
                s2,
                s3,
                e0,
                e1,
                e2,
                e3,
                p0,
                p1,
                p2,
                p3,
                f0,
                f1,
            ],
        ) = bytes.first_chunk::<{ Self::LEN }>()
        else {
            return Err(Error::Malformed {
                event_type: EventType::UNKNOWN,
                offset: bytes.len(),
                reason: "the event ends inside its header",
            });
        };
        let header = Self {
            timestamp: u32::from_le_bytes([t0, t1, t2, t3]),
            event_type: EventType(kind),
            server_id: u32::from_le_bytes([s0, s1, s2, s3]),
            event_size: u32::from_le_bytes([e0, e1, e2, e3]),
            log_pos: u32::from_le_bytes([p0, p1, p2, p3]),
            flags: u16::from_le_bytes([f0, f1]),
        };
        if (header.event_size as usize) < Self::LEN {
            return Err(Error::Malformed {
                event_type: header.event_type,
                offset: 9,
                reason: "the event's size is smaller than its header",
            });
        }
        Ok(header)
    }

    /// The header's bytes, as they are in a log.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let fields: [&[u8]; 6] = [
            &self.timestamp.to_le_bytes(),
            &[self.event_type.0],
            &self.server_id.to_le_bytes(),
            &self.event_size.to_le_bytes(),
            &self.log_pos.to_le_bytes(),
            &self.flags.to_le_bytes(),
        ];
        for (to, from) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    /// True when the bit (one of this type's constants) is set.
    pub fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// True when a reader that does not know the type may skip the event.
    pub fn is_ignorable(&self) -> bool {
        self.has(Self::IGNORABLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let header = EventHeader {
            timestamp: 0x0102_0304,
            event_type: EventType::XID,
            server_id: 0x1122_3344,
            event_size: 31,
            log_pos: 0xffff_fff0,
            flags: EventHeader::IGNORABLE | EventHeader::ARTIFICIAL,
        };
        assert_eq!(EventHeader::parse(&header.to_bytes()).unwrap(), header);
        assert!(header.is_ignorable());
    }

    #[test]
    fn refused() {
        assert!(EventHeader::parse(&[0; 18]).is_err());
        // Size 0 in an otherwise whole header.
        assert!(EventHeader::parse(&[0; 19]).is_err());
    }
}
