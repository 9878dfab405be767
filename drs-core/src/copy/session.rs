use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use mysql::Conn;

use super::{
    CopyError, CopyEvent, CopyObserver, CopyOptions, CopyOutcome, OpenSession,
    board::{Board, Job, Waiting},
    chunk::chunk_condition,
    columns::Columns,
    create,
    definition::Definition,
    from::{back_off, end_of_log},
    reader::Form,
    rules::CopyRules,
    table::OpenTable,
    transfer::Source,
    unlogged,
};
use crate::{
    checkpoint::{CheckpointError, CheckpointStore, ChunkRecord, Epoch, StreamPoint, TablePhase},
    dialect::ServerVersion,
    error::server_code,
    object::{Mapping, NameCase, TableName},
    schema::TableSchema,
    sql,
};

/// How often something that may pass is tried before the copy gives up, and the longest pause.
const ATTEMPTS_MAX: u32 = 15;
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// How often a table's copy begins again because its definition changed.
const RESTARTS_MAX: u32 = 5;

/// What the sessions of one copy have in common.
pub(super) struct Shared<'a> {
    pub(super) source: &'a OpenSession<'a>,
    pub(super) destination: &'a OpenSession<'a>,
    pub(super) options: CopyOptions,
    pub(super) mapping: Option<&'a Mapping>,
    pub(super) rules: Option<&'a CopyRules<'a>>,
    /// How the destination compares names.
    pub(super) destination_case: NameCase,
    pub(super) source_version: ServerVersion,
    pub(super) gtid: bool,
    pub(super) task: String,
    pub(super) epoch: Epoch,
    pub(super) store: Mutex<&'a mut CheckpointStore>,
    pub(super) stop: &'a AtomicBool,
    pub(super) failed: AtomicBool,
    pub(super) observer: &'a dyn CopyObserver,
    pub(super) board: Board,
}

impl Shared<'_> {
    /// True when the user asked to stop, or another session failed.
    pub(super) fn halted(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed)
    }

    /// A table's name at the destination.
    pub(super) fn destination_name(&self, table: &TableName) -> TableName {
        self.mapping
            .map_or_else(|| table.clone(), |mapping| mapping.table(table))
    }

    /// The condition that a table's rows are read with, if a rule has one.
    pub(super) fn condition(&self, schema: &TableSchema) -> Result<Option<String>, CopyError> {
        self.rules.map_or(Ok(None), |rules| rules.condition(schema))
    }

    /// The source's table and its definition as the destination has them.
    pub(super) fn at_destination(
        &self,
        schema: &TableSchema,
        definition: &Definition,
    ) -> Result<(TableSchema, Definition), CopyError> {
        let Some(rule) = self.rule(&schema.name) else {
            return Ok((schema.clone(), definition.clone()));
        };
        let failed = |reason: String| CopyError::RuleColumns {
            table: schema.name.clone(),
            reason,
        };
        rule.check_columns_of(schema)
            .map_err(|error| failed(error.to_string()))?;
        let definition = definition.with_columns(rule).map_err(failed)?;
        Ok((rule.at_destination(schema), definition))
    }

    /// True when a rule changes the table's columns.
    pub(super) fn changes_columns(&self, table: &TableName) -> bool {
        self.rule(table).is_some()
    }

    /// The rule of a table that changes its columns.
    pub(super) fn rule(&self, table: &TableName) -> Option<&crate::rule::TableRule> {
        self.rules.and_then(|rules| rules.on_columns(table))
    }

    /// The columns that are read, and their names at the destination.
    pub(super) fn columns(&self, schema: &TableSchema) -> Result<Columns, CopyError> {
        Columns::of(schema, self.source_version, self.rule(&schema.name))
    }

    pub(super) fn tell(&self, event: &CopyEvent<'_>) {
        self.observer.copy_event(event);
    }

    /// Waits, unless the copy is to stop.
    pub(super) fn pause(&self, pause: Duration) -> Result<(), CopyError> {
        let end = Instant::now() + pause;
        loop {
            if self.halted() {
                return Err(CopyError::Stopped);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(Duration::from_millis(50)));
        }
    }

    /// Uses the checkpoint store, on a new connection if its own is lost; `write` must bear
    /// being repeated after it took effect.
    pub(super) fn with_store<T>(
        &self,
        mut write: impl FnMut(&mut CheckpointStore) -> Result<T, CheckpointError>,
    ) -> Result<T, CopyError> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let mut attempt = 0;
        loop {
            let error = match write(&mut store) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            attempt += 1;
            if !error.is_transient() || attempt > ATTEMPTS_MAX {
                return Err(error.into());
            }
            self.pause(back_off(attempt, PAUSE_MAX))?;
            match (self.destination)() {
                Ok((conn, _)) => store.reconnect(conn),
                Err(error) if error.is_transient() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes how far the open tables are, for whoever looks while nothing runs.
    pub(super) fn save_progress(&self) {
        for table in self.board.open_tables() {
            let progress = table.progress();
            let mut record = progress.record.clone();
            record.rows_copied += progress.rows;
            let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = store.save_table(&record) {
                // The number is for display alone.
                tracing::warn!(table = %record.table, %error, "the number of copied rows was not saved");
            }
        }
    }
}

/// One of the copy's sessions: a connection to either server, opened when needed.
pub(super) struct Session<'s, 'a> {
    pub(super) shared: &'s Shared<'a>,
    source: Option<Conn>,
    destination: Option<(Conn, ServerVersion)>,
    pub(super) form: Option<Form>,
    pub(super) outcome: CopyOutcome,
}

impl<'s, 'a> Session<'s, 'a> {
    pub(super) fn new(shared: &'s Shared<'a>) -> Self {
        Self {
            shared,
            source: None,
            destination: None,
            form: None,
            outcome: CopyOutcome::default(),
        }
    }

    /// Works until nothing is left to do.
    pub(super) fn work(mut self) -> Result<CopyOutcome, CopyError> {
        while let Some(job) = self.shared.board.next(|| self.shared.halted()) {
            match job {
                Job::Open(waiting) => {
                    let opened = self.open(waiting)?;
                    self.shared.board.opened(opened);
                }
                Job::Part(table) => self.part(&table)?,
            }
        }
        if self.shared.halted() {
            Err(CopyError::Stopped)
        } else {
            Ok(self.outcome)
        }
    }

    /// The connection to the source.
    pub(super) fn source(&mut self) -> Result<&mut Conn, CopyError> {
        if self.source.is_none() {
            let (conn, _) = (self.shared.source)()?;
            self.source = Some(conn);
        }
        // Filled just above.
        self.source.as_mut().ok_or(CopyError::Stopped)
    }

    /// The connection to the destination.
    pub(super) fn destination(&mut self) -> Result<&mut Conn, CopyError> {
        self.both().map(|(_, destination, _)| destination)
    }

    /// Both connections, and the destination's version.
    pub(super) fn both(&mut self) -> Result<(&mut Conn, &mut Conn, ServerVersion), CopyError> {
        self.source()?;
        if self.destination.is_none() {
            let shared = self.shared;
            let (mut conn, version) = unlogged::open(shared.destination, shared.options.binlog)?;
            if self.form.is_none() {
                self.form = Some(super::transfer::form(&mut conn)?);
            }
            self.destination = Some((conn, version));
        }
        match (&mut self.source, &mut self.destination) {
            (Some(source), Some((destination, version))) => Ok((source, destination, *version)),
            // Both were filled just above.
            _ => Err(CopyError::Stopped),
        }
    }

    /// Closes both connections: one may be in the middle of a result, the other of a
    /// transaction, which is thereby rolled back.
    pub(super) fn disconnect(&mut self) {
        self.source = None;
        self.destination = None;
    }

    /// Does `step`, and does it again, on new connections, when it fails for a reason that may
    /// pass. `step` must bear being repeated after it took effect.
    pub(super) fn retry<T>(
        &mut self,
        table: &TableName,
        mut step: impl FnMut(&mut Self) -> Result<T, CopyError>,
    ) -> Result<T, CopyError> {
        let mut attempt = 0;
        loop {
            if self.shared.halted() {
                return Err(CopyError::Stopped);
            }
            let error = match step(self) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            self.disconnect();
            attempt += 1;
            if !error.is_transient() || attempt > ATTEMPTS_MAX {
                return Err(error);
            }
            self.shared.tell(&CopyEvent::Waiting {
                table,
                reason: &error.to_string(),
            });
            self.shared.pause(back_off(attempt, PAUSE_MAX))?;
        }
    }

    /// Copies the next chunk of a table, and finishes the table if it was the last one.
    fn part(&mut self, table: &Arc<OpenTable>) -> Result<(), CopyError> {
        let name = &table.plan.schema.name;
        let chunk = self.retry(name, |session| session.next_chunk(table));
        let copied = match chunk {
            Ok(Some(chunk)) => self.chunk(table, &chunk),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        match copied {
            Ok(()) => {}
            // Whether the definition did change is looked at when no session reads any more.
            Err(error) if may_be_redefinition(&error) => {
                table.progress().trouble.get_or_insert(error);
                self.shared.board.exhausted(table);
            }
            Err(error) => return Err(error),
        }
        if self.shared.board.part_done(table) {
            let again = self.retry(name, |session| session.finish(table))?;
            self.shared.board.closed(table, again);
        }
        Ok(())
    }

    /// Takes a chunk that a former run has not done, or plans the next one.
    fn next_chunk(&mut self, table: &Arc<OpenTable>) -> Result<Option<ChunkRecord>, CopyError> {
        let shared = self.shared;
        let mut progress = table.progress();
        if let Some(chunk) = progress.redo.pop() {
            if progress.redo.is_empty() && progress.planner.is_finished() {
                shared.board.exhausted(table);
            }
            return Ok(Some(chunk));
        }
        let schema = &table.plan.schema;
        let chunk = progress.planner.next(
            self.source()?,
            schema,
            &table.key,
            shared.options.chunk_bytes,
        )?;
        if let Some(chunk) = &chunk {
            shared.with_store(|store| save_chunk(store, &schema.name, chunk))?;
            progress.planner.accept(chunk);
        }
        if progress.planner.is_finished() {
            shared.board.exhausted(table);
        }
        Ok(chunk)
    }

    fn chunk(&mut self, table: &Arc<OpenTable>, chunk: &ChunkRecord) -> Result<(), CopyError> {
        let plan = &table.plan;
        let name = &plan.schema.name;
        let select = format!(
            "SELECT {} FROM {} {}{}",
            plan.columns.select_list(),
            sql::table(name),
            table.key.index_hint(),
            plan.filtered(chunk_condition(chunk, &table.key, &plan.schema)?),
        );
        let record = table.progress().record.clone();
        let source = Source {
            select: &select,
            key: &table.key.column_names(),
            record: &record,
        };
        let mut first = true;
        let written = self.retry(name, |session| {
            // The commit of the attempt before may have taken effect although its answer was lost.
            if !std::mem::take(&mut first) && session.is_done(name, chunk)? {
                return Ok(None);
            }
            session.copy_chunk(plan, source, chunk).map(Some)
        })?;
        if let Some(written) = written {
            let mut progress = table.progress();
            progress.planner.learn(written.rows, written.bytes);
            let planner = &mut progress.planner;
            planner.learn_density(chunk, &table.key, written.rows);
            progress.rows += written.rows;
        }
        Ok(())
    }

    /// All chunks are in: settles `until`, adds the keys. Gives the table back when its copy
    /// must begin again.
    fn finish(&mut self, table: &Arc<OpenTable>) -> Result<Option<Waiting>, CopyError> {
        let shared = self.shared;
        let plan = &table.plan;
        let name = &plan.schema.name;
        let position = match shared.options.follow {
            true => Some(end_of_log(self.source()?, shared.source_version)?),
            false => None,
        };
        // After that point is read: a statement that changes the definition is behind it then.
        let now = Definition::load(self.source()?, name)?;
        if now.as_ref() != Some(&plan.definition) {
            return self.begin_again(table, now.is_some());
        }
        let mut progress = table.progress();
        if let Some(error) = progress.trouble.take() {
            return Err(error);
        }
        let mut record = progress.record.clone();
        record.rows_copied += progress.rows;
        if let Some(position) = position
            && record.until.is_none()
        {
            record.until = Some(StreamPoint {
                position,
                gtid_set: None,
            });
            progress.record.until.clone_from(&record.until);
        }
        let rows = progress.rows;
        drop(progress);
        self.finish_table(record, &plan.definition, rows)?;
        Ok(None)
    }

    /// Adds a table's keys and marks it as copied.
    pub(super) fn finish_table(
        &mut self,
        mut record: crate::checkpoint::TableRecord,
        definition: &Definition,
        rows: u64,
    ) -> Result<(), CopyError> {
        let shared = self.shared;
        self.add_keys(&record, definition)?;
        record.phase = TablePhase::CatchingUp;
        shared.with_store(|store| store.save_table(&record))?;
        self.outcome.tables += 1;
        shared.tell(&CopyEvent::Copied {
            table: &record.table,
            rows,
        });
        Ok(())
    }

    /// Adds the keys that were left out when the table was made.
    pub(super) fn add_keys(
        &mut self,
        record: &crate::checkpoint::TableRecord,
        definition: &Definition,
    ) -> Result<(), CopyError> {
        let shared = self.shared;
        if shared.options.indexes && record.created_by_task {
            shared.tell(&CopyEvent::Keys {
                table: &record.table,
            });
            self.take_turn(&record.table)?;
            let there = shared.destination_name(&record.table);
            let changed = match shared.rule(&record.table) {
                Some(rule) => Some(definition.with_columns(rule).map_err(|reason| {
                    CopyError::RuleColumns {
                        table: record.table.clone(),
                        reason,
                    }
                })?),
                None => None,
            };
            let definition = changed.as_ref().unwrap_or(definition);
            create::add_keys(self.destination()?, &there, definition, &shared.task)?;
            self.end_turn(&record.table)?;
        }
        Ok(())
    }

    /// The definition changed while rows were read: what was copied may be of either kind.
    fn begin_again(
        &mut self,
        table: &Arc<OpenTable>,
        exists: bool,
    ) -> Result<Option<Waiting>, CopyError> {
        let record = table.progress().record.clone();
        let name = record.table.clone();
        if !record.created_by_task {
            return Err(if exists {
                CopyError::Redefined { table: name }
            } else {
                CopyError::Vanished { table: name }
            });
        }
        if table.attempt >= RESTARTS_MAX {
            return Err(CopyError::Restless { table: name });
        }
        let record = self.reset(record)?;
        Ok(Some(Waiting {
            record,
            family: None,
            rows_estimate: table.rows_estimate,
            bytes_estimate: table.bytes_estimate,
            attempt: table.attempt + 1,
        }))
    }

    fn is_done(&self, table: &TableName, chunk: &ChunkRecord) -> Result<bool, CopyError> {
        let chunks = self.shared.with_store(|store| store.chunks(table))?;
        Ok(chunks
            .iter()
            .any(|known| known.number == chunk.number && known.done))
    }
}

/// Saves a chunk; an attempt before may have saved it although its answer was lost.
fn save_chunk(
    store: &mut CheckpointStore,
    table: &TableName,
    chunk: &ChunkRecord,
) -> Result<(), CheckpointError> {
    match store.save_chunk(table, chunk) {
        Err(CheckpointError::Query { source, .. })
            if server_code(&source) == Some(1062) && store.chunks(table)?.last() == Some(chunk) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Errors of reading that a table whose definition changed gives: unknown column, no such
/// table, no such key, changed since the snapshot.
fn may_be_redefinition(error: &CopyError) -> bool {
    matches!(error.code(), Some(1054 | 1146 | 1176 | 1412))
}
