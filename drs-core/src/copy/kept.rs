use mysql::{Conn, prelude::Queryable};

use super::{CopyError, error::at_destination};
use crate::{
    apply::{ConflictKind, DuplicateEntry, text_json},
    checkpoint::{
        TableRecord,
        conflicts::{LEDGER_INSERT, LedgerEntry, write_entry},
    },
    object::TableName,
    task::ConflictPolicy,
};

/// Ledger rows that one INSERT writes at most.
const ENTRIES_MAX: usize = 500;

const NOT_NAMED: &str = "the server does not tell which rows it kept; their number is in row_count";
const OWN_TABLE: &str = "the task made this table: the row was copied twice because it moved at the source, and the log \
     mends that, or somebody else wrote it";

/// Rows whose key was taken at the destination.
pub(super) struct Kept {
    /// What the server says of each; nothing, where it says nothing (5.6).
    pub(super) named: Vec<DuplicateEntry>,
    /// How many they are.
    pub(super) count: u64,
}

/// Where the copy of a table notes the rows that it kept.
#[derive(Clone, Copy)]
pub(super) struct Ledger<'a> {
    pub(super) task: &'a str,
    pub(super) record: &'a TableRecord,
}

impl Ledger<'_> {
    /// Writes a row for each kept row, or one for all where the server does not name them.
    ///
    /// In the transaction of the rows, where the table's engine has that.
    pub(super) fn write(
        &self,
        conn: &mut Conn,
        table: &TableName,
        kept: &Kept,
    ) -> Result<(), CopyError> {
        let mut statement = String::new();
        for entries in kept.named.chunks(ENTRIES_MAX) {
            statement.clear();
            statement.push_str(LEDGER_INSERT);
            for (index, duplicate) in entries.iter().enumerate() {
                if index > 0 {
                    statement.push(',');
                }
                let kind = ConflictKind::DuplicateInCopy(duplicate.key.clone());
                let key = text_json(&duplicate.key, &duplicate.value);
                let entry = LedgerEntry {
                    source_key: Some(&key),
                    destination_key: Some(&key),
                    ..self.entry(table, &kind)
                };
                write_entry(&mut statement, self.task, &entry);
            }
            run(conn, table, &statement)?;
        }
        if kept.named.is_empty() && kept.count > 0 {
            let kind = ConflictKind::DuplicateInCopy(String::new());
            let entry = LedgerEntry {
                row_count: kept.count,
                note: Some(NOT_NAMED),
                ..self.entry(table, &kind)
            };
            statement.push_str(LEDGER_INSERT);
            write_entry(&mut statement, self.task, &entry);
            run(conn, table, &statement)?;
        }
        Ok(())
    }

    fn entry<'e>(&'e self, table: &'e TableName, kind: &'e ConflictKind) -> LedgerEntry<'e> {
        LedgerEntry {
            position: self.record.from.as_ref().map(|from| &from.position),
            note: self.record.created_by_task.then_some(OWN_TABLE),
            ..LedgerEntry::new(table, kind, ConflictPolicy::Ignore)
        }
    }
}

fn run(conn: &mut Conn, table: &TableName, statement: &str) -> Result<(), CopyError> {
    conn.query_drop(statement)
        .map_err(at_destination(format!("noting kept rows of {table}")))
}
