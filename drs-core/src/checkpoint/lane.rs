use super::{DoneSet, Epoch, StreamPoint};
use crate::sql;

/// One lane's row in the checkpoint.
#[derive(Clone, Debug)]
pub struct LaneRecord {
    /// The lane's number, from 0.
    pub lane: u16,
    /// Counts the batches the lane has committed in this epoch: tells whether a COMMIT
    /// whose answer was lost took effect.
    pub batch: u64,
    /// When the source committed the batch's last transaction, in microseconds since 1970;
    /// 0 when nothing was left to apply.
    pub committed_at_us: u64,
    /// Everything at or before this point is committed, by whichever lane.
    pub watermark: StreamPoint,
    /// What this lane has committed above the watermark.
    pub done: DoneSet,
}

/// Writes the statement that moves a lane's row, to be sent in the transaction of the data.
///
/// It must affect exactly one row: none means that another process has taken the task
/// over, or that this batch is committed already.
pub(crate) fn write_lane_update(out: &mut String, task: &str, epoch: Epoch, record: &LaneRecord) {
    use std::fmt::Write;
    _ = write!(
        out,
        "UPDATE drs_meta.lane SET batch = {}, committed_at_us = {}, written_at = UTC_TIMESTAMP(3), file = ",
        record.batch, record.committed_at_us
    );
    sql::write_text(out, record.watermark.position.file.as_str());
    _ = write!(
        out,
        ", pos = {}, gtid_set = ",
        record.watermark.position.offset
    );
    match &record.watermark.gtid_set {
        Some(set) => sql::write_text(out, &set.to_string()),
        None => out.push_str("NULL"),
    }
    out.push_str(", done = ");
    sql::write_text(out, &record.done.to_string());
    out.push_str(" WHERE task = ");
    sql::write_text(out, task);
    let previous = record.batch.saturating_sub(1);
    _ = write!(
        out,
        " AND lane = {} AND epoch = {} AND batch = {previous}",
        record.lane, epoch.0
    );
}
