use mysql::{Conn, prelude::Queryable};

use super::{
    CopyError,
    create::Keys,
    definition::Definition,
    error::{at_destination, at_source},
    from::{LOCK_SECS_MAX, TableLock, end_of_log, visible_gtid_point},
    open::{Opened, Seen},
    session::Session,
    table::TablePlan,
    transfer::Source,
};
use crate::{
    checkpoint::{StreamPoint, TablePhase, TableRecord},
    object::TableName,
    schema::TableSchema,
    sql,
};

/// A keyless MyISAM table of at most this size is read under its lock.
const LOCKED_BYTES_MAX: u64 = 64 << 20;

impl Session<'_, '_> {
    /// Copies a table without a key from one snapshot: `from` and `until` are the same point.
    ///
    /// Nothing tells its rows apart, so a copy that was cut off begins again with an empty table.
    pub(super) fn keyless(
        &mut self,
        record: &mut TableRecord,
        before: &Definition,
    ) -> Result<Opened, CopyError> {
        let name = record.table.clone();
        if record.phase == TablePhase::Copying {
            if !record.created_by_task {
                return Err(CopyError::KeylessExists { table: name });
            }
            *record = self.reset(record.clone())?;
        }
        let Some(seen) = self.look(&name, before)? else {
            return Ok(Opened::Again);
        };
        let columns = self.shared.columns(&seen.schema)?;
        let there = self.make_table(record, &seen, true, Keys::AfterTheRows)?;
        let plan = TablePlan {
            condition: self.shared.condition(&seen.schema)?,
            schema: seen.schema,
            destination: self.shared.destination_name(&name),
            definition: seen.definition,
            columns,
            transactional: there.engine.eq_ignore_ascii_case("InnoDB"),
        };
        let locked = plan.schema.engine.eq_ignore_ascii_case("MyISAM");
        let copied = if locked {
            self.read_locked(record, &plan)
        } else {
            self.read_snapshot(record, &plan)
        };
        match copied {
            Ok(Some(rows)) => {
                record.rows_copied = rows;
                self.finish_table(record.clone(), &plan.definition, rows)?;
                Ok(Opened::Done)
            }
            Ok(None) => {
                *record = self.reset(record.clone())?;
                Ok(Opened::Again)
            }
            // ER_TABLE_DEF_CHANGED: an ALTER came after the snapshot.
            Err(error)
                if matches!(error.code(), Some(1412 | 1054 | 1146))
                    || matches!(error, CopyError::LoadRefused { .. }) =>
            {
                self.disconnect();
                *record = self.reset(record.clone())?;
                Ok(Opened::Again)
            }
            Err(error) => Err(error),
        }
    }

    fn look(&mut self, name: &TableName, before: &Definition) -> Result<Option<Seen>, CopyError> {
        let schema = TableSchema::load(self.source()?, name)?;
        let after = Definition::load(self.source()?, name)?;
        Ok(match (schema, after) {
            (Some(schema), Some(after)) if after == *before => Some(Seen {
                definition: after,
                schema,
            }),
            _ => None,
        })
    }

    /// Opens the snapshot while a second session holds the table still, and reads it. `None`
    /// when the definition is not the one that the destination's table was made with.
    fn read_snapshot(
        &mut self,
        record: &mut TableRecord,
        plan: &TablePlan,
    ) -> Result<Option<u64>, CopyError> {
        let shared = self.shared;
        let name = &plan.schema.name;
        let snapshot = "START TRANSACTION WITH CONSISTENT SNAPSHOT";
        let failed = at_source(format!("opening a snapshot of {name}"));
        if shared.options.follow {
            let (mut locking, _) = (shared.source)()?;
            let mut attempt = 0;
            loop {
                let reading = self.source()?;
                if let Some(mut lock) = TableLock::acquire(&mut locking, name)? {
                    reading.query_drop(snapshot).map_err(&failed)?;
                    let point = self.point(lock.conn())?;
                    lock.release(name)?;
                    record.from = Some(point);
                    break;
                }
                self.wait_for_writers(name, &mut attempt)?;
            }
        } else {
            self.source()?.query_drop(snapshot).map_err(&failed)?;
        }
        // In the snapshot's own transaction: a statement that changes the definition after this
        // look makes the read itself fail.
        if Definition::load(self.source()?, name)?.as_ref() != Some(&plan.definition) {
            self.disconnect();
            return Ok(None);
        }
        let rows = self.read_all(record, plan)?;
        self.source()?.query_drop("COMMIT").map_err(&failed)?;
        Ok(Some(rows))
    }

    /// MyISAM has no snapshot: the rows are read under the lock itself, into the destination's
    /// table; when that takes too long the lock is let go and the copy stops.
    fn read_locked(
        &mut self,
        record: &mut TableRecord,
        plan: &TablePlan,
    ) -> Result<Option<u64>, CopyError> {
        let shared = self.shared;
        let name = &plan.schema.name;
        let too_large = || CopyError::KeylessMyIsam {
            table: name.clone(),
            seconds: LOCK_SECS_MAX,
        };
        if self.data_bytes(name)? > LOCKED_BYTES_MAX {
            return Err(too_large());
        }
        let (mut locking, _) = (shared.source)()?;
        let mut attempt = 0;
        let mut lock = loop {
            if let Some(lock) = TableLock::acquire(&mut locking, name)? {
                break lock;
            }
            self.wait_for_writers(name, &mut attempt)?;
            // The lock is not held here; this is for the borrow of the session that holds it.
            (locking, _) = (shared.source)()?;
        };
        if shared.options.follow {
            record.from = Some(self.point(lock.conn())?);
        }
        if Definition::load(self.source()?, name)?.as_ref() != Some(&plan.definition) {
            lock.release(name)?;
            return Ok(None);
        }
        self.source()?
            .query_drop(format!(
                "SET SESSION max_execution_time = {}",
                LOCK_SECS_MAX * 1000
            ))
            .or_else(|error| {
                if crate::error::server_code(&error) == Some(1193) {
                    Ok(())
                } else {
                    Err(error)
                }
            })
            .map_err(at_source(format!("limiting the time of reading {name}")))?;
        let rows = self.read_all(record, plan);
        lock.release(name)?;
        // The session has a limit now that others must not meet.
        self.disconnect();
        match rows {
            // ER_QUERY_TIMEOUT.
            Err(error) if error.code() == Some(3024) => Err(too_large()),
            rows => rows.map(Some),
        }
    }

    fn data_bytes(&mut self, table: &TableName) -> Result<u64, CopyError> {
        let bytes: Option<Option<u64>> = self
            .source()?
            .exec_first(
                "SELECT DATA_LENGTH FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
                (table.database.as_str(), table.table.as_str()),
            )
            .map_err(at_source(format!("reading the size of {table}")))?;
        Ok(bytes.flatten().unwrap_or(0))
    }

    pub(super) fn point(&self, conn: &mut Conn) -> Result<StreamPoint, CopyError> {
        if self.shared.gtid {
            visible_gtid_point(conn, self.shared.source_version)
        } else {
            let position = end_of_log(conn, self.shared.source_version)?;
            Ok(StreamPoint {
                position,
                gtid_set: None,
            })
        }
    }

    pub(super) fn read_all(
        &mut self,
        record: &mut TableRecord,
        plan: &TablePlan,
    ) -> Result<u64, CopyError> {
        let name = &plan.schema.name;
        record.until = record.from.clone().map(|from| StreamPoint {
            gtid_set: None,
            ..from
        });
        record.phase = TablePhase::Copying;
        let names = plan.schema.column_names();
        self.shared
            .with_store(|store| store.save_table_with_columns(record, &names))?;
        // The destination's connection may have sat idle through the wait for the lock.
        self.destination()?
            .query_drop("DO 1")
            .map_err(at_destination(format!("copying {name}")))?;
        let select = format!(
            "SELECT {} FROM {}{}",
            plan.columns.select_list(),
            sql::table(name),
            plan.filtered(String::new()),
        );
        let source = Source {
            select: &select,
            key: "none",
            record,
        };
        self.copy_parts(plan, source).map(|written| written.rows)
    }
}
