use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::table::OpenTable;
use crate::checkpoint::TableRecord;

/// A table whose turn has not come.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) record: TableRecord,
    /// Of a table in a family: the others of it, which are copied with it.
    pub(super) family: Option<Vec<TableRecord>>,
    pub(super) rows_estimate: u64,
    pub(super) bytes_estimate: u64,
    /// How often its copy had to begin again in this run.
    pub(super) attempt: u32,
}

/// What a session does next.
pub(super) enum Job {
    /// Begin with a table; report with [`Board::opened`].
    Open(Waiting),
    /// Copy a part of a table; report with [`Board::part_done`].
    Part(Arc<OpenTable>),
}

/// Who does what: sessions begin with the largest tables, one each, and when no table is left
/// to begin with they help with those that are open.
pub(super) struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The largest last.
    waiting: Vec<Waiting>,
    opening: u32,
    open: Vec<Entry>,
}

struct Entry {
    table: Arc<OpenTable>,
    active: u32,
    exhausted: bool,
}

impl Board {
    pub(super) fn new(waiting: Vec<Waiting>) -> Self {
        Self {
            state: Mutex::new(State {
                waiting,
                opening: 0,
                open: Vec::new(),
            }),
            changed: Condvar::new(),
        }
    }

    /// The next job; `None` when there is none and there will be none, or when `halted`.
    pub(super) fn next(&self, halted: impl Fn() -> bool) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if halted() {
                return None;
            }
            let least = state
                .open
                .iter_mut()
                .filter(|entry| !entry.exhausted)
                .min_by_key(|entry| entry.active);
            match least {
                Some(entry) if entry.active == 0 => return Some(entry.begin()),
                _ => {}
            }
            if let Some(table) = state.waiting.pop() {
                state.opening += 1;
                return Some(Job::Open(table));
            }
            let least = state
                .open
                .iter_mut()
                .filter(|entry| !entry.exhausted)
                .min_by_key(|entry| entry.active);
            if let Some(entry) = least {
                return Some(entry.begin());
            }
            // Only a table that is being opened, or one whose copy may have to begin again,
            // can bring more.
            if state.opening == 0 && state.open.is_empty() {
                return None;
            }
            // The user's wish to stop comes without a signal.
            let pause = Duration::from_millis(50);
            state = match self.changed.wait_timeout(state, pause) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// A table was begun with; `None` when nothing is left to do for it.
    pub(super) fn opened(&self, table: Option<Arc<OpenTable>>) {
        let mut state = self.lock();
        state.opening = state.opening.saturating_sub(1);
        if let Some(table) = table {
            state.open.push(Entry {
                table,
                active: 0,
                exhausted: false,
            });
        }
        drop(state);
        self.wake();
    }

    /// The table has no more parts to give out.
    pub(super) fn exhausted(&self, table: &Arc<OpenTable>) {
        let mut state = self.lock();
        if let Some(entry) = state
            .open
            .iter_mut()
            .find(|entry| Arc::ptr_eq(&entry.table, table))
        {
            entry.exhausted = true;
        }
    }

    /// A part is done. True when it was the table's last one: the caller finishes the table,
    /// and then calls [`Self::closed`].
    pub(super) fn part_done(&self, table: &Arc<OpenTable>) -> bool {
        let mut state = self.lock();
        let Some(entry) = state
            .open
            .iter_mut()
            .find(|entry| Arc::ptr_eq(&entry.table, table))
        else {
            return false;
        };
        entry.active = entry.active.saturating_sub(1);
        entry.exhausted && entry.active == 0
    }

    /// The table is finished, or begins again as `again`.
    pub(super) fn closed(&self, table: &Arc<OpenTable>, again: Option<Waiting>) {
        let mut state = self.lock();
        state.open.retain(|entry| !Arc::ptr_eq(&entry.table, table));
        state.waiting.extend(again);
        drop(state);
        self.wake();
    }

    /// The tables that are open.
    pub(super) fn open_tables(&self) -> Vec<Arc<OpenTable>> {
        self.lock()
            .open
            .iter()
            .map(|entry| Arc::clone(&entry.table))
            .collect()
    }

    /// Lets the waiting sessions look again.
    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn begin(&mut self) -> Job {
        self.active += 1;
        Job::Part(Arc::clone(&self.table))
    }
}
