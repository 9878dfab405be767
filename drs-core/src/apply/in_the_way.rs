use std::fmt::Write;

use drs_binlog::Value;

use super::{Image, net_change::Change, statements::write_row_match};
use crate::{
    schema::{Column, KeyPart, TableSchema, UniqueKey},
    sql::{self, LiteralError},
};

/// Where the row is that holds a change's new value of one unique key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InTheWay {
    /// This condition picks it, if it is there.
    Where(String),
    /// There is none: the value has a NULL in it, or the change does not touch it.
    Nowhere,
    /// It can't be told: the key is over an expression, or over a column that the log has not.
    Unknown,
}

impl InTheWay {
    /// Looks at one key. The row that an update is about is not in its own way; nor is `kept`.
    pub(super) fn of(
        schema: &TableSchema,
        key: &UniqueKey,
        change: &Change<'_>,
        kept: Option<&Image<'_>>,
    ) -> Result<Self, LiteralError> {
        let (before, after) = match change {
            Change::Insert(after) => (None, after),
            Change::Update(before, after) => (Some(before), after),
            Change::Delete(_) => return Ok(Self::Nowhere),
        };
        let mut condition = String::new();
        let mut touched = before.is_none();
        for part in &key.parts {
            let Some((ordinal, column)) = column_of(schema, part) else {
                return Ok(Self::Unknown);
            };
            if !condition.is_empty() {
                condition.push_str(" AND ");
            }
            let mut literal = String::new();
            match (after.value(ordinal)?, before) {
                (Some(Value::Null), _) => return Ok(Self::Nowhere),
                (Some(value), _) => {
                    touched = true;
                    sql::write_literal(&mut literal, &value, column)?;
                }
                // A partial image leaves out what the update does not change …
                (None, Some(before)) => write_present_value(&mut literal, schema, column, before)?,
                // … and an INSERT what gets its default.
                (None, None) => {
                    literal.push_str("DEFAULT(");
                    sql::write_identifier(&mut literal, &column.name);
                    literal.push(')');
                }
            }
            write_equal(&mut condition, column, part, &literal);
        }
        if !touched {
            return Ok(Self::Nowhere);
        }
        if let Some(own) = &schema.added.own_rows {
            condition.push_str(" AND ");
            condition.push_str(own);
        }
        for image in [before, kept].into_iter().flatten() {
            condition.push_str(" AND NOT (");
            write_row_match(&mut condition, schema, image)?;
            condition.push(')');
        }
        Ok(Self::Where(condition))
    }
}

fn column_of<'s>(schema: &'s TableSchema, part: &KeyPart) -> Option<(usize, &'s Column)> {
    let ordinal = part.column?;
    Some((ordinal, schema.columns.get(ordinal)?))
}

/// Compares as the key does: by the column's collation, and a prefix alone where it has only that.
fn write_equal(out: &mut String, column: &Column, part: &KeyPart, literal: &str) {
    let name = sql::identifier(&column.name);
    _ = match part.prefix {
        None => write!(out, "{name} = {literal}"),
        Some(length) => write!(out, "LEFT({name}, {length}) = LEFT({literal}, {length})"),
    };
}

/// The value that the destination's row has now. A DELETE may not read its own table but through
/// a derived table, and LIMIT keeps the server from merging that.
fn write_present_value(
    out: &mut String,
    schema: &TableSchema,
    column: &Column,
    row: &Image<'_>,
) -> Result<(), LiteralError> {
    out.push_str("(SELECT present_value FROM (SELECT ");
    sql::write_identifier(out, &column.name);
    out.push_str(" AS present_value FROM ");
    sql::write_table(out, &schema.name);
    out.push_str(" WHERE ");
    write_row_match(out, schema, row)?;
    out.push_str(" LIMIT 1) AS present_row)");
    Ok(())
}
