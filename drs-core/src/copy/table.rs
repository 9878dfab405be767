use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{CopyError, chunk::ChunkKey, chunk::Planner, columns::Columns, definition::Definition};
use crate::{
    checkpoint::{ChunkRecord, TableRecord},
    object::TableName,
    schema::TableSchema,
};

/// What is known of a table while it is copied.
#[derive(Debug)]
pub(super) struct TablePlan {
    pub(super) schema: TableSchema,
    /// Its name at the destination.
    pub(super) destination: TableName,
    pub(super) definition: Definition,
    pub(super) columns: Columns,
    /// What a rule wants of the rows.
    pub(super) condition: Option<String>,
    /// False when the destination's engine commits every row at once.
    pub(super) transactional: bool,
}

impl TablePlan {
    /// Adds a rule's condition to another one, which begins with WHERE or is empty.
    pub(super) fn filtered(&self, condition: String) -> String {
        match &self.condition {
            None => condition,
            Some(rule) if condition.is_empty() => format!(" WHERE {rule}"),
            Some(rule) => format!("{condition} AND {rule}"),
        }
    }
}

/// A keyed table whose chunks are given out.
#[derive(Debug)]
pub(super) struct OpenTable {
    pub(super) plan: TablePlan,
    pub(super) key: ChunkKey,
    pub(super) rows_estimate: u64,
    pub(super) bytes_estimate: u64,
    pub(super) attempt: u32,
    pub(super) progress: Mutex<Progress>,
}

/// What the sessions that share a table know together.
#[derive(Debug)]
pub(super) struct Progress {
    pub(super) record: TableRecord,
    /// Chunks that were planned by a former run and not done.
    pub(super) redo: Vec<ChunkRecord>,
    pub(super) planner: Planner,
    /// Rows that this run copied.
    pub(super) rows: u64,
    /// An error that a change of the table's definition would explain.
    pub(super) trouble: Option<CopyError>,
}

impl OpenTable {
    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
