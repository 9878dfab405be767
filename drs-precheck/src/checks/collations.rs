//! Character sets and collations of the selected objects.

use std::collections::BTreeSet;

use drs_core::TableName;

use super::tables::{base_tables, columns, with_column};
use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{Collations, Column, Over},
};

pub(super) static COLLATIONS: Check = Check {
    id: "collations",
    group: Group::Objects,
    title: "the destination has the collations of databases, tables and columns",
    why: "a table can't be created with a collation that the server does not have",
    remedy: "give the object a collation that both servers have, or exclude it",
    rule: "DRS manual, Table 2: the character set of the destination must be that of the source",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: collations,
};

pub(super) static KEY_COLLATIONS: Check = Check {
    id: "key-collations",
    group: Group::Objects,
    title: "the destination has the collations of all keys",
    why: "under another collation two rows of the source may have the same key, and one would be lost",
    remedy: "give the column a collation that both servers have, or exclude the table",
    rule: "docs/limits.md: a definition at the destination that does not fit",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: key_collations,
};

fn there(facts: &Facts) -> Result<&Collations, Unread> {
    facts.destination.collations.as_ref().map_err(Clone::clone)
}

/// True when the destination lacks what the column's text is in.
fn is_lacking(there: &Collations, column: &Column) -> bool {
    let charset = column.charset.as_ref();
    let collation = column.collation.as_ref();
    charset.is_some_and(|charset| !there.has_charset(charset))
        || collation.is_some_and(|collation| !there.has(collation))
}

fn shown(table: &TableName, column: &Column) -> String {
    let collation = column.collation.as_deref().unwrap_or_default();
    format!("{}: {collation}", with_column(table, &column.name))
}

fn collations(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let there = there(facts)?;
    let selection = facts.selection();
    let databases = facts.source.tables.databases.as_ref();
    let databases = databases.map_err(Clone::clone)?.iter();
    let mut lacking: Vec<String> = databases
        .filter(|database| selection.is_database_level(&database.name))
        .filter(|database| !there.has(&database.collation))
        .map(|database| format!("{}: {}", database.name, database.collation))
        .collect();
    for table in base_tables(facts)? {
        if let Some(collation) = table.collation.as_ref().filter(|name| !there.has(name)) {
            lacking.push(format!("{}: {collation}", table.name));
        }
    }
    for (table, columns) in columns(facts)? {
        let columns = columns.iter().filter(|column| is_lacking(there, column));
        lacking.extend(columns.map(|column| shown(table, column)));
    }
    if lacking.is_empty() {
        return Ok(vec![Finding::pass("the destination has all of them")]);
    }
    Ok(vec![
        Finding::fail("the destination does not have the collations of these")
            .about(lacking)
            .advice("give them collations that both servers have (ALTER TABLE ... CONVERT TO CHARACTER SET ...), or exclude them"),
    ])
}

fn key_collations(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let there = there(facts)?;
    let indexes = facts.source.tables.indexes.as_ref().map_err(Clone::clone)?;
    let mut lacking = Vec::new();
    for (table, columns) in columns(facts)? {
        let unique = indexes.get(table).into_iter().flatten();
        let keyed: BTreeSet<&str> = unique
            .filter(|index| index.is_unique)
            .flat_map(|index| &index.parts)
            .filter_map(|part| match &part.over {
                Over::Column(name) => Some(name.as_str()),
                Over::Expression(_) => None,
            })
            .collect();
        let columns = columns
            .iter()
            .filter(|column| keyed.contains(column.name.as_str()) && is_lacking(there, column));
        lacking.extend(columns.map(|column| shown(table, column)));
    }
    if lacking.is_empty() {
        return Ok(vec![Finding::pass("the destination has all of them")]);
    }
    Ok(vec![
        Finding::fail(
            "these columns are in unique keys, and the destination does not have their collations: under others two rows \
             may have the same key",
        )
        .about(lacking)
        .advice("give the columns collations that both servers have, or exclude the tables"),
    ])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::Index};

    fn change_column(facts: &mut Facts, at: usize) {
        let columns = facts.source.tables.columns.as_mut().unwrap();
        let column = &mut columns.values_mut().next().unwrap()[at];
        column.charset = Some("utf8mb4".to_owned());
        column.collation = Some("utf8mb4_own_ci".to_owned());
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("collations"),
        Case {
            check: "collations",
            verdict: Verdict::Pass,
            change: |facts| {
                let tables = facts.source.tables.tables.as_mut().unwrap();
                tables[0].collation = Some("utf8_general_ci".to_owned());
            },
            says: "all of them",
        },
        Case {
            check: "collations",
            verdict: Verdict::Fail,
            change: |facts| change_column(facts, 1),
            says: "`shop`.`orders` (`note`): utf8mb4_own_ci",
        },
        Case {
            check: "collations",
            verdict: Verdict::Fail,
            change: |facts| {
                let databases = facts.source.tables.databases.as_mut().unwrap();
                databases[0].collation = "own_ci".to_owned();
            },
            says: "`shop`: own_ci",
        },
        Case::healthy("key-collations"),
        Case {
            check: "key-collations",
            verdict: Verdict::Fail,
            change: |facts| {
                change_column(facts, 1);
                let indexes = facts.source.tables.indexes.as_mut().unwrap();
                let indexes = indexes.values_mut().next().unwrap();
                indexes.push(Index::sample("note", &["note"]));
            },
            says: "`note`",
        },
    ];
}
