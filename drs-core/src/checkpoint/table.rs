use super::StreamPoint;
use crate::object::TableName;

/// Where a table stands in its way from the source to the destination.
///
/// `Pending` is written when the task first lists its tables, `Creating` and `Copying` by
/// the copy, `CatchingUp` by the copy when the last chunk is in, `Live` by the follower
/// once the stream has passed `until`. A phase never goes back, except that a keyless
/// table whose copy was cut off begins again, and so does a table whose copy can't be
/// reconciled with a statement of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TablePhase {
    /// Selected, not begun.
    Pending,
    /// The table did not exist at the destination and is being created by this task.
    Creating,
    /// Rows are being copied.
    Copying,
    /// All rows are copied; the stream up to `until` is applied leniently.
    CatchingUp,
    /// The stream is applied strictly.
    Live,
}

impl TablePhase {
    /// The name in the checkpoint and in `drs status`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Creating => "creating",
            Self::Copying => "copying",
            Self::CatchingUp => "catching_up",
            Self::Live => "live",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Creating,
            Self::Copying,
            Self::CatchingUp,
            Self::Live,
        ]
        .into_iter()
        .find(|phase| phase.as_str() == text)
    }
}

/// What the checkpoint holds of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRecord {
    /// The table.
    pub table: TableName,
    /// Its phase.
    pub phase: TablePhase,
    /// True when this task created the table at the destination, and so may empty it.
    pub created_by_task: bool,
    /// Rows the copy has read so far.
    pub rows_copied: u64,
    /// A digest of the source's definition that the copy of the table began with.
    pub definition: Option<u64>,
    /// Everything at or before this point is in the copy; set when the copy of the table begins.
    pub from: Option<StreamPoint>,
    /// The end of the binary log after the last chunk was read.
    pub until: Option<StreamPoint>,
}

impl TableRecord {
    /// A table that is selected and not begun.
    pub fn pending(table: TableName) -> Self {
        Self {
            table,
            phase: TablePhase::Pending,
            created_by_task: false,
            rows_copied: 0,
            definition: None,
            from: None,
            until: None,
        }
    }
}

/// What a statement of the log did to a table that the task follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TableChange {
    /// It was not there, and this task created it.
    Created(TableName),
    /// It is gone.
    Dropped(TableName),
    /// It has another name.
    Renamed {
        /// The old name.
        from: TableName,
        /// The new name.
        to: TableName,
        /// The new name is followed for the sake of a selected table, and is not selected itself.
        is_companion: bool,
    },
}

/// A part of a keyed table: the rows whose key is above `lower` and at or below `upper`.
///
/// Bounds are SQL literals of the key's columns, separated by commas, made by this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkRecord {
    /// Counts from 0 in the key's order.
    pub number: u32,
    /// `None` for the first chunk.
    pub lower: Option<String>,
    /// `None` for the last chunk.
    pub upper: Option<String>,
    /// True when its rows are committed at the destination.
    pub done: bool,
}
