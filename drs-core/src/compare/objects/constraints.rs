//! CHECK constraints and partitions, and what the catalogue does not say of a table.

use std::collections::BTreeMap;

use super::{
    ObjectsError,
    ask::{Side, literal, some, text},
    facts::{CheckConstraint, KeyKind, Partition, Table, Tables, table_of},
    spelling,
};
use crate::{
    object::{DatabaseName, TableName},
    sql,
};

pub(super) fn checks(
    side: &mut Side<'_>,
    database: &DatabaseName,
    tables: &mut Tables,
) -> Result<(), ObjectsError> {
    if !side.version.is_mysql_at_least(8, 0, 16) {
        return Ok(());
    }
    let mut clauses = BTreeMap::new();
    side.rows(
        "its CHECK constraints",
        &format!(
            "SELECT CONSTRAINT_SCHEMA, CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS \
             WHERE CONSTRAINT_SCHEMA = {}",
            literal(database)
        ),
        |row| {
            if text(row, 0) == database.as_str() {
                clauses.insert(text(row, 1), spelling::unescaped(&text(row, 2)));
            }
        },
    )?;
    side.rows(
        "the tables of its CHECK constraints",
        &format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ENFORCED FROM information_schema.TABLE_CONSTRAINTS \
             WHERE TABLE_SCHEMA = {} AND CONSTRAINT_TYPE = 'CHECK' ORDER BY TABLE_NAME, CONSTRAINT_NAME",
            literal(database)
        ),
        |row| {
            let (name, enforced) = (text(row, 2), text(row, 3));
            if let Some(table) = table_of(tables, database, row) {
                table.checks.push(CheckConstraint {
                    clause: clauses.remove(&name).unwrap_or_default(),
                    name,
                    is_enforced: enforced != "NO",
                });
            }
        },
    )
}

pub(super) fn partitions(
    side: &mut Side<'_>,
    database: &DatabaseName,
    tables: &mut Tables,
) -> Result<(), ObjectsError> {
    side.rows(
        "the partitions of its tables",
        &format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, PARTITION_NAME, SUBPARTITION_NAME, PARTITION_METHOD, PARTITION_EXPRESSION, \
             SUBPARTITION_METHOD, SUBPARTITION_EXPRESSION, PARTITION_DESCRIPTION, PARTITION_COMMENT \
             FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = {} AND PARTITION_NAME IS NOT NULL \
             ORDER BY TABLE_NAME, PARTITION_ORDINAL_POSITION, SUBPARTITION_ORDINAL_POSITION",
            literal(database)
        ),
        |row| {
            let Some(table) = table_of(tables, database, row) else {
                return;
            };
            table.partitions.push(Partition {
                name: text(row, 2),
                subpartition: some(row, 3),
                method: text(row, 4),
                expression: text(row, 5),
                submethod: some(row, 6),
                subexpression: some(row, 7),
                values: some(row, 8),
                comment: text(row, 9),
            });
        },
    )
}

/// Reads from the definition's text what stands nowhere else: the parsers of full-text keys, and
/// the old way of `PARTITION BY KEY`.
pub(super) fn open_definition(
    side: &mut Side<'_>,
    name: &TableName,
    table: &mut Table,
) -> Result<(), ObjectsError> {
    let by_key = table.partitions.first().is_some_and(|partition| {
        let submethod = partition.submethod.as_deref().unwrap_or_default();
        partition.method.ends_with("KEY") || submethod.ends_with("KEY")
    });
    let is_full_text = |kind: &KeyKind| matches!(kind, KeyKind::FullText(_));
    if !by_key && !table.keys.iter().any(|key| is_full_text(&key.kind)) {
        return Ok(());
    }
    let statement = format!("SHOW CREATE TABLE {}", sql::table(name));
    let row = side.first("the definition of a table", &statement)?;
    let definition = row.map(|mut row| text(&mut row, 1)).unwrap_or_default();
    for line in definition.lines() {
        let line = line.trim_start();
        if by_key && line.starts_with("/*!") && line.contains("ALGORITHM = 1 ") {
            table.has_old_key_hash = true;
        }
        for key in table.keys.iter_mut().filter(|key| is_full_text(&key.kind)) {
            let start = format!("FULLTEXT KEY {} (", sql::identifier(&key.name));
            let parser = line.strip_prefix(&start).and_then(parser);
            if parser.is_some() {
                key.kind = KeyKind::FullText(parser);
            }
        }
    }
    Ok(())
}

/// The parser that a key's line ends with.
fn parser(line: &str) -> Option<String> {
    let (_, rest) = line.rsplit_once(" WITH PARSER `")?;
    let (name, _) = rest.split_once('`')?;
    Some(name.to_owned())
}
