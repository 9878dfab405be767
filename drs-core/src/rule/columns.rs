use super::{BindError, TableRule, bind};
use crate::schema::{KeyPart, TableSchema, UniqueKey};

impl TableRule {
    /// True when the destination's table has other columns, or other names of them.
    pub(crate) fn has_columns(&self) -> bool {
        !self.settings.add.is_empty() || self.changes_columns()
    }

    /// True when columns of the source are left out or renamed.
    pub(crate) fn changes_columns(&self) -> bool {
        let settings = &self.settings;
        settings.include.is_some() || !settings.exclude.is_empty() || !settings.rename.is_empty()
    }

    /// The destination's name of a column of the source; `None` when it is left out.
    pub(crate) fn column<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let settings = &self.settings;
        let is_in = |names: &[String]| names.iter().any(|other| same(other, name));
        let left_out = match &settings.include {
            Some(include) => !is_in(include),
            None => is_in(&settings.exclude),
        };
        if left_out {
            return None;
        }
        let renamed = settings.rename.iter().find(|(from, _)| same(from, name));
        Some(renamed.map_or(name, |(_, to)| to))
    }

    /// Fails when the rule's columns do not go with the source's table.
    pub(crate) fn check_columns_of(&self, schema: &TableSchema) -> Result<(), BindError> {
        let settings = &self.settings;
        let named = settings.include.iter().flatten().chain(&settings.exclude);
        for name in named {
            bind::position(&schema.columns, name)?;
        }
        for (from, to) in &settings.rename {
            bind::position(&schema.columns, from)?;
            if self.column(from).is_none() {
                return Err(bind::refused(from, "it is renamed and left out"));
            }
            if bind::position(&schema.columns, to).is_ok() {
                return Err(bind::refused(
                    to,
                    "the table has a column of this name already",
                ));
            }
        }
        self.check_added_names(schema)?;
        let in_key = |key: &UniqueKey| {
            key.parts
                .iter()
                .filter_map(|part| schema.columns.get(part.column?))
                .find(|column| self.column(&column.name).is_none())
        };
        for key in &schema.unique_keys {
            if let Some(column) = in_key(key) {
                let reason = format!(
                    "it can't be left out, because it is in the key {}",
                    crate::sql::identifier(&key.name)
                );
                return Err(bind::refused(&column.name, reason));
            }
        }
        if schema
            .written_columns()
            .all(|(_, column)| self.column(&column.name).is_none())
        {
            let name = schema.columns.first().map_or("", |column| &column.name);
            return Err(bind::refused(name, "no column is left"));
        }
        Ok(())
    }

    /// The source's table as the destination has it.
    pub(crate) fn at_destination(&self, schema: &TableSchema) -> TableSchema {
        let mut places = Vec::new();
        let mut columns = Vec::new();
        for column in &schema.columns {
            let name = self.column(&column.name);
            places.push(name.map(|_| columns.len()));
            if let Some(name) = name {
                let mut column = column.clone();
                name.clone_into(&mut column.name);
                columns.push(column);
            }
        }
        let unique_keys = schema
            .unique_keys
            .iter()
            .map(|key| UniqueKey {
                name: key.name.clone(),
                parts: key
                    .parts
                    .iter()
                    .map(|part| KeyPart {
                        column: part
                            .column
                            .and_then(|index| places.get(index).copied().flatten()),
                        prefix: part.prefix,
                    })
                    .collect(),
            })
            .collect();
        TableSchema {
            columns,
            unique_keys,
            ..schema.clone()
        }
    }
}

fn same(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}
