use std::thread;

use mysql::{Conn, prelude::Queryable};

use super::{
    CopyError, CopyEvent,
    error::at_destination,
    kept::Ledger,
    reader::{BLOCKS_WAITING_MAX, Form, ReadEnd, Reading, read_rows},
    session::{Session, Shared},
    table::TablePlan,
    writer::{Target, WriteError, Written, write_rows},
};
use crate::{
    checkpoint::{CheckpointError, ChunkRecord, FENCE, TableRecord},
    object::TableName,
};

/// The form that a destination takes rows in: LOAD DATA where it allows it.
pub(super) fn form(destination: &mut Conn) -> Result<Form, CopyError> {
    let allowed: Option<bool> = destination
        .query_first("SELECT @@global.local_infile")
        .map_err(at_destination("reading local_infile"))?;
    Ok(if allowed == Some(true) {
        Form::Load
    } else {
        Form::Insert
    })
}

/// The rows to read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) select: &'a str,
    /// The names of the key's columns, for messages.
    pub(super) key: &'a str,
    /// What is known of the table.
    pub(super) record: &'a TableRecord,
}

impl Session<'_, '_> {
    /// Copies a chunk's rows and marks it as done, in one transaction.
    pub(super) fn copy_chunk(
        &mut self,
        plan: &TablePlan,
        source: Source<'_>,
        chunk: &ChunkRecord,
    ) -> Result<Written, CopyError> {
        self.transfer(plan, source, Parts::Chunk(chunk))
    }

    /// Copies rows in transactions of about `chunk_bytes`, each under the fence.
    pub(super) fn copy_parts(
        &mut self,
        plan: &TablePlan,
        source: Source<'_>,
    ) -> Result<Written, CopyError> {
        self.transfer(plan, source, Parts::Bytes(self.shared.options.chunk_bytes))
    }

    /// Reads on a thread of its own, so that the next rows come while the last ones are written.
    fn transfer(
        &mut self,
        plan: &TablePlan,
        source: Source<'_>,
        parts: Parts<'_>,
    ) -> Result<Written, CopyError> {
        let shared = self.shared;
        let name = &plan.schema.name;
        self.both()?;
        let form = self.form.unwrap_or(Form::Insert);
        let (source_conn, writing, version) = self.both()?;
        let reading = Reading {
            select: source.select,
            table: name,
            columns: &plan.columns,
            form,
            chunk_bytes: shared.options.chunk_bytes,
        };
        let target = Target {
            table: &plan.destination,
            columns: &plan.columns,
            key: source.key,
            names_duplicates: version.is_mysql_at_least(5, 7, 0),
            unique_keys: &plan.schema.unique_keys,
            ledger: Ledger {
                task: &shared.task,
                record: source.record,
            },
        };
        let (blocks, rows) = crossbeam_channel::bounded(BLOCKS_WAITING_MAX);
        let (read, written) = thread::scope(|scope| {
            let reader = scope.spawn(move || {
                let halted = || shared.halted();
                read_rows(source_conn, reading, &blocks, &halted)
            });
            let written = write_parts(shared, writing, plan, &target, &rows, parts);
            // A reader that waits for room learns that nobody takes its rows.
            drop(rows);
            let read = match reader.join() {
                Ok(read) => read,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            (read, written)
        });
        match (read, written) {
            (Ok(ReadEnd::Complete), Ok(written)) => {
                self.outcome.rows += written.rows;
                self.outcome.bytes += written.bytes;
                self.outcome.conflicts += written.conflicts;
                Ok(written)
            }
            (Err(error), _) => {
                self.disconnect();
                Err(error)
            }
            (Ok(_), Err(WriteError::LoadRefused)) => {
                self.disconnect();
                self.form = Some(Form::Insert);
                match parts {
                    // Nothing was written: the same again, the other way.
                    Parts::Chunk(_) => self.transfer(plan, source, parts),
                    // The snapshot went with the connection.
                    Parts::Bytes(_) => Err(CopyError::LoadRefused {
                        table: name.clone(),
                    }),
                }
            }
            (Ok(_), Err(WriteError::Failed(error))) => {
                self.disconnect();
                Err(error)
            }
            // The writer ends before the reader only with an error.
            (Ok(_), Ok(_) | Err(WriteError::Reader)) => {
                self.disconnect();
                Err(CopyError::Stopped)
            }
        }
    }
}

/// How rows are divided into transactions.
#[derive(Clone, Copy)]
enum Parts<'a> {
    /// All in one, with a chunk's mark.
    Chunk(&'a ChunkRecord),
    /// About this many bytes in each.
    Bytes(u64),
}

fn write_parts(
    shared: &Shared<'_>,
    conn: &mut Conn,
    plan: &TablePlan,
    target: &Target<'_>,
    rows: &crossbeam_channel::Receiver<super::reader::Message>,
    parts: Parts<'_>,
) -> Result<Written, WriteError> {
    let name = &plan.schema.name;
    let mut total = Written::default();
    let (bytes_max, chunk) = match parts {
        Parts::Chunk(chunk) => (u64::MAX, Some(chunk)),
        Parts::Bytes(bytes) => (bytes, None),
    };
    let failed = |doing: &str| at_destination(format!("{doing} of {name}"));
    while !total.ended {
        let begin = |conn: &mut Conn| {
            conn.query_drop("BEGIN")
                .map_err(failed("beginning a transaction"))
                .map_err(WriteError::Failed)
        };
        // An engine without transactions must not meet one that has them in one transaction:
        // with GTIDs the server refuses that. Its rows bear being written again.
        if plan.transactional {
            begin(conn)?;
        }
        let written = write_rows(conn, target, rows, bytes_max)?;
        if !plan.transactional {
            begin(conn)?;
        }
        fence(shared, conn).map_err(WriteError::Failed)?;
        if let Some(chunk) = chunk {
            mark_done(shared, conn, name, chunk).map_err(WriteError::Failed)?;
        } else if written.rows > 0 {
            count_rows(shared, conn, name, written.rows).map_err(WriteError::Failed)?;
        }
        conn.query_drop("COMMIT")
            .map_err(failed("committing rows"))
            .map_err(WriteError::Failed)?;
        total.rows += written.rows;
        total.bytes += written.bytes;
        total.conflicts += written.conflicts;
        total.ended = written.ended;
        shared.tell(&CopyEvent::Part {
            table: name,
            rows: written.rows,
            bytes: written.bytes,
            conflicts: written.conflicts,
        });
    }
    Ok(total)
}

/// Fails when another process has taken the task over, and keeps it from doing so until the
/// transaction ends.
fn fence(shared: &Shared<'_>, conn: &mut Conn) -> Result<(), CopyError> {
    let epoch: Option<u64> = conn
        .exec_first(FENCE, (&shared.task,))
        .map_err(at_destination("reading the task's epoch"))?;
    if epoch == Some(shared.epoch.0) {
        Ok(())
    } else {
        Err(CheckpointError::Fenced {
            task: shared.task.clone(),
        }
        .into())
    }
}

/// Counts the rows of a table without chunks in their own transaction, so that the destination's
/// log tells whose they are.
fn count_rows(
    shared: &Shared<'_>,
    conn: &mut Conn,
    table: &TableName,
    rows: u64,
) -> Result<(), CopyError> {
    conn.exec_drop(
        "UPDATE drs_meta.table_state SET rows_copied = rows_copied + ? WHERE task = ? AND db = ? AND tbl = ?",
        (rows, &shared.task, table.database.as_str(), &table.table),
    )
    .map_err(at_destination(format!("counting the rows of {table}")))
}

fn mark_done(
    shared: &Shared<'_>,
    conn: &mut Conn,
    table: &TableName,
    chunk: &ChunkRecord,
) -> Result<(), CopyError> {
    conn.exec_drop(
        "UPDATE drs_meta.chunk SET done = 1 WHERE task = ? AND db = ? AND tbl = ? AND number = ?",
        (
            &shared.task,
            table.database.as_str(),
            table.table.as_str(),
            chunk.number,
        ),
    )
    .map_err(at_destination(format!("marking a part of {table} as done")))
}
