//! What is known to be at the destination: written in the same transaction as the data.

mod column_names;
pub mod conflicts;
mod done_set;
mod lane;
mod programs;
mod rows;
mod rule_columns;
mod schema;
pub mod status;
mod store;
mod table;
mod writers;
mod xa;

pub(crate) use column_names::ColumnNamesChange;
pub use done_set::{DoneSet, DoneSetError};
pub use lane::LaneRecord;
pub(crate) use lane::write_lane_update;
pub(crate) use store::FENCE;
pub use store::{CheckpointError, CheckpointStore, DdlIntent, Epoch, LaneStates, TaskRecord};
pub(crate) use table::TableChange;
pub use table::{ChunkRecord, TablePhase, TableRecord};
pub(crate) use xa::{PREPARED_PART_BYTES_MAX, write_keep_prepared, write_remove_prepared};

use std::sync::Arc;

use drs_binlog::{Gtid, GtidSet, Position};

/// What tells one source transaction from every other one of the same source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionId {
    /// Where the transaction ends in the source's binary log.
    pub end: Position,
    /// Its GTID, when it has one.
    pub gtid: Option<Gtid>,
}

impl std::fmt::Display for TransactionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.gtid {
            Some(gtid) => write!(f, "{} (GTID {gtid})", self.end),
            None => write!(f, "{}", self.end),
        }
    }
}

/// A point of the source's stream: everything at or before it counts as done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPoint {
    /// The end of the last transaction at or before the point.
    pub position: Position,
    /// All GTIDs at or before the point; `None` when the source is followed by position.
    pub gtid_set: Option<Arc<GtidSet>>,
}

impl StreamPoint {
    /// True when the transaction is at or before this point.
    pub fn contains(&self, id: &TransactionId) -> bool {
        match (&self.gtid_set, &id.gtid) {
            (Some(set), Some(gtid)) => set.contains(gtid),
            _ => id.end <= self.position,
        }
    }
}

impl std::fmt::Display for StreamPoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.gtid_set {
            Some(set) => write!(f, "{};{set}", self.position),
            None => write!(f, "{}", self.position),
        }
    }
}
