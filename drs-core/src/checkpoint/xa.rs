use std::fmt::Write;

use drs_binlog::Position;
use mysql::prelude::Queryable;

use super::{CheckpointError, CheckpointStore, store::query};
use crate::{ddl::Xid, sql};

/// The most bytes of a prepared transaction in one row: as SQL text they are twice as many, and
/// must fit into any server's packets.
pub(crate) const PREPARED_PART_BYTES_MAX: usize = 256 << 10;

/// Writes the statement that keeps a part of a prepared XA transaction, to be sent in the
/// transaction of the lane's row. It affects one row.
pub(crate) fn write_keep_prepared(
    out: &mut String,
    task: &str,
    xid: &Xid,
    prepared_at: &Position,
    part: (u32, bool),
    data: &[u8],
) {
    out.push_str(
        "INSERT INTO drs_meta.xa (task, gtrid, bqual, format_id, part, last, file, pos, data) VALUES (",
    );
    sql::write_text(out, task);
    out.push(',');
    sql::write_hex(out, &xid.gtrid);
    out.push(',');
    sql::write_hex(out, &xid.bqual);
    let (number, last) = part;
    _ = write!(out, ",{},{number},{},", xid.format_id, u8::from(last));
    sql::write_text(out, prepared_at.file.as_str());
    _ = write!(out, ",{},", prepared_at.offset);
    sql::write_hex(out, data);
    out.push(')');
}

/// Writes the statement that forgets a prepared XA transaction, because it has ended.
pub(crate) fn write_remove_prepared(out: &mut String, task: &str, xid: &Xid) {
    out.push_str("DELETE FROM drs_meta.xa WHERE task = ");
    sql::write_text(out, task);
    out.push_str(" AND gtrid = ");
    sql::write_hex(out, &xid.gtrid);
    out.push_str(" AND bqual = ");
    sql::write_hex(out, &xid.bqual);
    _ = write!(out, " AND format_id = {}", xid.format_id);
}

impl CheckpointStore {
    /// The XA transactions that are prepared at the source as far as the lanes have come; true
    /// for those that hold changes of selected tables.
    pub(crate) fn prepared(&mut self) -> Result<Vec<(Xid, bool)>, CheckpointError> {
        let task = self.task().to_owned();
        let rows: Vec<(Vec<u8>, Vec<u8>, u32, bool)> = self.with_connection(|conn| {
            conn.exec(
                "SELECT gtrid, bqual, format_id, MAX(LENGTH(data)) > 0 FROM drs_meta.xa WHERE task = ? \
                 GROUP BY gtrid, bqual, format_id",
                (&task,),
            )
            .map_err(query("read"))
        })?;
        Ok(rows
            .into_iter()
            .map(|(gtrid, bqual, format_id, holds_rows)| {
                let xid = Xid {
                    gtrid,
                    bqual,
                    format_id,
                };
                (xid, holds_rows)
            })
            .collect())
    }

    /// A part of what was kept of a prepared XA transaction, and whether it is the last one.
    pub(crate) fn prepared_part(
        &mut self,
        xid: &Xid,
        part: u32,
    ) -> Result<(Vec<u8>, bool), CheckpointError> {
        let task = self.task().to_owned();
        let row: Option<(Vec<u8>, bool)> = self.with_connection(|conn| {
            conn.exec_first(
                "SELECT data, last FROM drs_meta.xa \
                 WHERE task = ? AND gtrid = ? AND bqual = ? AND format_id = ? AND part = ?",
                (&task, &xid.gtrid, &xid.bqual, xid.format_id, part),
            )
            .map_err(query("read"))
        })?;
        row.ok_or_else(|| CheckpointError::Unreadable {
            task,
            reason: format!("part {part} of a prepared XA transaction is missing in drs_meta.xa"),
        })
    }
}
