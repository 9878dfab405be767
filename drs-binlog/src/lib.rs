//! MySQL binary log: bytes to events to rows, borrowed from the buffer.
//!
//! An [`EventSource`] gives the events of files ([`FileSource`]) or of a server (`DumpSource`, with the
//! feature `dump`), each framed, its CRC32 verified and its position known. A [`Decoder`] gives an
//! event's body a meaning ([`Event`]). A [`TransactionAssembler`] says where transactions begin and end.
//! A table map, compiled once ([`TableMap::compile`]), turns row events into row images whose values
//! borrow from the event's bytes.
//!
//! The logs of MySQL 5.6 to 9.7 and MariaDB are understood. Bytes are never trusted: whatever does not
//! follow the format is an [`Error`], and so is an event of an unknown type that is not marked as one to
//! skip. No input makes this crate panic, or allocate more than it holds.
//!
//! ```
//! use drs_binlog::{Event, EventSource, FileSource, Step, TransactionAssembler};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/log/mysql-9.7.000002");
//! let mut source = FileSource::open([path]);
//! let mut transactions = TransactionAssembler::new();
//! let (mut gtids, mut committed) = (Vec::new(), 0);
//! while let Some(event) = source.next_event()? {
//!     if let Event::Gtid(event) = event.decoder.decode(&event.raw)? {
//!         gtids.extend(event.gtid);
//!     }
//!     match transactions.step(&event.raw)? {
//!         Step::Ends(_) | Step::Whole(_) => committed += 1,
//!         Step::Unpack => {
//!             // Compressed: `TransactionPayload::events` unpacks it.
//!             transactions.skip_payload();
//!             committed += 1;
//!         }
//!         _ => {}
//!     }
//! }
//! assert_eq!(gtids.len(), committed);
//! # Ok::<(), drs_binlog::Error>(())
//! ```

mod bitmap;
mod column;
mod control;
mod decimal;
mod decoder;
#[cfg(feature = "dump")]
mod dump;
mod error;
mod event;
mod event_type;
mod file;
mod format;
mod group_replication;
mod gtid;
mod gtid_event;
mod gtid_set;
mod header;
mod hidden;
mod inflate;
mod json;
mod json_diff;
mod load_data;
mod mariadb;
mod offsets;
mod payload;
mod position;
mod query;
mod reader;
mod row_image;
mod rows;
mod short_text;
mod source;
mod table_map;
mod table_metadata;
mod temporal;
mod transaction;
mod value;
mod window;

pub use bitmap::Bitmap;
pub use column::ColumnType;
pub use control::{
    Heartbeat, Incident, IntVar, Rand, Rotate, UserVar, UserVarKind, UserVarValue, XaId, XaPrepare,
};
pub use decimal::{DECIMAL_PRECISION_MAX, DECIMAL_SCALE_MAX, Decimal, DecimalText};
pub use decoder::Decoder;
#[cfg(feature = "dump")]
pub use dump::{DumpRequest, DumpSource, DumpStart};
pub use error::{Error, Result};
pub use event::{Event, RawEvent};
pub use event_type::EventType;
pub use file::{EVENT_BYTES_MAX_DEFAULT, FileSource};
pub use format::{Checksum, FormatDescription};
pub use group_replication::{HashList, TransactionContext, ViewChange};
pub use gtid::{Gtid, MariaDbGtid, Tag, Uuid};
pub use gtid_event::GtidEvent;
pub use gtid_set::{GtidSet, Interval};
pub use header::EventHeader;
pub use inflate::CompressedBytes;
pub use json::{
    JSON_DEPTH_MAX, Json, JsonArray, JsonObject, JsonOpaque, JsonOpaqueValue, JsonValue,
};
pub use json_diff::{JsonDiff, JsonDiffOperation, JsonDiffs};
pub use load_data::{ExecuteLoadQuery, LoadBlock, LoadDuplicates};
pub use mariadb::{MariaDbEvent, MariaDbGtidEvent, MariaDbGtidList};
pub use payload::{Compression, PayloadEvents, PayloadUnpacker, TransactionPayload};
pub use position::{LogFile, Position, StartPoint};
pub use query::{
    CompressedQuery, DatabaseNames, Invoker, Query, QueryCharset, StatementText, StatusVars,
    UpdatedDatabases,
};
pub use reader::Reader;
pub use row_image::{RowImage, Values};
pub use rows::{ExtraRowInfo, RowChange, RowChanges, Rows, RowsKind};
pub use short_text::ShortText;
pub use source::{EventSource, SourceEvent};
pub use table_map::{KeyPart, TableColumn, TableColumns, TableMap};
pub use temporal::{Date, DateTime, TemporalText, Time, Timestamp};
pub use transaction::{Outcome, Step, TransactionAssembler};
pub use value::Value;

#[doc(hidden)]
pub mod fuzz;
