//! The full copy: every table goes `pending -> (creating) -> copying -> catching_up`.
//!
//! Tables with a key are read without a lock, in chunks of the key's own order, by several
//! sessions at a time; a chunk and its mark in the checkpoint are one transaction of the
//! destination. Tables without a key are read from one consistent snapshot.
//! What a table's rows hold is settled by two points of the source's binary log: everything
//! at or before `from` is in the copy, and what is after `until` is not.

mod board;
mod chunk;
mod columns;
mod create;
mod definition;
mod definition_columns;
mod error;
mod family;
mod fit;
mod from;
mod kept;
mod keyless;
mod list;
mod open;
mod programs;
mod reader;
mod rules;
mod session;
mod table;
mod transfer;
mod turn;
mod unlogged;
mod writer;

pub(crate) use chunk::{Bound, ChunkKey};
pub(crate) use columns::Columns as CopiedColumns;
pub use create::may_hide_labels;
pub(crate) use create::plain_type;
pub use error::CopyError;
pub(crate) use from::{end_of_log, uses_gtid, visible_gtid_point};
pub(crate) use list::ensure_databases;
pub use list::{LeftOut, Listing, TableToCopy, copies_engine, list_tables};
pub(crate) use rules::{CopyRules, check_columns};

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use board::{Board, Waiting};
use mysql::Conn;
use session::{Session, Shared};

use crate::{
    checkpoint::{CheckpointStore, TablePhase, TableRecord},
    dialect::ServerVersion,
    object::{Mapping, NameCase, Selection, TableName},
    session::SessionError,
};

/// Opens a session that is set up as [`crate::open_source`] and [`crate::open_destination`] do it.
pub type OpenSession<'a> = dyn Fn() -> Result<(Conn, ServerVersion), SessionError> + Sync + 'a;

/// How to copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyOptions {
    /// How many tables or parts of tables are copied at a time, each with a connection to
    /// either server; at least 1.
    pub sessions: u16,
    /// About how many bytes of rows one transaction takes.
    pub chunk_bytes: u64,
    /// False leaves out keys that are not unique.
    pub indexes: bool,
    /// True when the binary log is followed after the copy: tables then get `from` and
    /// `until`. Without it nothing is locked and the source needs no binary log.
    pub follow: bool,
    /// False keeps what the copy does at the destination out of the destination's own binary
    /// log: tables, rows, keys, views and routines. The checkpoint's statements stay in it, but
    /// for those of the transactions that hold rows.
    pub binlog: bool,
}

/// What happens while tables are copied. Told from several threads.
#[derive(Debug)]
#[non_exhaustive]
pub enum CopyEvent<'a> {
    /// How many tables there are to copy, and the servers' estimate of their rows.
    Planned {
        /// Tables of the task.
        tables: u64,
        /// Those that a former run has copied.
        tables_done: u64,
        /// Rows of those still to copy.
        rows_estimate: u64,
    },
    /// A table's turn has come.
    Opened {
        /// The table.
        table: &'a TableName,
        /// How many rows the source believes it has.
        rows_estimate: u64,
    },
    /// A part of a table is committed at the destination.
    Part {
        /// The table.
        table: &'a TableName,
        /// Its rows.
        rows: u64,
        /// Their size as it was sent.
        bytes: u64,
        /// Rows that were at the destination already, and are left there as they are.
        conflicts: u64,
    },
    /// The table's rows are all copied, and its keys are being added.
    Keys {
        /// The table.
        table: &'a TableName,
    },
    /// A table is done.
    Copied {
        /// The table.
        table: &'a TableName,
        /// The rows of it that this run copied.
        rows: u64,
    },
    /// The table's copy begins again, because its definition changed or it was cut off.
    Restarted {
        /// The table.
        table: &'a TableName,
    },
    /// A view, procedure or function was not created, or not quite as it is at the source.
    Program {
        /// "view", "procedure" or "function".
        kind: &'static str,
        /// Its database and name.
        name: &'a TableName,
        /// What became of it.
        finding: &'a str,
    },
    /// Something has to be waited for, or tried again.
    Waiting {
        /// The table.
        table: &'a TableName,
        /// What for.
        reason: &'a str,
    },
}

/// Is told what the copy does; every method may be called from several threads at a time.
pub trait CopyObserver: Sync {
    /// Something happened.
    fn copy_event(&self, event: &CopyEvent<'_>) {
        _ = event;
    }
}

impl CopyObserver for () {}

/// What a run of the copy did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyOutcome {
    /// Tables that this run finished.
    pub tables: u64,
    /// Rows that this run sent.
    pub rows: u64,
    /// Their size as they were sent.
    pub bytes: u64,
    /// Rows that were at the destination already, and were left there as they are.
    pub conflicts: u64,
    /// Views, procedures and functions that are at the destination now.
    pub programs: u64,
    /// Those that could not be created there, or that are others there.
    pub programs_left_out: u64,
}

/// The full copy of a task's tables.
pub struct Copy<'a> {
    source: &'a OpenSession<'a>,
    destination: &'a OpenSession<'a>,
    options: CopyOptions,
    mapping: Option<&'a Mapping>,
    rules: Option<&'a CopyRules<'a>>,
    programs: Option<&'a Selection>,
    destination_case: NameCase,
    families: Vec<BTreeSet<TableName>>,
    case: NameCase,
}

impl<'a> Copy<'a> {
    /// Takes the ways to open sessions; `destination` must not retry a refused login.
    pub fn new(
        source: &'a OpenSession<'a>,
        destination: &'a OpenSession<'a>,
        options: CopyOptions,
    ) -> Self {
        Self {
            source,
            destination,
            options,
            mapping: None,
            rules: None,
            programs: None,
            destination_case: NameCase::default(),
            families: Vec::new(),
            case: NameCase::Sensitive,
        }
    }

    /// Copies the tables of each family, given as folded names, from one snapshot.
    #[must_use]
    pub(crate) fn families(mut self, families: Vec<BTreeSet<TableName>>, case: NameCase) -> Self {
        self.families = families;
        self.case = case;
        self
    }

    /// Gives tables other names at the destination.
    #[must_use]
    pub fn mapping(mut self, mapping: &'a Mapping) -> Self {
        self.mapping = Some(mapping);
        self
    }

    /// Says how the destination compares names.
    #[must_use]
    pub(crate) fn destination_case(mut self, case: NameCase) -> Self {
        self.destination_case = case;
        self
    }

    /// Reads only what the task's rules take.
    #[must_use]
    pub(crate) fn rules(mut self, rules: &'a CopyRules<'a>) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Creates the views that the selection takes in, and the procedures and functions of the
    /// databases that it takes as a whole, when all tables are copied.
    #[must_use]
    pub fn programs(mut self, selection: &'a Selection) -> Self {
        self.programs = Some(selection);
        self
    }

    /// Copies every table that the checkpoint does not say is copied, and then marks the copy
    /// as finished there.
    ///
    /// # Errors
    /// [`CopyError::Stopped`] when `stop` was set. After any error the same call goes on where
    /// this one ended.
    pub fn run(
        &self,
        store: &mut CheckpointStore,
        stop: &AtomicBool,
        observer: &dyn CopyObserver,
    ) -> Result<CopyOutcome, CopyError> {
        let (mut source, version) = (self.source)()?;
        let records = store.tables()?;
        let all = records.len() as u64;
        let estimates = list::estimates(&mut source)?;
        let (alone, families) = family::grouped(records, &self.families, self.case);
        let size = |record: &TableRecord| estimates.get(&record.table).copied().unwrap_or_default();
        let mut waiting: Vec<Waiting> = alone
            .into_iter()
            .filter(|record| record.phase < TablePhase::CatchingUp)
            .map(|record| {
                let (rows, bytes) = size(&record);
                Waiting {
                    record,
                    family: None,
                    rows_estimate: rows,
                    bytes_estimate: bytes,
                    attempt: 0,
                }
            })
            .collect();
        waiting.extend(families.into_iter().filter_map(|mut records| {
            let sizes: Vec<(u64, u64)> = records.iter().map(size).collect();
            Some(Waiting {
                record: records.pop()?,
                family: Some(records),
                rows_estimate: sizes.iter().map(|(rows, _)| rows).sum(),
                bytes_estimate: sizes.iter().map(|(_, bytes)| bytes).sum(),
                attempt: 0,
            })
        }));
        drop(estimates);
        observer.copy_event(&CopyEvent::Planned {
            tables: all,
            tables_done: all
                - waiting
                    .iter()
                    .map(|table| 1 + table.family.as_ref().map_or(0, Vec::len) as u64)
                    .sum::<u64>(),
            rows_estimate: waiting.iter().map(|table| table.rows_estimate).sum(),
        });
        // The largest first, so that no large one is left for a single session at the end.
        waiting.sort_by_key(|table| table.bytes_estimate);
        let gtid = self.options.follow && uses_gtid(&mut source)?;
        drop(source);
        let shared = Shared {
            source: self.source,
            destination: self.destination,
            options: self.options,
            mapping: self.mapping,
            rules: self.rules,
            destination_case: self.destination_case,
            source_version: version,
            gtid,
            task: store.task().to_owned(),
            epoch: store.epoch(),
            store: store.into(),
            stop,
            failed: AtomicBool::new(false),
            observer,
            board: Board::new(waiting),
        };
        let result = thread::scope(|scope| {
            let sessions: Vec<_> = (0..self.options.sessions.max(1))
                .map(|_| {
                    scope.spawn(|| {
                        let result = Session::new(&shared).work();
                        if result.is_err() {
                            shared.failed.store(true, Ordering::Relaxed);
                            shared.board.wake();
                        }
                        result
                    })
                })
                .collect();
            let mut outcome = CopyOutcome::default();
            let mut error: Option<CopyError> = None;
            for session in sessions {
                match session.join() {
                    Ok(Ok(done)) => {
                        outcome.tables += done.tables;
                        outcome.rows += done.rows;
                        outcome.bytes += done.bytes;
                        outcome.conflicts += done.conflicts;
                    }
                    // The sessions that were told to stop are not the cause.
                    Ok(Err(CopyError::Stopped)) => error = error.or(Some(CopyError::Stopped)),
                    Ok(Err(cause)) => match &error {
                        None | Some(CopyError::Stopped) => error = Some(cause),
                        Some(_) => {}
                    },
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            error.map_or(Ok(outcome), Err)
        });
        if matches!(result, Err(CopyError::Stopped)) {
            shared.save_progress();
        }
        let mut outcome = result?;
        drop(shared);
        if let Some(selection) = self.programs {
            let sides = programs::Sides {
                source: (self.source)()?,
                destination: unlogged::open(self.destination, self.options.binlog)?,
            };
            let programs = programs::copy(sides, store, selection, self.mapping, stop, observer)?;
            outcome.programs = programs.copied;
            outcome.programs_left_out = programs.left_out;
        }
        store.finish_copy()?;
        Ok(outcome)
    }
}
