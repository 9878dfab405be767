//! What `drs status` shows, read without taking the task over.

use mysql::{Conn, prelude::Queryable};

use super::{
    CheckpointError, StreamPoint, TableRecord, TaskRecord, conflicts,
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
    /// How far behind the source the last commit was; `None` before the first one.
    pub lag: Option<Lag>,
    /// Rows that conflicts were about, over all runs ([`super::conflicts`]).
    pub conflicts: u64,
}

/// What the last commit of any lane tells of the lag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// From the source's commit to the destination's, in milliseconds; 0 when nothing was
    /// left to apply.
    pub lag_ms: u64,
    /// How long ago that was, in seconds, by the destination's clock.
    pub age_s: u64,
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
    let lag = read_lag(conn, task)?;
    Ok(Some(TaskStatus {
        record,
        tables,
        watermark,
        lag,
        conflicts: conflicts::count(conn, task)?,
    }))
}

fn read_lag(conn: &mut Conn, task: &str) -> Result<Option<Lag>, CheckpointError> {
    let row: Option<(u64, i64, i64)> = conn
        .exec_first(
            "SELECT committed_at_us, \
             TIMESTAMPDIFF(MICROSECOND, '1970-01-01', written_at), \
             TIMESTAMPDIFF(SECOND, written_at, UTC_TIMESTAMP(3)) \
             FROM drs_meta.lane WHERE task = ? AND written_at IS NOT NULL \
             ORDER BY written_at DESC LIMIT 1",
            (task,),
        )
        .map_err(query("read"))?;
    Ok(row.map(|(committed_at_us, written_at_us, age_s)| Lag {
        lag_ms: match committed_at_us {
            0 => 0,
            at => u64::try_from(written_at_us).unwrap_or(0).saturating_sub(at) / 1000,
        },
        age_s: u64::try_from(age_s).unwrap_or(0),
    }))
}

/// Everything at or before this point is at the destination; `None` when the task has not begun.
pub(crate) fn watermark(
    conn: &mut Conn,
    task: &str,
) -> Result<Option<StreamPoint>, CheckpointError> {
    Ok(merged(&read_lanes(conn, task)?).map(|(watermark, _)| watermark))
}
