//! Questions to a server's `information_schema`.

use std::collections::BTreeSet;

use drs_core::{Role, ServerVersion, TableName};
use mysql::{Conn, Row, Value, prelude::Queryable};

use super::{Fact, Unread};

/// A server that is asked.
pub(super) struct Ask<'a> {
    pub(super) conn: &'a mut Conn,
    pub(super) role: Role,
    pub(super) version: ServerVersion,
}

impl Ask<'_> {
    /// Gives each row of an answer to `row`; `what` is asked for, in words.
    pub(super) fn rows(
        &mut self,
        what: &str,
        statement: &str,
        mut row: impl FnMut(&mut Row),
    ) -> Fact<()> {
        let role = self.role;
        let unread = |error| Unread::of(role, what, &error);
        for answer in self.conn.query_iter(statement).map_err(unread)? {
            row(&mut answer.map_err(unread)?);
        }
        Ok(())
    }
}

/// `('a', 'b')` of names.
pub(super) fn scope(names: &BTreeSet<&str>) -> String {
    let literals: Vec<String> = names
        .iter()
        .map(|name| {
            let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("_utf8 X'{hex}'")
        })
        .collect();
    format!("({})", literals.join(", "))
}

/// The name of a table, or of what else belongs to a database.
pub(super) fn name(row: &mut Row, database: usize, table: usize) -> Option<TableName> {
    TableName::new(&text(row, database), &text(row, table)).ok()
}

/// A text or number; `None` for NULL.
pub(super) fn some(row: &mut Row, at: usize) -> Option<String> {
    match row.take::<Value, _>(at)? {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A text; empty for NULL.
pub(super) fn text(row: &mut Row, at: usize) -> String {
    some(row, at).unwrap_or_default()
}

/// A number; 0 for what is none.
pub(super) fn number(row: &mut Row, at: usize) -> u64 {
    text(row, at).parse().unwrap_or(0)
}
