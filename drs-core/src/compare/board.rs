//! Which session works on which table.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    CompareError, RowCounts, RowDifference, RowDifferenceKind,
    keyed::Suspect,
    pair::TablePair,
    ranges::{Range, Steps},
};
use crate::{copy::Bound, object::TableName};

/// So often a session that waits looks whether it is to stop.
const WAIT: Duration = Duration::from_millis(100);

/// A table whose turn has not come.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) source: TableName,
    pub(super) destination: TableName,
    pub(super) rows_estimate: u64,
    pub(super) bytes_per_row: u64,
    pub(super) is_shared: bool,
}

/// What a session does next.
pub(super) enum Turn {
    Begin(Waiting),
    Join(Arc<OpenTable>),
}

/// The tables to do, and those that are being done.
#[derive(Debug)]
pub(super) struct Board {
    state: Mutex<State>,
    /// A table that was begun is open now, or gone.
    changed: Condvar,
    sessions: usize,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    opening: usize,
    open: Vec<Arc<OpenTable>>,
}

impl Board {
    pub(super) fn new(waiting: Vec<Waiting>, sessions: usize) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: waiting.into(),
                ..State::default()
            }),
            changed: Condvar::new(),
            sessions,
        }
    }

    /// A new table while there are fewer than sessions, else one that has ranges left. Waits for a
    /// table that another session is opening, since it may be a large one, unless all are to stop.
    pub(super) fn turn(&self, halted: &dyn Fn() -> bool) -> Option<Turn> {
        let mut state = self.state();
        loop {
            let turn = self.turn_now(&mut state);
            if turn.is_some() || state.opening == 0 || halted() {
                return turn;
            }
            (state, _) = self
                .changed
                .wait_timeout(state, WAIT)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn turn_now(&self, state: &mut State) -> Option<Turn> {
        let begin = |state: &mut State| {
            let waiting = state.waiting.pop_front()?;
            state.opening += 1;
            Some(Turn::Begin(waiting))
        };
        if state.open.len() + state.opening < self.sessions
            && let Some(turn) = begin(state)
        {
            return Some(turn);
        }
        let least = state
            .open
            .iter()
            .filter(|open| open.has_ranges_left())
            .min_by_key(|open| open.plan().workers)
            .cloned();
        match least {
            Some(open) => {
                open.plan().workers += 1;
                Some(Turn::Join(open))
            }
            None => begin(state),
        }
    }

    /// A table that was begun has two definitions.
    pub(super) fn open(&self, open: OpenTable) -> Arc<OpenTable> {
        let mut state = self.state();
        state.opening = state.opening.saturating_sub(1);
        let open = Arc::new(open);
        state.open.push(Arc::clone(&open));
        self.changed.notify_all();
        open
    }

    /// A table that was begun is not compared.
    pub(super) fn gone(&self) {
        let mut state = self.state();
        state.opening = state.opening.saturating_sub(1);
        self.changed.notify_all();
    }

    /// A session has no more to do with a table; true for the last one.
    pub(super) fn leave(&self, open: &Arc<OpenTable>) -> bool {
        let mut state = self.state();
        let is_last = {
            let mut plan = open.plan();
            plan.workers = plan.workers.saturating_sub(1);
            plan.workers == 0
        };
        if is_last {
            state.open.retain(|other| !Arc::ptr_eq(other, open));
        }
        is_last
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A table that is being compared.
#[derive(Debug)]
pub(super) struct OpenTable {
    pub(super) pair: TablePair,
    pub(super) waiting: Waiting,
    pub(super) begun: Instant,
    plan: Mutex<Plan>,
    tally: Mutex<Tally>,
}

#[derive(Debug)]
struct Plan {
    workers: usize,
    next_number: u64,
    within: Range,
    /// Once it was asked whether the key can be walked in steps.
    steps: Option<Option<Steps>>,
    finished: bool,
}

/// Ranges that one session compares at a time.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) number: u64,
    pub(super) ranges: Vec<Range>,
}

/// What is known of the table so far: of all groups before one that is not done.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) found: Found,
    pub(super) failure: Option<String>,
    /// Where the next group begins.
    lower: Option<Bound>,
    next_number: u64,
    /// Groups that were done before the ones in front of them.
    ahead: BTreeMap<u64, (Option<Bound>, Found)>,
    /// Rows that are being looked at again.
    settling: BTreeMap<u64, Vec<Suspect>>,
    next_settling: u64,
    examples_begun: usize,
}

/// What was found in a part of a table.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) counts: RowCounts,
    pub(super) examples: Vec<RowDifference>,
    /// Rows that wait for another look.
    pub(super) suspects: Vec<Suspect>,
}

impl Found {
    pub(super) fn count(&mut self, kind: RowDifferenceKind, times: u64) {
        let place = match kind {
            RowDifferenceKind::Missing => &mut self.counts.missing,
            RowDifferenceKind::Extra => &mut self.counts.extra,
            RowDifferenceKind::Different => &mut self.counts.different,
        };
        *place += times;
    }

    fn add(&mut self, other: Self) {
        self.counts.add(&other.counts);
        self.examples.extend(other.examples);
        self.suspects.extend(other.suspects);
    }
}

/// A table up to a key, as it is kept for a later run.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) lower: Bound,
    pub(super) counts: RowCounts,
    pub(super) examples: Vec<RowDifference>,
    pub(super) suspects: Vec<Suspect>,
}

impl OpenTable {
    pub(super) fn new(waiting: Waiting, pair: TablePair) -> Self {
        let finished = pair.source.key.is_none();
        Self {
            pair,
            waiting,
            begun: Instant::now(),
            plan: Mutex::new(Plan {
                workers: 1,
                next_number: 0,
                within: Range::default(),
                steps: None,
                finished,
            }),
            tally: Mutex::default(),
        }
    }

    fn has_ranges_left(&self) -> bool {
        !self.plan().finished
    }

    /// The next ranges, which `divide` finds within what is left; `None` when nothing is.
    pub(super) fn next_group(
        &self,
        divide: impl FnOnce(
            &Range,
            &mut Option<Option<Steps>>,
        ) -> Result<(Vec<Range>, bool), CompareError>,
    ) -> Result<Option<Group>, CompareError> {
        let mut plan = self.plan();
        if plan.finished {
            return Ok(None);
        }
        let Plan { within, steps, .. } = &mut *plan;
        let (ranges, is_last) = divide(within, steps)?;
        plan.finished = is_last;
        if let Some(last) = ranges.last() {
            plan.within.lower.clone_from(&last.upper);
        }
        let number = plan.next_number;
        plan.next_number += 1;
        Ok(Some(Group { number, ranges }))
    }

    /// Goes on behind what a former run has compared.
    pub(super) fn go_on(&self, part: Part) {
        self.plan().within.lower = Some(part.lower.clone());
        let mut tally = self.tally();
        tally.lower = Some(part.lower);
        tally.examples_begun = part.examples.len();
        tally.found = Found {
            counts: part.counts,
            examples: part.examples,
            suspects: part.suspects,
        };
    }

    /// Takes in what was found in a group, once all groups before it are in; what is to be kept of
    /// the table then.
    pub(super) fn complete(&self, group: &Group, found: Found) -> Option<Part> {
        let upper = group.ranges.last().and_then(|range| range.upper.clone());
        let mut tally = self.tally();
        tally.ahead.insert(group.number, (upper, found));
        loop {
            let number = tally.next_number;
            let Some((upper, found)) = tally.ahead.remove(&number) else {
                break;
            };
            tally.next_number += 1;
            tally.lower = upper;
            tally.found.add(found);
        }
        let settling = tally.settling.values().flatten();
        Some(Part {
            lower: tally.lower.clone()?,
            counts: tally.found.counts,
            examples: tally.found.examples.clone(),
            suspects: tally
                .found
                .suspects
                .iter()
                .chain(settling)
                .cloned()
                .collect(),
        })
    }

    /// The rows that wait for another look, when there are more of them than this.
    pub(super) fn begin_to_settle(&self, waiting_max: usize) -> Option<(u64, Vec<Suspect>)> {
        let mut tally = self.tally();
        if tally.found.suspects.len() <= waiting_max {
            return None;
        }
        let suspects = std::mem::take(&mut tally.found.suspects);
        let number = tally.next_settling;
        tally.next_settling += 1;
        tally.settling.insert(number, suspects.clone());
        Some((number, suspects))
    }

    /// Takes in what became of them.
    pub(super) fn settled(&self, number: u64, found: Found) {
        let mut tally = self.tally();
        tally.settling.remove(&number);
        tally.found.add(found);
    }

    /// True when one more difference is to be described.
    pub(super) fn wants_example(&self, examples_max: usize) -> bool {
        let mut tally = self.tally();
        let wants = tally.examples_begun < examples_max;
        tally.examples_begun += usize::from(wants);
        wants
    }

    /// The table can't be compared to its end.
    pub(super) fn fail(&self, reason: String) {
        self.plan().finished = true;
        self.tally().failure.get_or_insert(reason);
    }

    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
