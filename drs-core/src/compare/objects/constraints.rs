//! CHECK constraints and partitions, and what the catalogue does not say of a table.

use super::{
    ObjectsError,
    ask::{Block, Side, some, text},
    facts::{CheckConstraint, KeyKind, Partition, Table, Tables, table_of},
    spelling,
};
use crate::{object::TableName, sql};

pub(super) fn checks(
    side: &mut Side<'_>,
    block: &Block<'_>,
    tables: &mut Tables,
) -> Result<(), ObjectsError> {
    if !side.version.is_mysql_at_least(8, 0, 16) {
        return Ok(());
    }
    side.rows(
        "the CHECK constraints of its tables",
        &format!(
            "SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.CONSTRAINT_NAME, t.ENFORCED, c.CHECK_CLAUSE \
             FROM information_schema.TABLE_CONSTRAINTS AS t JOIN information_schema.CHECK_CONSTRAINTS AS c \
             USING (CONSTRAINT_SCHEMA, CONSTRAINT_NAME) WHERE {} AND t.CONSTRAINT_TYPE = 'CHECK' \
             ORDER BY t.TABLE_NAME, t.CONSTRAINT_NAME",
            block.condition("t.TABLE_SCHEMA")
        ),
        |row| {
            let check = CheckConstraint {
                name: text(row, 2),
                is_enforced: text(row, 3) != "NO",
                clause: spelling::unescaped(&text(row, 4)),
            };
            if let Some(table) = table_of(tables, block.database, row) {
                table.checks.push(check);
            }
        },
    )
}

pub(super) fn partitions(
    side: &mut Side<'_>,
    block: &Block<'_>,
    tables: &mut Tables,
) -> Result<(), ObjectsError> {
    side.rows(
        "the partitions of its tables",
        &format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, PARTITION_NAME, SUBPARTITION_NAME, PARTITION_METHOD, PARTITION_EXPRESSION, \
             SUBPARTITION_METHOD, SUBPARTITION_EXPRESSION, PARTITION_DESCRIPTION, PARTITION_COMMENT \
             FROM information_schema.PARTITIONS WHERE {} AND PARTITION_NAME IS NOT NULL \
             ORDER BY TABLE_NAME, PARTITION_ORDINAL_POSITION, SUBPARTITION_ORDINAL_POSITION",
            block.condition("TABLE_SCHEMA")
        ),
        |row| {
            let Some(table) = table_of(tables, block.database, row) else {
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
