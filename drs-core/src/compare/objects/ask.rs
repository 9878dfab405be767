//! Questions to a server, a fixed number for a database.

use std::collections::BTreeSet;

use mysql::{Conn, Row, Value, prelude::Queryable};

use super::ObjectsError;
use crate::{
    dialect::ServerVersion,
    endpoint::Role,
    error::server_code,
    object::{DatabaseName, NameCase},
    sql,
};

/// One of the two servers.
pub(super) struct Side<'a> {
    pub(super) conn: &'a mut Conn,
    pub(super) version: ServerVersion,
    pub(super) role: Role,
    pub(super) case: NameCase,
}

impl<'a> Side<'a> {
    pub(super) fn new(
        conn: &'a mut Conn,
        version: ServerVersion,
        role: Role,
    ) -> Result<Self, ObjectsError> {
        let mut side = Self {
            conn,
            version,
            role,
            case: NameCase::Sensitive,
        };
        // Definitions come in `utf8mb4`, whatever the session was set up for.
        side.run("setting up the session", "SET NAMES utf8mb4")?;
        let mut folds = false;
        side.rows("its settings", "SELECT @@lower_case_table_names", |row| {
            folds = text(row, 0) != "0";
        })?;
        if folds {
            side.case = NameCase::Insensitive;
        }
        Ok(side)
    }

    /// Gives each row of an answer to `row`; `doing` says what for.
    pub(super) fn rows(
        &mut self,
        doing: &'static str,
        statement: &str,
        mut row: impl FnMut(&mut Row),
    ) -> Result<(), ObjectsError> {
        let role = self.role;
        let failed = |source| ObjectsError::Query {
            role,
            doing,
            source,
        };
        for answer in self.conn.query_iter(statement).map_err(failed)? {
            row(&mut answer.map_err(failed)?);
        }
        Ok(())
    }

    /// The first row of an answer; `None` also where the table is gone meanwhile.
    pub(super) fn first(
        &mut self,
        doing: &'static str,
        statement: &str,
    ) -> Result<Option<Row>, ObjectsError> {
        match self.conn.query_first(statement) {
            // ER_NO_SUCH_TABLE, ER_BAD_DB_ERROR.
            Err(error) if matches!(server_code(&error), Some(1146 | 1049)) => Ok(None),
            answer => answer.map_err(|source| ObjectsError::Query {
                role: self.role,
                doing,
                source,
            }),
        }
    }

    fn run(&mut self, doing: &'static str, statement: &str) -> Result<(), ObjectsError> {
        self.rows(doing, statement, |_| {})
    }

    /// The column's name, or NULL where this version does not have it.
    pub(super) fn since(&self, version: (u16, u16, u16), column: &'static str) -> &'static str {
        let (major, minor, patch) = version;
        match self.version.is_mysql_at_least(major, minor, patch) {
            true => column,
            false => "NULL",
        }
    }
}

/// The database's name as a literal.
pub(super) fn literal(database: &DatabaseName) -> String {
    let mut out = String::new();
    sql::write_text(&mut out, database.as_str());
    out
}

/// Some tables of one database.
pub(super) struct Block<'a> {
    pub(super) database: &'a DatabaseName,
    pub(super) tables: &'a BTreeSet<&'a str>,
}

impl Block<'_> {
    /// The condition that takes these tables, of a catalogue with this column for the database. The
    /// server may take names of other letters for the same.
    pub(super) fn condition(&self, database: &str) -> String {
        let mut names = String::new();
        for table in self.tables {
            names.push_str(if names.is_empty() { "" } else { ", " });
            sql::write_text(&mut names, table);
        }
        format!(
            "{database} = {} AND TABLE_NAME IN ({names})",
            literal(self.database)
        )
    }
}

/// A text or number; `None` for NULL.
pub(super) fn some(row: &mut Row, at: usize) -> Option<String> {
    match row.take::<Value, _>(at)? {
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
