//! What a run tells those who watch it.

use crate::{checkpoint::StreamPoint, replicate::FollowProgress};

/// Hears of progress. Every method does nothing by default.
///
/// Calls come from the engine's threads, a few times a second; they must be quick, because
/// the engine waits for them. Nothing in them is a row's value.
pub trait Observer: Send + Sync {
    /// The task begins, or goes on, at this point of the source's stream.
    fn started(&self, resumed: bool, point: &StreamPoint) {
        let _ = (resumed, point);
    }

    /// Something worth telling that is no error: what the task leaves out, for instance.
    fn notice(&self, text: &str) {
        let _ = text;
    }

    /// The copy goes on.
    fn copying(&self, progress: &CopyProgress) {
        let _ = progress;
    }

    /// Following goes on.
    fn following(&self, progress: &FollowProgress) {
        let _ = progress;
    }
}

/// Watches nothing.
impl Observer for () {}

/// How far the full copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyProgress {
    /// Tables to copy.
    pub tables_total: u64,
    /// Tables copied.
    pub tables_done: u64,
    /// Rows committed at the destination.
    pub rows_copied: u64,
    /// Rows to copy, as the source estimates them.
    pub rows_estimated: u64,
    /// Bytes of rows read, as text.
    pub bytes_copied: u64,
    /// Rows that were at the destination already, under the same key, and were kept.
    pub rows_kept: u64,
}
