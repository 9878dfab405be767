use std::sync::Arc;

use drs_binlog::{GtidSet, Position};
use mysql::{Conn, Row, TxOpts, params, prelude::Queryable};

use super::{
    ChunkRecord, DoneSet, LaneRecord, StreamPoint, TablePhase, TableRecord, TransactionId,
};
use crate::{error, object::TableName, session::SessionError};

/// Which process may write: each start of a task takes the next number, and a commit of
/// an older process finds that its number is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// The checkpoint tables could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The destination refused or the connection failed.
    #[error("the checkpoint in drs_meta could not be {doing}: {source}")]
    Query {
        /// What was being done, as in "read".
        doing: &'static str,
        /// The cause.
        #[source]
        source: mysql::Error,
    },
    /// The connection to the checkpoint was lost and could not be opened again.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Another process has taken the task over.
    #[error("another process has taken over task {task}; this one stops without writing more")]
    Fenced {
        /// The task.
        task: String,
    },
    /// The checkpoint holds something this version cannot read.
    #[error("the checkpoint of task {task} is not readable: {reason}")]
    Unreadable {
        /// The task.
        task: String,
        /// What is wrong.
        reason: String,
    },
}

impl CheckpointError {
    /// True when trying again on a new connection may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Query { source, .. } if crate::error::is_transient(source))
    }
}

/// What the checkpoint holds of the task itself.
#[derive(Clone, Debug)]
pub struct TaskRecord {
    /// `@@server_uuid` of the source at the first start.
    pub source_uuid: String,
    /// Where the stream begins; set once, before the first row is copied.
    pub start: StreamPoint,
    /// True when every table listed at the start has been copied.
    pub copied: bool,
}

/// What the lanes have committed.
#[derive(Clone, Debug)]
pub struct LaneStates {
    /// One row a lane.
    pub records: Vec<LaneRecord>,
    /// Everything at or before this point is committed.
    pub watermark: StreamPoint,
    /// What is committed above it.
    pub done: DoneSet,
}

/// The row that holds what the lanes of earlier runs have done above the watermark.
const INHERITED_LANE: u16 = u16::MAX;

/// A DDL statement that is about to run, or has run, at the destination.
#[derive(Clone, Debug)]
pub struct DdlIntent {
    /// The statement's place in the source's log.
    pub id: TransactionId,
    /// What the objects it names looked like before it ran.
    pub before: String,
}

/// The checkpoint of one task: tables in the destination's database `drs_meta`.
///
/// Every method commits before it returns, and what it wrote then survives a crash of
/// this process; `Fenced` means that nothing was written. Lane rows are not written here
/// but in the lanes' own transactions ([`super::write_lane_update`]).
pub struct CheckpointStore {
    conn: Conn,
    connect: Option<Box<Connect>>,
    task: String,
    epoch: Epoch,
}

type Connect = dyn Fn() -> Result<Conn, SessionError> + Send;

const TABLES: [&str; 6] = [
    "CREATE DATABASE IF NOT EXISTS drs_meta",
    "CREATE TABLE IF NOT EXISTS drs_meta.task (name VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
     epoch BIGINT UNSIGNED NOT NULL, source_uuid VARCHAR(64) CHARACTER SET ascii NULL, \
     start_file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, start_pos BIGINT UNSIGNED NULL, \
     start_gtid_set LONGTEXT CHARACTER SET ascii NULL, copied TINYINT NOT NULL DEFAULT 0) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.table_state (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     tbl VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     phase VARCHAR(16) CHARACTER SET ascii NOT NULL, created_by_task TINYINT NOT NULL DEFAULT 0, \
     rows_copied BIGINT UNSIGNED NOT NULL DEFAULT 0, definition BIGINT UNSIGNED NULL, \
     from_file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, from_pos BIGINT UNSIGNED NULL, \
     from_gtid_set LONGTEXT CHARACTER SET ascii NULL, \
     until_file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, until_pos BIGINT UNSIGNED NULL, \
     until_gtid_set LONGTEXT CHARACTER SET ascii NULL, PRIMARY KEY (task, db, tbl)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.chunk (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     db VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     tbl VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, number INT UNSIGNED NOT NULL, \
     lower_bound LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     upper_bound LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL, \
     done TINYINT NOT NULL DEFAULT 0, PRIMARY KEY (task, db, tbl, number)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.lane (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     lane SMALLINT UNSIGNED NOT NULL, epoch BIGINT UNSIGNED NOT NULL, batch BIGINT UNSIGNED NOT NULL, \
     file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, pos BIGINT UNSIGNED NOT NULL, \
     gtid_set LONGTEXT CHARACTER SET ascii NULL, done LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     PRIMARY KEY (task, lane)) ENGINE = InnoDB",
    "CREATE TABLE IF NOT EXISTS drs_meta.ddl (task VARCHAR(50) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
     file VARCHAR(512) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, pos BIGINT UNSIGNED NOT NULL, \
     gtid VARCHAR(128) CHARACTER SET ascii NULL, \
     before_state LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL) ENGINE = InnoDB",
];

fn query(doing: &'static str) -> impl Fn(mysql::Error) -> CheckpointError {
    move |source| CheckpointError::Query { doing, source }
}

impl CheckpointStore {
    /// Takes the task over: makes the tables if they are missing, raises the epoch, and folds
    /// the lane rows of the last run into `lanes` new ones.
    ///
    /// It waits for commits of an older process that are under way, and the rows they write
    /// are taken in; what that process begins afterwards fails as [`CheckpointError::Fenced`].
    pub fn claim(mut conn: Conn, task: &str, lanes: u16) -> Result<Self, CheckpointError> {
        for statement in TABLES {
            conn.query_drop(statement).map_err(query("created"))?;
        }
        conn.exec_drop(
            "INSERT IGNORE INTO drs_meta.task (name, epoch) VALUES (?, 0)",
            (task,),
        )
        .map_err(query("written"))?;
        let failed = query("claimed");
        let mut tx = conn.start_transaction(TxOpts::default()).map_err(&failed)?;
        let epoch: Option<u64> = tx
            .exec_first(
                "SELECT epoch FROM drs_meta.task WHERE name = ? FOR UPDATE",
                (task,),
            )
            .map_err(&failed)?;
        let epoch = Epoch(epoch.unwrap_or(0) + 1);
        tx.exec_drop(
            "UPDATE drs_meta.task SET epoch = ? WHERE name = ?",
            (epoch.0, task),
        )
        .map_err(&failed)?;
        let rows: Vec<Row> = tx
            .exec(
                "SELECT lane, batch, file, pos, gtid_set, done FROM drs_meta.lane WHERE task = ? ORDER BY lane FOR UPDATE",
                (task,),
            )
            .map_err(&failed)?;
        let records = lane_records(task, rows)?;
        if let Some((watermark, done)) = merged(&records) {
            tx.exec_drop("DELETE FROM drs_meta.lane WHERE task = ?", (task,))
                .map_err(&failed)?;
            let row = |lane, done| LaneRecord {
                lane,
                batch: 0,
                watermark: watermark.clone(),
                done,
            };
            for lane in 0..lanes {
                insert_lane(&mut tx, task, epoch, &row(lane, DoneSet::default()))
                    .map_err(&failed)?;
            }
            // The new lanes write their own sets; what earlier lanes did stays here until the
            // watermark has passed it.
            if !done.is_empty() {
                insert_lane(&mut tx, task, epoch, &row(INHERITED_LANE, done)).map_err(&failed)?;
            }
        }
        tx.commit().map_err(&failed)?;
        Ok(Self {
            conn,
            connect: None,
            task: task.to_owned(),
            epoch,
        })
    }

    /// The task's name.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// This process's epoch.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// With a way to connect again: the store is used seldom, and its connection may be gone
    /// by then. Everything it writes may be written twice to the same effect.
    #[must_use]
    pub fn reconnecting(
        mut self,
        connect: impl Fn() -> Result<Conn, SessionError> + Send + 'static,
    ) -> Self {
        self.connect = Some(Box::new(connect));
        self
    }

    /// Swaps in a new connection after the old one failed.
    pub fn reconnect(&mut self, conn: Conn) {
        self.conn = conn;
    }

    /// What is known of the task; `None` before [`Self::begin`].
    pub fn task_record(&mut self) -> Result<Option<TaskRecord>, CheckpointError> {
        let task = self.task.clone();
        self.with_connection(|conn| read_task(conn, &task))
    }

    /// Writes the task's start point, its lane rows and the tables to copy, once, in one transaction.
    pub fn begin(
        &mut self,
        record: &TaskRecord,
        lanes: u16,
        tables: &[TableRecord],
    ) -> Result<(), CheckpointError> {
        let start = &record.start;
        let (task, epoch) = (self.task.clone(), self.epoch);
        self.fenced(|tx| {
            tx.exec_drop(
                "UPDATE drs_meta.task SET source_uuid = ?, start_file = ?, start_pos = ?, start_gtid_set = ?, \
                 copied = ? WHERE name = ?",
                (
                    &record.source_uuid,
                    start.position.file.as_str(),
                    start.position.offset,
                    start.gtid_set.as_ref().map(|set| set.to_string()),
                    record.copied,
                    &task,
                ),
            )?;
            tx.exec_drop("DELETE FROM drs_meta.lane WHERE task = ?", (&task,))?;
            for lane in 0..lanes {
                let record =
                    LaneRecord { lane, batch: 0, watermark: start.clone(), done: DoneSet::default() };
                insert_lane(tx, &task, epoch, &record)?;
            }
            for table in tables {
                write_table(tx, &task, table)?;
            }
            Ok(())
        })
    }

    /// Marks the copy of all tables as finished.
    pub fn finish_copy(&mut self) -> Result<(), CheckpointError> {
        let task = self.task.clone();
        self.fenced(|tx| {
            tx.exec_drop(
                "UPDATE drs_meta.task SET copied = 1 WHERE name = ?",
                (&task,),
            )
        })
    }

    /// The lanes' rows, and where the stream goes on: the watermark over all lanes, and what
    /// is committed above it.
    pub fn lanes(&mut self) -> Result<Option<LaneStates>, CheckpointError> {
        let task = self.task.clone();
        let mut records = self.with_connection(|conn| read_lanes(conn, &task))?;
        let Some((watermark, done)) = merged(&records) else {
            return Ok(None);
        };
        records.retain(|record| record.lane != INHERITED_LANE);
        Ok(Some(LaneStates {
            records,
            watermark,
            done,
        }))
    }

    /// The tables' rows, by name.
    pub fn tables(&mut self) -> Result<Vec<TableRecord>, CheckpointError> {
        let task = self.task.clone();
        self.with_connection(|conn| read_tables(conn, &task))
    }

    /// Writes one table's row.
    pub fn save_table(&mut self, record: &TableRecord) -> Result<(), CheckpointError> {
        let task = self.task.clone();
        self.fenced(|tx| write_table(tx, &task, record))
    }

    /// Marks as live the tables that have caught up.
    pub fn save_live(&mut self, tables: &[TableName]) -> Result<(), CheckpointError> {
        let task = self.task.clone();
        self.fenced(|tx| {
            tx.exec_batch(
                "UPDATE drs_meta.table_state SET phase = 'live' WHERE task = ? AND db = ? AND tbl = ?",
                tables.iter().map(|table| (&task, table.database.as_str(), table.table.as_str())),
            )
        })
    }

    /// Removes what is known of a table, and its chunks.
    pub fn forget_table(&mut self, table: &TableName) -> Result<(), CheckpointError> {
        let task = self.task.clone();
        let key = (&task, table.database.as_str(), table.table.as_str());
        self.fenced(|tx| {
            tx.exec_drop(
                "DELETE FROM drs_meta.table_state WHERE task = ? AND db = ? AND tbl = ?",
                key,
            )?;
            tx.exec_drop(
                "DELETE FROM drs_meta.chunk WHERE task = ? AND db = ? AND tbl = ?",
                key,
            )
        })
    }

    /// The chunks planned so far, in order.
    pub fn chunks(&mut self, table: &TableName) -> Result<Vec<ChunkRecord>, CheckpointError> {
        let rows: Vec<(u32, Option<String>, Option<String>, bool)> = self
            .conn
            .exec(
                "SELECT number, lower_bound, upper_bound, done FROM drs_meta.chunk \
                 WHERE task = ? AND db = ? AND tbl = ? ORDER BY number",
                (&self.task, table.database.as_str(), table.table.as_str()),
            )
            .map_err(query("read"))?;
        Ok(rows
            .into_iter()
            .map(|(number, lower, upper, done)| ChunkRecord {
                number,
                lower,
                upper,
                done,
            })
            .collect())
    }

    /// Writes a newly planned chunk.
    pub fn save_chunk(
        &mut self,
        table: &TableName,
        chunk: &ChunkRecord,
    ) -> Result<(), CheckpointError> {
        let task = self.task.clone();
        self.fenced(|tx| {
            tx.exec_drop(
                "REPLACE INTO drs_meta.chunk (task, db, tbl, number, lower_bound, upper_bound, done) \
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    &task,
                    table.database.as_str(),
                    table.table.as_str(),
                    chunk.number,
                    &chunk.lower,
                    &chunk.upper,
                    chunk.done,
                ),
            )
        })
    }

    /// Forgets a table's chunks, so that its copy begins again.
    pub fn forget_chunks(&mut self, table: &TableName) -> Result<(), CheckpointError> {
        let task = self.task.clone();
        self.fenced(|tx| {
            tx.exec_drop(
                "DELETE FROM drs_meta.chunk WHERE task = ? AND db = ? AND tbl = ?",
                (&task, table.database.as_str(), table.table.as_str()),
            )
        })
    }

    /// The DDL statement that was begun and not marked done, if there is one.
    pub fn ddl_intent(&mut self) -> Result<Option<DdlIntent>, CheckpointError> {
        let task = self.task.clone();
        let row: Option<(String, u64, Option<String>, String)> = self.with_connection(|conn| {
            conn.exec_first(
                "SELECT file, pos, gtid, before_state FROM drs_meta.ddl WHERE task = ?",
                (&task,),
            )
            .map_err(query("read"))
        })?;
        let Some((file, offset, gtid, before)) = row else {
            return Ok(None);
        };
        let unreadable = |e: drs_binlog::Error| CheckpointError::Unreadable {
            task: self.task.clone(),
            reason: e.to_string(),
        };
        let end = position(file, offset).map_err(unreadable)?;
        let gtid = gtid
            .map(|gtid| gtid.parse())
            .transpose()
            .map_err(unreadable)?;
        Ok(Some(DdlIntent {
            id: TransactionId { end, gtid },
            before,
        }))
    }

    /// Writes the intent to run a DDL statement. All lanes must be idle.
    pub fn begin_ddl(&mut self, intent: &DdlIntent) -> Result<(), CheckpointError> {
        let task = self.task.clone();
        self.fenced(|tx| {
            tx.exec_drop(
                "REPLACE INTO drs_meta.ddl (task, file, pos, gtid, before_state) VALUES (?, ?, ?, ?, ?)",
                (
                    &task,
                    intent.id.end.file.as_str(),
                    intent.id.end.offset,
                    intent.id.gtid.as_ref().map(|gtid| gtid.to_string()),
                    &intent.before,
                ),
            )
        })
    }

    /// Clears the intent and moves every lane's watermark past the statement, in one transaction.
    pub fn finish_ddl(&mut self, watermark: &StreamPoint) -> Result<(), CheckpointError> {
        let (task, epoch) = (self.task.clone(), self.epoch);
        self.fenced(|tx| {
            tx.exec_drop("DELETE FROM drs_meta.ddl WHERE task = ?", (&task,))?;
            tx.exec_drop(
                "UPDATE drs_meta.lane SET file = :file, pos = :pos, gtid_set = :gtid_set, done = :done \
                 WHERE task = :task AND epoch = :epoch",
                params! {
                    "file" => watermark.position.file.as_str(),
                    "pos" => watermark.position.offset,
                    "gtid_set" => watermark.gtid_set.as_ref().map(|set| set.to_string()),
                    "done" => DoneSet::default().to_string(),
                    "task" => &task,
                    "epoch" => epoch.0,
                },
            )
        })
    }

    /// Runs `write` in a transaction that fails when the epoch is no longer ours.
    fn fenced(
        &mut self,
        write: impl Fn(&mut mysql::Transaction<'_>) -> Result<(), mysql::Error>,
    ) -> Result<(), CheckpointError> {
        let (task, epoch) = (self.task.clone(), self.epoch);
        self.with_connection(|conn| {
            let failed = query("written");
            let mut tx = conn.start_transaction(TxOpts::default()).map_err(&failed)?;
            let now: Option<u64> = tx.exec_first(FENCE, (&task,)).map_err(&failed)?;
            if now != Some(epoch.0) {
                return Err(CheckpointError::Fenced { task: task.clone() });
            }
            write(&mut tx).map_err(&failed)?;
            tx.commit().map_err(&failed)
        })
    }

    /// Does something that may be done twice to the same effect, again while the cause of a
    /// failure may pass.
    fn with_connection<T>(
        &mut self,
        work: impl Fn(&mut Conn) -> Result<T, CheckpointError>,
    ) -> Result<T, CheckpointError> {
        for _ in 0..ATTEMPTS_MAX {
            match (work(&mut self.conn), &self.connect) {
                (Err(CheckpointError::Query { source, .. }), _)
                    if error::is_lock_conflict(&source) => {}
                (Err(CheckpointError::Query { source, .. }), Some(connect))
                    if error::is_connection_lost(&source) =>
                {
                    self.conn = connect()?;
                }
                (result, _) => return result,
            }
        }
        work(&mut self.conn)
    }
}

/// How often a checkpoint statement is tried again after a lost connection or a lock conflict.
const ATTEMPTS_MAX: u32 = 10;

/// The query that holds the epoch in place until the transaction ends: sessions of one
/// process share the lock, and the process that takes the task over waits for them.
pub(crate) const FENCE: &str = "SELECT epoch FROM drs_meta.task WHERE name = ? LOCK IN SHARE MODE";

/// What `drs status` shows, read without taking the task over.
pub mod status {
    use super::*;

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
        let watermark =
            merged(&lanes).map_or_else(|| record.start.clone(), |(watermark, _)| watermark);
        Ok(Some(TaskStatus {
            record,
            tables,
            watermark,
        }))
    }
}

/// The watermark over all lanes, and everything any lane has committed above it.
///
/// Each lane's watermark says what *all* lanes have committed, so that all of them hold at
/// once: the highest position, and the union of the GTID sets.
fn merged(records: &[LaneRecord]) -> Option<(StreamPoint, DoneSet)> {
    let highest = records
        .iter()
        .map(|record| &record.watermark)
        .max_by_key(|mark| &mark.position)?;
    let mut watermark = highest.clone();
    let mut done = DoneSet::default();
    for record in records {
        done.merge(&record.done);
        if let (Some(all), Some(set)) = (&mut watermark.gtid_set, &record.watermark.gtid_set) {
            Arc::make_mut(all).union(set);
        }
    }
    done.retain_above(&watermark);
    Some((watermark, done))
}

fn position(file: String, offset: u64) -> Result<Position, drs_binlog::Error> {
    format!("{file}:{offset}").parse()
}

fn point(
    task: &str,
    file: Option<String>,
    offset: Option<u64>,
    gtid_set: Option<String>,
) -> Result<Option<StreamPoint>, CheckpointError> {
    let (Some(file), Some(offset)) = (file, offset) else {
        return Ok(None);
    };
    let unreadable = |e: drs_binlog::Error| CheckpointError::Unreadable {
        task: task.to_owned(),
        reason: e.to_string(),
    };
    let gtid_set = gtid_set
        .map(|set| set.parse::<GtidSet>())
        .transpose()
        .map_err(unreadable)?;
    Ok(Some(StreamPoint {
        position: position(file, offset).map_err(unreadable)?,
        gtid_set: gtid_set.map(Arc::new),
    }))
}

fn read_task(conn: &mut Conn, task: &str) -> Result<Option<TaskRecord>, CheckpointError> {
    type Columns = (
        Option<String>,
        Option<String>,
        Option<u64>,
        Option<String>,
        bool,
    );
    let row: Option<Columns> = conn
        .exec_first(
            "SELECT source_uuid, start_file, start_pos, start_gtid_set, copied FROM drs_meta.task WHERE name = ?",
            (task,),
        )
        .map_err(query("read"))?;
    let Some((source_uuid, file, offset, gtid_set, copied)) = row else {
        return Ok(None);
    };
    let start = point(task, file, offset, gtid_set)?;
    Ok(start.map(|start| TaskRecord {
        source_uuid: source_uuid.unwrap_or_default(),
        start,
        copied,
    }))
}

fn read_lanes(conn: &mut Conn, task: &str) -> Result<Vec<LaneRecord>, CheckpointError> {
    let rows: Vec<Row> = conn
        .exec(
            "SELECT lane, batch, file, pos, gtid_set, done FROM drs_meta.lane WHERE task = ? ORDER BY lane",
            (task,),
        )
        .map_err(query("read"))?;
    lane_records(task, rows)
}

fn lane_records(task: &str, rows: Vec<Row>) -> Result<Vec<LaneRecord>, CheckpointError> {
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        type Columns = (u16, u64, String, u64, Option<String>, String);
        let (lane, batch, file, offset, gtid_set, done): Columns = mysql::from_row_opt(row)
            .map_err(|e| CheckpointError::Unreadable {
                task: task.to_owned(),
                reason: e.to_string(),
            })?;
        let done = DoneSet::parse(&done).map_err(|e| CheckpointError::Unreadable {
            task: task.to_owned(),
            reason: e.to_string(),
        })?;
        let Some(watermark) = point(task, Some(file), Some(offset), gtid_set)? else {
            continue;
        };
        records.push(LaneRecord {
            lane,
            batch,
            watermark,
            done,
        });
    }
    Ok(records)
}

fn insert_lane(
    tx: &mut mysql::Transaction<'_>,
    task: &str,
    epoch: Epoch,
    record: &LaneRecord,
) -> Result<(), mysql::Error> {
    tx.exec_drop(
        "INSERT INTO drs_meta.lane (task, lane, epoch, batch, file, pos, gtid_set, done) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            task,
            record.lane,
            epoch.0,
            record.batch,
            record.watermark.position.file.as_str(),
            record.watermark.position.offset,
            record
                .watermark
                .gtid_set
                .as_ref()
                .map(|set| set.to_string()),
            record.done.to_string(),
        ),
    )
}

fn write_table(
    tx: &mut mysql::Transaction<'_>,
    task: &str,
    record: &TableRecord,
) -> Result<(), mysql::Error> {
    let columns = |point: &Option<StreamPoint>| {
        let file = point
            .as_ref()
            .map(|point| point.position.file.as_str().to_owned());
        let offset = point.as_ref().map(|point| point.position.offset);
        let set = point
            .as_ref()
            .and_then(|point| point.gtid_set.as_ref())
            .map(|set| set.to_string());
        (file, offset, set)
    };
    let (from_file, from_pos, from_gtid_set) = columns(&record.from);
    let (until_file, until_pos, until_gtid_set) = columns(&record.until);
    let definition = record
        .definition
        .map_or_else(|| "NULL".to_owned(), |digest| digest.to_string());
    tx.exec_drop(
        format!(
            "REPLACE INTO drs_meta.table_state (task, db, tbl, phase, created_by_task, rows_copied, \
             from_file, from_pos, from_gtid_set, until_file, until_pos, until_gtid_set, definition) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {definition})"
        ),
        (
            task,
            record.table.database.as_str(),
            record.table.table.as_str(),
            record.phase.as_str(),
            record.created_by_task,
            record.rows_copied,
            from_file,
            from_pos,
            from_gtid_set,
            until_file,
            until_pos,
            until_gtid_set,
        ),
    )
}

fn read_tables(conn: &mut Conn, task: &str) -> Result<Vec<TableRecord>, CheckpointError> {
    type Columns = (
        String,
        String,
        String,
        bool,
        u64,
        Option<String>,
        Option<u64>,
        Option<String>,
        Option<String>,
        Option<u64>,
        Option<String>,
        Option<u64>,
    );
    let rows: Vec<Columns> = conn
        .exec(
            "SELECT db, tbl, phase, created_by_task, rows_copied, from_file, from_pos, from_gtid_set, \
             until_file, until_pos, until_gtid_set, definition FROM drs_meta.table_state WHERE task = ? ORDER BY db, tbl",
            (task,),
        )
        .map_err(query("read"))?;
    let mut records = Vec::with_capacity(rows.len());
    for (db, tbl, phase, created_by_task, rows_copied, ff, fp, fg, uf, up, ug, definition) in rows {
        let unreadable = |reason: String| CheckpointError::Unreadable {
            task: task.to_owned(),
            reason,
        };
        let table = TableName::new(&db, &tbl).map_err(|e| unreadable(e.to_string()))?;
        let phase = TablePhase::parse(&phase)
            .ok_or_else(|| unreadable(format!("table {table} has the unknown phase {phase:?}")))?;
        records.push(TableRecord {
            table,
            phase,
            created_by_task,
            rows_copied,
            definition,
            from: point(task, ff, fp, fg)?,
            until: point(task, uf, up, ug)?,
        });
    }
    Ok(records)
}
