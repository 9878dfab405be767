//! Which views, procedures and functions this task has made.

use std::collections::HashSet;

use mysql::prelude::Queryable;

use super::{CheckpointError, CheckpointStore, store::query};
use crate::object::TableName;

impl CheckpointStore {
    /// The kinds, databases and names of what the task has made or was about to.
    pub(crate) fn programs(
        &mut self,
    ) -> Result<HashSet<(String, String, String)>, CheckpointError> {
        let task = self.task().to_owned();
        self.with_connection(|conn| {
            let rows: Vec<(String, String, String)> = conn
                .exec(
                    "SELECT kind, db, name FROM drs_meta.program WHERE task = ?",
                    (&task,),
                )
                .map_err(query("read"))?;
            Ok(rows.into_iter().collect())
        })
    }

    /// Notes that the task is about to make one.
    pub(crate) fn add_program(
        &mut self,
        kind: &str,
        name: &TableName,
    ) -> Result<(), CheckpointError> {
        let task = self.task().to_owned();
        self.fenced(|tx| {
            tx.exec_drop(
                "REPLACE INTO drs_meta.program (task, kind, db, name) VALUES (?, ?, ?, ?)",
                (&task, kind, name.database.as_str(), &name.table),
            )
        })
    }
}
