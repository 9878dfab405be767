//! MySQL binary log: bytes to events to rows, borrowed from the buffer.

mod bitmap;
mod column;
mod decimal;
mod decoder;
mod error;
mod event;
mod event_type;
mod format;
#[doc(hidden)]
pub mod fuzz;
mod gtid;
mod gtid_set;
mod header;
mod inflate;
mod json;
mod json_diff;
mod position;
mod reader;
mod row_image;
mod rows;
mod short_text;
mod table_map;
mod table_metadata;
mod temporal;
mod value;

pub use bitmap::Bitmap;
pub use column::ColumnType;
pub use decimal::{DECIMAL_PRECISION_MAX, DECIMAL_SCALE_MAX, Decimal, DecimalText};
pub use decoder::Decoder;
pub use error::{Error, Result};
pub use event::RawEvent;
pub use event_type::EventType;
pub use format::{Checksum, FormatDescription};
pub use gtid::{Gtid, MariaDbGtid, Tag, Uuid};
pub use gtid_set::{GtidSet, Interval};
pub use header::EventHeader;
pub use inflate::CompressedBytes;
pub use json::{
    JSON_DEPTH_MAX, Json, JsonArray, JsonObject, JsonOpaque, JsonOpaqueValue, JsonValue,
};
pub use json_diff::{JsonDiff, JsonDiffOperation, JsonDiffs};
pub use position::{LogFile, Position, StartPoint};
pub use reader::Reader;
pub use row_image::{RowImage, Values};
pub use rows::{ExtraRowInfo, RowChange, RowChanges, Rows, RowsKind};
pub use short_text::ShortText;
pub use table_map::{KeyPart, TableColumn, TableColumns, TableMap};
pub use temporal::{Date, DateTime, TemporalText, Time, Timestamp};
pub use value::Value;
