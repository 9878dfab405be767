use crate::{EventHeader, EventType, Heartbeat, LogFile, Position, RawEvent, Result, Rotate};

/// Keeps the true offset in the file while events go by.
///
/// `log_pos` has 32 bits, and a file that holds one huge transaction is
/// larger. So the offset is the sum of the events' sizes, and `log_pos` checks it.
#[derive(Clone, Debug)]
pub(crate) struct Offsets {
    pub(crate) file: LogFile,
    pub(crate) offset: u64,
    mode: Mode,
}

/// What `log_pos` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A file: every event is there. A relay log keeps the positions of
    /// another file, so that they tell nothing here.
    File { relay_log: bool },
    /// A server's stream from a position: no event is left out.
    Dump,
    /// A server's stream by GTIDs: those that the reader has are left out.
    DumpWithGaps,
}

impl Offsets {
    pub(crate) fn new(position: Position, mode: Mode) -> Self {
        Self {
            file: position.file,
            offset: position.offset,
            mode,
        }
    }

    /// Goes over to the next file.
    pub(crate) fn start_file(&mut self, file: LogFile) {
        self.file = file;
        self.offset = Position::FIRST_OFFSET;
        self.mode = Mode::File { relay_log: false };
    }

    pub(crate) fn position(&self) -> Position {
        Position::new(self.file.clone(), self.offset)
    }

    /// Takes note of an event of `size` bytes; true if it is in the file.
    pub(crate) fn advance(&mut self, raw: &RawEvent<'_>, size: usize) -> Result<bool> {
        let header = &raw.header;
        let expected = self.offset + size as u64;
        if let Mode::File { relay_log } = &mut self.mode {
            *relay_log |= header.has(EventHeader::RELAY_LOG);
            let foreign = *relay_log || header.has(EventHeader::ARTIFICIAL) || header.log_pos == 0;
            if !foreign && header.log_pos != expected as u32 {
                return Err(raw
                    .reader()
                    .malformed("log_pos is not the event's end in the file"));
            }
            self.offset = expected;
            return Ok(true);
        }
        match header.event_type {
            EventType::ROTATE => {
                let rotate = Rotate::parse(raw)?;
                if rotate.is_fake {
                    let name = std::str::from_utf8(rotate.file)
                        .map_err(|_| raw.reader().malformed("the file's name is not UTF-8"))?;
                    if self.file.as_str() != name {
                        self.file = LogFile::new(name);
                    }
                    self.offset = rotate.offset;
                    return Ok(false);
                }
            }
            EventType::HEARTBEAT | EventType::HEARTBEAT_V2 => {
                let heartbeat = Heartbeat::parse(raw)?;
                // It may stand after events that were left out.
                if self.mode == Mode::DumpWithGaps
                    && heartbeat.file == self.file.as_str().as_bytes()
                {
                    self.offset = match heartbeat.offset_is_exact {
                        true => self.offset.max(heartbeat.offset),
                        false => next_with_low_bits(self.offset, heartbeat.offset as u32),
                    };
                }
                return Ok(false);
            }
            _ => {}
        }
        // A stream from the middle of a file repeats its format description, with no position.
        if header.has(EventHeader::ARTIFICIAL) || header.log_pos == 0 {
            return Ok(false);
        }
        if self.mode == Mode::Dump && header.log_pos != expected as u32 {
            return Err(raw
                .reader()
                .malformed("log_pos does not follow from the events before"));
        }
        self.offset = next_with_low_bits(expected, header.log_pos);
        Ok(true)
    }
}

/// The smallest number from `at_least` on whose low 32 bits are these.
fn next_with_low_bits(at_least: u64, low: u32) -> u64 {
    at_least + u64::from(low.wrapping_sub(at_least as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EventType, log_pos: u32, flags: u16) -> EventHeader {
        EventHeader {
            timestamp: 1,
            event_type: kind,
            server_id: 1,
            event_size: 100,
            log_pos,
            flags,
        }
    }

    fn start(offset: u64, mode: Mode) -> Offsets {
        Offsets::new(Position::new(LogFile::new("binlog.000001"), offset), mode)
    }

    #[test]
    fn low_bits() {
        let table = [
            (4, 4, 4),
            (4, 5, 5),
            (0xffff_fff0, 4, 0x1_0000_0004),
            (0x1_0000_0004, 4, 0x1_0000_0004),
            (0x1_0000_0005, 4, 0x2_0000_0004),
        ];
        for (at_least, low, expected) in table {
            assert_eq!(next_with_low_bits(at_least, low), expected);
        }
    }

    #[test]
    fn offsets_go_beyond_32_bits() {
        for mode in [
            Mode::Dump,
            Mode::DumpWithGaps,
            Mode::File { relay_log: false },
        ] {
            let mut offsets = start(0xffff_fff0, mode);
            let header = event(EventType::TABLE_MAP, 84, 0);
            assert!(
                offsets
                    .advance(&RawEvent { header, body: &[] }, 100)
                    .unwrap()
            );
            assert_eq!(offsets.offset, 0x1_0000_0054);
        }
    }

    #[test]
    fn a_gap_is_an_error_unless_events_may_be_left_out() {
        let raw = RawEvent {
            header: event(EventType::XID, 1000, 0),
            body: &[],
        };
        assert!(start(4, Mode::Dump).advance(&raw, 100).is_err());
        assert!(
            start(4, Mode::File { relay_log: false })
                .advance(&raw, 100)
                .is_err()
        );
        assert!(
            start(4, Mode::File { relay_log: true })
                .advance(&raw, 100)
                .is_ok()
        );
        let mut offsets = start(4, Mode::DumpWithGaps);
        assert!(offsets.advance(&raw, 100).unwrap());
        assert_eq!(offsets.offset, 1000);
    }

    #[test]
    fn events_in_no_file_leave_the_offset() {
        let mut body = 4_u64.to_le_bytes().to_vec();
        body.extend(b"binlog.000002");
        let cases = [
            (event(EventType::FORMAT_DESCRIPTION, 0, 0), &[][..], 500),
            (event(EventType::HEARTBEAT, 500, 0), b"binlog.000001", 500),
            (
                event(EventType::ROTATE, 0, EventHeader::ARTIFICIAL),
                &body,
                4,
            ),
        ];
        for (header, body, expected) in cases {
            let mut offsets = start(500, Mode::Dump);
            assert!(!offsets.advance(&RawEvent { header, body }, 100).unwrap());
            assert_eq!(offsets.offset, expected, "{header:?}");
        }
    }

    #[test]
    fn a_heartbeat_stands_after_events_left_out() {
        let mut v2 = vec![1, 13];
        v2.extend(b"binlog.000001");
        v2.extend([2, 9, 254]);
        v2.extend(0x2_0000_0000_u64.to_le_bytes());
        v2.push(0);
        let cases = [
            (EventType::HEARTBEAT, 900, b"binlog.000001".to_vec(), 900),
            (EventType::HEARTBEAT, 900, b"binlog.000002".to_vec(), 500),
            (EventType::HEARTBEAT_V2, 0, v2, 0x2_0000_0000),
        ];
        for (kind, log_pos, body, expected) in cases {
            let mut offsets = start(500, Mode::DumpWithGaps);
            let raw = RawEvent {
                header: event(kind, log_pos, 0),
                body: &body,
            };
            assert!(!offsets.advance(&raw, 100).unwrap());
            assert_eq!(offsets.offset, expected);
        }
    }
}
