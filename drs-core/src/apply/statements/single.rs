//! Statements of one change each, for when a batch is applied change by change.

use std::fmt::Write;

use drs_binlog::Value;

use super::{Image, write_key_condition, write_row_condition, write_row_match};
use crate::{
    rule::AddedSql,
    schema::{Column, ColumnKind, TableSchema},
    sql::{self, LiteralError},
};

/// Writes one INSERT (or REPLACE) of the columns that the image carries; `before` is the row's old
/// image if it is an update's.
pub(crate) fn insert_statement(
    schema: &TableSchema,
    verb: &str,
    before: Option<&Image<'_>>,
    after: &Image<'_>,
) -> Result<String, LiteralError> {
    let mut statement = String::from(verb);
    sql::write_table(&mut statement, &schema.name);
    let (mut names, mut values) = (String::new(), String::new());
    for item in after.values() {
        let (ordinal, value) = item?;
        let Some(column) = written_column(schema, ordinal) else {
            continue;
        };
        if !names.is_empty() {
            names.push(',');
            values.push(',');
        }
        sql::write_identifier(&mut names, &column.name);
        let old = old_document(before, ordinal, &value)?;
        sql::write_new_value(&mut values, &value, old.as_ref(), column, None)?;
    }
    for column in left_to_implicit_defaults(schema, after) {
        let Some(value) = implicit_default(column.kind) else {
            continue;
        };
        if !names.is_empty() {
            names.push(',');
            values.push(',');
        }
        sql::write_identifier(&mut names, &column.name);
        values.push_str(value);
    }
    for added in &schema.added.columns {
        if !names.is_empty() {
            names.push(',');
            values.push(',');
        }
        sql::write_identifier(&mut names, &added.name);
        values.push_str(&added.expression);
    }
    _ = write!(statement, " ({names}) VALUES ({values})");
    Ok(statement)
}

/// The columns that only a session without strict mode could leave out: a minimal image does not
/// carry them then. (Defaults that are computed it does carry; others are the destination's too.)
fn left_to_implicit_defaults<'s>(
    schema: &'s TableSchema,
    after: &Image<'_>,
) -> impl Iterator<Item = &'s Column> {
    let columns = schema.columns.iter().enumerate();
    columns
        .filter(|(ordinal, column)| {
            !column.generated && !column.has_default && !after.present().is_set(*ordinal)
        })
        .map(|(_, column)| column)
}

/// What such a session stored there (manual, "Data Type Default Values").
fn implicit_default(kind: ColumnKind) -> Option<&'static str> {
    match kind {
        ColumnKind::Int
        | ColumnKind::Decimal
        | ColumnKind::Float
        | ColumnKind::Double
        | ColumnKind::Bit
        | ColumnKind::Year
        | ColumnKind::Date
        | ColumnKind::Time
        | ColumnKind::DateTime
        | ColumnKind::Timestamp
        | ColumnKind::Set => Some("0"),
        ColumnKind::Enum => Some("1"),
        ColumnKind::Text | ColumnKind::Binary | ColumnKind::BinaryFixed => Some("''"),
        ColumnKind::Json => Some("CAST('null' AS JSON)"),
        // An empty shape or vector is none that could be written.
        ColumnKind::Geometry | ColumnKind::Vector => None,
    }
}

/// Writes the INSERT that makes a row the image's, whatever of it is there already: columns that
/// the image does not carry keep their values.
fn upsert_statement(
    schema: &TableSchema,
    before: Option<&Image<'_>>,
    after: &Image<'_>,
) -> Result<String, LiteralError> {
    let mut statement = insert_statement(schema, "INSERT INTO ", before, after)?;
    let mut separator = " ON DUPLICATE KEY UPDATE ";
    for item in after.values() {
        let (ordinal, value) = item?;
        let Some(column) = written_column(schema, ordinal) else {
            continue;
        };
        statement.push_str(separator);
        separator = ",";
        sql::write_identifier(&mut statement, &column.name);
        statement.push('=');
        let old = old_document(before, ordinal, &value)?;
        sql::write_new_value(&mut statement, &value, old.as_ref(), column, None)?;
    }
    for added in schema.added.on_update() {
        statement.push_str(separator);
        separator = ",";
        write_setting(&mut statement, added);
    }
    Ok(statement)
}

/// Writes the statements that make a row of a table that is catching up the image's.
///
/// A REPLACE also makes way where another unique key stands against it, and loses what the
/// image does not carry. It does not ask whose the row is that it removes.
pub(crate) fn lenient_statements(
    schema: &TableSchema,
    before: Option<&Image<'_>>,
    after: &Image<'_>,
) -> Result<Vec<String>, LiteralError> {
    if !schema.added.keys_are_own {
        let mut statements = own_way_statements(schema, after)?;
        statements.push(insert_statement(schema, "INSERT INTO ", before, after)?);
        return Ok(statements);
    }
    let statement = if schema.has_unlogged_columns && !schema.has_other_unique_keys() {
        upsert_statement(schema, before, after)
    } else {
        insert_statement(schema, "REPLACE INTO ", before, after)
    };
    Ok(vec![statement?])
}

/// Writes the DELETEs that take the task's own rows out of an image's way.
fn own_way_statements(
    schema: &TableSchema,
    after: &Image<'_>,
) -> Result<Vec<String>, LiteralError> {
    let mut statements = Vec::new();
    for key in &schema.unique_keys {
        let mut is_known = true;
        for part in &key.parts {
            let value = match part.column {
                Some(ordinal) if part.prefix.is_none() => after.value(ordinal)?,
                _ => None,
            };
            is_known &= !matches!(value, None | Some(Value::Null));
        }
        if !is_known {
            continue;
        }
        let mut statement = String::from("DELETE FROM ");
        sql::write_table(&mut statement, &schema.name);
        statement.push_str(" WHERE ");
        if let Some(own) = &schema.added.own_rows {
            statement.push_str(own);
            statement.push_str(" AND ");
        }
        write_key_condition(&mut statement, schema, key, after)?;
        statements.push(statement);
    }
    Ok(statements)
}

/// Writes `column=expression`.
pub(super) fn write_setting(out: &mut String, added: &AddedSql) {
    sql::write_identifier(out, &added.name);
    out.push('=');
    out.push_str(&added.expression);
}

/// Writes one UPDATE of the columns that the after image carries.
pub(crate) fn update_statement(
    schema: &TableSchema,
    before: &Image<'_>,
    after: &Image<'_>,
) -> Result<String, LiteralError> {
    let mut statement = String::from("UPDATE ");
    sql::write_table(&mut statement, &schema.name);
    let mut conditions = String::new();
    let mut separator = " SET ";
    for item in after.values() {
        let (ordinal, value) = item?;
        let Some(column) = written_column(schema, ordinal) else {
            continue;
        };
        statement.push_str(separator);
        separator = ",";
        let name = sql::identifier(&column.name);
        statement.push_str(&name);
        statement.push('=');
        let old = old_document(Some(before), ordinal, &value)?;
        sql::write_new_value(&mut statement, &value, old.as_ref(), column, Some(&name))?;
        if let (Value::JsonDiff(diffs), None) = (&value, &old) {
            let len = conditions.len();
            sql::write_partial_condition(&mut conditions, diffs, column, &name)?;
            // There is none where the statement left the document as it was.
            if conditions.len() > len {
                conditions.push_str(" AND ");
            }
        }
    }
    for added in schema.added.on_update() {
        statement.push_str(separator);
        separator = ",";
        write_setting(&mut statement, added);
    }
    statement.push_str(" WHERE ");
    statement.push_str(&conditions);
    write_row_condition(&mut statement, schema, before)?;
    Ok(statement)
}

/// True when an update carries changes of a JSON document without the document itself.
pub(crate) fn lacks_old_document(
    before: &Image<'_>,
    after: &Image<'_>,
) -> drs_binlog::Result<bool> {
    for item in after.values() {
        if let (ordinal, value @ Value::JsonDiff(_)) = item?
            && old_document(Some(before), ordinal, &value)?.is_none()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The old value of a column of which the new image has a partial update.
fn old_document<'a>(
    before: Option<&Image<'a>>,
    ordinal: usize,
    value: &Value<'_>,
) -> drs_binlog::Result<Option<Value<'a>>> {
    match (before, value) {
        (Some(before), Value::JsonDiff(_)) => before.value(ordinal),
        _ => Ok(None),
    }
}

fn written_column(schema: &TableSchema, ordinal: usize) -> Option<&Column> {
    schema
        .columns
        .get(ordinal)
        .filter(|column| !column.generated)
}

/// Writes the UPDATE that makes the row of an image's row key what an INSERT of the image would
/// make it: columns that the image does not carry get their defaults.
pub(crate) fn overwrite_statement(
    schema: &TableSchema,
    before: Option<&Image<'_>>,
    after: &Image<'_>,
) -> Result<String, LiteralError> {
    let mut statement = String::from("UPDATE ");
    sql::write_table(&mut statement, &schema.name);
    let mut separator = " SET ";
    for (ordinal, column) in schema.written_columns() {
        statement.push_str(separator);
        separator = ",";
        sql::write_identifier(&mut statement, &column.name);
        statement.push('=');
        match after.value(ordinal)? {
            Some(value) => {
                let old = old_document(before, ordinal, &value)?;
                sql::write_new_value(&mut statement, &value, old.as_ref(), column, None)?;
            }
            None => statement.push_str("DEFAULT"),
        }
    }
    for added in schema.added.on_update() {
        statement.push_str(separator);
        separator = ",";
        write_setting(&mut statement, added);
    }
    statement.push_str(" WHERE ");
    write_row_match(&mut statement, schema, after)?;
    Ok(statement)
}

/// Writes one DELETE.
pub(crate) fn delete_statement(
    schema: &TableSchema,
    before: &Image<'_>,
) -> Result<String, LiteralError> {
    let mut statement = String::from("DELETE FROM ");
    sql::write_table(&mut statement, &schema.name);
    statement.push_str(" WHERE ");
    write_row_condition(&mut statement, schema, before)?;
    Ok(statement)
}
