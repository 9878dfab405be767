//! Which tasks write to which tables of the destination.

use mysql::{TxOpts, prelude::Queryable};

use super::{CheckpointError, CheckpointStore, store::query};
use crate::object::{NameCase, TableName};

impl CheckpointStore {
    /// Notes that this task writes the rows of tables of the source to tables of the destination, if
    /// it is not noted yet: pairs of both names.
    ///
    /// It is committed before the first row is written: of two tasks that write to one table, the
    /// one that comes later always sees the other.
    pub fn add_writer(
        &mut self,
        tables: &[(TableName, TableName)],
        case: NameCase,
    ) -> Result<(), CheckpointError> {
        const AT_A_TIME: usize = 500;
        let task = self.task().to_owned();
        for tables in tables.chunks(AT_A_TIME) {
            let rows = vec!["(?, ?, ?, ?, ?)"; tables.len()].join(", ");
            let statement = format!(
                "INSERT IGNORE INTO drs_meta.writer (db, tbl, task, source_db, source_tbl) VALUES {rows}"
            );
            let values: Vec<String> = tables
                .iter()
                .flat_map(|(source, destination)| {
                    let destination = destination.folded(case);
                    [
                        destination.database.as_str().to_owned(),
                        destination.table,
                        task.clone(),
                        source.database.as_str().to_owned(),
                        source.table.clone(),
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
        let _: Vec<String> = held
            .exec(
                "SELECT task FROM drs_meta.writer WHERE db = ? AND tbl = ? FOR UPDATE",
                (table.database.as_str(), &table.table),
            )
            .map_err(query("read"))?;
        let table = (table.database.as_str(), Some(table.table.as_str()));
        let mut writers = read_writers(&mut held, &task, table).map_err(query("read"))?;
        writers.retain(|other| *other != task);
        Ok((writers, held))
    }

    /// The tasks that write to a table of the destination, or to any table of a database; this one
    /// may be among them. One that brings the same table of the same source is no other writer, but
    /// this one's predecessor.
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
        let task = self.task().to_owned();
        self.with_connection(|conn| {
            read_writers(conn, &task, (&database, table.as_deref())).map_err(query("read"))
        })
    }
}

fn read_writers(
    conn: &mut impl Queryable,
    task: &str,
    (database, table): (&str, Option<&str>),
) -> Result<Vec<String>, mysql::Error> {
    conn.exec(
        "SELECT DISTINCT w.task FROM drs_meta.writer w \
         LEFT JOIN drs_meta.writer own ON own.db = w.db AND own.tbl = w.tbl AND own.task = ? \
           AND own.source_db = w.source_db AND own.source_tbl = w.source_tbl \
         LEFT JOIN drs_meta.task t ON t.name = w.task LEFT JOIN drs_meta.task this ON this.name = ? \
         WHERE w.db = ? AND (? IS NULL OR w.tbl = ?) \
           AND (w.task = ? OR own.task IS NULL OR this.source_uuid IS NULL OR t.source_uuid IS NULL \
             OR t.source_uuid <> this.source_uuid) \
         ORDER BY w.task",
        (task, task, database, table, table, task),
    )
}
