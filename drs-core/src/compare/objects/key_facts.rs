//! Keys and foreign keys, as a server tells them.

use std::collections::BTreeMap;

use mysql::Row;

use super::{
    ObjectsError,
    ask::{Block, Side, some, text},
    facts::{ForeignKey, Key, KeyKind, KeyPart, Over, Tables, table_of},
    spelling,
};
use crate::object::TableName;

pub(super) fn keys(
    side: &mut Side<'_>,
    block: &Block<'_>,
    tables: &mut Tables,
) -> Result<(), ObjectsError> {
    let visible = side.since((8, 0, 0), "IS_VISIBLE");
    let formula = side.since((8, 0, 13), "EXPRESSION");
    side.rows(
        "the keys of its tables",
        &format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, INDEX_TYPE, COLUMN_NAME, COLLATION, SUB_PART, \
             INDEX_COMMENT, {visible}, {formula} FROM information_schema.STATISTICS \
             WHERE {} ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX",
            block.condition("TABLE_SCHEMA")
        ),
        |row| {
            let Some(table) = table_of(tables, block.database, row) else {
                return;
            };
            let kind = match text(row, 4).to_ascii_uppercase().as_str() {
                "FULLTEXT" => KeyKind::FullText(None),
                "SPATIAL" | "RTREE" => KeyKind::Spatial,
                _ => KeyKind::Plain,
            };
            let part = KeyPart {
                over: match some(row, 5) {
                    Some(column) => Over::Column(column),
                    None => Over::Expression(spelling::unescaped(&text(row, 10))),
                },
                is_descending: text(row, 6) == "D",
                // Of a spatial key it is always the same, and not shown by all versions.
                prefix: some(row, 7).filter(|_| kind != KeyKind::Spatial),
            };
            let name = text(row, 2);
            match table.keys.last_mut() {
                Some(key) if key.name == name => key.parts.push(part),
                _ => table.keys.push(Key {
                    name,
                    is_unique: text(row, 3) == "0",
                    kind,
                    is_visible: text(row, 9) != "NO",
                    comment: text(row, 8),
                    parts: vec![part],
                }),
            }
        },
    )
}

pub(super) fn foreign_keys(
    side: &mut Side<'_>,
    block: &Block<'_>,
    tables: &mut Tables,
) -> Result<(), ObjectsError> {
    let mut rules = BTreeMap::new();
    side.rows(
        "the rules of its foreign keys",
        &format!(
            "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE \
             FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE {}",
            block.condition("CONSTRAINT_SCHEMA")
        ),
        |row| {
            if text(row, 0) == block.database.as_str() {
                rules.insert((text(row, 1), text(row, 2)), (text(row, 3), text(row, 4)));
            }
        },
    )?;
    side.rows(
        "its foreign keys",
        &format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, \
             REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE \
             WHERE {} AND REFERENCED_TABLE_NAME IS NOT NULL \
             ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION",
            block.condition("TABLE_SCHEMA")
        ),
        |row| {
            let (child, name) = (some_at(row, 1), text(row, 2));
            let (column, parent_column) = (text(row, 3), text(row, 6));
            let Ok(parent) = TableName::new(&text(row, 4), &text(row, 5)) else {
                return;
            };
            let Some(table) = table_of(tables, block.database, row) else {
                return;
            };
            let last = table.foreign_keys.last_mut();
            match last.filter(|key| key.name == name) {
                Some(key) => {
                    key.columns.push(column);
                    key.parent_columns.push(parent_column);
                }
                None => {
                    let rule = rules.remove(&(child, name.clone()));
                    let (on_delete, on_update) = rule.unwrap_or_default();
                    table.foreign_keys.push(ForeignKey {
                        name,
                        columns: vec![column],
                        parent,
                        parent_columns: vec![parent_column],
                        on_delete,
                        on_update,
                    });
                }
            }
        },
    )
}

fn some_at(row: &Row, at: usize) -> String {
    row.get::<Option<String>, _>(at)
        .flatten()
        .unwrap_or_default()
}
