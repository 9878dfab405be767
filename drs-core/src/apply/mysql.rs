use std::{hash::BuildHasher, time::Duration};

use mysql::{Conn, prelude::Queryable};

use super::{
    Applied, Applier, ApplyError, Batch, RoutedTransaction, Watermark,
    batch::{self, BuildError},
    one_by_one::{ConflictHandling, OneByOneError, apply_one_by_one},
    send::{Failure, backoff, move_lane, send, send_all, take_xa_step},
    statements::StatementWriter,
};
use crate::{
    checkpoint::{CheckpointError, DoneSet, Epoch, LaneRecord, TransactionId, write_lane_update},
    dialect::ServerVersion,
    error,
    replicate::LargeTransaction,
    session::SessionError,
    sql,
};

/// Opens a session at the destination, set up for writing, with `CLIENT_FOUND_ROWS`.
type Connect = Box<dyn Fn() -> Result<Conn, SessionError> + Send>;

/// What all lanes of a task share.
#[derive(Clone)]
pub(crate) struct LaneSettings {
    pub(crate) task: String,
    pub(crate) epoch: Epoch,
    pub(crate) version: ServerVersion,
    pub(crate) conflicts: ConflictHandling,
    pub(crate) packet_bytes_max: usize,
}

/// How often a batch is tried again after a deadlock or a lock wait before the lane stops.
const LOCK_RETRIES_MAX: u32 = 100;
/// How often a lost connection is opened again for one batch before the lane stops.
const RECONNECTS_MAX: u32 = 20;

/// Takes the next part of a large transaction.
type ApplyPart<'a> = dyn FnMut(&RoutedTransaction) -> Result<(), ApplyError> + 'a;

/// Applies one lane's batches to a MySQL server.
pub(crate) struct MySqlApplier {
    settings: LaneSettings,
    connect: Connect,
    conn: Option<Conn>,
    /// Why the first login was refused, until a batch can say so.
    refused: Option<SessionError>,
    /// The lane's row as last committed.
    record: LaneRecord,
    /// What this lane committed above the watermark of `record`, in order.
    done: Vec<(u64, TransactionId)>,
}

impl Applier for MySqlApplier {
    fn make_ready(&mut self) {
        match self.connection() {
            Ok(_) => {}
            // Trying again locks accounts.
            Err(error) if error.is_login_refused() => self.refused = Some(error),
            Err(error) => {
                tracing::debug!(lane = self.record.lane, reason = %error, "no connection to the destination yet");
            }
        }
    }

    fn apply(&mut self, batch: &Batch) -> Result<Applied, ApplyError> {
        let transactions = &batch.transactions;
        let ids = transactions
            .iter()
            .map(|transaction| (transaction.seq, transaction.id.clone()));
        let committed_at_us = transactions
            .last()
            .map_or(0, |transaction| transaction.committed_at_us);
        let (record, done) = self.next_record(&batch.watermark, ids, committed_at_us);
        let mut lane_update = String::new();
        self.write_update(&mut lane_update, &record);
        let settings = &self.settings;
        let packets = match batch::packets(
            transactions,
            &lane_update,
            settings.version,
            settings.packet_bytes_max,
        ) {
            Ok((packets, row_changes)) => Some((packets, row_changes)),
            Err(BuildError::Contradiction) => None,
            Err(error) => return Err(self.build_error(error, transactions)),
        };
        if !batch.turn.wait() {
            return Err(ApplyError::Before);
        }
        if let Some((packets, row_changes)) = packets {
            let mut retries = 0;
            if self.commit_retrying(batch, &record, &mut retries, |conn| {
                send_all(conn, &packets)
            })? {
                self.committed(record, done);
                let transactions = transactions.len() as u64;
                return Ok(Applied {
                    transactions,
                    row_changes,
                    conflicts: 0,
                    retries,
                });
            }
        }
        self.apply_one_by_one(batch)
    }

    fn apply_large(&mut self, large: &mut LargeTransaction) -> Result<Applied, ApplyError> {
        let id = large.id();
        let watermark = large.watermark().clone();
        let committed_at_us = large.committed_at_us();
        self.apply_in_parts(id, committed_at_us, &watermark, &mut |apply| {
            large.for_each_part(apply)
        })
    }
}

impl MySqlApplier {
    pub(crate) fn new(
        settings: LaneSettings,
        record: LaneRecord,
        connect: impl Fn() -> Result<Conn, SessionError> + Send + 'static,
    ) -> Self {
        Self {
            settings,
            connect: Box::new(connect),
            conn: None,
            refused: None,
            record,
            done: Vec::new(),
        }
    }

    /// Applies a transaction that comes in parts; `part` gives each in order and may be asked
    /// for all of them again. One destination transaction holds them all.
    fn apply_in_parts(
        &mut self,
        id: (u64, TransactionId),
        committed_at_us: u64,
        watermark: &Watermark,
        parts: &mut dyn FnMut(&mut ApplyPart<'_>) -> Result<(), ApplyError>,
    ) -> Result<Applied, ApplyError> {
        let ids = std::iter::once((id.0, id.1.clone()));
        let (record, done) = self.next_record(watermark, ids, committed_at_us);
        let mut lane_update = String::new();
        self.write_update(&mut lane_update, &record);
        let mut careful = false;
        let mut retries = 0;
        loop {
            let mut applied = Applied {
                transactions: 1,
                retries,
                ..Applied::default()
            };
            let mut failure = None;
            let handling = self.settings.conflicts.clone();
            self.run(|conn| Ok(conn.query_drop("BEGIN")?))?;
            let outcome = parts(&mut |part| {
                let result = if careful {
                    self.part_one_by_one(part, &handling, &mut applied)
                } else {
                    self.part_folded(part, &mut applied)
                };
                result.map_err(|stop| match stop {
                    PartStop::Failure(reason) => {
                        failure = Some(reason);
                        ApplyError::Server("a part of a large transaction failed".into())
                    }
                    PartStop::Final(error) => error,
                })
            });
            let reason = match (outcome, failure) {
                (Ok(()), _) => match self.commit_parts(&lane_update) {
                    Ok(()) => {
                        self.committed(record, done);
                        return Ok(applied);
                    }
                    Err(reason) => reason,
                },
                (Err(_), Some(reason)) => reason,
                (Err(error), None) => {
                    self.rollback();
                    return Err(error);
                }
            };
            retries += 1;
            match reason {
                Failure::Surprise if !careful => {
                    careful = true;
                    self.rollback();
                }
                reason => {
                    if self.after_failure(reason, &record, &id.1, retries as u32)? {
                        self.committed(record, done);
                        return Ok(applied);
                    }
                }
            }
        }
    }

    /// The lane's next row: what it did above the new watermark, and these transactions.
    fn next_record(
        &self,
        watermark: &Watermark,
        ids: impl Iterator<Item = (u64, TransactionId)>,
        committed_at_us: u64,
    ) -> (LaneRecord, Vec<(u64, TransactionId)>) {
        let mut done: Vec<_> = self
            .done
            .iter()
            .filter(|(seq, _)| *seq > watermark.seq)
            .cloned()
            .collect();
        done.extend(ids);
        let mut set = DoneSet::default();
        for (_, id) in &done {
            set.insert(id);
        }
        let record = LaneRecord {
            committed_at_us,
            lane: self.record.lane,
            batch: self.record.batch + 1,
            watermark: (*watermark.point).clone(),
            done: set,
        };
        (record, done)
    }

    fn write_update(&self, out: &mut String, record: &LaneRecord) {
        write_lane_update(out, &self.settings.task, self.settings.epoch, record);
    }

    fn committed(&mut self, record: LaneRecord, done: Vec<(u64, TransactionId)>) {
        self.record = record;
        self.done = done;
    }

    /// Runs `send`, which ends in a COMMIT, again and again while the cause is transient.
    ///
    /// `Ok(false)`: the data surprised, nothing is committed.
    fn commit_retrying(
        &mut self,
        batch: &Batch,
        record: &LaneRecord,
        retries: &mut u64,
        mut send: impl FnMut(&mut Conn) -> Result<(), Failure>,
    ) -> Result<bool, ApplyError> {
        let Some(first) = batch
            .transactions
            .first()
            .map(|transaction| transaction.id.clone())
        else {
            return self.commit_empty(record, send);
        };
        let mut attempt = 0;
        loop {
            let outcome = match self.connection() {
                Ok(conn) => send(conn),
                Err(error) => Err(self.session_failure(error)?),
            };
            let failure = match outcome {
                Ok(()) => return Ok(true),
                Err(failure) => failure,
            };
            attempt += 1;
            *retries += 1;
            if let Failure::Surprise = failure {
                self.rollback();
                return Ok(false);
            }
            if self.after_failure(failure, record, &first, attempt)? {
                return Ok(true);
            }
        }
    }

    /// A batch without transactions moves the watermark only.
    fn commit_empty(
        &mut self,
        record: &LaneRecord,
        mut send: impl FnMut(&mut Conn) -> Result<(), Failure>,
    ) -> Result<bool, ApplyError> {
        let nowhere = TransactionId {
            end: record.watermark.position.clone(),
            gtid: None,
        };
        let mut attempt = 0;
        loop {
            let outcome = match self.connection() {
                Ok(conn) => send(conn),
                Err(error) => Err(self.session_failure(error)?),
            };
            let Err(failure) = outcome else {
                return Ok(true);
            };
            attempt += 1;
            if let Failure::Surprise = failure {
                return Err(ApplyError::Server(
                    "the checkpoint's own statement failed".into(),
                ));
            }
            if self.after_failure(failure, record, &nowhere, attempt)? {
                return Ok(true);
            }
        }
    }

    /// Prepares for the next attempt. `Ok(true)`: the commit had been done after all.
    fn after_failure(
        &mut self,
        failure: Failure,
        record: &LaneRecord,
        first: &TransactionId,
        attempt: u32,
    ) -> Result<bool, ApplyError> {
        match failure {
            Failure::Fenced => {
                self.rollback();
                let task = self.settings.task.clone();
                Err(CheckpointError::Fenced { task }.into())
            }
            Failure::Locks(error) => {
                self.rollback();
                if attempt > LOCK_RETRIES_MAX {
                    return Err(ApplyError::Locks {
                        transaction: first.clone(),
                        attempts: attempt,
                        reason: error::redacted(&error),
                    });
                }
                std::thread::sleep(backoff(attempt, Duration::from_millis(200)));
                Ok(false)
            }
            Failure::Lost(error) => {
                if attempt > RECONNECTS_MAX {
                    return Err(ApplyError::Server(error::redacted(&error)));
                }
                tracing::warn!(lane = self.record.lane, reason = %error::redacted(&error), "connection to the destination lost");
                self.was_committed(record, attempt)
            }
            Failure::Surprise | Failure::Server(_) => {
                self.rollback();
                let reason = match failure {
                    Failure::Server(error) => error::redacted(&error),
                    _ => "a statement did not affect the expected rows".into(),
                };
                Err(ApplyError::Server(reason))
            }
        }
    }

    /// After a lost connection: reconnects, and reads the lane's row to see whether the
    /// commit was done. The locking read waits for the old connection's transaction to end, which
    /// holds the row from its first statement on; where the row is moved last (in parts, one by one),
    /// the COMMIT is sent when that is answered, and without it the server rolls back.
    ///
    /// The number alone does not tell: before a batch is applied transaction by transaction it was
    /// tried as a whole, under the same number.
    fn was_committed(&mut self, record: &LaneRecord, attempt: u32) -> Result<bool, ApplyError> {
        self.conn = None;
        std::thread::sleep(backoff(attempt, Duration::from_secs(5)));
        let (task, lane) = (self.settings.task.clone(), self.record.lane);
        let row: Result<Option<(u64, u64, String)>, Failure> = match self.connection() {
            Ok(conn) => conn
                .exec_first(
                    "SELECT epoch, batch, done FROM drs_meta.lane WHERE task = ? AND lane = ? FOR UPDATE",
                    (&task, lane),
                )
                .map_err(Failure::from),
            Err(error) => Err(self.session_failure(error)?),
        };
        match row {
            Ok(Some((epoch, batch, done))) if epoch == self.settings.epoch.0 => {
                match committed_batch(record, batch, &done) {
                    Some(committed) => Ok(committed),
                    None => Err(ApplyError::Server(format!(
                        "lane {lane} has committed something else as its batch {batch} than was sent last"
                    ))),
                }
            }
            Ok(_) => Err(CheckpointError::Fenced { task }.into()),
            Err(_) if attempt > RECONNECTS_MAX => {
                Err(ApplyError::Server("the destination does not answer".into()))
            }
            Err(_) => {
                self.conn = None;
                self.was_committed(record, attempt + 1)
            }
        }
    }

    /// A refused login ends the lane, because trying again locks accounts.
    fn session_failure(&self, error: SessionError) -> Result<Failure, ApplyError> {
        if error.is_login_refused() {
            return Err(error.into());
        }
        Ok(Failure::Lost(mysql::Error::IoError(std::io::Error::other(
            error.to_string(),
        ))))
    }

    /// Applies a batch transaction by transaction, change by change; each is committed alone,
    /// so that a conflict stops the lane exactly before the transaction that has it.
    fn apply_one_by_one(&mut self, batch: &Batch) -> Result<Applied, ApplyError> {
        let mut applied = Applied::default();
        for transaction in &batch.transactions {
            let ids = std::iter::once((transaction.seq, transaction.id.clone()));
            let (record, done) =
                self.next_record(&batch.watermark, ids, transaction.committed_at_us);
            let mut lane_update = String::new();
            self.write_update(&mut lane_update, &record);
            let handling = self.settings.conflicts.clone();
            let mut attempt = 0;
            loop {
                let mut counts = (0, 0);
                let outcome = match self.connection() {
                    Ok(conn) => one_by_one(conn, transaction, &handling, &lane_update, &mut counts),
                    Err(error) => Err(PartStop::Failure(self.session_failure(error)?)),
                };
                let failure = match outcome {
                    Ok(()) => None,
                    Err(PartStop::Failure(failure)) => Some(failure),
                    Err(PartStop::Final(error)) => {
                        self.rollback();
                        return Err(error);
                    }
                };
                attempt += 1;
                let committed = match failure {
                    None => true,
                    Some(failure) => {
                        self.after_failure(failure, &record, &transaction.id, attempt)?
                    }
                };
                if committed {
                    applied.transactions += 1;
                    applied.row_changes += counts.0;
                    applied.conflicts += counts.1;
                    applied.retries += u64::from(attempt - 1);
                    break;
                }
            }
            self.committed(record, done);
        }
        Ok(applied)
    }

    fn part_folded(
        &mut self,
        part: &RoutedTransaction,
        applied: &mut Applied,
    ) -> Result<(), PartStop> {
        let mut writer =
            StatementWriter::new(self.settings.version, self.settings.packet_bytes_max);
        match batch::build(std::slice::from_ref(part), &mut writer) {
            Ok(changes) => applied.row_changes += changes,
            Err(BuildError::Contradiction) => return Err(PartStop::Failure(Failure::Surprise)),
            Err(error) => {
                return Err(PartStop::Final(
                    self.build_error(error, std::slice::from_ref(part)),
                ));
            }
        }
        let conn = self.conn.as_mut().ok_or_else(lost)?;
        for packet in writer.finish() {
            send(conn, &packet)?;
        }
        Ok(())
    }

    fn part_one_by_one(
        &mut self,
        part: &RoutedTransaction,
        handling: &ConflictHandling,
        applied: &mut Applied,
    ) -> Result<(), PartStop> {
        let conn = self.conn.as_mut().ok_or_else(lost)?;
        let (changes, conflicts) = apply_one_by_one(conn, part, handling)?;
        take_xa_step(conn, part)?;
        applied.row_changes += changes;
        applied.conflicts += conflicts;
        Ok(())
    }

    fn commit_parts(&mut self, lane_update: &str) -> Result<(), Failure> {
        let Some(conn) = self.conn.as_mut() else {
            return Err(lost_failure());
        };
        move_lane(conn, lane_update)?;
        Ok(conn.query_drop("COMMIT")?)
    }

    fn run(&mut self, work: impl Fn(&mut Conn) -> Result<(), Failure>) -> Result<(), ApplyError> {
        for attempt in 1.. {
            let outcome = match self.connection() {
                Ok(conn) => work(conn),
                Err(error) => Err(self.session_failure(error)?),
            };
            match outcome {
                Ok(()) => return Ok(()),
                Err(_) if attempt <= RECONNECTS_MAX => {
                    self.conn = None;
                    std::thread::sleep(backoff(attempt, Duration::from_secs(5)));
                }
                Err(_) => break,
            }
        }
        Err(ApplyError::Server("the destination does not answer".into()))
    }

    fn connection(&mut self) -> Result<&mut Conn, SessionError> {
        if let Some(error) = self.refused.take() {
            return Err(error);
        }
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => {
                let mut conn = (self.connect)()?;
                self.take_place(&mut conn);
                conn
            }
        };
        Ok(self.conn.insert(conn))
    }

    /// Ends the session of this lane that a broken connection left behind, so that its locks
    /// are free at once. A lock tells which it is: by its number alone a stranger could be
    /// met, after a restart of the server or behind a proxy. It is no loss if this fails.
    fn take_place(&self, conn: &mut Conn) {
        let task = foldhash::quality::FixedState::default().hash_one(&self.settings.task);
        let lock = format!(
            "'drs_{task:016x}_{}_{}'",
            self.settings.epoch.0, self.record.lane
        );
        let take = |conn: &mut Conn, secs: u32| -> Result<bool, mysql::Error> {
            let held: Option<Option<bool>> =
                conn.query_first(format!("SELECT GET_LOCK({lock}, {secs})"))?;
            Ok(held.flatten() == Some(true))
        };
        let end_old = |conn: &mut Conn| -> Result<(), mysql::Error> {
            if take(conn, 0)? {
                return Ok(());
            }
            let old: Option<Option<u64>> =
                conn.query_first(format!("SELECT IS_USED_LOCK({lock})"))?;
            if let Some(old) = old.flatten() {
                conn.query_drop(format!("KILL {old}"))?;
            }
            take(conn, 5).map(|_| ())
        };
        if let Err(error) = end_old(conn) {
            tracing::debug!(lane = self.record.lane, reason = %error::redacted(&error), "an old session was not ended");
        }
    }

    /// Ends the transaction; a connection that can't do that is given up, which ends it too.
    fn rollback(&mut self) {
        if let Some(mut conn) = self.conn.take()
            && conn.query_drop("ROLLBACK").is_ok()
            // The statements may have ended while the changes of a family were made.
            && conn.query_drop(sql::foreign_key_checks(false)).is_ok()
        {
            self.conn = Some(conn);
        }
    }

    fn build_error(&self, error: BuildError, transactions: &[RoutedTransaction]) -> ApplyError {
        let transaction = match transactions.first() {
            Some(transaction) => transaction.id.clone(),
            None => TransactionId {
                end: self.record.watermark.position.clone(),
                gtid: None,
            },
        };
        match error {
            BuildError::Contradiction => ApplyError::Server("a batch contradicts itself".into()),
            BuildError::Literal(table, source) => ApplyError::Value {
                table,
                transaction,
                source,
            },
            BuildError::PartialWhileCatchingUp(table) => {
                ApplyError::PartialWhileCatchingUp { table, transaction }
            }
        }
    }
}

/// Why a part or a transaction in single changes ended early.
enum PartStop {
    Failure(Failure),
    Final(ApplyError),
}

impl From<Failure> for PartStop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<OneByOneError> for PartStop {
    fn from(error: OneByOneError) -> Self {
        match error {
            OneByOneError::Transient(error) => Self::Failure(error.into()),
            OneByOneError::Final(error) => Self::Final(error),
        }
    }
}

fn lost_failure() -> Failure {
    Failure::Lost(mysql::Error::IoError(std::io::Error::other(
        "there is no connection",
    )))
}

fn lost() -> PartStop {
    PartStop::Failure(lost_failure())
}

fn one_by_one(
    conn: &mut Conn,
    transaction: &RoutedTransaction,
    handling: &ConflictHandling,
    lane_update: &str,
    counts: &mut (u64, u64),
) -> Result<(), PartStop> {
    conn.query_drop("BEGIN").map_err(Failure::from)?;
    *counts = apply_one_by_one(conn, transaction, handling)?;
    take_xa_step(conn, transaction)?;
    move_lane(conn, lane_update)?;
    conn.query_drop("COMMIT").map_err(Failure::from)?;
    Ok(())
}

/// Whether what the lane's row says is this batch, or the one before it; `None` when it is neither.
fn committed_batch(record: &LaneRecord, batch: u64, done: &str) -> Option<bool> {
    if batch == record.batch {
        return (done == record.done.to_string()).then_some(true);
    }
    (batch + 1 == record.batch).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_known_by_its_number_and_what_it_did() {
        let id = |offset| TransactionId {
            end: format!("binlog.000001:{offset}").parse().unwrap(),
            gtid: None,
        };
        let done = |offsets: &[u64]| {
            let mut set = DoneSet::default();
            for offset in offsets {
                set.insert(&id(*offset));
            }
            set
        };
        let record = LaneRecord {
            lane: 0,
            batch: 7,
            committed_at_us: 0,
            watermark: crate::checkpoint::StreamPoint {
                position: id(4).end,
                gtid_set: None,
            },
            done: done(&[100]),
        };
        for (batch, there, expected) in [
            (7, done(&[100]), Some(true)),
            (6, done(&[]), Some(false)),
            (6, done(&[100]), Some(false)),
            // The whole batch was committed before its first transaction was sent alone.
            (7, done(&[100, 200]), None),
            (5, done(&[]), None),
            (8, done(&[100]), None),
        ] {
            assert_eq!(
                committed_batch(&record, batch, &there.to_string()),
                expected,
                "{batch}"
            );
        }
    }
}
