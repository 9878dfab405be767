use mysql::{Conn, Row, TxOpts, params, prelude::Queryable};

use super::{
    ChunkRecord, ColumnNamesChange, DoneSet, LaneRecord, StreamPoint, TableChange, TableRecord,
    TransactionId,
    column_names::write_column_names,
    rows::{
        forget_chunks, forget_table, insert_lane, lane_records, merged, position, read_lanes,
        read_tables, read_task, write_change, write_table,
    },
    schema::TABLES,
};
use crate::{
    error,
    object::TableName,
    session::{self, SessionError},
};

/// Which process may write: each start of a task takes the next number, and a commit of
/// an older process finds that its number is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// The checkpoint tables could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The destination refused or the connection failed.
    #[error("the checkpoint in drs_meta could not be {doing}: {}", error::redacted(.source))]
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
    /// What the task was begun with and can't be changed later: mode, start point, objects.
    pub basis: String,
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
/// but in the lanes' own transactions.
pub struct CheckpointStore {
    conn: Conn,
    connect: Option<Box<Connect>>,
    task: String,
    epoch: Epoch,
}

type Connect = dyn Fn() -> Result<Conn, SessionError> + Send;

pub(super) fn query(doing: &'static str) -> impl Fn(mysql::Error) -> CheckpointError {
    move |source| CheckpointError::Query { doing, source }
}

impl CheckpointStore {
    /// Takes the task over: makes the tables if they are missing, raises the epoch, and folds
    /// the lane rows of the last run into `lanes` new ones.
    ///
    /// It waits for commits of an older process that are under way, and the rows they write
    /// are taken in; what that process begins afterwards fails as [`CheckpointError::Fenced`].
    pub fn claim(mut conn: Conn, task: &str, lanes: u16) -> Result<Self, CheckpointError> {
        session::run_all(&mut conn, TABLES).map_err(query("created"))?;
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
                committed_at_us: 0,
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
                "UPDATE drs_meta.task SET source_uuid = ?, basis = ?, start_file = ?, start_pos = ?, start_gtid_set = ?, \
                 copied = ? WHERE name = ?",
                (
                    &record.source_uuid,
                    &record.basis,
                    start.position.file.as_str(),
                    start.position.offset,
                    start.gtid_set.as_ref().map(|set| set.to_string()),
                    record.copied,
                    &task,
                ),
            )?;
            tx.exec_drop("DELETE FROM drs_meta.lane WHERE task = ?", (&task,))?;
            tx.exec_drop("DELETE FROM drs_meta.xa WHERE task = ?", (&task,))?;
            for lane in 0..lanes {
                let record =
                    LaneRecord { lane, batch: 0, committed_at_us: 0, watermark: start.clone(), done: DoneSet::default() };
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

    /// Writes tables that are to be copied again, without their chunks, and that the task's copy
    /// is not finished. All lanes must be idle.
    pub fn copy_again(&mut self, tables: &[TableRecord]) -> Result<(), CheckpointError> {
        let task = self.task.clone();
        self.fenced(|tx| {
            for record in tables {
                forget_chunks(tx, &task, &record.table)?;
                write_table(tx, &task, record)?;
            }
            tx.exec_drop(
                "UPDATE drs_meta.task SET copied = 0 WHERE name = ?",
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

    /// Writes several tables' rows, all or none.
    pub fn save_tables(&mut self, records: &[TableRecord]) -> Result<(), CheckpointError> {
        let task = self.task.clone();
        self.fenced(|tx| {
            records
                .iter()
                .try_for_each(|record| write_table(tx, &task, record))
        })
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
        self.fenced(|tx| forget_table(tx, &task, table))
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
        self.fenced(|tx| forget_chunks(tx, &task, table))
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

    /// Clears the intent, notes what became of the tables and their columns, and moves every lane's
    /// watermark past the statement, in one transaction.
    pub(crate) fn finish_ddl(
        &mut self,
        watermark: &StreamPoint,
        columns: &[ColumnNamesChange],
        changes: &[TableChange],
    ) -> Result<(), CheckpointError> {
        let (task, epoch) = (self.task.clone(), self.epoch);
        self.fenced(|tx| {
            tx.exec_drop("DELETE FROM drs_meta.ddl WHERE task = ?", (&task,))?;
            // Renames must not be noted twice: without the intent, an attempt before has committed.
            let is_first = tx.affected_rows() > 0;
            let is_rename = |change: &&TableChange| matches!(change, TableChange::Renamed { .. });
            for change in changes.iter().filter(|change| is_first || !is_rename(change)) {
                write_change(tx, &task, change)?;
            }
            write_column_names(tx, &task, columns)?;
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
    pub(super) fn fenced(
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

    /// Begins a transaction.
    pub(super) fn transaction(
        &mut self,
        options: TxOpts,
    ) -> Result<mysql::Transaction<'_>, CheckpointError> {
        self.conn.start_transaction(options).map_err(query("read"))
    }

    /// Does something that may be done twice to the same effect, again while the cause of a
    /// failure may pass.
    pub(super) fn with_connection<T>(
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
