//! A table of the source as the task makes it at the destination.

use super::facts::{Column, ForeignKey, Key, Over, Table};
use crate::{
    object::{DatabaseName, Mapping},
    rule::TableRule,
};

/// Applies the mapping and the table's rule. `source` is the table as it is.
pub(super) fn at_destination(source: &Table, mapping: &Mapping, rule: Option<&TableRule>) -> Table {
    let mut table = source.clone();
    for key in &mut table.foreign_keys {
        key.parent = mapping.table(&key.parent);
    }
    let Some(rule) = rule.filter(|rule| rule.changes_columns()) else {
        return table;
    };
    let name = |name: &str| rule.column(name).map(str::to_owned);
    table.columns = source
        .columns
        .iter()
        .filter_map(|column| {
            Some(Column {
                name: name(&column.name)?,
                ..column.clone()
            })
        })
        .collect();
    // What needs a column that is left out can't be there.
    table.keys = source
        .keys
        .iter()
        .filter_map(|key| renamed_key(key, name))
        .collect();
    table
        .foreign_keys
        .retain_mut(|key| renamed_foreign_key(key, name));
    table
}

fn renamed_key(key: &Key, name: impl Fn(&str) -> Option<String>) -> Option<Key> {
    let mut key = key.clone();
    for part in &mut key.parts {
        if let Over::Column(column) = &mut part.over {
            *column = name(column)?;
        }
    }
    Some(key)
}

fn renamed_foreign_key(key: &mut ForeignKey, name: impl Fn(&str) -> Option<String>) -> bool {
    key.columns.iter_mut().all(|column| match name(column) {
        Some(to) => {
            *column = to;
            true
        }
        None => false,
    })
}

/// True when what stands in the destination's database comes from this one of the source alone.
pub(super) fn is_alone(
    mapping: &Mapping,
    database: &DatabaseName,
    others: &[DatabaseName],
) -> bool {
    let there = mapping.database(database);
    let by_database = others
        .iter()
        .any(|other| other != database && mapping.database(other) == there);
    let by_table = mapping
        .tables()
        .any(|(from, to)| from.database != *database && to.database == there);
    !by_database && !by_table
}
