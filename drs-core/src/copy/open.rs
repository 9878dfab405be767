use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    CopyError, CopyEvent,
    board::Waiting,
    chunk::{ChunkKey, Planner},
    create::{self, Keys},
    definition::Definition,
    from::{TableLock, back_off, end_of_log, visible_gtid_point},
    session::Session,
    table::{OpenTable, Progress, TablePlan},
};
use crate::{
    checkpoint::{StreamPoint, TablePhase, TableRecord},
    object::TableName,
    rule::TableRule,
    schema::TableSchema,
};

/// How often a definition may change between two looks at it.
pub(super) const LOOKS_MAX: u32 = 10;

/// The longest pause between two attempts to lock a table.
const LOCK_PAUSE_MAX: Duration = Duration::from_secs(10);

/// A table of this size or less gets all its keys when it is created: adding them after the
/// rows would cost another statement, and save nothing.
const SMALL_TABLE_BYTES_MAX: u64 = 1 << 20;

/// Used when the server knows no size of the rows.
const ROW_BYTES_GUESS: u64 = 256;

/// The source's side of a table, read after its `from`.
pub(super) struct Seen {
    pub(super) definition: Definition,
    pub(super) schema: TableSchema,
}

impl Session<'_, '_> {
    /// Begins with a table, or goes on with it. A keyed table comes back ready to give out its
    /// chunks; a keyless one is copied here, as a whole.
    pub(super) fn open(&mut self, waiting: Waiting) -> Result<Option<Arc<OpenTable>>, CopyError> {
        if waiting.family.is_some() {
            return self.family(waiting).map(|()| None);
        }
        let Waiting {
            mut record,
            rows_estimate,
            bytes_estimate,
            mut attempt,
            family: _,
        } = waiting;
        let name = record.table.clone();
        self.shared.tell(&CopyEvent::Opened {
            table: &name,
            rows_estimate,
        });
        if attempt > 0 {
            self.shared.tell(&CopyEvent::Restarted { table: &name });
        }
        let small = self.shared.options.indexes && bytes_estimate <= SMALL_TABLE_BYTES_MAX;
        loop {
            let opened = self.retry(&name, |session| session.open_once(&mut record, small));
            return match opened? {
                Opened::Keyed(plan, key) => {
                    let chunks = self.shared.with_store(|store| store.chunks(&name))?;
                    let row_bytes = bytes_estimate
                        .checked_div(rows_estimate)
                        .unwrap_or(ROW_BYTES_GUESS);
                    let progress = Progress {
                        record,
                        planner: Planner::after(&chunks, row_bytes),
                        redo: chunks
                            .into_iter()
                            .filter(|chunk| !chunk.done)
                            .rev()
                            .collect(),
                        rows: 0,
                        trouble: None,
                    };
                    let progress = Mutex::new(progress);
                    Ok(Some(Arc::new(OpenTable {
                        plan: *plan,
                        key,
                        rows_estimate,
                        bytes_estimate,
                        attempt,
                        progress,
                    })))
                }
                Opened::Done => Ok(None),
                Opened::Again if attempt < LOOKS_MAX => {
                    attempt += 1;
                    self.shared.tell(&CopyEvent::Restarted { table: &name });
                    continue;
                }
                Opened::Again => Err(CopyError::Restless { table: name }),
            };
        }
    }

    fn open_once(&mut self, record: &mut TableRecord, small: bool) -> Result<Opened, CopyError> {
        let name = record.table.clone();
        let Some(before) = Definition::load(self.source()?, &name)? else {
            return self.vanished(record);
        };
        let Some(schema) = TableSchema::load(self.source()?, &name)? else {
            return self.vanished(record);
        };
        let Some(key) = ChunkKey::of(&schema) else {
            return self.keyless(record, &before);
        };
        if record.phase == TablePhase::Copying {
            return self.resume(
                record,
                Seen {
                    definition: before,
                    schema,
                },
                key,
            );
        }
        let Some(point) = self.start_point(&name)? else {
            return Ok(Opened::Again);
        };
        // What is read now is the definition as of `from` if it was the same before it.
        let after = Definition::load(self.source()?, &name)?;
        let schema = TableSchema::load(self.source()?, &name)?;
        let (Some(after), Some(schema)) = (after, schema) else {
            return Ok(Opened::Again);
        };
        if after != before {
            return Ok(Opened::Again);
        }
        let Some(key) = ChunkKey::of(&schema) else {
            return Ok(Opened::Again);
        };
        let seen = Seen {
            definition: after,
            schema,
        };
        let keys = if small {
            Keys::WithTheTable
        } else {
            Keys::AfterTheRows
        };
        let there = self.make_table(record, &seen, false, keys)?;
        self.shared.with_store(|store| store.forget_chunks(&name))?;
        record.phase = TablePhase::Copying;
        record.from = point;
        record.definition = Some(seen.definition.digest());
        let names = seen.schema.column_names();
        self.shared
            .with_store(|store| store.save_table_with_columns(record, &names))?;
        self.keyed(seen, &there, key)
    }

    /// Goes on with a table whose rows are partly there.
    fn resume(
        &mut self,
        record: &mut TableRecord,
        seen: Seen,
        key: ChunkKey,
    ) -> Result<Opened, CopyError> {
        let destination = self.shared.destination_name(&record.table);
        let there = TableSchema::load(self.destination()?, &destination)?;
        let differences = match &there {
            Some(there) => {
                let expected = self.shared.at_destination(&seen.schema, &seen.definition)?;
                create::differences(&expected.0, there, self.shared.rule(&record.table))
            }
            None => vec!["it is missing at the destination".to_owned()],
        };
        // A new key alone makes no difference to the rows, but its statement is in the log behind
        // `from`, and would be run on a table that has the key already.
        let redefined = record.definition != Some(seen.definition.digest());
        match there {
            Some(there) if differences.is_empty() && !redefined => self.keyed(seen, &there, key),
            // The source's definition changed while nothing ran, or the table was dropped.
            _ if record.created_by_task => {
                *record = self.reset(record.clone())?;
                Ok(Opened::Again)
            }
            _ if differences.is_empty() => Err(CopyError::Redefined {
                table: record.table.clone(),
            }),
            _ => Err(CopyError::Different {
                table: record.table.clone(),
                differences,
            }),
        }
    }

    fn keyed(&self, seen: Seen, there: &TableSchema, key: ChunkKey) -> Result<Opened, CopyError> {
        let columns = self.shared.columns(&seen.schema)?;
        let transactional = there.engine.eq_ignore_ascii_case("InnoDB");
        let plan = TablePlan {
            destination: self.shared.destination_name(&seen.schema.name),
            condition: self.shared.condition(&seen.schema)?,
            schema: seen.schema,
            definition: seen.definition,
            columns,
            transactional,
        };
        Ok(Opened::Keyed(Box::new(plan), key))
    }

    /// Makes sure that the destination has the table, and that it takes the source's rows as
    /// they are. A table that is there must be empty or its rows are kept, unless `keyless`.
    pub(super) fn make_table(
        &mut self,
        record: &mut TableRecord,
        seen: &Seen,
        keyless: bool,
        keys: Keys,
    ) -> Result<TableSchema, CopyError> {
        let shared = self.shared;
        let name = record.table.clone();
        let (expected, expected_definition) =
            shared.at_destination(&seen.schema, &seen.definition)?;
        if shared.changes_columns(&name) {
            let text = crate::rule::record(&seen.schema.columns);
            shared.with_store(|store| store.save_rule_columns(&name, &text))?;
        }
        self.take_turn(&name)?;
        let to = shared.destination_name(&name);
        let there = TableSchema::load(self.destination()?, &to)?;
        match there {
            Some(there) if record.phase == TablePhase::Pending => {
                if keyless {
                    return Err(CopyError::KeylessExists { table: name });
                }
                same(&expected, &there, shared.rule(&name))?;
                self.end_turn(&name)?;
                return Ok(there);
            }
            // Left behind by a run of this task that ended before the first row.
            Some(_) => {
                if create::has_rows(self.destination()?, &to)? {
                    return Err(CopyError::CreatedNotEmpty { table: name });
                }
                self.drop_own(&name)?;
            }
            None => create::shows_labels(&seen.schema)?,
        }
        record.phase = TablePhase::Creating;
        record.created_by_task = true;
        record.from = None;
        record.until = None;
        record.rows_copied = 0;
        shared.with_store(|store| store.save_table(record))?;
        let (source, destination, _) = self.both()?;
        create::ensure_database(
            source,
            destination,
            (&name.database, &to.database),
            &shared.task,
        )?;
        let definition = match shared.mapping {
            Some(mapping) => expected_definition.with_parents(&name.database, mapping),
            None => expected_definition,
        };
        create::create_table(source, destination, &to, &definition, keys, &shared.task)?;
        let there = TableSchema::load(destination, &to)?;
        let Some(there) = there else {
            return Err(CopyError::Different {
                table: name,
                differences: vec!["it was created and is not there".to_owned()],
            });
        };
        same(&expected, &there, shared.rule(&name))?;
        self.end_turn(&name)?;
        Ok(there)
    }

    /// Drops what this task created, so that the table's copy begins again.
    pub(super) fn reset(&mut self, mut record: TableRecord) -> Result<TableRecord, CopyError> {
        self.take_turn(&record.table)?;
        // In this order: a table that is missing while its record says `copying` is begun again too.
        self.drop_own(&record.table)?;
        self.end_turn(&record.table)?;
        self.shared
            .with_store(|store| store.forget_chunks(&record.table))?;
        record.phase = TablePhase::Creating;
        record.from = None;
        record.until = None;
        record.rows_copied = 0;
        self.shared.with_store(|store| store.save_table(&record))?;
        Ok(record)
    }

    /// Drops a table that this task created, unless another task writes to it by now.
    fn drop_own(&mut self, table: &TableName) -> Result<(), CopyError> {
        let (shared, case) = (self.shared, self.shared.destination_case);
        let there = shared.destination_name(table);
        // Asked for the store's connection alone: it may have to be opened anew.
        let database = there.database.as_str();
        shared.with_store(|store| store.writers(database, Some(&there.table), case))?;
        let mut store = shared.store.lock().unwrap_or_else(PoisonError::into_inner);
        let (others, held) = store.hold_writers(&there, case)?;
        if !others.is_empty() {
            return Err(CopyError::Shared {
                table: there,
                others,
            });
        }
        create::drop_table(self.destination()?, &there, &shared.task)?;
        drop(held);
        Ok(())
    }

    /// A point such that what is at or before it is visible to the reads that follow; the
    /// outer `None` when the table is gone.
    fn start_point(&mut self, table: &TableName) -> Result<Option<Option<StreamPoint>>, CopyError> {
        let (version, gtid) = (self.shared.source_version, self.shared.gtid);
        if !self.shared.options.follow {
            return Ok(Some(None));
        }
        if gtid {
            return visible_gtid_point(self.source()?, version).map(|point| Some(Some(point)));
        }
        let mut attempt = 0;
        loop {
            let conn = self.source()?;
            match TableLock::acquire(conn, table) {
                Ok(Some(mut lock)) => {
                    let position = end_of_log(lock.conn(), version)?;
                    lock.release(table)?;
                    return Ok(Some(Some(StreamPoint {
                        position,
                        gtid_set: None,
                    })));
                }
                Ok(None) => self.wait_for_writers(table, &mut attempt)?,
                Err(error) if error.code() == Some(1146) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Writers hold the table: lets them go on before the lock is asked for again.
    pub(super) fn wait_for_writers(
        &self,
        table: &TableName,
        attempt: &mut u32,
    ) -> Result<(), CopyError> {
        *attempt += 1;
        let reason = "transactions that write to it have been open for more than 3 s; it is locked for an instant when they end";
        self.shared.tell(&CopyEvent::Waiting { table, reason });
        self.shared.pause(back_off(*attempt + 3, LOCK_PAUSE_MAX))
    }

    /// The table is not at the source any more. What the log says of it up to now is of no
    /// use: its end is among it.
    pub(super) fn vanished(&mut self, record: &mut TableRecord) -> Result<Opened, CopyError> {
        let shared = self.shared;
        if record.phase == TablePhase::Copying && !record.created_by_task {
            return Err(CopyError::Vanished {
                table: record.table.clone(),
            });
        }
        if record.created_by_task {
            self.take_turn(&record.table)?;
            self.drop_own(&record.table)?;
            self.end_turn(&record.table)?;
            shared.with_store(|store| store.forget_chunks(&record.table))?;
        }
        if shared.options.follow {
            let source = self.source()?;
            // SHOW CREATE TABLE has waited for the statement that removed the table.
            let point = if shared.gtid {
                visible_gtid_point(source, shared.source_version)?
            } else {
                StreamPoint {
                    position: end_of_log(source, shared.source_version)?,
                    gtid_set: None,
                }
            };
            record.until = Some(StreamPoint {
                position: point.position.clone(),
                gtid_set: None,
            });
            record.from = Some(point);
        }
        record.rows_copied = 0;
        record.phase = TablePhase::CatchingUp;
        shared.with_store(|store| store.save_table(record))?;
        self.outcome.tables += 1;
        shared.tell(&CopyEvent::Copied {
            table: &record.table,
            rows: 0,
        });
        Ok(Opened::Done)
    }
}

/// How opening a table ended.
pub(super) enum Opened {
    /// A keyed table, ready to give out chunks.
    Keyed(Box<TablePlan>, ChunkKey),
    /// Nothing is left to do.
    Done,
    /// The definition changed meanwhile.
    Again,
}

fn same(
    source: &TableSchema,
    destination: &TableSchema,
    rule: Option<&TableRule>,
) -> Result<(), CopyError> {
    let differences = create::differences(source, destination, rule);
    if differences.is_empty() {
        Ok(())
    } else {
        Err(CopyError::Different {
            table: source.name.clone(),
            differences,
        })
    }
}
