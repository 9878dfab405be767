use super::CopyError;
use crate::{
    object::NameCase,
    rule::{Asker, Filter, Rules, opaque},
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
    /// The condition that a table's rows are read with, if its rule has one.
    pub(super) fn condition(&self, schema: &TableSchema) -> Result<Option<String>, CopyError> {
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
