//! MySQL binary log: bytes to events to rows, borrowed from the buffer.

mod decoder;
mod error;
mod event;
mod event_type;
mod format;
mod gtid;
mod gtid_set;
mod header;
mod position;
mod reader;

pub use decoder::Decoder;
pub use error::{Error, Result};
pub use event::RawEvent;
pub use event_type::EventType;
pub use format::{Checksum, FormatDescription};
pub use gtid::{Gtid, MariaDbGtid, Tag, Uuid};
pub use gtid_set::{GtidSet, Interval};
pub use header::EventHeader;
pub use position::{LogFile, Position, StartPoint};
pub use reader::Reader;
