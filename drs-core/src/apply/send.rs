//! Sending a batch's statements, and what can come of it.

use std::time::Duration;

use mysql::{Conn, prelude::Queryable};

use super::{RoutedTransaction, packet::Packet};
use crate::{error, object::TableName};

/// Why sending statements did not end in a commit.
pub(super) enum Failure {
    /// Rolled back by a deadlock or a lock wait.
    Locks(mysql::Error),
    /// The connection broke; a COMMIT may or may not have been done.
    Lost(mysql::Error),
    /// A statement did not do what was expected: the data must be looked at row by row.
    Surprise,
    /// The lane's checkpoint row belongs to another process.
    Fenced,
    /// A statement of drs's own was refused.
    Server(mysql::Error),
}

impl From<mysql::Error> for Failure {
    fn from(error: mysql::Error) -> Self {
        if error::is_lock_conflict(&error) {
            Self::Locks(error)
        } else if error::is_connection_lost(&error) {
            Self::Lost(error)
        } else {
            Self::Surprise
        }
    }
}

/// Moves the lane's checkpoint row, in the transaction of the data.
pub(super) fn move_lane(conn: &mut Conn, lane_update: &str) -> Result<(), Failure> {
    conn.query_drop(lane_update).map_err(own)?;
    if conn.affected_rows() == 1 {
        Ok(())
    } else {
        Err(Failure::Fenced)
    }
}

/// Changes what is kept of prepared XA transactions, in the transaction of the data.
pub(super) fn take_xa_step(
    conn: &mut Conn,
    transaction: &RoutedTransaction,
) -> Result<(), Failure> {
    let Some(step) = &transaction.xa else {
        return Ok(());
    };
    step.for_each_statement(|statement, affected_rows| {
        conn.query_drop(statement).map_err(own)?;
        match affected_rows {
            Some(expected) if expected != conn.affected_rows() => Err(Failure::Fenced),
            _ => Ok(()),
        }
    })
}

/// A statement of drs's own that fails for another reason than locks or the connection is no surprise of the data's.
fn own(error: mysql::Error) -> Failure {
    if error::is_transient(&error) {
        error.into()
    } else {
        Failure::Server(error)
    }
}

/// Sends the packets of a transaction, the last of which commits.
pub(super) fn send_all(conn: &mut Conn, packets: &[Packet]) -> Result<(), Failure> {
    packets.iter().try_for_each(|packet| send(conn, packet))
}

/// Sends one packet's statements and reads every result: a failed statement, a count that
/// is not the expected one and a warning all end the batch.
pub(super) fn send(conn: &mut Conn, packet: &Packet) -> Result<(), Failure> {
    let mut result = conn.query_iter(packet.text())?;
    for expectation in packet.expectations() {
        let (affected, warnings) = (result.affected_rows(), result.warnings());
        let Some(set) = result.iter() else {
            return Err(Failure::Surprise);
        };
        for row in set {
            row?;
        }
        if expectation
            .affected_rows
            .is_some_and(|expected| expected != affected)
        {
            return Err(if is_own(&expectation.table) {
                Failure::Fenced
            } else {
                Failure::Surprise
            });
        }
        if warnings > 0 && expectation.without_warnings {
            return Err(Failure::Surprise);
        }
    }
    Ok(())
}

fn is_own(table: &Option<TableName>) -> bool {
    table.is_none()
}

/// Doubles from 2 ms up to `max`, with jitter so that lanes do not meet again.
pub(super) fn backoff(attempt: u32, max: Duration) -> Duration {
    let base = Duration::from_millis(2_u64.saturating_pow(attempt.min(12))).min(max);
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.subsec_nanos());
    base.mul_f64(0.5 + f64::from(nanos % 1000) / 2000.0)
}
