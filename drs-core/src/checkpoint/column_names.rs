//! The names of the columns of the source's tables, as of the place that the stream has come to.

use mysql::{Transaction, prelude::Queryable};

use super::{
    CheckpointError, CheckpointStore, TableRecord,
    rows::{table_name, write_table},
    store::query,
};
use crate::object::TableName;

/// A table's columns from now on; `None` when they are not known any more.
pub(crate) type ColumnNamesChange = (TableName, Option<Vec<String>>);

/// Stands between two names: no name has it.
const SEPARATOR: char = '\0';

impl CheckpointStore {
    /// What is known, of all tables.
    pub(crate) fn column_names(
        &mut self,
    ) -> Result<Vec<(TableName, Vec<String>)>, CheckpointError> {
        let task = self.task().to_owned();
        let rows: Vec<(String, String, String)> = self.with_connection(|conn| {
            conn.exec(
                "SELECT db, tbl, names FROM drs_meta.source_column WHERE task = ?",
                (&task,),
            )
            .map_err(query("read"))
        })?;
        rows.into_iter()
            .map(|(database, table, names)| {
                let table = table_name(&task, &database, &table)?;
                Ok((table, names.split(SEPARATOR).map(str::to_owned).collect()))
            })
            .collect()
    }

    /// Writes what is known of some tables.
    pub(crate) fn save_column_names(
        &mut self,
        changes: &[ColumnNamesChange],
    ) -> Result<(), CheckpointError> {
        let task = self.task().to_owned();
        self.fenced(|tx| write_column_names(tx, &task, changes))
    }

    /// Writes a table's row whose copy begins, and its columns as the copy sees them.
    pub(crate) fn save_table_with_columns(
        &mut self,
        record: &TableRecord,
        names: &[String],
    ) -> Result<(), CheckpointError> {
        let task = self.task().to_owned();
        let change = [(record.table.clone(), Some(names.to_vec()))];
        self.fenced(|tx| {
            write_table(tx, &task, record)?;
            write_column_names(tx, &task, &change)
        })
    }
}

pub(super) fn write_column_names(
    tx: &mut Transaction<'_>,
    task: &str,
    changes: &[ColumnNamesChange],
) -> Result<(), mysql::Error> {
    for (table, names) in changes {
        let key = (task, table.database.as_str(), table.table.as_str());
        match names {
            Some(names) => tx.exec_drop(
                "REPLACE INTO drs_meta.source_column (task, db, tbl, names) VALUES (?, ?, ?, ?)",
                (key.0, key.1, key.2, names.join(&SEPARATOR.to_string())),
            )?,
            None => tx.exec_drop(
                "DELETE FROM drs_meta.source_column WHERE task = ? AND db = ? AND tbl = ?",
                key,
            )?,
        }
    }
    Ok(())
}
