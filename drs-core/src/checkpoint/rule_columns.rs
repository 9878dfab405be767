//! What the columns were that a table's rule depends on.

use mysql::prelude::Queryable;

use super::{CheckpointError, CheckpointStore, store::query};
use crate::object::TableName;

impl CheckpointStore {
    /// What was noted of a table of the source.
    pub(crate) fn rule_columns(
        &mut self,
        table: &TableName,
    ) -> Result<Option<String>, CheckpointError> {
        let task = self.task().to_owned();
        self.with_connection(|conn| {
            conn.exec_first(
                "SELECT columns_text FROM drs_meta.rule WHERE task = ? AND db = ? AND tbl = ?",
                (&task, table.database.as_str(), table.table.as_str()),
            )
            .map_err(query("read"))
        })
    }

    /// Notes it.
    pub(crate) fn save_rule_columns(
        &mut self,
        table: &TableName,
        text: &str,
    ) -> Result<(), CheckpointError> {
        let task = self.task().to_owned();
        self.fenced(|tx| {
            tx.exec_drop(
                "REPLACE INTO drs_meta.rule (task, db, tbl, columns_text) VALUES (?, ?, ?, ?)",
                (&task, table.database.as_str(), table.table.as_str(), text),
            )
        })
    }

    /// Forgets it.
    pub(crate) fn forget_rule_columns(&mut self, table: &TableName) -> Result<(), CheckpointError> {
        let task = self.task().to_owned();
        self.fenced(|tx| {
            tx.exec_drop(
                "DELETE FROM drs_meta.rule WHERE task = ? AND db = ? AND tbl = ?",
                (&task, table.database.as_str(), table.table.as_str()),
            )
        })
    }
}
