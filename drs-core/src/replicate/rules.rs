use std::sync::{Arc, Mutex, PoisonError};

use drs_binlog::TableColumns;

use super::FollowError;
use crate::{
    apply::PlanRule,
    checkpoint::{CheckpointStore, TransactionId},
    object::{NameCase, TableName},
    rule::{Asker, Filter, Rules, TableRule},
    schema::{Column, ColumnKind, TableSchema},
};

/// The task's rules, bound to tables as their table maps come.
pub(crate) struct RuleBook {
    rules: Rules,
    /// How the source compares names.
    case: NameCase,
    /// Leads to the destination, whose definitions the conditions are bound to.
    asker: Arc<Asker>,
    store: Arc<Mutex<CheckpointStore>>,
}

impl RuleBook {
    pub(crate) fn new(
        rules: Rules,
        case: NameCase,
        asker: Asker,
        store: Arc<Mutex<CheckpointStore>>,
    ) -> Self {
        Self {
            rules,
            case,
            asker: Arc::new(asker),
            store,
        }
    }

    /// The rule of a table of the source.
    pub(super) fn of(&self, table: &TableName) -> Option<&TableRule> {
        self.rules.of(table, self.case)
    }

    /// What a table's rule makes of its changes. `schema` is the destination's table in the log's
    /// column order; `collations` gives a collation's name by its number in the log, and the
    /// source's present one of a column.
    pub(super) fn plan(
        &self,
        source: &TableName,
        schema: &TableSchema,
        id: &TransactionId,
    ) -> Result<Option<Arc<PlanRule>>, FollowError> {
        let Some(rule) = self.of(source) else {
            return Ok(None);
        };
        let filter = match self.bound(rule, source, schema, id)? {
            None => None,
            Some(filter) => {
                self.same_as_before(source, &fingerprint(&filter, &schema.columns), id)?;
                Some(filter)
            }
        };
        Ok(Some(Arc::new(PlanRule {
            filter,
            columns: schema.columns.clone(),
            without: rule.without.clone(),
            asker: Arc::clone(&self.asker),
        })))
    }

    /// Before a table is changed: notes what the columns of its condition are, if it was not yet.
    pub(super) fn before_statement(
        &self,
        source: &TableName,
        schema: &TableSchema,
        id: &TransactionId,
    ) -> Result<(), FollowError> {
        let Some(rule) = self.of(source) else {
            return Ok(());
        };
        match self.bound(rule, source, schema, id)? {
            None => Ok(()),
            Some(filter) => self.same_as_before(source, &fingerprint(&filter, &schema.columns), id),
        }
    }

    /// A table of the source is gone: a new one of its name begins anew.
    pub(super) fn forget(&self, source: &TableName) -> Result<(), FollowError> {
        if self.of(source).is_some() {
            self.store().forget_rule_columns(source)?;
        }
        Ok(())
    }

    /// The text columns of a condition whose collation the log tells by number: that name, and ours.
    pub(super) fn logged_collations<'s>(
        rule: &PlanRule,
        columns: &TableColumns,
        schema: &'s TableSchema,
    ) -> Vec<(&'s Column, Option<u32>)> {
        let used = rule
            .filter
            .as_ref()
            .map(Filter::columns)
            .unwrap_or_default();
        used.into_iter()
            .filter_map(|ordinal| {
                let column = schema.columns.get(ordinal)?;
                let is_text = matches!(
                    column.kind,
                    ColumnKind::Text | ColumnKind::Enum | ColumnKind::Set
                );
                let log = columns.columns().get(ordinal)?;
                is_text.then_some((column, log.collation))
            })
            .collect()
    }

    fn bound(
        &self,
        rule: &TableRule,
        source: &TableName,
        schema: &TableSchema,
        id: &TransactionId,
    ) -> Result<Option<Filter>, FollowError> {
        rule.filter
            .as_ref()
            .map(|expression| Filter::bind(expression, &schema.columns, &self.asker))
            .transpose()
            .map_err(|cause| FollowError::Rule {
                table: source.clone(),
                transaction: id.clone(),
                source: cause,
            })
    }

    /// Which rows are in the filter was decided by these columns: if they are others now, rows are
    /// in it that were never brought over.
    fn same_as_before(
        &self,
        source: &TableName,
        now: &str,
        id: &TransactionId,
    ) -> Result<(), FollowError> {
        let mut store = self.store();
        match store.rule_columns(source)? {
            None => Ok(store.save_rule_columns(source, now)?),
            Some(before) if before == now => Ok(()),
            Some(before) => Err(FollowError::Refused {
                transaction: id.clone(),
                reason: format!(
                    "the rule of {source} filters by columns that were changed since: they were {before}, and are {now}, so \
                     that other rows may be in the filter; begin a new task"
                ),
            }),
        }
    }

    fn store(&self) -> std::sync::MutexGuard<'_, CheckpointStore> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What decides which rows a condition takes, as far as the table's definition does.
fn fingerprint(filter: &Filter, columns: &[Column]) -> String {
    let mut parts: Vec<String> = filter
        .columns()
        .into_iter()
        .filter_map(|ordinal| columns.get(ordinal))
        .map(|column| {
            let collation = column.collation.as_deref().unwrap_or_default();
            format!(
                "{} {} {collation}",
                crate::sql::identifier(&column.name.to_lowercase()),
                column.column_type
            )
            .trim_end()
            .to_owned()
        })
        .collect();
    parts.sort();
    parts.join(", ")
}
