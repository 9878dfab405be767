use mysql::Conn;

use super::{CopyError, definition::Definition};
use crate::{
    object::{NameCase, TableName},
    rule::{Asker, Filter, Rules, TableRule, opaque},
    schema::TableSchema,
};

/// What the copy needs to know of the task's rules.
#[derive(Debug)]
pub(crate) struct CopyRules<'a> {
    pub(crate) rules: &'a Rules,
    /// How the source compares names.
    pub(crate) case: NameCase,
    /// Leads to the source.
    pub(crate) asker: Asker,
}

impl CopyRules<'_> {
    /// The rule of a table of the source, if it changes columns.
    pub(super) fn on_columns(&self, table: &TableName) -> Option<&TableRule> {
        self.rules
            .of(table, self.case)
            .filter(|rule| rule.has_columns())
    }

    /// The condition that a table's rows are read with, if its rule has one.
    pub(crate) fn condition(&self, schema: &TableSchema) -> Result<Option<String>, CopyError> {
        let rule = self.rules.of(&schema.name, self.case);
        let Some(expression) = rule.and_then(|rule| rule.filter.as_ref()) else {
            return Ok(None);
        };
        let filter = Filter::bind(expression, &schema.columns, &self.asker).map_err(|source| {
            CopyError::Rule {
                table: schema.name.clone(),
                source,
            }
        })?;
        Ok(Some(opaque(&filter.sql(&schema.columns))))
    }
}

/// Fails with the reason when a rule's columns do not go with the table's definition at the source.
pub(crate) fn check_columns(conn: &mut Conn, rule: &TableRule) -> Result<(), String> {
    match Definition::load(conn, &rule.table) {
        Ok(Some(definition)) => definition.with_columns(rule).map(drop),
        Ok(None) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
