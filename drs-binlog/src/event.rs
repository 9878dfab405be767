use crate::{EventHeader, Reader};

/// One event as it lies in the log: its header, and its body without the checksum.
///
/// [`Decoder::raw`](crate::Decoder::raw) makes it, and has verified the
/// checksum; [`Decoder::decode`](crate::Decoder::decode) gives the body a meaning.
#[derive(Clone, Copy, Debug)]
pub struct RawEvent<'a> {
    /// The header.
    pub header: EventHeader,
    /// The bytes after the header, the checksum cut off.
    pub body: &'a [u8],
}

impl<'a> RawEvent<'a> {
    /// A reader of the body, whose offsets count from the event's start.
    pub fn reader(&self) -> Reader<'a> {
        Reader::new(self.body, EventHeader::LEN, self.header.event_type)
    }
}
