//! What `drs status` shows, read without taking the task over.

use mysql::{Conn, prelude::Queryable};

use super::{
    CheckpointError, StreamPoint, TableRecord, TaskRecord,
    rows::{merged, read_lanes, read_tables, read_task},
    store::query,
};
use crate::error::server_code;

const NO_SUCH_DATABASE: u16 = 1049;
const NO_SUCH_TABLE: u16 = 1146;

/// Everything the checkpoint holds of a task.
#[derive(Clone, Debug)]
pub struct TaskStatus {
    /// The task's own row.
    pub record: TaskRecord,
    /// The tables.
    pub tables: Vec<TableRecord>,
    /// Everything at or before this point is at the destination.
    pub watermark: StreamPoint,
}

/// Reads a task's checkpoint; `None` when the task has not begun.
pub fn read(conn: &mut Conn, task: &str) -> Result<Option<TaskStatus>, CheckpointError> {
    // Asked of the table itself: information_schema hides what the account may not see, and the
    // task would seem not to have begun.
    match conn.query_drop("SELECT 1 FROM drs_meta.ddl LIMIT 0") {
        Err(error) if matches!(server_code(&error), Some(NO_SUCH_DATABASE | NO_SUCH_TABLE)) => {
            return Ok(None);
        }
        result => result.map_err(query("read"))?,
    }
    let Some(record) = read_task(conn, task)? else {
        return Ok(None);
    };
    let tables = read_tables(conn, task)?;
    let lanes = read_lanes(conn, task)?;
    let watermark = merged(&lanes).map_or_else(|| record.start.clone(), |(watermark, _)| watermark);
    Ok(Some(TaskStatus {
        record,
        tables,
        watermark,
    }))
}
