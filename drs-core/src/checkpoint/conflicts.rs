//! The ledger of conflicts: one row for each one that a policy let pass, written in the
//! transaction of its effect.

use std::fmt::Write;

use drs_binlog::{Gtid, Position};
use mysql::{Conn, Row, prelude::Queryable};

use super::{
    CheckpointError, TransactionId,
    rows::{position, table_name, unreadable},
    store::query,
};
use crate::{
    apply::ConflictKind, error::server_code, object::TableName, sql, task::ConflictPolicy,
};

mod since;

pub use since::{Since, SinceError};

const NO_SUCH_DATABASE: u16 = 1049;
const NO_SUCH_TABLE: u16 = 1146;

/// One conflict of the ledger.
///
/// Rows and keys are JSON objects of column names and values, or `None` where there is no such
/// row or it is not known. Long values are cut, and end in `… [cut]` then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// Its number; larger ones were written later by the same lane.
    pub id: u64,
    /// When it was met, in UTC by the destination's clock, to the microsecond.
    pub met_at: String,
    /// The table at the destination.
    pub table: TableName,
    /// What was met.
    pub kind: ConflictKind,
    /// What was done about it.
    pub policy: ConflictPolicy,
    /// How many rows of the destination it is about: 1, unless the server told a number alone.
    pub row_count: u64,
    /// Where the source transaction ends; in the copy, the point that the table's copy began at.
    pub position: Option<Position>,
    /// The source transaction's GTID.
    pub gtid: Option<Gtid>,
    /// What identifies the source's row.
    pub source_key: Option<String>,
    /// What identifies the destination's row.
    pub destination_key: Option<String>,
    /// The three rows, with `conflict_images`.
    pub images: ConflictImages,
    /// What else there is to say.
    pub note: Option<String>,
}

/// The rows of a conflict, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConflictImages {
    /// The source's row before its change, as far as the log has it.
    pub source_before: Option<String>,
    /// The source's row after its change, as far as the log has it.
    pub source_after: Option<String>,
    /// The destination's row that was kept or overwritten.
    pub destination: Option<String>,
}

/// Conflicts of one table, kind, key and policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictSummary {
    /// The table at the destination.
    pub table: TableName,
    /// What was met.
    pub kind: ConflictKind,
    /// What was done about them.
    pub policy: ConflictPolicy,
    /// How many rows of the destination they are about.
    pub count: u64,
    /// When the first one was met, in UTC.
    pub first: String,
    /// When the last one was met, in UTC.
    pub last: String,
}

/// Sums up a task's conflicts; nothing when no task has ever run at this destination.
pub fn summarize(
    conn: &mut Conn,
    task: &str,
    since: Option<&Since>,
) -> Result<Vec<ConflictSummary>, CheckpointError> {
    type Columns = (
        String,
        String,
        String,
        Option<String>,
        String,
        u64,
        String,
        String,
    );
    let rows: Vec<Columns> = found(conn.query(format!(
        "SELECT db, tbl, kind, key_name, policy, CAST(SUM(row_count) AS UNSIGNED), \
         CAST(MIN(met_at) AS CHAR), CAST(MAX(met_at) AS CHAR) FROM drs_meta.conflict{} \
         GROUP BY db, tbl, kind, key_name, policy ORDER BY db, tbl, kind, key_name, policy",
        condition(task, since)
    )))?
    .unwrap_or_default();
    rows.into_iter()
        .map(|(db, tbl, kind, key_name, policy, count, first, last)| {
            Ok(ConflictSummary {
                table: table_name(task, &db, &tbl)?,
                kind: parsed_kind(task, &kind, key_name)?,
                policy: parsed_policy(task, &policy)?,
                count,
                first,
                last,
            })
        })
        .collect()
}

/// The number of rows that a task's conflicts are about.
pub fn count(conn: &mut Conn, task: &str) -> Result<u64, CheckpointError> {
    let sum: Option<Option<u64>> = found(conn.query_first(format!(
        "SELECT CAST(SUM(row_count) AS UNSIGNED) FROM drs_meta.conflict{}",
        condition(task, None)
    )))?
    .flatten();
    Ok(sum.flatten().unwrap_or(0))
}

/// Gives a task's conflicts in the order in which they were written, the last `rows_max` of them
/// where that is less. They are not held in memory. An error of `take` ends it.
pub fn for_each<E: From<CheckpointError>>(
    conn: &mut Conn,
    task: &str,
    since: Option<&Since>,
    rows_max: Option<u64>,
    mut take: impl FnMut(LedgerRow) -> Result<(), E>,
) -> Result<(), E> {
    let columns = "id, CAST(met_at AS CHAR) AS met_at, db, tbl, kind, key_name, policy, row_count, \
         file, pos, gtid, source_key, destination_key, source_before, source_after, destination_row, note";
    let condition = condition(task, since);
    let statement = match rows_max {
        None => format!("SELECT {columns} FROM drs_meta.conflict{condition} ORDER BY id"),
        Some(rows_max) => format!(
            "SELECT * FROM (SELECT {columns} FROM drs_meta.conflict{condition} \
             ORDER BY id DESC LIMIT {rows_max}) last_ones ORDER BY id"
        ),
    };
    let Some(rows) = found(conn.query_iter(statement))? else {
        return Ok(());
    };
    for row in rows {
        take(ledger_row(task, row.map_err(query("read"))?)?)?;
    }
    Ok(())
}

/// What one conflict adds to the ledger.
pub(crate) struct LedgerEntry<'a> {
    pub(crate) table: &'a TableName,
    pub(crate) kind: &'a ConflictKind,
    pub(crate) policy: ConflictPolicy,
    pub(crate) row_count: u64,
    pub(crate) position: Option<&'a Position>,
    pub(crate) gtid: Option<&'a Gtid>,
    pub(crate) source_key: Option<&'a str>,
    pub(crate) destination_key: Option<&'a str>,
    pub(crate) images: &'a ConflictImages,
    pub(crate) note: Option<&'a str>,
}

impl<'a> LedgerEntry<'a> {
    /// An entry about one row, without images and note.
    pub(crate) fn new(
        table: &'a TableName,
        kind: &'a ConflictKind,
        policy: ConflictPolicy,
    ) -> Self {
        const NONE: &ConflictImages = &ConflictImages {
            source_before: None,
            source_after: None,
            destination: None,
        };
        Self {
            table,
            kind,
            policy,
            row_count: 1,
            position: None,
            gtid: None,
            source_key: None,
            destination_key: None,
            images: NONE,
            note: None,
        }
    }

    /// The same with the source transaction's place.
    pub(crate) fn at(mut self, transaction: &'a TransactionId) -> Self {
        self.position = Some(&transaction.end);
        self.gtid = transaction.gtid.as_ref();
        self
    }
}

/// What stands before the rows of the ledger's INSERT.
pub(crate) const LEDGER_INSERT: &str = "INSERT INTO drs_meta.conflict (task, met_at, db, tbl, kind, key_name, policy, \
     row_count, file, pos, gtid, source_key, destination_key, source_before, source_after, destination_row, note) VALUES ";

/// Writes the values of one row of the ledger's INSERT.
pub(crate) fn write_entry(out: &mut String, task: &str, entry: &LedgerEntry<'_>) {
    out.push('(');
    sql::write_text(out, task);
    out.push_str(",UTC_TIMESTAMP(6)");
    for text in [
        entry.table.database.as_str(),
        entry.table.table.as_str(),
        entry.kind.as_str(),
    ] {
        out.push(',');
        sql::write_text(out, text);
    }
    write_optional(out, entry.kind.key_name().filter(|name| !name.is_empty()));
    out.push(',');
    sql::write_text(out, entry.policy.as_str());
    _ = write!(out, ",{}", entry.row_count);
    write_optional(out, entry.position.map(|position| position.file.as_str()));
    match entry.position {
        Some(position) => _ = write!(out, ",{}", position.offset),
        None => out.push_str(",NULL"),
    }
    write_optional(out, entry.gtid.map(ToString::to_string).as_deref());
    let images = entry.images;
    for text in [
        entry.source_key,
        entry.destination_key,
        images.source_before.as_deref(),
        images.source_after.as_deref(),
        images.destination.as_deref(),
        entry.note,
    ] {
        write_optional(out, text);
    }
    out.push(')');
}

fn write_optional(out: &mut String, text: Option<&str>) {
    out.push(',');
    match text {
        Some(text) => sql::write_text(out, text),
        None => out.push_str("NULL"),
    }
}

/// `None` when the ledger's table is not there.
fn found<T>(result: Result<T, mysql::Error>) -> Result<Option<T>, CheckpointError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(server_code(&error), Some(NO_SUCH_DATABASE | NO_SUCH_TABLE)) => {
            Ok(None)
        }
        Err(error) => Err(query("read")(error)),
    }
}

fn condition(task: &str, since: Option<&Since>) -> String {
    let mut out = String::from(" WHERE task = ");
    sql::write_text(&mut out, task);
    match since {
        None => {}
        Some(Since::Ago { seconds }) => {
            _ = write!(
                out,
                " AND met_at >= UTC_TIMESTAMP(6) - INTERVAL {seconds} SECOND"
            );
        }
        Some(Since::At(time)) => {
            out.push_str(" AND met_at >= ");
            sql::write_text(&mut out, &time.format("%Y-%m-%d %H:%M:%S%.6f").to_string());
        }
    }
    out
}

fn parsed_kind(
    task: &str,
    kind: &str,
    key_name: Option<String>,
) -> Result<ConflictKind, CheckpointError> {
    ConflictKind::parse(kind, key_name)
        .ok_or_else(|| unreadable(task, format!("the ledger has the unknown kind {kind:?}")))
}

fn parsed_policy(task: &str, policy: &str) -> Result<ConflictPolicy, CheckpointError> {
    ConflictPolicy::ALL
        .into_iter()
        .find(|known| known.as_str() == policy)
        .ok_or_else(|| {
            unreadable(
                task,
                format!("the ledger has the unknown policy {policy:?}"),
            )
        })
}

fn ledger_row(task: &str, mut row: Row) -> Result<LedgerRow, CheckpointError> {
    let mut text = |index: usize| row.take::<Option<String>, _>(index).flatten();
    let (met_at, db, tbl) = (text(1), text(2), text(3));
    let (kind, key_name, policy) = (text(4), text(5), text(6));
    let (file, gtid) = (text(8), text(10));
    let (source_key, destination_key) = (text(11), text(12));
    let images = ConflictImages {
        source_before: text(13),
        source_after: text(14),
        destination: text(15),
    };
    let note = text(16);
    let failed = |error: drs_binlog::Error| unreadable(task, error.to_string());
    Ok(LedgerRow {
        id: row.take(0).unwrap_or(0),
        met_at: met_at.unwrap_or_default(),
        table: table_name(task, &db.unwrap_or_default(), &tbl.unwrap_or_default())?,
        kind: parsed_kind(task, &kind.unwrap_or_default(), key_name)?,
        policy: parsed_policy(task, &policy.unwrap_or_default())?,
        row_count: row.take(7).unwrap_or(0),
        position: match (file, row.take::<Option<u64>, _>(9).flatten()) {
            (Some(file), Some(offset)) => Some(position(file, offset).map_err(failed)?),
            _ => None,
        },
        gtid: gtid.map(|gtid| gtid.parse()).transpose().map_err(failed)?,
        source_key,
        destination_key,
        images,
        note,
    })
}
