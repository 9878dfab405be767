use crate::{Checksum, Error, EventHeader, EventType, FormatDescription, RawEvent, Result};

/// Takes events apart: checks length and checksum, and decodes bodies.
///
/// It follows one stream: each format description that passes through
/// [`raw`](Self::raw) sets how the events after it are read.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    format: Option<FormatDescription>,
    /// Of events before the first format description; `None` when it must be guessed.
    first_checksum: Option<Checksum>,
}

impl Decoder {
    /// A decoder at the start of a file or stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// A decoder at the start of a stream whose events before the first
    /// format description (a fake ROTATE, heartbeats) end in this way.
    pub fn with_first_checksum(checksum: Checksum) -> Self {
        Self {
            format: None,
            first_checksum: Some(checksum),
        }
    }

    /// The format description in force; `None` before the first one.
    pub fn format(&self) -> Option<&FormatDescription> {
        self.format.as_ref()
    }

    /// Frames one event: checks its length against its header and its checksum
    /// against its bytes, and cuts both off.
    ///
    /// The body is not looked at, save that of a format description, which
    /// takes force. Cheap: one pass over the bytes for the CRC32.
    pub fn raw<'a>(&mut self, event: &'a [u8]) -> Result<RawEvent<'a>> {
        let raw = frame(event)?;
        if raw.header.event_type == EventType::FORMAT_DESCRIPTION {
            return self.format_description(event, raw);
        }
        let checksum = match (&self.format, self.first_checksum) {
            (Some(format), _) => format.checksum,
            (None, Some(checksum)) => checksum,
            // A stream begins with a fake ROTATE, before it says whether
            // there are checksums. One that matches is no accident.
            (None, None) => match cut_checksum(raw) {
                Ok((cut, stored)) if stored == computed(event) => return Ok(cut),
                _ => Checksum::None,
            },
        };
        match checksum {
            Checksum::None => Ok(raw),
            Checksum::Crc32 => {
                let (raw, stored) = cut_checksum(raw)?;
                compare(&raw, stored, computed(event))?;
                Ok(raw)
            }
        }
    }

    fn format_description<'a>(&mut self, event: &[u8], raw: RawEvent<'a>) -> Result<RawEvent<'a>> {
        let (raw, stored) = if FormatDescription::body_is_checksum_aware(raw.body) {
            let (raw, stored) = cut_checksum(raw)?;
            (raw, Some(stored))
        } else {
            (raw, None)
        };
        let format = FormatDescription::parse(&raw)?;
        match (stored, format.checksum) {
            (Some(stored), Checksum::Crc32) => {
                compare(&raw, stored, computed_of_format_description(event, None))?;
            }
            // Where the algorithm is "none" the field is there but may be stale: a dumping server
            // changes the event and leaves it. Unless it is right for the other algorithm, whose
            // mark was damaged then.
            (Some(stored), Checksum::None)
                if stored == computed_of_format_description(event, Some(Checksum::Crc32)) =>
            {
                return Err(raw.reader().malformed("the checksum algorithm is damaged"));
            }
            _ => {}
        }
        self.format = Some(format);
        Ok(raw)
    }

    /// Frames one event out of a compressed transaction, which ends without a checksum.
    pub fn raw_nested<'a>(&self, event: &'a [u8]) -> Result<RawEvent<'a>> {
        let raw = frame(event)?;
        match raw.header.event_type {
            EventType::FORMAT_DESCRIPTION | EventType::TRANSACTION_PAYLOAD | EventType::ROTATE => {
                Err(raw
                    .reader()
                    .malformed("such an event cannot lie in a compressed transaction"))
            }
            _ => Ok(raw),
        }
    }

    /// The format description in force, or the error that there is none.
    pub(crate) fn format_for(&self, raw: &RawEvent<'_>) -> Result<&FormatDescription> {
        self.format.as_ref().ok_or_else(|| {
            raw.reader()
                .malformed("no format description came before the event")
        })
    }
}

fn frame(event: &[u8]) -> Result<RawEvent<'_>> {
    let header = EventHeader::parse(event)?;
    let body = event.get(EventHeader::LEN..).unwrap_or_default();
    if header.event_size as usize != event.len() {
        return Err(Error::Malformed {
            event_type: header.event_type,
            offset: event.len(),
            reason: "the event's size in its header differs from the bytes there are",
        });
    }
    Ok(RawEvent { header, body })
}

/// The event without its last four bytes, and these as a number.
fn cut_checksum(raw: RawEvent<'_>) -> Result<(RawEvent<'_>, u32)> {
    match raw.body.split_last_chunk() {
        Some((body, stored)) => Ok((RawEvent { body, ..raw }, u32::from_le_bytes(*stored))),
        None => Err(raw.reader().malformed("the event ends inside its checksum")),
    }
}

fn computed(event: &[u8]) -> u32 {
    let end = event.len().saturating_sub(Checksum::LEN);
    crc32fast::hash(event.get(..end).unwrap_or_default())
}

/// The server sets the "in use" flag of an open file's first event after it computed the checksum,
/// so that the flag counts as unset. `algorithm` takes the place of the event's own mark.
fn computed_of_format_description(event: &[u8], algorithm: Option<Checksum>) -> u32 {
    const FLAGS_AT: usize = 17;
    let mark_at = event.len().saturating_sub(Checksum::LEN + 1);
    let byte = |at: usize| event.get(at).copied().unwrap_or_default();
    let mut crc = crc32fast::Hasher::new();
    crc.update(event.get(..FLAGS_AT).unwrap_or_default());
    crc.update(&[byte(FLAGS_AT) & !(EventHeader::IN_USE as u8)]);
    crc.update(event.get(FLAGS_AT + 1..mark_at).unwrap_or_default());
    crc.update(&[match algorithm {
        None => byte(mark_at),
        Some(Checksum::None) => 0,
        Some(Checksum::Crc32) => 1,
    }]);
    crc.finalize()
}

fn compare(raw: &RawEvent<'_>, stored: u32, computed: u32) -> Result<()> {
    if stored == computed {
        return Ok(());
    }
    Err(Error::Checksum {
        event_type: raw.header.event_type,
        stored,
        computed,
    })
}

impl Decoder {
    /// A decoder of logs without checksums, so that a fuzzer gets past them.
    pub(crate) fn for_fuzzing() -> Self {
        Self {
            format: crate::fuzz::format(),
            first_checksum: None,
        }
    }
}
