use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender};
use drs_binlog::Outcome;

use super::{
    FollowError,
    arena::SpilledEvents,
    route::{RouteContext, Router, routed},
};
use crate::{
    apply::{Applied, Applier, ApplyError, Batch, MySqlApplier, Watermark},
    checkpoint::TransactionId,
};

/// What a lane is given to do.
pub(super) enum LaneWork {
    /// A batch of whole transactions.
    Batch(Batch),
    /// One transaction that does not fit in memory; all other lanes are idle meanwhile.
    Large(LargeTransaction),
}

/// A transaction in a temporary file.
pub(super) struct LargeTransaction {
    pub(super) seq: u64,
    pub(super) id: TransactionId,
    pub(super) outcome: Outcome,
    pub(super) committed_at_us: u64,
    pub(super) events: SpilledEvents,
    pub(super) format: Arc<drs_binlog::FormatDescription>,
    pub(super) watermark: Watermark,
    /// Routes its parts; the scheduler waits and does not route meanwhile.
    pub(super) router: Arc<Mutex<Router>>,
}

/// What a lane says after each piece of work.
pub(super) struct LaneReport {
    pub(super) lane: usize,
    pub(super) result: Result<Applied, FollowError>,
}

/// Bytes of events of a large transaction that are applied in one part.
const PART_BYTES_MAX: usize = 4 << 20;

/// Works until the scheduler hangs up.
pub(super) fn run_lane(
    lane: usize,
    mut applier: MySqlApplier,
    work: &Receiver<LaneWork>,
    reports: &Sender<LaneReport>,
) {
    for work in work {
        let result = match work {
            LaneWork::Batch(batch) => applier.apply(&batch).map_err(FollowError::from),
            LaneWork::Large(large) => apply_large(&mut applier, large),
        };
        let failed = result.is_err();
        if reports.send(LaneReport { lane, result }).is_err() || failed {
            return;
        }
    }
}

fn apply_large(
    applier: &mut MySqlApplier,
    mut large: LargeTransaction,
) -> Result<Applied, FollowError> {
    let id = (large.seq, large.id.clone());
    let watermark = large.watermark.clone();
    // A routing error crosses the applier, which only knows its own kind.
    let mut routing = None;
    let applied = applier.apply_in_parts(id, &watermark, &mut |apply| {
        let mut router = large.router.lock().unwrap_or_else(PoisonError::into_inner);
        for part in large.events.parts(PART_BYTES_MAX)? {
            let events = part?;
            let context = RouteContext {
                id: &large.id,
                outcome: large.outcome,
                format: &large.format,
            };
            let route = match router.route(&events, &context, 0) {
                Ok(route) => route,
                Err(error) => {
                    routing = Some(error);
                    return Err(ApplyError::Server(
                        "a large transaction could not be routed".into(),
                    ));
                }
            };
            if route.statement.is_some() {
                routing = Some(FollowError::Refused {
                    transaction: large.id.clone(),
                    reason: "it is too large for memory and holds a DDL statement".into(),
                });
                return Err(ApplyError::Server("a large transaction holds DDL".into()));
            }
            if !route.rows.is_empty() {
                let format = Arc::clone(&large.format);
                apply(&routed(
                    large.seq,
                    large.id.clone(),
                    large.committed_at_us,
                    events,
                    format,
                    route.rows,
                ))?;
            }
        }
        Ok(())
    });
    match (applied, routing) {
        (_, Some(error)) => Err(error),
        (applied, None) => Ok(applied?),
    }
}
