use mysql::{Row, prelude::Queryable};

use super::{
    ApplyError, Conflict, ConflictKind, Image, TablePlan,
    in_the_way::InTheWay,
    net_change::Change,
    one_by_one::{OneByOne, OneByOneError, Outcome},
    row_json::{answer_json, image_json, write_readable},
    statements::{
        insert_statement, lacks_old_document, overwrite_statement, update_statement,
        write_row_match,
    },
};
use crate::{
    checkpoint::{
        CheckpointError,
        conflicts::{ConflictImages, LEDGER_INSERT, LedgerEntry, write_entry},
    },
    error,
    schema::{Column, TableSchema},
    sql,
};

/// A row of the destination that was met, as the ledger shows it.
struct MetRow {
    key: String,
    image: Option<String>,
}

/// A conflict's note where the row in the way is not known.
const FOUND_BY_THE_SERVER: &str =
    "the key is over an expression: the server found the row, and does not tell which it was";

const OTHER_DOCUMENT: &str =
    "the row is there, and its JSON document is not the one that the source updated in part";

/// The policies `ignore` and `overwrite`. Every conflict is a row of the ledger, in the
/// transaction of its effect.
impl OneByOne<'_, '_> {
    /// Leaves the destination as it is.
    pub(super) fn ignore(
        &mut self,
        plan: &TablePlan,
        change: &Change<'_>,
        kind: &ConflictKind,
    ) -> Result<(), OneByOneError> {
        let schema = &*plan.schema;
        if kind.key_name().is_none() {
            let met = self.met_with_other_document(plan, change)?;
            let note = met.is_some().then_some(OTHER_DOCUMENT);
            return self.record(schema, change, kind, met, 1, note);
        }
        let mut unknown = false;
        for key in &schema.unique_keys {
            match self.in_the_way(schema, key, change, None)? {
                (Some((row, _)), _) => {
                    let kind = duplicate(change, &key.name);
                    return self.record(schema, change, &kind, Some(row), 1, None);
                }
                (None, known) => unknown |= !known,
            }
        }
        if !unknown {
            return Err(self.nobody_holds(schema, kind));
        }
        self.record(schema, change, kind, None, 1, Some(FOUND_BY_THE_SERVER))
    }

    /// Makes the destination's row what the source's is.
    pub(super) fn overwrite(
        &mut self,
        plan: &TablePlan,
        change: &Change<'_>,
        conflict: Conflict,
    ) -> Result<(), OneByOneError> {
        let schema = &*plan.schema;
        let kind = &conflict.kind;
        match (change, kind.key_name()) {
            (Change::Delete(_), _) => self.record(schema, change, kind, None, 1, None),
            (Change::Insert(after), _) => self.put(plan, change, after),
            (Change::Update(before, after), None) => {
                let whole = has_all_written(schema, after)
                    .and_then(|all| Ok(all && !lacks_old_document(before, after)?))
                    .map_err(|e| self.decode(schema, e))?;
                if !whole {
                    return Err(OneByOneError::Final(ApplyError::Conflict {
                        conflict,
                        hint: "; the source logged only a part of the row (binlog_row_image, or a partial update of JSON), so \
                               it can't be overwritten: what is not in the log is not known",
                    }));
                }
                self.record(schema, change, kind, None, 1, None)?;
                self.put(plan, change, after)
            }
            (Change::Update(before, after), Some(_)) => {
                let statement =
                    update_statement(schema, before, after).map_err(|e| self.value(plan, e))?;
                self.make_way(plan, change, None, &statement, after)
            }
        }
    }

    /// The row of an update that found none, where that is because its JSON document does not
    /// take a partial update.
    fn met_with_other_document(
        &mut self,
        plan: &TablePlan,
        change: &Change<'_>,
    ) -> Result<Option<MetRow>, OneByOneError> {
        let schema = &*plan.schema;
        let Change::Update(before, after) = change else {
            return Ok(None);
        };
        if !lacks_old_document(before, after).map_err(|e| self.decode(schema, e))? {
            return Ok(None);
        }
        let mut condition = String::new();
        write_row_match(&mut condition, schema, before).map_err(|e| self.value(plan, e))?;
        self.met_row(schema, &condition)
    }

    /// Makes the row of the image's key the image's, whether it is there or not: in place, so
    /// that columns which the log does not carry keep their values.
    fn put(
        &mut self,
        plan: &TablePlan,
        change: &Change<'_>,
        after: &Image<'_>,
    ) -> Result<(), OneByOneError> {
        let schema = &*plan.schema;
        let mut there = None;
        if let Some(key) = schema.row_key() {
            let mut condition = String::new();
            write_row_match(&mut condition, schema, after).map_err(|e| self.value(plan, e))?;
            if let Some(row) = self.met_row(schema, &condition)? {
                let kind = duplicate(change, &key.name);
                self.record(schema, change, &kind, Some(row), 1, None)?;
                there = Some(after);
            }
        }
        let statement = match there {
            Some(_) => overwrite_statement(schema, change.before(), after),
            None => insert_statement(schema, "INSERT INTO ", change.before(), after),
        }
        .map_err(|e| self.value(plan, e))?;
        match self.run(schema, &statement, Some(after))? {
            Outcome::Affected(1) => Ok(()),
            Outcome::Affected(_) => Err(self.not_one_row(schema)),
            Outcome::DuplicateKey(_) => self.make_way(plan, change, there, &statement, after),
        }
    }

    /// Removes the rows that hold the change's unique values until `statement` can be run; `kept`
    /// is the row that it is about.
    fn make_way(
        &mut self,
        plan: &TablePlan,
        change: &Change<'_>,
        kept: Option<&Image<'_>>,
        statement: &str,
        after: &Image<'_>,
    ) -> Result<(), OneByOneError> {
        let schema = &*plan.schema;
        // Once is enough, unless somebody else writes to the table.
        for _ in 0..ROUNDS_MAX {
            let mut removed = 0;
            let mut unknown = false;
            for key in &schema.unique_keys {
                match self.in_the_way(schema, key, change, kept)? {
                    (Some((row, condition)), _) => {
                        let kind = duplicate(change, &key.name);
                        self.record(schema, change, &kind, Some(row), 1, None)?;
                        self.remove(schema, &condition)?;
                        removed += 1;
                    }
                    (None, known) => unknown |= !known,
                }
            }
            let key = match self.run(schema, statement, Some(after))? {
                Outcome::Affected(1) => return Ok(()),
                Outcome::Affected(_) => return Err(self.not_one_row(schema)),
                Outcome::DuplicateKey(key) => key,
            };
            if removed == 0 {
                let kind = duplicate(change, &key);
                return match unknown {
                    true => self.replace(plan, change, kept, after, &kind),
                    false => Err(self.nobody_holds(schema, &kind)),
                };
            }
        }
        Err(self.refused(
            schema,
            "rows that are in the way of an overwrite come back: somebody else writes to the table"
                .into(),
        ))
    }

    /// Lets the server find the row in the way, where the key is over an expression: by REPLACE.
    fn replace(
        &mut self,
        plan: &TablePlan,
        change: &Change<'_>,
        kept: Option<&Image<'_>>,
        after: &Image<'_>,
        kind: &ConflictKind,
    ) -> Result<(), OneByOneError> {
        let schema = &*plan.schema;
        let whole = matches!(change, Change::Insert(_))
            || has_all_written(schema, after).map_err(|e| self.decode(schema, e))?;
        if !whole || schema.has_unlogged_columns || !schema.added.keys_are_own {
            return Err(self.refused(
                schema,
                format!(
                    "the row that holds the value of key {} can't be found, and to replace it could lose columns that the \
                     log does not carry, or another source's row; repair it, and run again",
                    kind.key_name().unwrap_or_default()
                ),
            ));
        }
        let own = match change {
            Change::Update(before, _) => Some(before),
            _ => kept,
        };
        if let Some(own) = own {
            let mut condition = String::new();
            write_row_match(&mut condition, schema, own).map_err(|e| self.value(plan, e))?;
            self.remove(schema, &condition)?;
        }
        let statement = insert_statement(schema, "REPLACE INTO ", change.before(), after)
            .map_err(|e| self.value(plan, e))?;
        match self.run(schema, &statement, Some(after))? {
            Outcome::Affected(affected @ 2..) => {
                let note = Some(FOUND_BY_THE_SERVER);
                self.record(schema, change, kind, None, affected - 1, note)
            }
            Outcome::Affected(_) => Err(self.not_one_row(schema)),
            Outcome::DuplicateKey(_) => Err(self.nobody_holds(schema, kind)),
        }
    }

    /// The row that holds the change's value in a key, with the condition that picks it; and
    /// whether that can be told.
    fn in_the_way(
        &mut self,
        schema: &TableSchema,
        key: &crate::schema::UniqueKey,
        change: &Change<'_>,
        kept: Option<&Image<'_>>,
    ) -> Result<(Option<(MetRow, String)>, bool), OneByOneError> {
        let place = InTheWay::of(schema, key, change, kept).map_err(|source| {
            OneByOneError::Final(ApplyError::Value {
                table: schema.name.clone(),
                transaction: self.transaction.id.clone(),
                source,
            })
        })?;
        Ok(match place {
            InTheWay::Where(condition) => (
                self.met_row(schema, &condition)?
                    .map(|row| (row, condition)),
                true,
            ),
            InTheWay::Nowhere => (None, true),
            InTheWay::Unknown => (None, false),
        })
    }

    fn remove(&mut self, schema: &TableSchema, condition: &str) -> Result<(), OneByOneError> {
        let statement = format!(
            "DELETE FROM {} WHERE {condition}{}",
            sql::table(&schema.name),
            if schema.row_key().is_none() {
                " LIMIT 1"
            } else {
                ""
            }
        );
        match self.run(schema, &statement, None)? {
            Outcome::Affected(1) => Ok(()),
            _ => Err(self.not_one_row(schema)),
        }
    }

    /// Reads a row as it is now, and keeps it so.
    fn met_row(
        &mut self,
        schema: &TableSchema,
        condition: &str,
    ) -> Result<Option<MetRow>, OneByOneError> {
        let key = key_ordinals(schema);
        let shown: Vec<usize> = (0..schema.columns.len())
            .filter(|ordinal| key.contains(ordinal) || self.images && is_written(schema, *ordinal))
            .collect();
        let columns: Vec<&Column> = shown
            .iter()
            .filter_map(|ordinal| schema.columns.get(*ordinal))
            .collect();
        let key_columns: Vec<&Column> = key
            .iter()
            .filter_map(|ordinal| schema.columns.get(*ordinal))
            .collect();
        // The key's columns come twice: each part of the answer is one text of the ledger.
        let mut statement = String::from("SELECT ");
        for (index, column) in key_columns.iter().chain(&columns).enumerate() {
            if index > 0 {
                statement.push(',');
            }
            write_readable(&mut statement, column);
        }
        statement.push_str(" FROM ");
        sql::write_table(&mut statement, &schema.name);
        statement.push_str(" WHERE ");
        statement.push_str(condition);
        statement.push_str(" LIMIT 1 FOR UPDATE");
        let row: Option<Row> = match self.conn.query_first(&statement) {
            Ok(row) => row,
            Err(error) if error::is_transient(&error) => {
                return Err(OneByOneError::Transient(error));
            }
            Err(error) => return Err(self.refused(schema, error::redacted(&error))),
        };
        Ok(row.map(|mut row| MetRow {
            key: answer_json(&key_columns, &mut row, 0),
            image: self
                .images
                .then(|| answer_json(&columns, &mut row, key_columns.len())),
        }))
    }

    /// Writes the ledger's row.
    fn record(
        &mut self,
        schema: &TableSchema,
        change: &Change<'_>,
        kind: &ConflictKind,
        met: Option<MetRow>,
        row_count: u64,
        note: Option<&str>,
    ) -> Result<(), OneByOneError> {
        let (before, after) = match change {
            Change::Insert(after) => (None, Some(after)),
            Change::Update(before, after) => (Some(before), Some(after)),
            Change::Delete(before) => (Some(before), None),
        };
        let key = key_ordinals(schema);
        let by_key =
            |image: &Image<'_>| image_json(schema, image, |ordinal| key.contains(&ordinal));
        let images = self.images;
        let shown = |image: Option<&Image<'_>>| match image.filter(|_| images) {
            Some(image) => {
                image_json(schema, image, |ordinal| is_written(schema, ordinal)).map(Some)
            }
            None => Ok(None),
        };
        let decode = |error| self.decode(schema, error);
        // A missing row is known by the key it had, any other by the one it is to have.
        let identity = match kind.key_name() {
            Some(_) => after.or(before),
            None => before.or(after),
        };
        let source_key = identity.map(by_key).transpose().map_err(decode)?;
        let (destination_key, destination) = match met {
            Some(MetRow { key, image }) => (Some(key), image),
            None => (None, None),
        };
        let images = ConflictImages {
            source_before: shown(before).map_err(decode)?,
            source_after: shown(after).map_err(decode)?,
            destination,
        };
        let entry = LedgerEntry {
            row_count,
            source_key: source_key.as_deref(),
            destination_key: destination_key.as_deref(),
            images: &images,
            note,
            ..LedgerEntry::new(&schema.name, kind, self.policy)
        }
        .at(&self.transaction.id);
        let mut statement = String::from(LEDGER_INSERT);
        write_entry(&mut statement, self.task, &entry);
        match self.conn.query_drop(&statement) {
            Ok(()) => {
                self.conflicts += row_count;
                Ok(())
            }
            Err(error) if error::is_transient(&error) => Err(OneByOneError::Transient(error)),
            Err(source) => Err(OneByOneError::Final(ApplyError::Checkpoint(
                CheckpointError::Query {
                    doing: "written",
                    source,
                },
            ))),
        }
    }

    /// A duplicate entry that no row of the table explains, as a trigger's statement on another
    /// table would give it.
    fn nobody_holds(&self, schema: &TableSchema, kind: &ConflictKind) -> OneByOneError {
        self.refused(
            schema,
            format!(
                "a duplicate entry in key {}, which no row of {} holds; look for triggers of the table",
                kind.key_name().unwrap_or_default(),
                match &schema.added.own_rows {
                    Some(_) => "this source (by the columns that the rule adds)",
                    None => "the table",
                }
            ),
        )
    }

    fn not_one_row(&self, schema: &TableSchema) -> OneByOneError {
        self.refused(
            schema,
            "a statement of an overwrite did not change one row".into(),
        )
    }
}

/// How often rows are moved out of a change's way.
const ROUNDS_MAX: usize = 10;

fn duplicate(change: &Change<'_>, key: &str) -> ConflictKind {
    match change {
        Change::Insert(_) => ConflictKind::DuplicateOnInsert(key.to_owned()),
        Change::Update(..) | Change::Delete(_) => ConflictKind::DuplicateOnUpdate(key.to_owned()),
    }
}

/// The columns that identify a row: those of the row key, else all; in the table's order.
fn key_ordinals(schema: &TableSchema) -> Vec<usize> {
    match schema.row_key() {
        Some(key) => (0..schema.columns.len())
            .filter(|ordinal| key.parts.iter().any(|part| part.column == Some(*ordinal)))
            .collect(),
        None => schema
            .written_columns()
            .map(|(ordinal, _)| ordinal)
            .collect(),
    }
}

fn is_written(schema: &TableSchema, ordinal: usize) -> bool {
    schema
        .columns
        .get(ordinal)
        .is_some_and(|column| !column.generated)
}

/// True when an image tells every column that an INSERT writes.
fn has_all_written(schema: &TableSchema, image: &Image<'_>) -> drs_binlog::Result<bool> {
    if image.is_complete() {
        return Ok(true);
    }
    let mut count = 0;
    for item in image.values() {
        count += usize::from(is_written(schema, item?.0));
    }
    Ok(count == schema.written_columns().count())
}
