//! What `drs status` shows, read without taking the task over.

use mysql::{Conn, prelude::Queryable};

use super::{
    CheckpointError, StreamPoint, TableRecord, TaskRecord,
    rows::{merged, read_lanes, read_tables, read_task},
    store::query,
};

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
    let exists: Option<String> = conn
        .query_first(
            "SELECT TABLE_NAME FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = 'drs_meta' AND TABLE_NAME = 'ddl'",
        )
        .map_err(query("read"))?;
    if exists.is_none() {
        return Ok(None);
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
