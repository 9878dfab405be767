//! How the rows of a table of the log are written to the destination's.

use drs_binlog::TableColumns;

use super::{RouteContext, Router, refused};
use crate::{
    apply::{PlanError, PlanRule, TablePlan},
    object::TableName,
    replicate::{FollowError, definitions, rules::RuleBook},
    schema::{Column, TableSchema},
};

impl Router {
    /// How the rows of a table of the log are written to the destination's.
    pub(super) fn plan(
        &mut self,
        source: TableName,
        columns: TableColumns,
        context: &RouteContext<'_>,
    ) -> Result<TablePlan, FollowError> {
        let name = self.settings.mapping.table(&source);
        let schema = self.definitions.table(&name, context.id)?;
        check_engine(&schema, context)?;
        let others = self.settings.sharing.take(&name, &source, context.id)?;
        if !others.is_empty() && schema.row_key().is_none() {
            return Err(refused(
                context.id,
                &format!(
                    "{name} has no primary key, and the task {} writes to it too: nothing tells whose rows are whose (a task \
                     that is no more is forgotten with DELETE FROM drs_meta.writer WHERE task = '…')",
                    others.join(", ")
                ),
            ));
        }
        let failed = |cause| FollowError::Plan {
            table: source.clone(),
            transaction: context.id.clone(),
            source: cause,
        };
        let recorded = self.recorded_columns(&source, &columns, context)?;
        let names = match definitions::logged_names(&columns) {
            _ if recorded.is_some() => None,
            Some(names) => Some(names),
            None => match self.settings.column_names.of(&source) {
                Some(names) if names.len() == columns.len() => Some(names.to_vec()),
                Some(_) => return Err(failed(PlanError::NamesUnknown)),
                None if others.is_empty() && columns.len() == schema.columns.len() => {
                    // Then they are the destination's in their order, unless that was made by hand.
                    let present = self.definitions.present_names(&source, &columns)?;
                    if present.is_ok_and(|names| is_another_order(&names, &schema)) {
                        return Err(failed(PlanError::ColumnOrder));
                    }
                    None
                }
                None => {
                    let names = self.definitions.present_names(&source, &columns)?;
                    let names = names.map_err(failed)?;
                    self.settings.column_names.note(&source, &names)?;
                    Some(names)
                }
            },
        };
        let names: Option<Vec<Option<String>>> = match &recorded {
            Some(recorded) => Some(self.settings.rules.names(&source, recorded)),
            None => names.map(|names| names.into_iter().map(Some).collect()),
        };
        let charsets = self.definitions.charsets()?;
        let projection = TablePlan::projection(&schema, &columns, names.as_deref(), &charsets)
            .map_err(failed)?;
        let added = self
            .settings
            .rules
            .added(&source, &schema)
            .map_err(|reasons| failed(PlanError::Added { reasons }))?;
        let schema = self
            .definitions
            .projected(&source, &schema, projection, added);
        let rule = self
            .settings
            .rules
            .plan(&source, &schema, recorded, context.id)?;
        if let Some(rule) = &rule {
            self.check_collations(rule, &source, &columns, context)?;
        }
        Ok(TablePlan {
            source,
            schema,
            columns,
            rule,
            family: None,
        })
    }

    /// The source's columns as they were when the task began, for a table whose rule changes
    /// columns: by their names it is known which is which.
    fn recorded_columns(
        &mut self,
        source: &TableName,
        columns: &TableColumns,
        context: &RouteContext<'_>,
    ) -> Result<Option<Vec<Column>>, FollowError> {
        if !self.settings.rules.changes_columns(source) {
            return Ok(None);
        }
        let recorded = match self.settings.rules.recorded(source, context.id)? {
            Some(recorded) => recorded,
            None => {
                let present = self.definitions.source_table(source)?;
                let columns = present.map(|schema| schema.columns).unwrap_or_default();
                self.settings.rules.record(source, &columns)?;
                columns
            }
        };
        let names = TablePlan::names_by_definition(&recorded, columns);
        let same = match (names, definitions::logged_names(columns)) {
            (Err(_), _) => false,
            (Ok(names), Some(logged)) => {
                let lower = |names: Vec<String>| -> Vec<String> {
                    names.iter().map(|name| name.to_lowercase()).collect()
                };
                lower(names) == lower(logged)
            }
            (Ok(_), None) => true,
        };
        if same {
            return Ok(Some(recorded));
        }
        Err(refused(
            context.id,
            &format!(
                "{source} has a rule on its columns, and has other columns in the log than when the task began; begin a new \
                 task"
            ),
        ))
    }

    /// A condition is evaluated by the collations of the destination's columns: fails when the
    /// source's are others.
    fn check_collations(
        &mut self,
        rule: &PlanRule,
        source: &TableName,
        columns: &TableColumns,
        context: &RouteContext<'_>,
    ) -> Result<(), FollowError> {
        let mut present = None;
        for (column, logged) in RuleBook::logged_collations(rule, columns) {
            let there = match logged {
                Some(number) => self.definitions.collation(number)?,
                // An old log does not tell; then the source's present definition must. A table
                // that is gone there is dropped further on in the log.
                None => {
                    if present.is_none() {
                        present = Some(self.definitions.source_table(source)?);
                    }
                    let table = present.as_ref().and_then(Option::as_ref);
                    let index = table.and_then(|table| table.column_index(&column.name));
                    match (table, index) {
                        (Some(table), Some(index)) => table
                            .columns
                            .get(index)
                            .and_then(|column| column.collation.clone()),
                        _ => column.collation.clone(),
                    }
                }
            };
            let plain = |name: Option<&str>| name.unwrap_or_default().replace("utf8mb3", "utf8");
            if plain(there.as_deref()) != plain(column.collation.as_deref()) {
                return Err(refused(
                    context.id,
                    &format!(
                        "the rule of {source} compares by column {}, whose collation is {} at the source and {} at the \
                         destination: make it the source's there, and begin a new task",
                        crate::sql::identifier(&column.name),
                        there.unwrap_or_default(),
                        column.collation.clone().unwrap_or_default()
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// True when these are the table's columns in another order.
fn is_another_order(names: &[String], schema: &TableSchema) -> bool {
    let places: Option<Vec<usize>> = names.iter().map(|name| schema.column_index(name)).collect();
    places.is_some_and(|places| !places.is_sorted())
}

/// What a batch did to a table without transactions stays when the batch is rolled back, and
/// would be done again.
fn check_engine(schema: &TableSchema, context: &RouteContext<'_>) -> Result<(), FollowError> {
    let transactional = ["InnoDB", "ROCKSDB", "ndbcluster"]
        .iter()
        .any(|engine| schema.engine.eq_ignore_ascii_case(engine));
    if transactional {
        return Ok(());
    }
    let reason = format!(
        "the engine of {} at the destination is {}, which has no transactions: after an interruption changes could be \
         made twice; make it InnoDB there (ALTER TABLE … ENGINE = InnoDB), or exclude it, and run again",
        schema.name, schema.engine
    );
    Err(FollowError::Refused {
        transaction: context.id.clone(),
        reason,
    })
}
