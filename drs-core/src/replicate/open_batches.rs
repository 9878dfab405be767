//! Which transactions are committed together, and which batches must wait for which.

use std::collections::VecDeque;

use super::write_set::{InFlight, WriteSet};

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
pub(crate) struct ReadyBatch<T> {
    pub(crate) number: u64,
    pub(crate) transactions: Vec<T>,
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
pub(crate) struct OpenBatches<T> {
    limits: BatchLimits,
    in_flight: InFlight,
    open: VecDeque<OpenBatch<T>>,
    /// Handed to a lane and not committed, oldest first.
    running: Vec<u64>,
    next_number: u64,
    /// How many of about 256 transactions touched rows of a batch that takes no more.
    behind_of_256: f32,
}

#[derive(Debug)]
struct OpenBatch<T> {
    number: u64,
    transactions: Vec<T>,
    bytes: usize,
    after: Vec<u64>,
    /// It takes no more, so that others may be behind it.
    closed: bool,
}

/// In sequence: batches whose statements are written while another is under way.
const IN_SEQUENCE_AHEAD: usize = 1;
/// From this share of transactions on, batches are filled one by one.
const IN_SEQUENCE_OF_256: f32 = 64.0;

impl<T> OpenBatches<T> {
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
        transaction: T,
        event_bytes: usize,
        write_set: WriteSet,
    ) -> Result<(), (T, WriteSet)> {
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
            batch.bytes += event_bytes;
            batch.transactions.push(transaction);
            batch.closed |= batch.bytes >= limits.bytes_max
                || batch.transactions.len() >= limits.transactions_max;
        }
        Ok(())
    }

    /// The next batch for a lane that is idle: one that takes no more, or, if `dry`, any.
    pub(crate) fn take_ready(&mut self, dry: bool) -> Option<ReadyBatch<T>> {
        if self.in_sequence() && self.running.len() > IN_SEQUENCE_AHEAD {
            return None;
        }
        let dry = dry && (!self.in_sequence() || self.running.is_empty());
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
        let filling = |batch: &&OpenBatch<T>| !batch.closed;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(transactions_max: usize, open_max: usize) -> OpenBatches<u64> {
        OpenBatches::new(BatchLimits {
            bytes_max: 1 << 20,
            transactions_max,
            open_max,
        })
    }

    /// Places a transaction that touches these keys; false when there is no room.
    fn place(batches: &mut OpenBatches<u64>, seq: u64, keys: &[u64]) -> bool {
        let mut write_set = WriteSet::default();
        for key in keys {
            write_set.add_key(*key);
        }
        batches.place(seq, 1, write_set).is_ok()
    }

    /// The transactions of the next batch, and the batches that it is behind.
    fn take(batches: &mut OpenBatches<u64>, dry: bool) -> Option<(u64, Vec<u64>, Vec<u64>)> {
        let ready = batches.take_ready(dry)?;
        Some((ready.number, ready.transactions, ready.after))
    }

    #[test]
    fn a_batch_goes_out_when_it_is_full_or_nothing_more_is_there() {
        let mut batches = batches(2, 4);
        assert!(place(&mut batches, 1, &[1]));
        assert_eq!(take(&mut batches, false), None);
        assert!(place(&mut batches, 2, &[2]));
        assert_eq!(take(&mut batches, false), Some((1, vec![1, 2], vec![])));
        assert!(place(&mut batches, 3, &[3]));
        assert_eq!(take(&mut batches, true), Some((2, vec![3], vec![])));
        assert!(!batches.is_idle());
        batches.commit(1);
        batches.commit(2);
        assert!(batches.is_idle());
    }

    #[test]
    fn a_transaction_is_behind_every_batch_that_holds_its_rows() {
        let mut batches = batches(100, 4);
        place(&mut batches, 1, &[1]);
        assert_eq!(take(&mut batches, true), Some((1, vec![1], vec![])));
        // One that shares nothing does not wait for the first batch, one that does waits.
        place(&mut batches, 2, &[2]);
        place(&mut batches, 3, &[1, 3]);
        place(&mut batches, 4, &[3]);
        // It shares rows with both: the newer takes it, and must then wait for the older.
        place(&mut batches, 5, &[2, 3]);
        // The older is closed: what shares rows with it alone comes behind it too.
        place(&mut batches, 6, &[2]);
        assert_eq!(take(&mut batches, true), Some((2, vec![2], vec![])));
        assert_eq!(
            take(&mut batches, true),
            Some((3, vec![3, 4, 5, 6], vec![1, 2]))
        );
        assert_eq!(take(&mut batches, true), None);
    }

    #[test]
    fn a_batch_is_not_taken_before_one_that_it_is_behind() {
        let mut batches = batches(1, 4);
        place(&mut batches, 1, &[1]);
        place(&mut batches, 2, &[1]);
        place(&mut batches, 3, &[1]);
        let taken: Vec<_> = std::iter::from_fn(|| take(&mut batches, false)).collect();
        assert_eq!(
            taken,
            [
                (1, vec![1], vec![]),
                (2, vec![2], vec![1]),
                (3, vec![3], vec![2])
            ]
        );
    }

    #[test]
    fn there_is_room_again_when_a_batch_is_taken() {
        let mut batches = batches(1, 2);
        assert!(place(&mut batches, 1, &[1]));
        assert!(place(&mut batches, 2, &[2]));
        assert!(!place(&mut batches, 3, &[3]));
        assert!(take(&mut batches, false).is_some());
        assert!(place(&mut batches, 3, &[3]));
    }

    #[test]
    fn where_most_share_rows_batches_are_filled_one_by_one() {
        let mut batches = batches(50, 4);
        let mut under_way = None;
        let mut seq = 0;
        // Until one has just gone out, and enough have shared rows.
        while seq < 800 || !batches.open.is_empty() {
            seq += 1;
            assert!(place(&mut batches, seq, &[seq % 25]));
            if let Some((number, ..)) = take(&mut batches, false)
                && let Some(before) = under_way.replace(number)
            {
                batches.commit(before);
            }
        }
        let under_way = under_way.unwrap();
        place(&mut batches, seq + 1, &[1]);
        // This one shares nothing, and is in the same batch all the same.
        place(&mut batches, seq + 2, &[1_000]);
        assert_eq!(take(&mut batches, true), None);
        batches.commit(under_way);
        let (_, seqs, after) = take(&mut batches, true).unwrap();
        assert_eq!((seqs, after), (vec![seq + 1, seq + 2], vec![under_way]));
    }
}
