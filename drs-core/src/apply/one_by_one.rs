use drs_binlog::{Rows, Value};
use mysql::{Conn, prelude::Queryable};

use super::{
    ApplyError, Conflict, ConflictKind, Image, RoutedTransaction, TablePlan,
    batch::single_statement,
    conflict::DuplicateEntry,
    net_change::Change,
    statements::{delete_statement, lacks_old_document, lenient_statements, same_key},
};
use crate::{
    error,
    schema::{ColumnKind, TableSchema},
    sql::{self, LiteralError},
    task::ConflictPolicy,
};

/// What is done about conflicts.
#[derive(Clone, Debug)]
pub(crate) struct ConflictHandling {
    /// The task's name, which the ledger's rows bear.
    pub(crate) task: String,
    pub(crate) policy: ConflictPolicy,
    /// True when the ledger keeps the rows, not their keys alone.
    pub(crate) images: bool,
}

/// Why applying a transaction change by change ended early.
#[derive(Debug)]
pub(crate) enum OneByOneError {
    /// The same again may succeed: nothing is known to be wrong with the data.
    Transient(mysql::Error),
    /// The task must stop.
    Final(ApplyError),
}

/// Applies one transaction's changes in their order, each by its own statement, so that the
/// policy meets the exact row. The caller begins and ends the destination's transaction.
///
/// Returns the number of changes and of conflicts that the policy let pass.
pub(crate) fn apply_one_by_one(
    conn: &mut Conn,
    transaction: &RoutedTransaction,
    handling: &ConflictHandling,
) -> Result<(u64, u64), OneByOneError> {
    let mut one = OneByOne {
        conn,
        transaction,
        task: &handling.task,
        policy: handling.policy,
        images: handling.images,
        conflicts: 0,
    };
    let mut changes = 0;
    for routed in &transaction.rows {
        let plan = &*routed.plan;
        let raw = transaction
            .events
            .event(routed.event)
            .map_err(|e| one.value(plan, e.into()))?;
        let Some(raw) = raw else { continue };
        let rows = Rows::parse(&raw, &transaction.format).map_err(|e| one.value(plan, e.into()))?;
        let cascades = plan.cascades(&rows);
        if cascades {
            one.set(sql::foreign_key_checks(true))?;
        }
        for change in rows.changes(&plan.columns) {
            let change = change.map_err(|e| one.value(plan, e.into()))?;
            let Some(change) = plan.change(&change).map_err(|e| one.value(plan, e))? else {
                continue;
            };
            changes += 1;
            if routed.lenient {
                one.lenient(plan, &change)?;
            } else {
                one.strict(plan, &change)?;
            }
        }
        // After an error it is set when the transaction is rolled back.
        if cascades {
            one.set(sql::foreign_key_checks(false))?;
        }
    }
    Ok((changes, one.conflicts))
}

pub(super) struct OneByOne<'c, 't> {
    pub(super) conn: &'c mut Conn,
    pub(super) transaction: &'t RoutedTransaction,
    pub(super) task: &'t str,
    pub(super) policy: ConflictPolicy,
    pub(super) images: bool,
    /// Rows of the destination that conflicts were about.
    pub(super) conflicts: u64,
}

/// What one statement did.
pub(super) enum Outcome {
    Affected(u64),
    DuplicateKey(String),
}

impl OneByOne<'_, '_> {
    fn strict(&mut self, plan: &TablePlan, change: &Change<'_>) -> Result<(), OneByOneError> {
        let schema = &*plan.schema;
        let statement = single_statement(schema, change).map_err(|e| self.value(plan, e))?;
        let kind = match (self.run(schema, &statement, change.after())?, change) {
            (Outcome::Affected(1), _) => return Ok(()),
            (Outcome::DuplicateKey(key), Change::Insert(_)) => ConflictKind::DuplicateOnInsert(key),
            (Outcome::DuplicateKey(key), Change::Update(..)) => {
                ConflictKind::DuplicateOnUpdate(key)
            }
            (Outcome::DuplicateKey(_), Change::Delete(_)) => {
                return Err(self.refused(schema, "a DELETE met a duplicate entry".into()));
            }
            (Outcome::Affected(_), Change::Update(..)) => ConflictKind::MissingOnUpdate,
            (Outcome::Affected(_), Change::Delete(_)) => ConflictKind::MissingOnDelete,
            (Outcome::Affected(_), Change::Insert(_)) => {
                return Err(self.refused(schema, "an INSERT did not insert one row".into()));
            }
        };
        let conflict = Conflict {
            table: schema.name.clone(),
            kind,
            transaction: self.transaction.id.clone(),
        };
        match self.policy {
            ConflictPolicy::ReportError => Err(OneByOneError::Final(ApplyError::Conflict {
                conflict,
                hint: "; repair the destination's row, or choose another conflict policy, and run again",
            })),
            ConflictPolicy::Ignore => self.ignore(plan, change, &conflict.kind),
            ConflictPolicy::Overwrite => self.overwrite(plan, change, conflict),
        }
    }

    /// A change to a table that is catching up: the copy may hold any later state of the row.
    fn lenient(&mut self, plan: &TablePlan, change: &Change<'_>) -> Result<(), OneByOneError> {
        let schema = &*plan.schema;
        let mut statements = Vec::new();
        let lenient = |before, after| -> Result<Vec<_>, OneByOneError> {
            let written = lenient_statements(schema, before, after);
            let written = written.map_err(|e| self.value(plan, e))?;
            Ok(written.into_iter().map(Ok).collect())
        };
        match change {
            Change::Insert(after) => statements.extend(lenient(None, after)?),
            Change::Delete(before) => statements.push(delete_statement(schema, before)),
            Change::Update(before, after) if after.is_complete() => {
                if !same_key(schema, before, after).map_err(|e| self.value(plan, e))? {
                    statements.push(delete_statement(schema, before));
                }
                statements.extend(lenient(Some(before), after)?);
            }
            Change::Update(before, after)
                if schema.has_other_unique_keys()
                    || lacks_old_document(before, after).map_err(|e| self.decode(schema, e))? =>
            {
                return Err(OneByOneError::Final(ApplyError::PartialWhileCatchingUp {
                    table: schema.name.clone(),
                    transaction: self.transaction.id.clone(),
                }));
            }
            Change::Update(..) => statements.push(single_statement(schema, change)),
        }
        for statement in statements {
            let statement = statement.map_err(|e| self.value(plan, e))?;
            if let Outcome::DuplicateKey(_) = self.run(schema, &statement, change.after())? {
                return Err(self.refused(
                    schema,
                    "a unique key stands against a row that is catching up".into(),
                ));
            }
        }
        Ok(())
    }

    /// Runs one statement, which writes the values of `image`.
    pub(super) fn run(
        &mut self,
        schema: &TableSchema,
        statement: &str,
        image: Option<&Image<'_>>,
    ) -> Result<Outcome, OneByOneError> {
        let invalid = match image {
            Some(image) => invalid_enums(schema, image).map_err(|e| self.decode(schema, e))?,
            None => Vec::new(),
        };
        if invalid.is_empty() {
            return self.run_in_mode(schema, statement, &invalid);
        }
        // A strict session refuses what the source's was lax enough to store.
        self.set(sql::LAX_MODE)?;
        let outcome = self.run_in_mode(schema, statement, &invalid);
        self.set(sql::STRICT_MODE)?;
        outcome
    }

    fn set(&mut self, statement: &str) -> Result<(), OneByOneError> {
        self.conn
            .query_drop(statement)
            .map_err(OneByOneError::Transient)
    }

    fn run_in_mode(
        &mut self,
        schema: &TableSchema,
        statement: &str,
        invalid: &[&str],
    ) -> Result<Outcome, OneByOneError> {
        let (affected, warnings) = match self.conn.query_drop(statement) {
            Ok(()) => (self.conn.affected_rows(), self.conn.warnings()),
            Err(mysql::Error::MySqlError(error)) if DUPLICATE_ENTRY.contains(&error.code) => {
                let name = schema.name.table.as_str();
                return Ok(Outcome::DuplicateKey(
                    DuplicateEntry::read(&error.message, name, &schema.unique_keys).key,
                ));
            }
            Err(error) if error::is_transient(&error) => {
                return Err(OneByOneError::Transient(error));
            }
            Err(error) if error::is_too_large(&error) => {
                return Err(self.too_large(schema, statement));
            }
            Err(error) => return Err(self.refused(schema, error::redacted(&error))),
        };
        if warnings > 0 {
            self.check_warnings(schema, invalid, warnings)?;
        }
        Ok(Outcome::Affected(affected))
    }

    /// A strict session turns lost data into errors; a warning that is left must be a known one,
    /// or say that a column of `invalid` got what it was to get.
    fn check_warnings(
        &mut self,
        schema: &TableSchema,
        invalid: &[&str],
        announced: u16,
    ) -> Result<(), OneByOneError> {
        let expected = |code: u16, message: &str| {
            code == DATA_TRUNCATED
                && invalid
                    .iter()
                    .any(|column| message.contains(&format!("'{column}'")))
        };
        let rows: Vec<(String, u16, String)> = self
            .conn
            .query("SHOW WARNINGS")
            .map_err(OneByOneError::Transient)?;
        // The server does not keep them all when max_error_count is small.
        if rows.len() != usize::from(announced) {
            let kept = rows.len();
            return Err(self.refused(
                schema,
                format!("{announced} warnings, of which the server kept {kept}; raise max_error_count there"),
            ));
        }
        match rows.into_iter().find(|(_, code, message)| {
            !HARMLESS_WARNINGS.contains(code) && !expected(*code, message)
        }) {
            None => Ok(()),
            Some((level, code, message)) => Err(self.refused(
                schema,
                format!("{level} {code}: {}", error::without_values(&message)),
            )),
        }
    }

    pub(super) fn refused(&self, schema: &TableSchema, reason: String) -> OneByOneError {
        OneByOneError::Final(ApplyError::Refused {
            table: schema.name.clone(),
            transaction: self.transaction.id.clone(),
            reason,
        })
    }

    fn too_large(&mut self, schema: &TableSchema, statement: &str) -> OneByOneError {
        let bytes_max: Option<u64> = self
            .conn
            .query_first("SELECT @@max_allowed_packet")
            .unwrap_or(None);
        let key: Vec<&str> = schema
            .row_key()
            .into_iter()
            .flat_map(|key| &key.parts)
            .filter_map(|part| schema.columns.get(part.column?))
            .map(|column| column.name.as_str())
            .collect();
        OneByOneError::Final(ApplyError::TooLarge {
            table: schema.name.clone(),
            key: if key.is_empty() {
                "none".to_owned()
            } else {
                key.join(", ")
            },
            transaction: self.transaction.id.clone(),
            bytes: statement.len() as u64,
            bytes_max: bytes_max.unwrap_or(0),
        })
    }

    pub(super) fn decode(&self, schema: &TableSchema, source: drs_binlog::Error) -> OneByOneError {
        OneByOneError::Final(ApplyError::Value {
            table: schema.name.clone(),
            transaction: self.transaction.id.clone(),
            source: source.into(),
        })
    }

    pub(super) fn value(&self, plan: &TablePlan, source: LiteralError) -> OneByOneError {
        OneByOneError::Final(ApplyError::Value {
            table: plan.schema.name.clone(),
            transaction: self.transaction.id.clone(),
            source,
        })
    }
}

/// The ENUM columns that hold no label but the number 0, as lax sessions store invalid values.
fn invalid_enums<'s>(
    schema: &'s TableSchema,
    image: &Image<'_>,
) -> drs_binlog::Result<Vec<&'s str>> {
    let mut names = Vec::new();
    if !schema
        .columns
        .iter()
        .any(|column| column.kind == ColumnKind::Enum)
    {
        return Ok(names);
    }
    for item in image.values() {
        if let (ordinal, Value::Enum(0)) = item?
            && let Some(column) = schema.columns.get(ordinal)
        {
            names.push(column.name.as_str());
        }
    }
    Ok(names)
}

/// WARN_DATA_TRUNCATED.
const DATA_TRUNCATED: u16 = 1265;

/// ER_DUP_KEY, ER_DUP_ENTRY, ER_DUP_ENTRY_WITH_KEY_NAME.
const DUPLICATE_ENTRY: [u16; 3] = [1022, 1062, 1586];

/// Deprecated syntax, and statements that the destination's own statement-based replicas
/// could take differently: neither changes the data here.
const HARMLESS_WARNINGS: [u16; 3] = [1287, 1592, 1681];
