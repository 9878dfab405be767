//! Rows of statements whose columns differ from version to version, by the columns' names.

use mysql::{Conn, Row, Value, prelude::Queryable};

use drs_core::Role;

use super::{Fact, Unread};

/// A row of a `SHOW` statement.
pub(super) struct Answer(Row);

impl Answer {
    /// The first of these columns that the row has and that is not NULL.
    pub(super) fn some(&self, names: &[&str]) -> Option<String> {
        let columns = self.0.columns_ref();
        let named = |name: &&str| {
            let same = |column: &mysql::Column| column.name_str().eq_ignore_ascii_case(name);
            columns.iter().position(same)
        };
        match self.0.as_ref(names.iter().find_map(named)?)? {
            Value::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Value::Int(number) => Some(number.to_string()),
            Value::UInt(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The same; empty for none.
    pub(super) fn text(&self, names: &[&str]) -> String {
        self.some(names).unwrap_or_default()
    }

    /// The same as a number.
    pub(super) fn number(&self, names: &[&str]) -> Option<u64> {
        self.some(names)?.parse().ok()
    }
}

impl From<Row> for Answer {
    fn from(row: Row) -> Self {
        Self(row)
    }
}

/// What a server answers to a statement; `what` is asked for.
pub(super) fn ask(conn: &mut Conn, role: Role, what: &str, statement: &str) -> Fact<Vec<Answer>> {
    let rows: Vec<Row> = conn
        .query(statement)
        .map_err(|error| Unread::of(role, what, &error))?;
    Ok(rows.into_iter().map(Answer).collect())
}
