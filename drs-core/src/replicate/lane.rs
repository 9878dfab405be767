use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender};
use drs_binlog::Outcome;

use super::{
    EventArena, FollowError,
    arena::SpilledEvents,
    route::{RouteContext, Router, routed},
    turn::Commits,
    xa::{KeepFilter, kept_change, only_step},
};
use crate::{
    apply::{
        Applied, Applier, ApplyError, Batch, RoutedTransaction, Watermark, XaChange, XaStep,
        parts_of,
    },
    checkpoint::TransactionId,
};

/// What a lane is given to do.
pub(super) struct LaneWork {
    /// The batch's number.
    pub(super) number: u64,
    pub(super) task: LaneTask,
}

pub(super) enum LaneTask {
    /// A batch of whole transactions.
    Batch(Batch),
    /// One transaction that does not fit in memory; all other lanes are idle meanwhile.
    Large(Box<LargeTransaction>),
}

/// A source transaction that does not fit in memory: it is in a temporary file.
pub struct LargeTransaction {
    pub(super) seq: u64,
    pub(super) id: TransactionId,
    pub(super) outcome: Outcome,
    pub(super) committed_at_us: u64,
    pub(super) events: SpilledEvents,
    pub(super) format: Arc<drs_binlog::FormatDescription>,
    pub(super) watermark: Watermark,
    /// What it means for the prepared transactions that are kept.
    pub(super) xa: LargeXa,
    /// Routes its parts; the scheduler waits and does not route meanwhile.
    pub(super) router: Arc<Mutex<Router>>,
    /// Why a part could not be routed: an applier only knows errors of its own kind.
    pub(super) routing: Option<FollowError>,
}

/// How a large transaction stands to the prepared XA transactions that are kept.
pub(super) enum LargeXa {
    /// Not at all.
    None,
    /// It is prepared: its events are kept and not applied.
    Keep(XaStep),
    /// It is one that was kept, and commits.
    Remove(XaStep),
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
    mut applier: Box<dyn Applier>,
    work: &Receiver<LaneWork>,
    reports: &Sender<LaneReport>,
    commits: &Commits,
) {
    // The scheduler waits for a report to each piece of work, so a panic makes one too.
    let _obituary = Obituary {
        lane,
        reports,
        commits,
    };
    applier.make_ready();
    for LaneWork { number, task } in work {
        let result = match task {
            LaneTask::Batch(batch) => applier.apply(&batch).map_err(FollowError::from),
            LaneTask::Large(mut large) => {
                let applied = applier.apply_large(&mut large);
                match large.routing.take() {
                    Some(error) => Err(error),
                    None => applied.map_err(FollowError::from),
                }
            }
        };
        if result.is_ok() {
            commits.commit(number);
        }
        let failed = result.is_err();
        let sent = reports.send(LaneReport { lane, result });
        if failed {
            // After the report: those that wait for the batch must not be the first to tell.
            commits.fail();
        }
        if sent.is_err() || failed {
            return;
        }
    }
}

struct Obituary<'a> {
    lane: usize,
    reports: &'a Sender<LaneReport>,
    commits: &'a Commits,
}

impl Drop for Obituary<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let result = Err(FollowError::Thread);
            _ = self.reports.send(LaneReport {
                lane: self.lane,
                result,
            });
            self.commits.fail();
        }
    }
}

impl LargeTransaction {
    /// Its number in this run, and what tells it from others.
    pub(crate) fn id(&self) -> (u64, TransactionId) {
        (self.seq, self.id.clone())
    }

    /// When the source committed it, in microseconds since 1970; 0 when not known.
    pub(crate) fn committed_at_us(&self) -> u64 {
        self.committed_at_us
    }

    /// Everything at or before this point is at the destination.
    pub(crate) fn watermark(&self) -> &Watermark {
        &self.watermark
    }

    /// Gives all parts in order; may be called again from the start.
    pub(crate) fn for_each_part(
        &mut self,
        apply: &mut dyn FnMut(&RoutedTransaction) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        if let LargeXa::Keep(step) = &self.xa {
            let step = step.clone();
            return self.for_each_kept_part(&step, apply);
        }
        let mut router = self.router.lock().unwrap_or_else(PoisonError::into_inner);
        for part in self.events.parts(PART_BYTES_MAX)? {
            let events = part?;
            let context = RouteContext {
                id: &self.id,
                outcome: self.outcome,
                format: &self.format,
            };
            let route = match router.route(&events, &context, 0) {
                Ok(route) if route.statement.is_none() && route.copy_again.is_none() => route,
                Ok(_) => {
                    self.routing = Some(FollowError::Refused {
                        transaction: self.id.clone(),
                        reason: "it is too large for memory and holds a DDL statement".into(),
                    });
                    return Err(ApplyError::Server("a large transaction holds DDL".into()));
                }
                Err(error) => {
                    self.routing = Some(error);
                    return Err(ApplyError::Server(
                        "a large transaction could not be routed".into(),
                    ));
                }
            };
            if !route.rows.is_empty() {
                let format = Arc::clone(&self.format);
                apply(&routed(
                    self.seq,
                    self.id.clone(),
                    self.committed_at_us,
                    events,
                    format,
                    route.rows,
                ))?;
            }
        }
        match &self.xa {
            LargeXa::Remove(step) => apply(&self.only(step.clone())),
            LargeXa::Keep(_) | LargeXa::None => Ok(()),
        }
    }

    fn only(&self, step: XaStep) -> RoutedTransaction {
        only_step(self.seq, &self.id, self.committed_at_us, &self.format, step)
    }

    /// Gives the events to keep of a prepared transaction.
    fn for_each_kept_part(
        &mut self,
        step: &XaStep,
        apply: &mut dyn FnMut(&RoutedTransaction) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        let router = Arc::clone(&self.router);
        let mut router = router.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut filter, mut parts_before) = (KeepFilter::default(), 0);
        let end = self.id.end.clone();
        let step_of = |events: &EventArena, parts_before, last| XaStep {
            change: kept_change(events, parts_before, last, &end),
            ..step.clone()
        };
        let (seq, id, committed_at_us) = (self.seq, &self.id, self.committed_at_us);
        let format = &self.format;
        for part in self.events.parts(PART_BYTES_MAX)? {
            let context = RouteContext {
                id,
                outcome: self.outcome,
                format,
            };
            let kept = match router.pick_prepared(&part?, &context, &mut filter) {
                Ok(kept) => kept,
                Err(error) => {
                    self.routing = Some(error);
                    return Err(ApplyError::Server(
                        "a large transaction could not be routed".into(),
                    ));
                }
            };
            if kept.len() > 0 {
                let step = step_of(&kept, parts_before, false);
                if let XaChange::Keep { events, .. } = &step.change {
                    parts_before += parts_of(events.len());
                }
                apply(&only_step(seq, id, committed_at_us, format, step))?;
            }
        }
        let step = step_of(&EventArena::default(), parts_before, true);
        apply(&self.only(step))
    }
}
