use mysql::{Conn, Row, prelude::Queryable};

use super::{
    FollowError,
    statement::{StatementJob, StatementRunner},
};
use crate::{
    error,
    object::{CHECKPOINT_DATABASE, TableName},
    sql,
};

impl StatementRunner {
    /// Fails when columns that another task has added to a table are not those that this statement
    /// adds: the rows that this task has brought already would differ from the source's.
    ///
    /// The server is asked what the statement makes: it is run on an empty table of the same shape.
    pub(super) fn refuse_other_columns(
        &self,
        conn: &mut Conn,
        job: &StatementJob,
        table: &TableName,
        columns: &[String],
    ) -> Result<(), FollowError> {
        let server = |error: mysql::Error| FollowError::Statement {
            transaction: job.id.clone(),
            reason: error::redacted(&error),
        };
        let refused = |column: &str, reason: &str| FollowError::Refused {
            transaction: job.id.clone(),
            reason: format!(
                "it adds the column {column} to {table}, where another task has added one of that name already, and \
                 {reason}; do by hand what is right for all of them, and begin a new task behind it"
            ),
        };
        let name = format!("shape_{}", self.store().task());
        let Ok(shape) = TableName::new(CHECKPOINT_DATABASE, &name) else {
            return Err(refused("", "the two can't be compared"));
        };
        let drop = format!("DROP TABLE IF EXISTS {}", sql::table(&shape));
        let dropped: Vec<String> = columns
            .iter()
            .map(|column| format!("DROP COLUMN {}", sql::identifier(column)))
            .collect();
        // A session of its own, since it gets the statement's context.
        let mut running = (self.connect)()?;
        for statement in [
            "SET SESSION sql_mode = ''".to_owned(),
            drop.clone(),
            format!(
                "CREATE TABLE {} LIKE {}",
                sql::table(&shape),
                sql::table(table)
            ),
            format!("ALTER TABLE {} {}", sql::table(&shape), dropped.join(", ")),
        ] {
            running.query_drop(statement).map_err(server)?;
        }
        let text = self.text(job, |it| (it == table).then(|| shape.clone()))?;
        self.execute(&mut running, job, text)?;
        for column in columns {
            let made = definition(conn, &shape, column).map_err(server)?;
            if made.is_none() || made != definition(conn, table, column).map_err(server)? {
                return Err(refused(column, "the two are not defined alike"));
            }
            if varies(conn, &shape, column).map_err(server)? {
                return Err(refused(
                    column,
                    "its default is another one each time, so that the rows that are there do not have the source's",
                ));
            }
        }
        conn.query_drop(drop).map_err(server)
    }
}

/// A column's line of `SHOW CREATE TABLE`.
fn definition(
    conn: &mut Conn,
    table: &TableName,
    column: &str,
) -> Result<Option<Vec<u8>>, mysql::Error> {
    let row: Option<Row> = conn.query_first(format!("SHOW CREATE TABLE {}", sql::table(table)))?;
    let text: Vec<u8> = row.and_then(|mut row| row.take(1)).unwrap_or_default();
    let start = format!("  {} ", sql::identifier(column)).to_lowercase();
    Ok(text
        .split(|byte| *byte == b'\n')
        .find(|line| {
            String::from_utf8_lossy(line)
                .to_lowercase()
                .starts_with(&start)
        })
        .map(|line| line.strip_suffix(b",").unwrap_or(line).to_vec()))
}

/// True when a column's default may be another value each time: the present time, or an expression
/// with functions or columns.
fn varies(conn: &mut Conn, table: &TableName, column: &str) -> Result<bool, mysql::Error> {
    let found: Option<(String, Option<String>, String)> = conn.exec_first(
        "SELECT DATA_TYPE, COLUMN_DEFAULT, EXTRA FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME = ?",
        (table.database.as_str(), &table.table, column),
    )?;
    let Some((data_type, Some(default), extra)) = found else {
        return Ok(false);
    };
    let is_time = matches!(data_type.as_str(), "datetime" | "timestamp")
        && default
            .to_ascii_uppercase()
            .starts_with("CURRENT_TIMESTAMP");
    // Before 8.0 there are no expressions, and a text may look like one.
    let is_expression = extra.to_ascii_uppercase().contains("DEFAULT_GENERATED");
    Ok(is_time || is_expression && default.contains(['(', '`']))
}
