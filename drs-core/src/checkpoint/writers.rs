//! Which tasks write to which tables of the destination.

use mysql::{TxOpts, prelude::Queryable};

use super::{CheckpointError, CheckpointStore, store::query};
use crate::object::{NameCase, TableName};

impl CheckpointStore {
    /// Notes that this task writes to these tables of the destination, if it is not noted yet.
    ///
    /// It is committed before the first row is written: of two tasks that write to one table, the
    /// one that comes later always sees the other.
    pub fn add_writer(
        &mut self,
        tables: &[TableName],
        case: NameCase,
    ) -> Result<(), CheckpointError> {
        const AT_A_TIME: usize = 500;
        let task = self.task().to_owned();
        for tables in tables.chunks(AT_A_TIME) {
            let rows = vec!["(?, ?, ?)"; tables.len()].join(", ");
            let statement =
                format!("INSERT IGNORE INTO drs_meta.writer (db, tbl, task) VALUES {rows}");
            let values: Vec<String> = tables
                .iter()
                .flat_map(|table| {
                    let table = table.folded(case);
                    [
                        table.database.as_str().to_owned(),
                        table.table,
                        task.clone(),
                    ]
                })
                .collect();
            self.fenced(|tx| tx.exec_drop(&statement, values.clone()))?;
        }
        Ok(())
    }

    /// Notes that this task writes to a table of the destination no more.
    pub fn remove_writer(
        &mut self,
        table: &TableName,
        case: NameCase,
    ) -> Result<(), CheckpointError> {
        let (task, table) = (self.task().to_owned(), table.folded(case));
        self.fenced(|tx| {
            tx.exec_drop(
                "DELETE FROM drs_meta.writer WHERE db = ? AND tbl = ? AND task = ?",
                (table.database.as_str(), table.table.as_str(), &task),
            )
        })
    }

    /// The other tasks that write to a table of the destination, and a transaction that keeps more
    /// of them from beginning to do so until it ends.
    pub(crate) fn hold_writers(
        &mut self,
        table: &TableName,
        case: NameCase,
    ) -> Result<(Vec<String>, mysql::Transaction<'_>), CheckpointError> {
        let (task, table) = (self.task().to_owned(), table.folded(case));
        let isolation = Some(mysql::IsolationLevel::RepeatableRead);
        let mut held = self.transaction(TxOpts::default().set_isolation_level(isolation))?;
        let mut others: Vec<String> = held
            .exec(
                "SELECT task FROM drs_meta.writer WHERE db = ? AND tbl = ? ORDER BY task FOR UPDATE",
                (table.database.as_str(), &table.table),
            )
            .map_err(query("read"))?;
        others.retain(|other| *other != task);
        Ok((others, held))
    }

    /// The tasks that write to a table of the destination, or to any table of a database; this one
    /// may be among them.
    pub fn writers(
        &mut self,
        database: &str,
        table: Option<&str>,
        case: NameCase,
    ) -> Result<Vec<String>, CheckpointError> {
        let fold = |name: &str| match case {
            NameCase::Sensitive => name.to_owned(),
            NameCase::Insensitive => name.to_lowercase(),
        };
        let (database, table) = (fold(database), table.map(fold));
        self.with_connection(|conn| {
            conn.exec(
                "SELECT DISTINCT task FROM drs_meta.writer WHERE db = ? AND (? IS NULL OR tbl = ?) ORDER BY task",
                (&database, &table, &table),
            )
            .map_err(query("read"))
        })
    }
}
