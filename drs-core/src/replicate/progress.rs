use std::{collections::VecDeque, sync::Arc};

use drs_binlog::Position;

use super::judge::LeftOut;
use crate::{
    apply::Watermark,
    checkpoint::{StreamPoint, TransactionId},
};

/// What following has come to, for an observer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowProgress {
    /// Everything at or before this point is at the destination.
    pub position: Position,
    /// Source transactions applied in this run, filtered ones left out.
    pub transactions: u64,
    /// Row changes of the source applied in this run.
    pub row_changes: u64,
    /// Source transactions that touched no selected table.
    pub transactions_filtered: u64,
    /// Source transactions that came from the destination in the first place, by another task.
    pub transactions_echoed: u64,
    /// DDL statements run at the destination.
    pub statements: u64,
    /// Statements of the source that are not replicated by kind (accounts, maintenance, views, …).
    pub statements_left_out: u64,
    /// The same by kind.
    pub left_out: StatementsLeftOut,
    /// Row changes outside of a rule's condition.
    pub row_changes_filtered: u64,
    /// Row changes of a kind that a rule leaves out: the two sides differ by them.
    pub row_changes_left_out: u64,
    /// Conflicts that the policy let pass.
    pub conflicts: u64,
    /// Time from the source's commit of the last applied transaction until it was applied, in
    /// milliseconds; 0 while nothing is left to apply.
    pub lag_ms: u64,
}

impl FollowProgress {
    pub(super) fn new(position: Position) -> Self {
        Self {
            position,
            transactions: 0,
            row_changes: 0,
            transactions_filtered: 0,
            transactions_echoed: 0,
            statements: 0,
            statements_left_out: 0,
            left_out: StatementsLeftOut::default(),
            row_changes_filtered: 0,
            row_changes_left_out: 0,
            conflicts: 0,
            lag_ms: 0,
        }
    }
}

/// Statements of the source that are not replicated, by kind. Those that can only concern
/// objects outside the selection are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatementsLeftOut {
    /// On views.
    pub views: u64,
    /// On stored procedures and functions.
    pub routines: u64,
    /// On triggers.
    pub triggers: u64,
    /// On events.
    pub events: u64,
    /// On accounts, roles and privileges.
    pub accounts: u64,
    /// ANALYZE, OPTIMIZE, FLUSH and the like.
    pub maintenance: u64,
    /// `DROP DATABASE`, when the task filters it.
    pub dropped_databases: u64,
    /// On the server's other objects: tablespaces, plugins and the like.
    pub others: u64,
}

impl StatementsLeftOut {
    /// Each kind's name and number.
    pub fn by_kind(&self) -> [(&'static str, u64); 8] {
        [
            ("views", self.views),
            ("routines", self.routines),
            ("triggers", self.triggers),
            ("events", self.events),
            ("accounts", self.accounts),
            ("maintenance", self.maintenance),
            ("dropped_databases", self.dropped_databases),
            ("others", self.others),
        ]
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.by_kind().iter().map(|(_, number)| number).sum()
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        Self {
            views: self.views + other.views,
            routines: self.routines + other.routines,
            triggers: self.triggers + other.triggers,
            events: self.events + other.events,
            accounts: self.accounts + other.accounts,
            maintenance: self.maintenance + other.maintenance,
            dropped_databases: self.dropped_databases + other.dropped_databases,
            others: self.others + other.others,
        }
    }

    pub(super) fn add(&mut self, kind: LeftOut) {
        *match kind {
            LeftOut::View => &mut self.views,
            LeftOut::Routine => &mut self.routines,
            LeftOut::Trigger => &mut self.triggers,
            LeftOut::Event => &mut self.events,
            LeftOut::Account => &mut self.accounts,
            LeftOut::Maintenance => &mut self.maintenance,
            LeftOut::DropDatabase => &mut self.dropped_databases,
            LeftOut::Other => &mut self.others,
        } += 1;
    }
}

/// Transactions in the source's order, and up to where all of them are done.
#[derive(Debug)]
pub(super) struct Completion {
    entries: VecDeque<Entry>,
    next_seq: u64,
    watermark: Watermark,
}

#[derive(Debug)]
struct Entry {
    id: TransactionId,
    done: bool,
}

impl Completion {
    pub(super) fn new(start: StreamPoint) -> Self {
        Self {
            entries: VecDeque::new(),
            next_seq: 1,
            watermark: Watermark {
                seq: 0,
                point: Arc::new(start),
            },
        }
    }

    /// Gives the next transaction its number.
    pub(super) fn add(&mut self, id: TransactionId) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.entries.push_back(Entry { id, done: false });
        seq
    }

    /// Marks a transaction as done, and moves the watermark over all that are.
    pub(super) fn finish(&mut self, seq: u64) {
        let Some(index) = seq.checked_sub(self.watermark.seq + 1) else {
            return;
        };
        if let Some(entry) = self.entries.get_mut(index as usize) {
            entry.done = true;
        }
        if self.entries.front().is_none_or(|entry| !entry.done) {
            return;
        }
        let point = Arc::make_mut(&mut self.watermark.point);
        while self.entries.front().is_some_and(|entry| entry.done) {
            let Some(entry) = self.entries.pop_front() else {
                break;
            };
            self.watermark.seq += 1;
            point.position = entry.id.end;
            if let (Some(set), Some(gtid)) = (&mut point.gtid_set, entry.id.gtid) {
                Arc::make_mut(set).add(gtid);
            }
        }
    }

    /// Everything up to here is done.
    pub(super) fn watermark(&self) -> &Watermark {
        &self.watermark
    }

    /// Transactions above the watermark.
    pub(super) fn open(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watermark_moves_over_what_is_done_without_a_gap() {
        let at = |offset: u64| TransactionId {
            end: format!("bin.000001:{offset}").parse().unwrap(),
            gtid: None,
        };
        let start = StreamPoint {
            position: "bin.000001:4".parse().unwrap(),
            gtid_set: None,
        };
        let mut completion = Completion::new(start);
        let seqs: Vec<u64> = [100, 200, 300]
            .into_iter()
            .map(|end| completion.add(at(end)))
            .collect();
        completion.finish(seqs[1]);
        assert_eq!(completion.watermark().point.position.offset, 4);
        completion.finish(seqs[0]);
        assert_eq!(completion.watermark().point.position.offset, 200);
        assert_eq!(completion.open(), 1);
        completion.finish(seqs[2]);
        assert_eq!(completion.watermark().point.position.offset, 300);
        assert_eq!(completion.watermark().seq, 3);
    }
}
