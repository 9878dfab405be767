//! Families of tables that cascading foreign keys tie together, where the source does not log what
//! the keys change.
//!
//! All tables of a family are copied from one snapshot, taken while all of them are locked for an
//! instant: `from` and `until` are one point for all. Were they copied at several points, the
//! old change of a parent would later cascade into rows of a child that are newer.

use std::collections::BTreeSet;

use mysql::prelude::Queryable;

use super::{
    CopyError, CopyEvent,
    board::Waiting,
    columns::Columns,
    create::Keys,
    definition::Definition,
    error::at_source,
    from::TableLock,
    open::{LOOKS_MAX, Seen},
    session::Session,
    table::TablePlan,
};
use crate::{
    checkpoint::{TablePhase, TableRecord},
    object::{NameCase, TableName},
    schema::TableSchema,
};

/// Takes apart the tables that are copied each alone, and the families of which a table is still
/// to be copied; those begin again as a whole.
pub(super) fn grouped(
    records: Vec<TableRecord>,
    families: &[BTreeSet<TableName>],
    case: NameCase,
) -> (Vec<TableRecord>, Vec<Vec<TableRecord>>) {
    let mut alone = records;
    let mut groups = Vec::new();
    for family in families {
        let (members, others): (Vec<_>, Vec<_>) = alone
            .into_iter()
            .partition(|record| family.contains(&record.table.folded(case)));
        alone = others;
        if members
            .iter()
            .any(|record| record.phase < TablePhase::CatchingUp)
        {
            groups.push(members);
        } else {
            alone.extend(members);
        }
    }
    (alone, groups)
}

impl Session<'_, '_> {
    /// Copies a family, from empty tables.
    pub(super) fn family(&mut self, waiting: Waiting) -> Result<(), CopyError> {
        let name = waiting.record.table.clone();
        self.shared.tell(&CopyEvent::Opened {
            table: &name,
            rows_estimate: waiting.rows_estimate,
        });
        let mut records = waiting.family.unwrap_or_default();
        records.push(waiting.record);
        for _ in 0..LOOKS_MAX {
            if self.retry(&name, |session| session.family_once(&mut records))? {
                return Ok(());
            }
            self.shared.tell(&CopyEvent::Restarted { table: &name });
        }
        Err(CopyError::Restless { table: name })
    }

    /// False when a definition changed meanwhile; then nothing is copied.
    fn family_once(&mut self, records: &mut Vec<TableRecord>) -> Result<bool, CopyError> {
        self.reset_family(records)?;
        let mut plans = Vec::with_capacity(records.len());
        while let Some(record) = records.get_mut(plans.len()) {
            match self.family_member(record)? {
                Some(plan) => plans.push(plan),
                None => _ = records.remove(plans.len()),
            }
        }
        if records.is_empty() {
            return Ok(true);
        }
        match self.family_rows(records, &plans) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            // ER_TABLE_DEF_CHANGED and its like: a statement came after the snapshot.
            Err(error)
                if matches!(error.code(), Some(1412 | 1054 | 1146))
                    || matches!(error, CopyError::LoadRefused { .. }) =>
            {
                self.disconnect();
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        for (record, plan) in records.iter_mut().zip(&plans) {
            self.add_keys(record, &plan.definition)?;
        }
        let mut copied = records.clone();
        for record in &mut copied {
            record.phase = TablePhase::CatchingUp;
        }
        // All or none: one that is copied stands for the snapshot of all.
        self.shared.with_store(|store| store.save_tables(&copied))?;
        for record in &copied {
            self.outcome.tables += 1;
            self.shared.tell(&CopyEvent::Copied {
                table: &record.table,
                rows: record.rows_copied,
            });
        }
        Ok(true)
    }

    /// Empties what an earlier attempt has begun to copy.
    fn reset_family(&mut self, records: &mut [TableRecord]) -> Result<(), CopyError> {
        for record in records {
            if record.phase < TablePhase::Copying {
                continue;
            }
            if !record.created_by_task {
                return Err(CopyError::FamilyExists {
                    table: record.table.clone(),
                });
            }
            *record = self.reset(record.clone())?;
        }
        Ok(())
    }

    /// Makes one of the tables at the destination; `None` when it is gone at the source.
    fn family_member(&mut self, record: &mut TableRecord) -> Result<Option<TablePlan>, CopyError> {
        let name = record.table.clone();
        let definition = Definition::load(self.source()?, &name)?;
        let schema = TableSchema::load(self.source()?, &name)?;
        let (Some(definition), Some(schema)) = (definition, schema) else {
            self.vanished(record)?;
            return Ok(None);
        };
        let seen = Seen { definition, schema };
        let columns = Columns::of(&seen.schema, self.shared.source_version, None)?;
        let there = self
            .make_table(record, &seen, true, Keys::AfterTheRows)
            .map_err(|error| match error {
                CopyError::KeylessExists { table } => CopyError::FamilyExists { table },
                error => error,
            })?;
        Ok(Some(TablePlan {
            destination: self.shared.destination_name(&name),
            transactional: there.engine.eq_ignore_ascii_case("InnoDB"),
            schema: seen.schema,
            definition: seen.definition,
            columns,
            // Tables of a family have no rules.
            condition: None,
        }))
    }

    /// Copies the rows of all tables from one snapshot; false when a definition is not the one
    /// that the destination's table was made with.
    fn family_rows(
        &mut self,
        records: &mut [TableRecord],
        plans: &[TablePlan],
    ) -> Result<bool, CopyError> {
        let shared = self.shared;
        let names: Vec<&TableName> = plans.iter().map(|plan| &plan.schema.name).collect();
        let Some(first) = names.first() else {
            return Ok(true);
        };
        let failed = at_source(format!("opening a snapshot of {first} and its family"));
        let (mut locking, _) = (shared.source)()?;
        let mut attempt = 0;
        let point = loop {
            let reading = self.source()?;
            if let Some(mut lock) = TableLock::acquire_all(&mut locking, &names)? {
                reading
                    .query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT")
                    .map_err(&failed)?;
                let point = self.point(lock.conn())?;
                lock.release(first)?;
                break point;
            }
            self.wait_for_writers(first, &mut attempt)?;
        };
        // In the snapshot's own transaction: a statement that changes a definition after this look
        // makes the read itself fail.
        for plan in plans {
            if Definition::load(self.source()?, &plan.schema.name)?.as_ref()
                != Some(&plan.definition)
            {
                self.disconnect();
                return Ok(false);
            }
        }
        for (record, plan) in records.iter_mut().zip(plans) {
            record.from = Some(point.clone());
            record.rows_copied = self.read_all(record, plan)?;
        }
        self.source()?.query_drop("COMMIT").map_err(&failed)?;
        Ok(true)
    }
}
