//! Which transactions are committed together, and which batches must wait for which.

use std::collections::VecDeque;

use super::write_set::{InFlight, WriteSet};
use crate::apply::RoutedTransaction;

/// How large batches and their number may get.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// Event bytes.
    pub(crate) bytes_max: usize,
    /// Source transactions.
    pub(crate) transactions_max: usize,
    /// Batches that are not handed to a lane yet.
    pub(crate) open_max: usize,
}

/// A batch that is ready for a lane.
#[derive(Debug)]
pub(crate) struct ReadyBatch {
    pub(crate) number: u64,
    pub(crate) transactions: Vec<RoutedTransaction>,
    /// The batches that must be committed first; all of them are with a lane or committed.
    pub(crate) after: Vec<u64>,
}

/// The batches that are being filled.
///
/// A transaction that touches nothing of a batch that is not committed goes to any; one that does
/// goes into that batch, or, if it takes no more, into one that is committed behind it. So
/// transactions that share a key value keep the source's order, and nothing has to wait to be
/// placed but for room. Where most transactions share rows with the batch before, only one batch
/// is filled at a time: several would all have to wait for each other, and be small.
#[derive(Debug)]
pub(crate) struct OpenBatches {
    limits: BatchLimits,
    in_flight: InFlight,
    open: VecDeque<OpenBatch>,
    /// Handed to a lane and not committed, oldest first.
    running: Vec<u64>,
    next_number: u64,
    /// How many of about 256 transactions touched rows of a batch that takes no more.
    behind_of_256: f32,
}

#[derive(Debug)]
struct OpenBatch {
    number: u64,
    transactions: Vec<RoutedTransaction>,
    bytes: usize,
    after: Vec<u64>,
    /// It takes no more, so that others may be behind it.
    closed: bool,
}

/// From this share of transactions on, batches are filled one by one.
const IN_SEQUENCE_OF_256: f32 = 64.0;

impl OpenBatches {
    pub(crate) fn new(limits: BatchLimits) -> Self {
        Self {
            limits,
            in_flight: InFlight::default(),
            open: VecDeque::new(),
            running: Vec::new(),
            next_number: 1,
            behind_of_256: 0.0,
        }
    }

    /// True when nothing is open and nothing is with a lane.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.running.is_empty()
    }

    /// Puts a transaction into a batch; gives it back when there is no room until one is taken.
    ///
    /// # Errors
    /// The transaction and its write set.
    pub(crate) fn place(
        &mut self,
        transaction: RoutedTransaction,
        write_set: WriteSet,
    ) -> Result<(), (RoutedTransaction, WriteSet)> {
        let oldest = self.oldest();
        if self.in_flight.is_full(oldest) {
            return Err((transaction, write_set));
        }
        let holders = self
            .in_flight
            .holders(&write_set, |batch| self.is_uncommitted(batch));
        let Some(number) = self.target(&holders) else {
            return Err((transaction, write_set));
        };
        let before: Vec<u64> = holders
            .into_iter()
            .filter(|batch| *batch != number)
            .collect();
        self.behind_of_256 *= 255.0 / 256.0;
        if !before.is_empty() {
            self.behind_of_256 += 1.0;
        }
        for batch in &mut self.open {
            // What this batch is behind must not change any more, or two could wait for each other.
            batch.closed |= before.contains(&batch.number);
        }
        self.in_flight.hold(&write_set, number, oldest.min(number));
        let limits = self.limits;
        if let Some(batch) = self.open.iter_mut().find(|batch| batch.number == number) {
            for other in before {
                if !batch.after.contains(&other) {
                    batch.after.push(other);
                }
            }
            batch.bytes += transaction.events.size();
            batch.transactions.push(transaction);
            batch.closed |= batch.bytes >= limits.bytes_max
                || batch.transactions.len() >= limits.transactions_max;
        }
        Ok(())
    }

    /// The next batch for a lane that is idle: one that takes no more, or, if `dry`, any.
    pub(crate) fn take_ready(&mut self, dry: bool) -> Option<ReadyBatch> {
        let dry = dry && !(self.in_sequence() && !self.running.is_empty());
        let at = self.open.iter().position(|batch| {
            (batch.closed || dry) && batch.after.iter().all(|other| !self.is_open(*other))
        })?;
        let batch = self.open.remove(at)?;
        self.running.push(batch.number);
        Some(ReadyBatch {
            number: batch.number,
            transactions: batch.transactions,
            after: batch.after,
        })
    }

    /// The number of a batch without transactions of its own, or with one that is alone.
    pub(crate) fn start_alone(&mut self) -> u64 {
        let number = self.take_number();
        self.running.push(number);
        number
    }

    /// A batch is committed.
    pub(crate) fn commit(&mut self, number: u64) {
        self.running.retain(|batch| *batch != number);
    }

    /// The batch for a transaction whose rows these batches hold; it is made if need be.
    fn target(&mut self, holders: &[u64]) -> Option<u64> {
        let filling = |batch: &&OpenBatch| !batch.closed;
        // The newest of those that hold its rows and take more.
        let held = self.open.iter().rev().filter(filling);
        if let Some(batch) = held.into_iter().find(|it| holders.contains(&it.number)) {
            return Some(batch.number);
        }
        let any = self.open.iter().rev().find(filling).map(|it| it.number);
        if self.in_sequence() {
            return any.or_else(|| self.begin());
        }
        // One that is behind these already, or behind none if the transaction is.
        let fitting = self.open.iter().filter(filling).find(|batch| {
            batch.after.is_empty() == holders.is_empty()
                && holders.iter().all(|other| batch.after.contains(other))
        });
        match fitting.map(|batch| batch.number) {
            Some(number) => Some(number),
            None => self.begin().or(any),
        }
    }

    /// A new batch, if there may be one more.
    fn begin(&mut self) -> Option<u64> {
        if self.open.len() >= self.limits.open_max {
            return None;
        }
        let number = self.take_number();
        self.open.push_back(OpenBatch {
            number,
            transactions: Vec::new(),
            bytes: 0,
            after: Vec::new(),
            closed: false,
        });
        Some(number)
    }

    fn take_number(&mut self) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        number
    }

    fn in_sequence(&self) -> bool {
        self.behind_of_256 >= IN_SEQUENCE_OF_256
    }

    fn is_open(&self, number: u64) -> bool {
        self.open.iter().any(|batch| batch.number == number)
    }

    fn is_uncommitted(&self, number: u64) -> bool {
        self.running.contains(&number) || self.is_open(number)
    }

    /// The first number that can still be uncommitted.
    fn oldest(&self) -> u64 {
        let open = self.open.iter().map(|batch| batch.number);
        open.chain(self.running.iter().copied())
            .min()
            .unwrap_or(self.next_number)
    }
}
