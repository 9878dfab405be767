use std::fmt;

use crate::{Decoder, LogFile, Position, RawEvent, Result};

/// Where the events of one source's binary log come from: a server, files, a fixture.
///
/// - *Order and duplicates*: the events come in the log's order, each once,
///   from the start point on.
/// - *Checks*: each is framed, and its checksum verified. Its offset in the
///   file follows from the events before it.
/// - *End*: `None` means that there is no more now: after the last file, or at
///   the log's end where the source was asked not to wait. A source that waits
///   gives heartbeats meanwhile, so that the caller can notice a stop request.
/// - *Errors* are final: after one, make a new source at [`position`](Self::position).
///   Nothing is durable here; what has been applied is the caller's to know.
pub trait EventSource {
    /// The next event, valid until the next call.
    fn next_event(&mut self) -> Result<Option<SourceEvent<'_>>>;

    /// Where the last event ended, and with that where the next one begins:
    /// the place to name when `next_event` fails.
    fn position(&self) -> Position;
}

/// An event and where it lies.
#[derive(Clone, Copy)]
pub struct SourceEvent<'a> {
    /// The event, framed.
    pub raw: RawEvent<'a>,
    /// All its bytes: header, body and checksum.
    pub bytes: &'a [u8],
    /// The file that the stream is in after this event (a fake ROTATE goes
    /// over to the next one, a real one does not).
    pub file: &'a LogFile,
    /// The true 64-bit offset in the file after this event.
    pub end_offset: u64,
    /// False for an event that is in no file: heartbeats, and what a server
    /// makes up at the start of a stream or file.
    pub in_file: bool,
    /// The decoder with the format description that the event follows.
    pub decoder: &'a Decoder,
}

impl fmt::Debug for SourceEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceEvent")
            .field("raw", &self.raw)
            .field("end", &self.end())
            .field("in_file", &self.in_file)
            .finish_non_exhaustive()
    }
}

impl SourceEvent<'_> {
    /// The stream's position after this event.
    pub fn end(&self) -> Position {
        Position::new(self.file.clone(), self.end_offset)
    }

    /// The offset at which the event begins, if it is in a file.
    pub fn start_offset(&self) -> Option<u64> {
        self.in_file
            .then(|| self.end_offset.saturating_sub(self.bytes.len() as u64))
    }
}
