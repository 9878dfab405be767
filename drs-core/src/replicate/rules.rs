use std::sync::{Arc, Mutex, PoisonError};

use drs_binlog::TableColumns;

use super::FollowError;
use crate::{
    apply::PlanRule,
    checkpoint::{CheckpointStore, TransactionId},
    dialect::ServerVersion,
    object::{NameCase, TableName},
    rule::{self, Added, Asker, Filter, Rules, TableRule},
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
    /// The destination calls `utf8` `utf8mb3`, in its collations too.
    has_utf8mb3: bool,
}

impl RuleBook {
    pub(crate) fn new(
        rules: Rules,
        case: NameCase,
        asker: Asker,
        store: Arc<Mutex<CheckpointStore>>,
        destination: ServerVersion,
    ) -> Self {
        Self {
            rules,
            case,
            asker: Arc::new(asker),
            store,
            has_utf8mb3: destination.is_mysql_at_least(8, 0, 30),
        }
    }

    /// The rule of a table of the source.
    pub(super) fn of(&self, table: &TableName) -> Option<&TableRule> {
        self.rules.of(table, self.case)
    }

    /// What a table's rule makes of its changes. `schema` is the destination's table in the log's
    /// column order; `recorded` the source's columns, when the rule changes them.
    pub(super) fn plan(
        &self,
        source: &TableName,
        schema: &TableSchema,
        recorded: Option<Vec<Column>>,
        id: &TransactionId,
    ) -> Result<Option<Arc<PlanRule>>, FollowError> {
        let Some(rule) = self.of(source) else {
            return Ok(None);
        };
        let changes_columns = recorded.is_some();
        let columns = match recorded {
            None => schema.columns.clone(),
            Some(recorded) => self.with_source_names(recorded, schema),
        };
        let filter = self.bound(rule, source, &columns, id)?;
        if let Some(filter) = &filter
            && !changes_columns
        {
            self.same_as_before(source, &fingerprint(filter, &columns), id)?;
        }
        let leaves_out = schema.columns.iter().any(Column::is_absent);
        let written =
            leaves_out.then(|| schema.written_columns().map(|(index, _)| index).collect());
        Ok(Some(Arc::new(PlanRule {
            filter,
            columns,
            written,
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
        match self.bound(rule, source, &schema.columns, id)? {
            None => Ok(()),
            Some(filter) => self.same_as_before(source, &fingerprint(&filter, &schema.columns), id),
        }
    }

    /// The columns that the table's rule adds; the reasons when the destination's table does not take
    /// them.
    pub(super) fn added(
        &self,
        source: &TableName,
        destination: &TableSchema,
    ) -> Result<Added, Vec<String>> {
        match self.of(source) {
            Some(rule) => rule.added_to(destination),
            None => Ok(Added::none()),
        }
    }

    /// True when the table's rule leaves out, renames or adds columns.
    pub(super) fn changes_columns(&self, source: &TableName) -> bool {
        self.of(source).is_some_and(TableRule::has_columns)
    }

    /// The destination's names of the source's columns; `None` for those that are left out.
    pub(super) fn names(&self, source: &TableName, columns: &[Column]) -> Vec<Option<String>> {
        let rule = self.of(source);
        columns
            .iter()
            .map(|column| match rule {
                Some(rule) => rule.column(&column.name).map(str::to_owned),
                None => Some(column.name.clone()),
            })
            .collect()
    }

    /// What the columns of a table of the source were when the task began, if it is noted.
    pub(super) fn recorded(
        &self,
        source: &TableName,
        id: &TransactionId,
    ) -> Result<Option<Vec<Column>>, FollowError> {
        let Some(text) = self.store().rule_columns(source)? else {
            return Ok(None);
        };
        match rule::recorded(&text) {
            Some(columns) => Ok(Some(columns)),
            None => Err(FollowError::Refused {
                transaction: id.clone(),
                reason: format!("what the checkpoint has of the columns of {source} can't be read"),
            }),
        }
    }

    /// Notes it.
    pub(super) fn record(&self, source: &TableName, columns: &[Column]) -> Result<(), FollowError> {
        let text = rule::record(columns);
        Ok(self.store().save_rule_columns(source, &text)?)
    }

    /// The columns that a condition names: the destination's, by the source's names, and of those
    /// that are left out what is noted of the source's.
    fn with_source_names(&self, recorded: Vec<Column>, schema: &TableSchema) -> Vec<Column> {
        let newer = |name: Option<String>| match name {
            Some(name) if self.has_utf8mb3 && (name == "utf8" || name.starts_with("utf8_")) => {
                Some(name.replacen("utf8", "utf8mb3", 1))
            }
            name => name,
        };
        recorded
            .into_iter()
            .enumerate()
            .map(|(index, column)| match schema.columns.get(index) {
                Some(there) if !there.is_absent() => Column {
                    name: column.name,
                    ..there.clone()
                },
                _ => Column {
                    charset: newer(column.charset),
                    collation: newer(column.collation),
                    ..column
                },
            })
            .collect()
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
        rule: &'s PlanRule,
        columns: &TableColumns,
    ) -> Vec<(&'s Column, Option<u32>)> {
        let used = rule
            .filter
            .as_ref()
            .map(Filter::columns)
            .unwrap_or_default();
        used.into_iter()
            .filter_map(|ordinal| {
                let column = rule.columns.get(ordinal)?;
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
        columns: &[Column],
        id: &TransactionId,
    ) -> Result<Option<Filter>, FollowError> {
        rule.filter
            .as_ref()
            .map(|expression| Filter::bind(expression, columns, &self.asker))
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
