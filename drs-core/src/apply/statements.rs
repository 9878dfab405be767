mod single;

use drs_binlog::Value;

use super::{
    Image,
    net_change::NetChange,
    packet::{Expectation, Packet},
    row_key::append_key,
};
use crate::{
    dialect::ServerVersion,
    schema::{Column, ColumnKind, TableSchema, UniqueKey},
    sql::{self, LiteralError},
};

use single::write_setting;
pub(crate) use single::{
    delete_statement, insert_statement, lacks_old_document, lenient_statements,
    overwrite_statement, update_statement,
};

/// Rows of one statement at most: longer ones make the server's parser and range optimizer
/// work more for each row, shorter ones cost round trips inside the server.
const STATEMENT_ROWS_MAX: usize = 500;
/// Where a statement ends, in bytes of SQL text, if it has a row already.
const STATEMENT_BYTES_MAX: usize = 512 * 1024;

/// Writes statements into packets.
pub(crate) struct StatementWriter {
    version: ServerVersion,
    packet_bytes_max: usize,
    packets: Vec<Packet>,
}

/// What stands before the rows of a multi-row statement, and after them.
struct Shape<'a> {
    prefix: &'a str,
    suffix: &'a str,
    affected_per_row: Option<u64>,
}

impl StatementWriter {
    /// Packets end at `packet_bytes_max`, unless one statement alone is longer.
    pub(crate) fn new(version: ServerVersion, packet_bytes_max: usize) -> Self {
        Self {
            version,
            packet_bytes_max,
            packets: vec![Packet::default()],
        }
    }

    /// The packets, in the order in which they must be sent.
    pub(crate) fn finish(self) -> Vec<Packet> {
        self.packets
            .into_iter()
            .filter(|packet| !packet.text().is_empty())
            .collect()
    }

    /// Adds one statement.
    pub(crate) fn push(&mut self, statement: &str, expectation: Expectation) {
        let full = self.packets.last().is_none_or(|packet| {
            !packet.text().is_empty()
                && packet.text().len() + statement.len() > self.packet_bytes_max
        });
        if full {
            if let Some(packet) = self.packets.last_mut() {
                packet.close();
            }
            self.packets.push(Packet::default());
        }
        if let Some(packet) = self.packets.last_mut() {
            packet.push(statement, expectation);
        }
    }

    /// Adds the statements that make a table's net changes: all deletes, then in-place
    /// updates, then all inserts.
    ///
    /// This order is always valid, because the state after the batch is one that the source
    /// was in: whatever unique value an insert takes has been given up by a delete.
    pub(crate) fn push_net<'a>(
        &mut self,
        schema: &TableSchema,
        key: &UniqueKey,
        changes: impl Iterator<Item = NetChange<'a>>,
    ) -> Result<(), LiteralError> {
        let (mut deletes, mut updates, mut inserts) = (Vec::new(), Vec::new(), Vec::new());
        let (mut gone, mut unchanged) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                NetChange::Nothing(image) => gone.extend(image),
                NetChange::Insert(after) => inserts.push(after),
                NetChange::Delete(before) => deletes.push(before),
                NetChange::Update { before, after } => {
                    if same_values(&before, &after)? {
                        // The changes of the batch cancelled each other out.
                        unchanged.push((before, after));
                    } else if !schema.has_other_unique_keys() {
                        updates.push(after);
                    } else {
                        // ON DUPLICATE KEY UPDATE could hit a row by its other unique key, so the row
                        // is replaced: the count of the delete proves that it was there by its row key.
                        deletes.push(before);
                        inserts.push(after);
                    }
                }
            }
        }
        self.push_deletes(schema, key, &deletes, Some(1))?;
        self.push_absences(schema, &gone)?;
        for (before, after) in &unchanged {
            // Nothing to do, unless the destination's row is missing or another.
            let statement = update_statement(schema, before, after)?;
            self.push(&statement, Expectation::data(schema.name.clone(), Some(1)));
        }
        self.push_upserts(schema, &updates)?;
        let prefix = insert_prefix(schema, "INSERT INTO ");
        self.push_rows(
            schema,
            &inserts,
            &Shape {
                prefix: &prefix,
                suffix: "",
                affected_per_row: Some(1),
            },
        )
    }

    /// Proves that nothing at the destination stood against rows that came and went within the
    /// batch: deletes that must find nothing.
    ///
    /// After the batch's own deletes nobody may hold their unique values: the source could not
    /// have inserted them otherwise. A key over a prefix or an expression is not looked at.
    fn push_absences(
        &mut self,
        schema: &TableSchema,
        gone: &[Image<'_>],
    ) -> Result<(), LiteralError> {
        let whole = |key: &&UniqueKey| {
            key.parts
                .iter()
                .all(|part| part.column.is_some() && part.prefix.is_none())
        };
        for key in schema.unique_keys.iter().filter(whole) {
            let mut rows = Vec::new();
            for image in gone {
                if !has_null(image, key)? {
                    rows.push(*image);
                }
            }
            self.push_deletes(schema, key, &rows, Some(0))?;
        }
        Ok(())
    }

    /// Adds the statements that bring a table's rows to the batch's last images, whatever
    /// of them is there already.
    pub(crate) fn push_lenient<'a>(
        &mut self,
        schema: &TableSchema,
        key: &UniqueKey,
        changes: impl Iterator<Item = NetChange<'a>>,
    ) -> Result<(), LiteralError> {
        let (mut deletes, mut replaces) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                NetChange::Nothing(_) => {}
                NetChange::Delete(before) => deletes.push(before),
                NetChange::Insert(after) | NetChange::Update { after, .. } => replaces.push(after),
            }
        }
        self.push_deletes(schema, key, &deletes, None)?;
        let prefix = insert_prefix(schema, "REPLACE INTO ");
        self.push_rows(
            schema,
            &replaces,
            &Shape {
                prefix: &prefix,
                suffix: "",
                affected_per_row: None,
            },
        )
    }

    fn push_deletes(
        &mut self,
        schema: &TableSchema,
        key: &UniqueKey,
        rows: &[Image<'_>],
        affected_per_row: Option<u64>,
    ) -> Result<(), LiteralError> {
        let mut prefix = String::from("DELETE FROM ");
        sql::write_table(&mut prefix, &schema.name);
        prefix.push_str(" WHERE ");
        let own = schema.added.own_rows.as_deref();
        if let Some(own) = own {
            prefix.push_str(own);
            prefix.push_str(" AND ");
        }
        let columns: Vec<&Column> = key_columns(schema, key).collect();
        // A list of several rows finds none by an ENUM or SET, which the server then compares with a
        // number as text; nor does an old server find a TIME with a fraction.
        let is_found_in_rows = |column: &&Column| {
            !matches!(
                column.kind,
                ColumnKind::Enum | ColumnKind::Set | ColumnKind::Time
            )
        };
        let in_list = columns.len() == 1
            || self.version.has_row_constructor_ranges() && columns.iter().all(is_found_in_rows);
        if in_list {
            prefix.push('(');
            for (i, column) in columns.iter().enumerate() {
                if i > 0 {
                    prefix.push(',');
                }
                prefix.push_str(&sql::comparable(column));
            }
            prefix.push_str(") IN (");
        } else if own.is_some() {
            prefix.push('(');
        }
        let (separator, suffix) = match in_list {
            true => (",", ")"),
            false if own.is_some() => (" OR ", ")"),
            false => (" OR ", ""),
        };
        let shape = Shape {
            prefix: &prefix,
            suffix,
            affected_per_row,
        };
        self.push_multi(schema, rows, &shape, separator, |out, row| {
            if in_list {
                write_key_tuple(out, schema, key, row)
            } else {
                out.push('(');
                write_key_condition(out, schema, key, row)?;
                out.push(')');
                Ok(())
            }
        })
    }

    /// In-place updates as `INSERT … ON DUPLICATE KEY UPDATE`: one statement for many rows.
    ///
    /// A row that was there and changed counts 2, any other outcome counts less, so the sum
    /// is right only if every row was there (manual, "INSERT ... ON DUPLICATE KEY UPDATE").
    fn push_upserts(
        &mut self,
        schema: &TableSchema,
        rows: &[Image<'_>],
    ) -> Result<(), LiteralError> {
        let prefix = insert_prefix(schema, "INSERT INTO ");
        let alias = self.version.has_insert_row_alias();
        let mut suffix = String::from(if alias { " AS new_row" } else { "" });
        suffix.push_str(" ON DUPLICATE KEY UPDATE ");
        for (i, (_, column)) in schema.written_columns().enumerate() {
            if i > 0 {
                suffix.push(',');
            }
            sql::write_identifier(&mut suffix, &column.name);
            suffix.push_str(if alias { "=new_row." } else { "=VALUES(" });
            sql::write_identifier(&mut suffix, &column.name);
            if !alias {
                suffix.push(')');
            }
        }
        for added in schema.added.on_update() {
            if !suffix.ends_with(' ') {
                suffix.push(',');
            }
            write_setting(&mut suffix, added);
        }
        self.push_rows(
            schema,
            rows,
            &Shape {
                prefix: &prefix,
                suffix: &suffix,
                affected_per_row: Some(2),
            },
        )
    }

    fn push_rows(
        &mut self,
        schema: &TableSchema,
        rows: &[Image<'_>],
        shape: &Shape<'_>,
    ) -> Result<(), LiteralError> {
        self.push_multi(schema, rows, shape, ",", |out, row| {
            write_values(out, schema, row)
        })
    }

    fn push_multi(
        &mut self,
        schema: &TableSchema,
        rows: &[Image<'_>],
        shape: &Shape<'_>,
        separator: &str,
        mut write_row: impl FnMut(&mut String, &Image<'_>) -> Result<(), LiteralError>,
    ) -> Result<(), LiteralError> {
        let mut statement = String::new();
        let mut count = 0_u64;
        for (i, row) in rows.iter().enumerate() {
            statement.push_str(if count == 0 { shape.prefix } else { separator });
            write_row(&mut statement, row)?;
            count += 1;
            let full =
                count as usize >= STATEMENT_ROWS_MAX || statement.len() >= STATEMENT_BYTES_MAX;
            if full || i + 1 == rows.len() {
                statement.push_str(shape.suffix);
                self.push(
                    &statement,
                    Expectation::data(
                        schema.name.clone(),
                        shape.affected_per_row.map(|per_row| per_row * count),
                    ),
                );
                statement.clear();
                count = 0;
            }
        }
        Ok(())
    }
}

/// `INSERT INTO t (columns) VALUES `, or the same with another verb.
fn insert_prefix(schema: &TableSchema, verb: &str) -> String {
    let mut prefix = String::from(verb);
    sql::write_table(&mut prefix, &schema.name);
    prefix.push_str(" (");
    for (i, (_, column)) in schema.written_columns().enumerate() {
        if i > 0 {
            prefix.push(',');
        }
        sql::write_identifier(&mut prefix, &column.name);
    }
    for added in &schema.added.columns {
        if !prefix.ends_with('(') {
            prefix.push(',');
        }
        sql::write_identifier(&mut prefix, &added.name);
    }
    prefix.push_str(") VALUES ");
    prefix
}

/// Writes `(value, …)` of all written columns of a full image.
fn write_values(
    out: &mut String,
    schema: &TableSchema,
    row: &Image<'_>,
) -> Result<(), LiteralError> {
    let mut separator = '(';
    for item in written(schema, row) {
        let (column, value) = item?;
        out.push(separator);
        separator = ',';
        sql::write_literal(out, &value, column)?;
    }
    for added in &schema.added.columns {
        out.push(separator);
        separator = ',';
        out.push_str(&added.expression);
    }
    out.push_str(if separator == '(' { "()" } else { ")" });
    Ok(())
}

/// The values of an image that are written, with their columns.
fn written<'a, 's>(
    schema: &'s TableSchema,
    row: &Image<'a>,
) -> impl Iterator<Item = Result<(&'s Column, Value<'a>), LiteralError>> {
    row.values().filter_map(move |item| match item {
        Ok((ordinal, value)) => {
            let column = schema.columns.get(ordinal)?;
            if column.generated {
                None
            } else {
                Some(Ok((column, value)))
            }
        }
        Err(error) => Some(Err(error.into())),
    })
}

fn key_columns<'s>(
    schema: &'s TableSchema,
    key: &'s UniqueKey,
) -> impl Iterator<Item = &'s Column> {
    key.parts
        .iter()
        .filter_map(|part| schema.columns.get(part.column?))
}

fn write_key_tuple(
    out: &mut String,
    schema: &TableSchema,
    key: &UniqueKey,
    row: &Image<'_>,
) -> Result<(), LiteralError> {
    let several = key.parts.len() > 1;
    let mut separator = if several { "(" } else { "" };
    for part in &key.parts {
        let (column, value) = key_part(schema, row, part.column)?;
        out.push_str(separator);
        separator = ",";
        sql::write_literal(out, &value, column)?;
    }
    if several {
        out.push(')');
    }
    Ok(())
}

fn key_part<'s, 'a>(
    schema: &'s TableSchema,
    row: &Image<'a>,
    ordinal: Option<usize>,
) -> Result<(&'s Column, Value<'a>), LiteralError> {
    let missing = || LiteralError::MissingKey {
        table: schema.name.to_string(),
    };
    let ordinal = ordinal.ok_or_else(missing)?;
    let column = schema.columns.get(ordinal).ok_or_else(missing)?;
    Ok((column, row.value(ordinal)?.ok_or_else(missing)?))
}

/// Writes the condition that picks a row by its key.
fn write_key_condition(
    out: &mut String,
    schema: &TableSchema,
    key: &UniqueKey,
    row: &Image<'_>,
) -> Result<(), LiteralError> {
    for (i, part) in key.parts.iter().enumerate() {
        let (column, value) = key_part(schema, row, part.column)?;
        if i > 0 {
            out.push_str(" AND ");
        }
        out.push_str(&sql::comparable(column));
        out.push('=');
        sql::write_literal(out, &value, column)?;
    }
    Ok(())
}

/// Writes the condition that picks one row: by the row key, or by every column of the image.
fn write_row_condition(
    out: &mut String,
    schema: &TableSchema,
    row: &Image<'_>,
) -> Result<(), LiteralError> {
    write_row_match(out, schema, row)?;
    if schema.row_key().is_none() {
        // Rows that are alike to the last byte are one as good as the other.
        out.push_str(" LIMIT 1");
    }
    Ok(())
}

/// Writes the condition that is true of the image's row, and of those that are like it to the
/// last byte where the table has no row key; of the task's own rows alone, where others are told
/// from them.
pub(crate) fn write_row_match(
    out: &mut String,
    schema: &TableSchema,
    row: &Image<'_>,
) -> Result<(), LiteralError> {
    let mut separator = "";
    if let Some(own) = &schema.added.own_rows {
        out.push_str(own);
        separator = " AND ";
    }
    if let Some(key) = schema.row_key() {
        out.push_str(separator);
        return write_key_condition(out, schema, key, row);
    }
    for item in row.values() {
        let (ordinal, value) = item?;
        let Some(column) = schema.columns.get(ordinal).filter(|c| !c.is_absent()) else {
            continue;
        };
        out.push_str(separator);
        separator = " AND ";
        sql::write_text_match(out, &value, column, &sql::comparable(column))?;
    }
    Ok(())
}

/// True when both images certainly have the same row key.
pub(crate) fn same_key(
    schema: &TableSchema,
    a: &Image<'_>,
    b: &Image<'_>,
) -> Result<bool, LiteralError> {
    let Some(key) = schema.row_key() else {
        return Ok(false);
    };
    let (mut a_bytes, mut b_bytes) = (Vec::new(), Vec::new());
    let known =
        append_key(&mut a_bytes, a, key)?.is_some() && append_key(&mut b_bytes, b, key)?.is_some();
    Ok(known && a_bytes == b_bytes)
}

/// True when a part of the key is NULL: such a value is not unique.
fn has_null(image: &Image<'_>, key: &UniqueKey) -> Result<bool, LiteralError> {
    for part in &key.parts {
        if let Some(ordinal) = part.column
            && matches!(image.value(ordinal)?, Some(Value::Null))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// True when two images hold the same bytes; comparing values would take -0.0 for 0.0.
fn same_values(a: &Image<'_>, b: &Image<'_>) -> Result<bool, LiteralError> {
    if a.value_bytes() != b.value_bytes() {
        return Ok(false);
    }
    for (a, b) in a.values().zip(b.values()) {
        let ((a_ordinal, a), (b_ordinal, b)) = (a?, b?);
        if a_ordinal != b_ordinal || a.is_null() != b.is_null() {
            return Ok(false);
        }
    }
    Ok(true)
}
