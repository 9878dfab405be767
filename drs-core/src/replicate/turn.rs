//! Batches that must not begin before others are committed.

use std::{
    collections::BTreeSet,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// Which batches are committed, as all lanes see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commits {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Handed to a lane and not committed yet.
    running: BTreeSet<u64>,
    /// A batch has failed: what waits for it never gets its turn.
    failed: bool,
}

/// A batch's turn: it comes when the batches that hold some of its rows are committed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turn {
    commits: Commits,
    after: Vec<u64>,
}

impl Commits {
    /// Notes that a batch is handed to a lane, and gives it its turn behind others.
    pub(crate) fn start(&self, batch: u64, after: Vec<u64>) -> Turn {
        self.state().running.insert(batch);
        Turn {
            commits: self.clone(),
            after,
        }
    }

    /// A batch is committed: what waits for it alone goes on.
    pub(super) fn commit(&self, batch: u64) {
        self.state().running.remove(&batch);
        self.shared.changed.notify_all();
    }

    /// A batch is not committed and never will be.
    pub(super) fn fail(&self) {
        self.state().failed = true;
        self.shared.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Waits until all batches before this one are committed; false when one of them will not be.
    pub(crate) fn wait(&self) -> bool {
        let mut state = self.commits.state();
        while self.after.iter().any(|batch| state.running.contains(batch)) {
            if state.failed {
                return false;
            }
            state = self
                .commits
                .shared
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_comes_with_the_last_commit_before_it() {
        let commits = Commits::default();
        commits.start(1, Vec::new());
        commits.start(2, Vec::new());
        let turn = commits.start(3, vec![1, 2]);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| turn.wait());
            commits.commit(2);
            assert!(!waiting.is_finished());
            commits.commit(1);
            assert!(waiting.join().unwrap());
        });
        assert!(commits.start(4, vec![1, 2]).wait());
    }

    #[test]
    fn nothing_follows_a_batch_that_failed() {
        let commits = Commits::default();
        commits.start(1, Vec::new());
        commits.start(2, Vec::new());
        let (behind, beside) = (commits.start(3, vec![1]), commits.start(4, vec![2]));
        commits.commit(2);
        commits.fail();
        assert!(!behind.wait());
        assert!(beside.wait());
    }
}
