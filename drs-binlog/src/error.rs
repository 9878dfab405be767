use crate::EventType;

/// Why a binary log could not be read or decoded.
///
/// Offsets are in bytes from the start of the event (its header included)
/// unless the variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes of one event do not follow the format.
    #[error("malformed {event_type} at offset {offset} of the event: {reason}")]
    Malformed {
        /// The event's type, or [`EventType::UNKNOWN`] when its header could not be read.
        event_type: EventType,
        /// Where in the event, in bytes.
        offset: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// The event's CRC32 differs from the one computed over its bytes.
    #[error(
        "checksum of {event_type} does not match: stored {stored:#010x}, computed {computed:#010x}"
    )]
    Checksum {
        /// The event's type.
        event_type: EventType,
        /// The CRC32 at the event's end.
        stored: u32,
        /// The CRC32 of the bytes before it.
        computed: u32,
    },
    /// An event of a type this crate does not know, without the flag that lets a reader skip it.
    #[error("unknown event type {event_type} without the ignorable flag")]
    UnknownEvent {
        /// The event's type.
        event_type: EventType,
    },
    /// An event, or what it unpacks to, is larger than the reader's limit.
    #[error("{event_type} of {bytes} bytes is over the limit of {bytes_max} bytes")]
    TooLarge {
        /// The event's type.
        event_type: EventType,
        /// Its size in bytes.
        bytes: u64,
        /// The limit in bytes.
        bytes_max: u64,
    },
    /// A compressed transaction could not be unpacked.
    #[error("cannot decompress the transaction payload: {0}")]
    Decompress(#[source] std::io::Error),
    /// A text that should be a position, a GTID, a GTID set or a start point is none.
    #[error("{what} {text:?} is not valid: {reason}")]
    Parse {
        /// What it should have been, for instance `"GTID set"`.
        what: &'static str,
        /// The text (cut to 200 bytes).
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The log's file is not a binary log.
    #[error("not a binary log: {0}")]
    NotABinlog(&'static str),
    /// Reading the file or the connection failed.
    #[error("reading the binary log failed: {0}")]
    Io(#[from] std::io::Error),
    /// The source server refused or ended the stream.
    #[error("the source server answered error {code}: {message}")]
    Server {
        /// MySQL's error number, for instance 1236.
        code: u16,
        /// The server's text.
        message: String,
    },
    /// The connection to the source server failed.
    #[error("connection to the source failed: {0}")]
    Connection(String),
}

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An [`Error::Parse`] that quotes at most 200 bytes of the text.
    pub(crate) fn parse(what: &'static str, text: &str, reason: &'static str) -> Self {
        let end = (0..=200)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        let text = text
            .get(..end.min(text.len()))
            .unwrap_or_default()
            .to_owned();
        Self::Parse { what, text, reason }
    }
}
