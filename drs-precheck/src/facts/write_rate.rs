//! How fast the source's binary log grows.

use std::{
    thread,
    time::{Duration, Instant},
};

use mysql::Conn;

use super::{Binlog, Fact, Unread};
use drs_core::Role;

/// A shorter look tells too little.
const PERIOD_MIN: Duration = Duration::from_secs(1);

/// How much a binary log has grown while the facts were gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteRate {
    /// By so many bytes.
    pub bytes: u64,
    /// In this time: a second at least.
    pub period: Duration,
}

impl WriteRate {
    /// Bytes a second.
    pub fn bytes_per_second(&self) -> u64 {
        let milliseconds = self.period.as_millis().max(1);
        let rate = u128::from(self.bytes) * 1000 / milliseconds;
        u64::try_from(rate).unwrap_or(u64::MAX)
    }

    /// Looks at the log again, whose size was `before` at `begun`; waits until a second is over.
    pub(super) fn measure(conn: &mut Conn, before: &Binlog, begun: Instant) -> Fact<Self> {
        let before = before.bytes()?;
        thread::sleep(PERIOD_MIN.saturating_sub(begun.elapsed()));
        let after = Binlog::size(conn, Role::Source)?;
        let bytes = after.checked_sub(before).ok_or_else(|| {
            Unread::new("the source has purged a part of its log while it was looked at")
        })?;
        Ok(Self {
            bytes,
            period: begun.elapsed(),
        })
    }
}
