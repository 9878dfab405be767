//! Whether a table that the destination has takes the rows of the source's.

use super::create;
use crate::{
    object::NameCase,
    rule::{BindError, TableRule},
    schema::TableSchema,
    task::Task,
};

impl Task {
    /// A table of the source as the destination is to have it: without the columns that a rule
    /// leaves out, and with the names that it gives to the others. Columns that a rule adds are
    /// not in it ([`Task::added_columns`]).
    ///
    /// `case` is how the source compares names.
    ///
    /// # Errors
    /// When the rule does not go with the table.
    pub fn table_at_destination(
        &self,
        source: &TableSchema,
        case: NameCase,
    ) -> Result<TableSchema, BindError> {
        match self.rule_on_columns(source, case) {
            None => Ok(source.clone()),
            Some(rule) => {
                rule.check_columns_of(source)?;
                Ok(rule.at_destination(source))
            }
        }
    }

    /// The names of the columns that a rule adds to a table.
    pub fn added_columns(&self, source: &TableSchema, case: NameCase) -> Vec<String> {
        let rule = self.rule_on_columns(source, case);
        let added = rule.map(TableRule::added).unwrap_or_default();
        added.into_iter().map(|column| column.name).collect()
    }

    /// What keeps the rows of a table of the source from standing in a table of the destination as
    /// they are, one entry each: the copy stops for each of these.
    ///
    /// # Errors
    /// When the task's rule does not go with the table.
    pub fn table_differences(
        &self,
        source: &TableSchema,
        destination: &TableSchema,
        case: NameCase,
    ) -> Result<Vec<String>, BindError> {
        let expected = self.table_at_destination(source, case)?;
        let rule = self.rule_on_columns(source, case);
        Ok(create::differences(&expected, destination, rule))
    }

    fn rule_on_columns(&self, source: &TableSchema, case: NameCase) -> Option<&TableRule> {
        let rule = self.rules().of(&source.name, case);
        rule.filter(|rule| rule.has_columns())
    }
}
