//! Foreign keys, and the families of tables that their cascades tie together.

use std::collections::{BTreeMap, BTreeSet};

use mysql::{Conn, Row, prelude::Queryable};

use crate::object::{NameCase, TableName};

/// A foreign key of a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ForeignKey {
    pub(crate) child: TableName,
    pub(crate) parent: TableName,
    /// Its own name, which may differ on two servers.
    pub(crate) name: String,
    /// The child's and the parent's columns, in lower case.
    pub(crate) columns: Vec<(String, String)>,
    /// What a change of the parent's columns, or the removal of its row, does to the child.
    on_update: String,
    on_delete: String,
}

impl ForeignKey {
    /// All foreign keys of a server, without their columns; those that the account has no rights
    /// to are not seen.
    pub(crate) fn load(conn: &mut Conn) -> Result<Vec<Self>, mysql::Error> {
        let rows: Vec<Row> = conn.query(
            "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, UPDATE_RULE, DELETE_RULE, \
             UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS",
        )?;
        Ok(rows
            .into_iter()
            .filter_map(|mut row| {
                Some(Self {
                    child: TableName::new(&text(&mut row, 0), &text(&mut row, 1)).ok()?,
                    name: text(&mut row, 2),
                    parent: TableName::new(&text(&mut row, 5), &text(&mut row, 6)).ok()?,
                    columns: Vec::new(),
                    on_update: rule(text(&mut row, 3)),
                    on_delete: rule(text(&mut row, 4)),
                })
            })
            .collect())
    }

    /// The same with their columns, for which a server before 8.0 opens every table.
    pub(crate) fn load_with_columns(conn: &mut Conn) -> Result<Vec<Self>, mysql::Error> {
        let mut keys = Self::load(conn)?;
        let rows: Vec<Row> = conn.query(
            "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME \
             FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_NAME IS NOT NULL \
             ORDER BY CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION",
        )?;
        let mut columns: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for mut row in rows {
            let key = (text(&mut row, 0), text(&mut row, 1), text(&mut row, 2));
            let pair = (
                text(&mut row, 3).to_lowercase(),
                text(&mut row, 4).to_lowercase(),
            );
            columns.entry(key).or_default().push(pair);
        }
        for key in &mut keys {
            let (database, table) = (key.child.database.as_str(), key.child.table.clone());
            let place = (database.to_owned(), table, key.name.clone());
            key.columns = columns.remove(&place).unwrap_or_default();
        }
        Ok(keys)
    }

    /// True when a change of the parent changes the child.
    pub(crate) fn cascades(&self) -> bool {
        self.on_update != RESTRICT || self.on_delete != RESTRICT
    }
}

fn text(row: &mut Row, index: usize) -> String {
    row.take::<Option<Vec<u8>>, _>(index)
        .flatten()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

const RESTRICT: &str = "RESTRICT";

/// NO ACTION is RESTRICT under another name.
fn rule(rule: String) -> String {
    match rule.as_str() {
        "NO ACTION" => RESTRICT.into(),
        _ => rule,
    }
}

/// The tables that are connected by these foreign keys, where one of them cascades.
pub(crate) fn families(keys: &[ForeignKey]) -> Vec<BTreeSet<TableName>> {
    let ties = keys
        .iter()
        .map(|key| (key.child.clone(), key.parent.clone(), key.cascades()));
    cascade_families(ties, NameCase::Sensitive)
}

/// The families of tables that foreign keys tie together, of which one cascades: a child, its
/// parent, and whether a change of the parent changes the child. Names come out as a server that
/// compares them so keeps them apart: in small letters where it does not tell them from others.
///
/// Keys that do not cascade tie as well: in a family they are checked, and so its changes must be
/// made in order.
pub fn cascade_families(
    keys: impl IntoIterator<Item = (TableName, TableName, bool)>,
    case: NameCase,
) -> Vec<BTreeSet<TableName>> {
    let mut families: Vec<(BTreeSet<TableName>, bool)> = Vec::new();
    for (child, parent, mut cascades) in keys {
        let mut tables = BTreeSet::from([child.folded(case), parent.folded(case)]);
        families.retain_mut(|(other, other_cascades)| {
            let apart = other.is_disjoint(&tables);
            if !apart {
                tables.append(other);
                cascades |= *other_cascades;
            }
            apart
        });
        families.push((tables, cascades));
    }
    families
        .into_iter()
        .filter_map(|(tables, cascades)| cascades.then_some(tables))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_what_a_cascading_key_is_connected_with() {
        let table = |name: &str| TableName::new("shop", name).unwrap();
        let key = |child, parent, on_delete: &str| ForeignKey {
            child: table(child),
            name: String::new(),
            parent: table(parent),
            columns: Vec::new(),
            on_update: rule("NO ACTION".into()),
            on_delete: rule(on_delete.into()),
        };
        let keys = [
            key("b", "a", "CASCADE"),
            key("d", "c", "RESTRICT"),
            key("f", "e", "NO ACTION"),
            key("c", "b", "NO ACTION"),
            key("self", "self", "SET NULL"),
        ];
        let set = |names: &[&str]| {
            names
                .iter()
                .map(|name| table(name))
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(
            families(&keys),
            [set(&["a", "b", "c", "d"]), set(&["self"])]
        );
    }
}
