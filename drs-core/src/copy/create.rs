use mysql::{Conn, Row, prelude::Queryable};

use super::{
    CopyError,
    definition::{Definition, key_name},
    error::{at_destination, at_source},
};
use crate::{
    object::{DatabaseName, TableName},
    rule::{Added, TableRule},
    schema::{Column, TableSchema, UniqueKey},
    sql,
};

/// Creates a database at the destination under the name it has there, if it is missing, as it is
/// at the source.
pub(super) fn ensure_database(
    source: &mut Conn,
    destination: &mut Conn,
    (database, there): (&DatabaseName, &DatabaseName),
    task: &str,
) -> Result<(), CopyError> {
    let exists: Option<u8> = destination
        .exec_first(
            "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?",
            (there.as_str(),),
        )
        .map_err(at_destination(format!("looking for database {there}")))?;
    if exists.is_some() {
        return Ok(());
    }
    let defaults: Option<(String, String)> = source
        .exec_first(
            "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA \
             WHERE SCHEMA_NAME = ?",
            (database.as_str(),),
        )
        .map_err(at_source(format!("reading the defaults of database {database}")))?;
    let defaults = defaults
        .map(|(charset, collation)| format!(" DEFAULT CHARACTER SET {charset} COLLATE {collation}"))
        .unwrap_or_default();
    destination
        .query_drop(format!(
            "{}CREATE DATABASE IF NOT EXISTS {}{defaults}",
            sql::origin_comment(task),
            sql::identifier(there.as_str())
        ))
        .map_err(at_destination(format!("creating database {there}")))
}

/// When a table gets the keys that can wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// At once, before its rows.
    WithTheTable,
    /// In a statement of their own.
    AfterTheRows,
}

/// Creates the table at the destination with the source's definition, but for the keys that
/// are added after the rows.
pub(super) fn create_table(
    source: &mut Conn,
    destination: &mut Conn,
    table: &TableName,
    definition: &Definition,
    keys: Keys,
    task: &str,
) -> Result<(), CopyError> {
    let all = keys == Keys::WithTheTable;
    let here = utf8mb4_default(source).map_err(at_source("reading the collations"))?;
    let there = utf8mb4_default(destination).map_err(at_destination("reading the collations"))?;
    let statement = match here {
        Some(collation) if there.as_ref() != Some(&collation) => definition
            .with_utf8mb4_collation(&collation)
            .create_statement(&table.table, all),
        _ => definition.create_statement(&table.table, all),
    };
    // A foreign key in the definition names its tables without the database when it is the same.
    let failed = at_destination(format!("creating {table}"));
    destination
        .query_drop(format!("USE {}", sql::identifier(table.database.as_str())))
        .and_then(|()| destination.query_drop(sql::origin_comment(task) + &statement))
        .map_err(failed)
}

fn utf8mb4_default(conn: &mut Conn) -> Result<Option<String>, mysql::Error> {
    conn.query_first(
        "SELECT COLLATION_NAME FROM information_schema.COLLATIONS \
         WHERE CHARACTER_SET_NAME = 'utf8mb4' AND IS_DEFAULT = 'Yes'",
    )
}

/// Adds the keys that were left out, but for those that are there already.
pub(super) fn add_keys(
    destination: &mut Conn,
    table: &TableName,
    definition: &Definition,
    task: &str,
) -> Result<(), CopyError> {
    let later = definition.later_keys();
    if later.is_empty() {
        return Ok(());
    }
    let there: Vec<String> = destination
        .exec(
            "SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS \
             WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
            (table.database.as_str(), table.table.as_str()),
        )
        .map_err(at_destination(format!("reading the keys of {table}")))?;
    let is_there = |item: &str| {
        key_name(item).is_some_and(|name| there.iter().any(|key| key.eq_ignore_ascii_case(&name)))
    };
    let missing: Vec<&str> = later.into_iter().filter(|item| !is_there(item)).collect();
    if !missing.is_empty() {
        sort_in_memory(destination)?;
    }
    // InnoDB builds one full-text key at a time.
    let (full_text, plain): (Vec<&str>, Vec<&str>) = missing
        .into_iter()
        .partition(|item| item.starts_with("FULLTEXT "));
    let steps = std::iter::once(plain).chain(full_text.into_iter().map(|item| vec![item]));
    for step in steps.filter(|step| !step.is_empty()) {
        let additions = step
            .iter()
            .map(|item| format!("ADD {item}"))
            .collect::<Vec<_>>()
            .join(", ");
        destination
            .query_drop(format!(
                "{}ALTER TABLE {} {additions}",
                sql::origin_comment(task),
                sql::table(table)
            ))
            .map_err(at_destination(format!("adding the keys of {table}")))?;
    }
    Ok(())
}

/// Gives the session's ALTER TABLE more memory than the server's default of 1 MiB to sort keys in,
/// where it may be given (from 8.0.27 on): with less the parts are written out and merged.
fn sort_in_memory(destination: &mut Conn) -> Result<(), CopyError> {
    const BYTES: u32 = 32 << 20;
    let failed = at_destination("reading innodb_ddl_buffer_size");
    let setting: Option<Row> = destination
        .query_first("SHOW SESSION VARIABLES LIKE 'innodb_ddl_buffer_size'")
        .map_err(&failed)?;
    let bytes: Option<u32> = setting.and_then(|row| row.get_opt(1)?.ok());
    if bytes.is_none_or(|bytes| bytes >= BYTES) {
        return Ok(());
    }
    destination
        .query_drop(format!("SET SESSION innodb_ddl_buffer_size = {BYTES}"))
        .map_err(at_destination("setting innodb_ddl_buffer_size"))
}

/// True when the table at the destination holds a row.
pub(super) fn has_rows(destination: &mut Conn, table: &TableName) -> Result<bool, CopyError> {
    let row: Option<Row> = destination
        .query_first(format!("SELECT 1 FROM {} LIMIT 1", sql::table(table)))
        .map_err(at_destination(format!("looking into {table}")))?;
    Ok(row.is_some())
}

/// Drops the table at the destination.
pub(super) fn drop_table(
    destination: &mut Conn,
    table: &TableName,
    task: &str,
) -> Result<(), CopyError> {
    let failed = at_destination(format!("dropping {table}"));
    destination
        .query_drop(sql::set_origin_mark(task))
        .map_err(&failed)?;
    let dropped = destination.query_drop(format!("DROP TABLE IF EXISTS {}", sql::table(table)));
    destination
        .query_drop(
            "SET SESSION auto_increment_increment = DEFAULT, auto_increment_offset = DEFAULT",
        )
        .and(dropped)
        .map_err(&failed)
}

/// True when the labels of a column may not be shown as they are: servers print definitions in
/// `utf8mb3`, with `?` for every character that it lacks.
pub fn may_hide_labels(column_type: &str, charset: &str) -> bool {
    let has_labels = |kind: &str| {
        let start = column_type.get(..kind.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(kind))
    };
    let is_wide = matches!(
        charset,
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030"
    );
    (has_labels("enum(") || has_labels("set(")) && is_wide && column_type.contains('?')
}

/// Fails where the source's definition may not show a label as it is.
pub(super) fn shows_labels(source: &TableSchema) -> Result<(), CopyError> {
    let is_lost = |column: &&Column| {
        let charset = column.charset.as_deref().unwrap_or_default();
        may_hide_labels(&column.column_type, charset)
    };
    match source.columns.iter().find(is_lost) {
        None => Ok(()),
        Some(column) => Err(CopyError::Labels {
            table: source.name.clone(),
            column: column.name.clone(),
        }),
    }
}

/// What keeps the source's rows from standing in the destination's table as they are.
///
/// Columns are found by name, in any order; the destination may have more of them, if rows can be
/// inserted without them.
pub(super) fn differences(
    source: &TableSchema,
    destination: &TableSchema,
    rule: Option<&TableRule>,
) -> Vec<String> {
    let mut found = Vec::new();
    let added = match rule.map(|rule| rule.added_to(destination)) {
        None => Added::none(),
        Some(Ok(added)) => added,
        Some(Err(reasons)) => return reasons,
    };
    for column in &source.columns {
        let other = destination.column_index(&column.name);
        match other.and_then(|index| destination.columns.get(index)) {
            Some(other) => compare_columns(column, other, &mut found),
            None => found.push(format!("column {} is missing", column.name)),
        }
    }
    for column in &destination.columns {
        let is_source = source.column_index(&column.name).is_some();
        if !is_source && added.find(&column.name).is_none() && !column.has_default {
            found.push(format!(
                "column {} is at the destination only, may not be NULL and has no default",
                column.name
            ));
        }
    }
    let (here, there) = (key_set(source, &added), key_set(destination, &added));
    for key in here.iter().filter(|key| !there.contains(key)) {
        found.push(format!("the unique key ({key}) is missing"));
    }
    for key in there.iter().filter(|key| !here.contains(key)) {
        found.push(format!("the unique key ({key}) is at the destination only"));
    }
    found
}

fn compare_columns(source: &Column, destination: &Column, found: &mut Vec<String>) {
    let name = &source.name;
    let (here, there) = (
        plain_type(&source.column_type),
        plain_type(&destination.column_type),
    );
    if here != there {
        found.push(format!(
            "column {name} is {here} at the source and {there} at the destination"
        ));
    }
    if source.nullable && !destination.nullable && !destination.generated {
        found.push(format!("column {name} may be NULL at the source only"));
    }
    if source.generated != destination.generated {
        found.push(format!("column {name} is generated on one side only"));
    }
    // SET and ENUM of bytes have the collation `binary` at some versions, and none at others.
    let spelled = |text: &Option<String>| {
        text.as_deref()
            .filter(|text| *text != "binary")
            .map(plain_charset)
    };
    let (here, there) = (spelled(&source.collation), spelled(&destination.collation));
    if here != there {
        let shown = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
        found.push(format!(
            "the collation of column {name} is {} at the source and {} at the destination",
            shown(here),
            shown(there)
        ));
    }
}

/// The unique keys, each as its columns with prefix lengths, but for added constants; names do not
/// matter.
fn key_set(schema: &TableSchema, added: &Added) -> Vec<String> {
    let part = |key: &UniqueKey| {
        let parts = added.key_parts(schema, &key.parts).into_iter().map(|part| {
            let column = part.column.and_then(|index| schema.columns.get(index));
            let name = column
                .map_or("an expression", |column| column.name.as_str())
                .to_ascii_lowercase();
            part.prefix
                .map_or_else(|| name.clone(), |length| format!("{name}({length})"))
        });
        parts.collect::<Vec<_>>().join(", ")
    };
    let mut keys: Vec<String> = schema.unique_keys.iter().map(part).collect();
    keys.sort();
    keys
}

/// A type without what versions spell in different ways: the display width of integers and
/// YEAR, and names that were changed.
pub(crate) fn plain_type(column_type: &str) -> String {
    const WITH_WIDTH: [&str; 6] = [
        "tinyint(",
        "smallint(",
        "mediumint(",
        "int(",
        "bigint(",
        "year(",
    ];
    let lower = column_type.to_ascii_lowercase();
    if WITH_WIDTH.iter().any(|prefix| lower.starts_with(prefix))
        && let Some((name, rest)) = lower.split_once('(')
        && let Some((_, rest)) = rest.split_once(')')
    {
        return format!("{name}{rest}");
    }
    match lower.as_str() {
        "geometrycollection" => "geomcollection".to_owned(),
        // Labels of ENUM and SET keep their case.
        _ if lower.starts_with("enum(") || lower.starts_with("set(") => column_type.to_owned(),
        _ => lower,
    }
}

/// `utf8` is what older versions call `utf8mb3`.
fn plain_charset(name: &str) -> String {
    match name.strip_prefix("utf8mb3") {
        Some(rest) if rest.is_empty() || rest.starts_with('_') => format!("utf8{rest}"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_spell_the_same_type_in_different_ways() {
        for (left, right, same) in [
            ("int(10) unsigned", "int unsigned", true),
            ("bigint(20)", "bigint", true),
            ("year(4)", "year", true),
            ("tinyint(1)", "tinyint(4)", true),
            ("geometrycollection", "geomcollection", true),
            ("int unsigned", "int", false),
            ("int(5) unsigned zerofill", "int(5) unsigned", false),
            ("varchar(10)", "varchar(11)", false),
            ("decimal(10,2)", "decimal(10,3)", false),
            ("enum('A')", "enum('a')", false),
            ("datetime(3)", "datetime", false),
        ] {
            assert_eq!(
                plain_type(left) == plain_type(right),
                same,
                "{left} {right}"
            );
        }
        assert_eq!(plain_charset("utf8mb3_bin"), plain_charset("utf8_bin"));
        assert_ne!(plain_charset("utf8mb4_bin"), plain_charset("utf8_bin"));
    }
}
