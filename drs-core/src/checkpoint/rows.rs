//! Rows of the checkpoint's tables, from and to the values they stand for.

use std::sync::Arc;

use drs_binlog::{GtidSet, Position};
use mysql::{Conn, Row, prelude::Queryable};

use super::{
    CheckpointError, DoneSet, Epoch, LaneRecord, StreamPoint, TableChange, TablePhase, TableRecord,
    TaskRecord, store::query,
};
use crate::object::TableName;

/// The watermark over all lanes, and everything any lane has committed above it.
///
/// Each lane's watermark says what *all* lanes have committed, so that all of them hold at
/// once: the highest position, and the union of the GTID sets.
pub(super) fn merged(records: &[LaneRecord]) -> Option<(StreamPoint, DoneSet)> {
    let highest = records
        .iter()
        .map(|record| &record.watermark)
        .max_by_key(|mark| &mark.position)?;
    let mut watermark = highest.clone();
    let mut done = DoneSet::default();
    for record in records {
        done.merge(&record.done);
        if let (Some(all), Some(set)) = (&mut watermark.gtid_set, &record.watermark.gtid_set) {
            Arc::make_mut(all).union(set);
        }
    }
    done.retain_above(&watermark);
    Some((watermark, done))
}

pub(super) fn position(file: String, offset: u64) -> Result<Position, drs_binlog::Error> {
    format!("{file}:{offset}").parse()
}

fn point(
    task: &str,
    file: Option<String>,
    offset: Option<u64>,
    gtid_set: Option<String>,
) -> Result<Option<StreamPoint>, CheckpointError> {
    let (Some(file), Some(offset)) = (file, offset) else {
        return Ok(None);
    };
    let unreadable = |e: drs_binlog::Error| CheckpointError::Unreadable {
        task: task.to_owned(),
        reason: e.to_string(),
    };
    let gtid_set = gtid_set
        .map(|set| set.parse::<GtidSet>())
        .transpose()
        .map_err(unreadable)?;
    Ok(Some(StreamPoint {
        position: position(file, offset).map_err(unreadable)?,
        gtid_set: gtid_set.map(Arc::new),
    }))
}

pub(super) fn read_task(
    conn: &mut Conn,
    task: &str,
) -> Result<Option<TaskRecord>, CheckpointError> {
    type Columns = (
        Option<String>,
        Option<String>,
        Option<String>,
        Option<u64>,
        Option<String>,
        bool,
    );
    let row: Option<Columns> = conn
        .exec_first(
            "SELECT source_uuid, basis, start_file, start_pos, start_gtid_set, copied FROM drs_meta.task WHERE name = ?",
            (task,),
        )
        .map_err(query("read"))?;
    let Some((source_uuid, basis, file, offset, gtid_set, copied)) = row else {
        return Ok(None);
    };
    let start = point(task, file, offset, gtid_set)?;
    Ok(start.map(|start| TaskRecord {
        source_uuid: source_uuid.unwrap_or_default(),
        basis: basis.unwrap_or_default(),
        start,
        copied,
    }))
}

pub(super) fn read_lanes(conn: &mut Conn, task: &str) -> Result<Vec<LaneRecord>, CheckpointError> {
    let rows: Vec<Row> = conn
        .exec(
            "SELECT lane, batch, file, pos, gtid_set, done FROM drs_meta.lane WHERE task = ? ORDER BY lane",
            (task,),
        )
        .map_err(query("read"))?;
    lane_records(task, rows)
}

pub(super) fn lane_records(task: &str, rows: Vec<Row>) -> Result<Vec<LaneRecord>, CheckpointError> {
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        type Columns = (u16, u64, String, u64, Option<String>, String);
        let (lane, batch, file, offset, gtid_set, done): Columns = mysql::from_row_opt(row)
            .map_err(|e| CheckpointError::Unreadable {
                task: task.to_owned(),
                reason: e.to_string(),
            })?;
        let done = DoneSet::parse(&done).map_err(|e| CheckpointError::Unreadable {
            task: task.to_owned(),
            reason: e.to_string(),
        })?;
        let Some(watermark) = point(task, Some(file), Some(offset), gtid_set)? else {
            continue;
        };
        records.push(LaneRecord {
            committed_at_us: 0,
            lane,
            batch,
            watermark,
            done,
        });
    }
    Ok(records)
}

pub(super) fn insert_lane(
    tx: &mut mysql::Transaction<'_>,
    task: &str,
    epoch: Epoch,
    record: &LaneRecord,
) -> Result<(), mysql::Error> {
    tx.exec_drop(
        "INSERT INTO drs_meta.lane (task, lane, epoch, batch, file, pos, gtid_set, done) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            task,
            record.lane,
            epoch.0,
            record.batch,
            record.watermark.position.file.as_str(),
            record.watermark.position.offset,
            record
                .watermark
                .gtid_set
                .as_ref()
                .map(|set| set.to_string()),
            record.done.to_string(),
        ),
    )
}

pub(super) fn write_table(
    tx: &mut mysql::Transaction<'_>,
    task: &str,
    record: &TableRecord,
) -> Result<(), mysql::Error> {
    let columns = |point: &Option<StreamPoint>| {
        let file = point
            .as_ref()
            .map(|point| point.position.file.as_str().to_owned());
        let offset = point.as_ref().map(|point| point.position.offset);
        let set = point
            .as_ref()
            .and_then(|point| point.gtid_set.as_ref())
            .map(|set| set.to_string());
        (file, offset, set)
    };
    let (from_file, from_pos, from_gtid_set) = columns(&record.from);
    let (until_file, until_pos, until_gtid_set) = columns(&record.until);
    let definition = record
        .definition
        .map_or_else(|| "NULL".to_owned(), |digest| digest.to_string());
    tx.exec_drop(
        format!(
            "REPLACE INTO drs_meta.table_state (task, db, tbl, phase, created_by_task, rows_copied, \
             from_file, from_pos, from_gtid_set, until_file, until_pos, until_gtid_set, definition) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {definition})"
        ),
        (
            task,
            record.table.database.as_str(),
            record.table.table.as_str(),
            record.phase.as_str(),
            record.created_by_task,
            record.rows_copied,
            from_file,
            from_pos,
            from_gtid_set,
            until_file,
            until_pos,
            until_gtid_set,
        ),
    )
}

/// Notes what a statement of the log did to a table.
pub(super) fn write_change(
    tx: &mut mysql::Transaction<'_>,
    task: &str,
    change: &TableChange,
) -> Result<(), mysql::Error> {
    let live = |table: &TableName, created_by_task| TableRecord {
        phase: TablePhase::Live,
        created_by_task,
        ..TableRecord::pending(table.clone())
    };
    match change {
        TableChange::Created(table) => {
            forget_chunks(tx, task, table)?;
            write_table(tx, task, &live(table, true))
        }
        TableChange::Dropped(table) => forget_table(tx, task, table),
        TableChange::Renamed {
            from,
            to,
            is_companion,
        } => {
            forget_table(tx, task, to)?;
            forget_chunks(tx, task, from)?;
            tx.exec_drop(
                "UPDATE drs_meta.table_state SET db = ?, tbl = ?, phase = 'live' WHERE task = ? AND db = ? AND tbl = ?",
                (
                    to.database.as_str(),
                    &to.table,
                    task,
                    from.database.as_str(),
                    &from.table,
                ),
            )?;
            if *is_companion && tx.affected_rows() == 0 {
                write_table(tx, task, &live(to, false))?;
            }
            Ok(())
        }
    }
}

pub(super) fn forget_table(
    tx: &mut mysql::Transaction<'_>,
    task: &str,
    table: &TableName,
) -> Result<(), mysql::Error> {
    forget_chunks(tx, task, table)?;
    tx.exec_drop(
        "DELETE FROM drs_meta.table_state WHERE task = ? AND db = ? AND tbl = ?",
        (task, table.database.as_str(), &table.table),
    )
}

pub(super) fn forget_chunks(
    tx: &mut mysql::Transaction<'_>,
    task: &str,
    table: &TableName,
) -> Result<(), mysql::Error> {
    tx.exec_drop(
        "DELETE FROM drs_meta.chunk WHERE task = ? AND db = ? AND tbl = ?",
        (task, table.database.as_str(), &table.table),
    )
}

pub(super) fn read_tables(
    conn: &mut Conn,
    task: &str,
) -> Result<Vec<TableRecord>, CheckpointError> {
    type Columns = (
        String,
        String,
        String,
        bool,
        u64,
        Option<String>,
        Option<u64>,
        Option<String>,
        Option<String>,
        Option<u64>,
        Option<String>,
        Option<u64>,
    );
    let rows: Vec<Columns> = conn
        .exec(
            "SELECT db, tbl, phase, created_by_task, rows_copied, from_file, from_pos, from_gtid_set, \
             until_file, until_pos, until_gtid_set, definition FROM drs_meta.table_state WHERE task = ? ORDER BY db, tbl",
            (task,),
        )
        .map_err(query("read"))?;
    let mut records = Vec::with_capacity(rows.len());
    for (db, tbl, phase, created_by_task, rows_copied, ff, fp, fg, uf, up, ug, definition) in rows {
        let unreadable = |reason| unreadable(task, reason);
        let table = table_name(task, &db, &tbl)?;
        let phase = TablePhase::parse(&phase)
            .ok_or_else(|| unreadable(format!("table {table} has the unknown phase {phase:?}")))?;
        records.push(TableRecord {
            table,
            phase,
            created_by_task,
            rows_copied,
            definition,
            from: point(task, ff, fp, fg)?,
            until: point(task, uf, up, ug)?,
        });
    }
    Ok(records)
}

/// A table that a row of the checkpoint names.
pub(super) fn table_name(task: &str, db: &str, tbl: &str) -> Result<TableName, CheckpointError> {
    TableName::new(db, tbl).map_err(|error| unreadable(task, error.to_string()))
}

/// A row of the checkpoint that can't have been written by drs.
pub(super) fn unreadable(task: &str, reason: String) -> CheckpointError {
    CheckpointError::Unreadable {
        task: task.to_owned(),
        reason,
    }
}
