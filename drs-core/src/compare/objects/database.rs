//! What one database of the source holds, beside what is in its place at the destination.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Comparison, Databases, LABELS, ObjectsError,
    ask::{Block, Side, literal, text},
    expected,
    facts::{self, Column, Table},
    findings::Findings,
    keys::KeyRules,
    result::{ObjectKind, ObjectName, ObjectVerdict},
    tables,
};
use crate::{
    object::{DatabaseName, NameCase, TableName},
    schema::TableSchema,
};

/// Bounds the memory that definitions take, whatever the number of tables.
const TABLES_AT_A_TIME: usize = 500;

const OTHER_TASK: &str = "another task writes to it";

/// The destination's tables and views by folded names, with their own names and kinds.
pub(super) type Kinds = BTreeMap<TableName, (TableName, ObjectKind)>;

impl Comparison<'_> {
    /// Compares everything in a database; true when the task takes something of it.
    pub(super) fn database(
        &mut self,
        name: &DatabaseName,
        is_alone: bool,
        databases: &Databases,
    ) -> Result<bool, ObjectsError> {
        let kinds = kinds(&mut self.source, name)?;
        let selected: Vec<(TableName, ObjectKind)> = kinds
            .into_values()
            .filter(|(table, _)| self.selection.matches(table))
            .collect();
        let whole = self.selection.is_database_level(name);
        if selected.is_empty() && !whole {
            return Ok(false);
        }
        let target = self.mapping.database(name);
        let case = self.destination.case;
        let mapped: BTreeSet<TableName> = selected
            .iter()
            .map(|(table, _)| self.mapping.table(table).folded(case))
            .collect();
        let mut in_use: BTreeSet<DatabaseName> =
            mapped.iter().map(|table| table.database.clone()).collect();
        in_use.insert(target.folded(case));
        // As the destination spells them.
        let in_use: Vec<DatabaseName> = databases
            .keys()
            .filter(|database| in_use.contains(&database.folded(case)))
            .cloned()
            .collect();
        let mut there = Kinds::new();
        for database in &in_use {
            there.extend(self::kinds(&mut self.destination, database)?);
        }
        self.tables(name, &selected, &there, &in_use)?;
        self.views(&selected, &there)?;
        if whole {
            let own = in_use
                .iter()
                .find(|own| own.folded(case) == target.folded(case));
            self.routines(name, &target, own, is_alone)?;
            if is_alone {
                self.extra_tables(name, &target, &mapped, &there);
            }
        }
        self.noted(name, &selected, &mapped, &in_use, whole)?;
        Ok(true)
    }

    fn tables(
        &mut self,
        database: &DatabaseName,
        selected: &[(TableName, ObjectKind)],
        there: &Kinds,
        in_use: &[DatabaseName],
    ) -> Result<(), ObjectsError> {
        let case = self.destination.case;
        let tables = selected
            .iter()
            .filter(|(_, kind)| *kind == ObjectKind::Table);
        let tables: Vec<&TableName> = tables.map(|(table, _)| table).collect();
        for some in tables.chunks(TABLES_AT_A_TIME) {
            let names = some.iter().map(|table| table.table.as_str()).collect();
            let block = Block {
                database,
                tables: &names,
            };
            let here = facts::tables(&mut self.source, &block)?;
            let mapped = some
                .iter()
                .filter_map(|table| there.get(&self.mapping.table(table).folded(case)));
            let mapped: Vec<&TableName> = mapped.map(|(name, _)| name).collect();
            let mut found: BTreeMap<TableName, Table> = BTreeMap::new();
            for database in in_use {
                let names = mapped.iter().filter(|name| name.database == *database);
                let block = Block {
                    database,
                    tables: &names.map(|name| name.table.as_str()).collect(),
                };
                for (name, table) in facts::tables(&mut self.destination, &block)? {
                    if let Ok(name) = database.table(&name) {
                        found.insert(name.folded(case), table);
                    }
                }
            }
            for (name, table) in here {
                let Ok(name) = database.table(&name) else {
                    continue;
                };
                let key = self.mapping.table(&name).folded(case);
                let other = found.remove(&key);
                self.table(name, table, there.get(&key), other)?;
            }
        }
        Ok(())
    }

    fn table(
        &mut self,
        name: TableName,
        table: Table,
        there: Option<&(TableName, ObjectKind)>,
        found: Option<Table>,
    ) -> Result<(), ObjectsError> {
        let mut findings = Findings::default();
        let rule = self.task.rules().of(&name, self.source.case);
        let expected = expected::at_destination(&table, &self.mapping, rule);
        let counts = self.summary.counts.entry(ObjectKind::Index).or_default();
        counts.source += expected.keys.len() as u64;
        let verdict = match (there, &found) {
            (Some((name_there, _)), Some(found)) => {
                let added: Vec<String> = rule
                    .map(|rule| rule.added().into_iter().map(|column| column.name).collect())
                    .unwrap_or_default();
                let rules = KeyRules {
                    indexes: self.task.indexes(),
                    added: &added,
                };
                let case = self.destination.case;
                let different = tables::compare(&expected, found, &rules, case, &mut findings);
                counts.destination += found.keys.len() as u64;
                counts.different += different;
                if let Some(rule) = rule.filter(|_| !added.is_empty())
                    && let Some(schema) = TableSchema::load(self.destination.conn, name_there)?
                    && let Err(reasons) = rule.added_to(&schema)
                {
                    for reason in reasons {
                        findings.differ("added columns", "as the rule says", &reason, None);
                    }
                }
                match findings.verdict() {
                    ObjectVerdict::Equal if expected.columns.iter().any(Column::hides_labels) => {
                        ObjectVerdict::NotCompared(LABELS.to_owned())
                    }
                    verdict => verdict,
                }
            }
            (Some((_, kind @ ObjectKind::View)), None) => {
                findings.differ("kind", "table", kind.as_str(), None);
                counts.different += expected.keys.len() as u64;
                ObjectVerdict::Different
            }
            // Never there, or dropped a moment ago.
            (None, _) | (Some(_), None) => {
                counts.different += expected.keys.len() as u64;
                ObjectVerdict::OnlyAtSource
            }
        };
        let there = there.map(|(name, _)| ObjectName::In(name.clone()));
        self.report(
            ObjectKind::Table,
            Some(ObjectName::In(name)),
            there,
            verdict,
            findings,
        );
        Ok(())
    }

    /// Tables and views of the destination that the source does not have, and that the task would
    /// take.
    fn extra_tables(
        &mut self,
        database: &DatabaseName,
        target: &DatabaseName,
        mapped: &BTreeSet<TableName>,
        there: &Kinds,
    ) {
        let case = self.destination.case;
        for (folded, (name, kind)) in there {
            let is_taken = |name: &TableName| {
                let source = database.table(&name.table);
                source.is_ok_and(|source| {
                    self.selection.matches(&source) && !self.mapping.names_table(&source)
                })
            };
            if folded.database != target.folded(case) || mapped.contains(folded) || !is_taken(name)
            {
                continue;
            }
            let verdict = match self.others.contains(folded) {
                true => ObjectVerdict::NotCompared(OTHER_TASK.to_owned()),
                false => ObjectVerdict::OnlyAtDestination,
            };
            let name = Some(ObjectName::In(name.clone()));
            self.report(*kind, None, name, verdict, Findings::default());
        }
    }
}

/// The tables and views of a database.
fn kinds(side: &mut Side<'_>, database: &DatabaseName) -> Result<Kinds, ObjectsError> {
    let mut kinds = Kinds::new();
    let case: NameCase = side.case;
    side.rows(
        "its tables and views",
        &format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}",
            literal(database)
        ),
        |row| {
            let is_here = text(row, 0) == database.as_str();
            let kind = match text(row, 2).as_str() {
                "VIEW" => ObjectKind::View,
                _ => ObjectKind::Table,
            };
            if let (Ok(name), true) = (database.table(&text(row, 1)), is_here) {
                kinds.insert(name.folded(case), (name, kind));
            }
        },
    )?;
    Ok(kinds)
}
