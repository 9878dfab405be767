//! MySQL binary log: bytes to events to rows, borrowed from the buffer.

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
pub use payload::{Compression, PayloadEvents, TransactionPayload};
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
