//! Differences of rows that a running task may still bring: they are looked at again behind the
//! source's point of now, and at last while the source's row is locked.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use drs_binlog::Position;
use mysql::{Conn, prelude::Queryable};

use super::{
    CompareError,
    error::query,
    keyed::{Suspect, differing, look_up, read_rows},
    pair::TablePair,
};
use crate::{
    checkpoint::status,
    copy::{ChunkKey, end_of_log},
    dialect::ServerVersion,
    endpoint::Role,
};

/// Rounds without a lock.
const ROUNDS: usize = 3;
/// Rows that a statement looks at again.
const ROWS_AT_A_TIME: usize = 100;
/// Rows that are locked at a time, for how long at most, and how often that is tried.
const ROWS_LOCKED_MAX: usize = 20;
const LOCK_MAX: Duration = Duration::from_secs(3);
const LOCK_ATTEMPTS: usize = 5;

const POLL: Duration = Duration::from_millis(20);

/// A task that follows the source while its tables are compared.
pub(super) struct Following<'a> {
    pub(super) task: &'a str,
    pub(super) version: ServerVersion,
    /// How long the destination may take to pass a point of the source.
    pub(super) wait_max: Duration,
    pub(super) stop: &'a AtomicBool,
    /// The task was found not to run any more.
    pub(super) stands: AtomicBool,
}

/// Whether the destination has come to a point of the source's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It has everything up to it.
    There,
    /// It has moved, and is not there yet.
    Late,
    /// It does not move: the task does not run.
    Stands,
}

/// What became of differences.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Rows that are certain to differ.
    pub(super) different: Vec<Suspect>,
    /// Rows that nothing certain can be said of.
    pub(super) unsettled: Vec<Suspect>,
}

impl Following<'_> {
    /// The end of the source's log: everything that is visible at the source now is before it.
    pub(super) fn point(&self, source: &mut Conn) -> Result<Position, CompareError> {
        Ok(end_of_log(source, self.version)?)
    }

    /// Waits until the destination has everything up to a point.
    pub(super) fn reaches(
        &self,
        destination: &mut Conn,
        point: &Position,
        wait_max: Duration,
    ) -> Result<Reach, CompareError> {
        let deadline = Instant::now() + wait_max;
        let mut first = None;
        loop {
            let mark = status::watermark(destination, self.task)?;
            if mark.as_ref().is_some_and(|mark| mark.position >= *point) {
                return Ok(Reach::There);
            }
            let first = first.get_or_insert_with(|| mark.clone());
            if self.stop.load(Ordering::Relaxed) {
                return Err(CompareError::Stopped);
            }
            if Instant::now() >= deadline {
                return Ok(match *first == mark {
                    true => Reach::Stands,
                    false => Reach::Late,
                });
            }
            thread::sleep(POLL);
        }
    }

    /// Looks at differing rows until it is clear what they are.
    pub(super) fn settle(
        &self,
        [source, destination]: [&mut Conn; 2],
        pair: &TablePair,
        keys: [&ChunkKey; 2],
        mut suspects: Vec<Suspect>,
    ) -> Result<Settled, CompareError> {
        for _ in 0..ROUNDS {
            if suspects.is_empty() {
                return Ok(Settled::default());
            }
            let point = self.point(source)?;
            match self.reaches(destination, &point, self.wait_max)? {
                Reach::There => {}
                Reach::Late => {
                    return Ok(Settled {
                        unsettled: suspects,
                        ..Settled::default()
                    });
                }
                // What the task has not applied is different, and stays so.
                Reach::Stands => {
                    self.stands.store(true, Ordering::Relaxed);
                    return Ok(Settled {
                        different: suspects,
                        ..Settled::default()
                    });
                }
            }
            let mut left = Vec::new();
            for some in suspects.chunks(ROWS_AT_A_TIME) {
                let [condition, condition_there] = keys.map(|key| any_of(key, some));
                let there = read_rows(
                    destination,
                    (&pair.destination, Role::Destination),
                    keys[1],
                    &condition_there,
                    false,
                )?;
                let here = read_rows(
                    source,
                    (&pair.source, Role::Source),
                    keys[0],
                    &condition,
                    false,
                )?;
                let found = differing(&here, &there);
                left.extend(look_up([source, destination], pair, keys, found)?);
            }
            suspects = left;
        }
        let mut settled = Settled::default();
        for some in suspects.chunks(ROWS_LOCKED_MAX) {
            let mut some = some.to_vec();
            for _ in 0..LOCK_ATTEMPTS {
                if some.is_empty() || !pair.locks_rows {
                    break;
                }
                let result = self.look_locked([source, destination], pair, keys, &some);
                // Whatever happened, no row stays locked.
                source
                    .query_drop("ROLLBACK")
                    .map_err(query(Role::Source, "unlocking rows"))?;
                if let Some(found) = result? {
                    settled.different.extend(found);
                    some.clear();
                }
            }
            settled.unsettled.extend(some);
        }
        Ok(settled)
    }

    /// Compares rows while nobody can change them at the source; `None` when they could not be
    /// locked, or the destination took too long.
    ///
    /// Who held a lock before wrote to the log before it was released, so that the log's end of now
    /// is behind the last change of each of the rows.
    fn look_locked(
        &self,
        [source, destination]: [&mut Conn; 2],
        pair: &TablePair,
        keys: [&ChunkKey; 2],
        suspects: &[Suspect],
    ) -> Result<Option<Vec<Suspect>>, CompareError> {
        let failed = query(
            Role::Source,
            format!("locking rows of {}", pair.source.name),
        );
        source
            .query_drop(format!(
                "SET SESSION innodb_lock_wait_timeout = {}",
                LOCK_MAX.as_secs()
            ))
            .map_err(&failed)?;
        source.query_drop("START TRANSACTION").map_err(&failed)?;
        let [condition, condition_there] = keys.map(|key| any_of(key, suspects));
        let here = match read_rows(
            source,
            (&pair.source, Role::Source),
            keys[0],
            &condition,
            true,
        ) {
            Err(CompareError::Query { source, .. }) if crate::error::is_lock_conflict(&source) => {
                return Ok(None);
            }
            rows => rows?,
        };
        let point = self.point(source)?;
        if self.reaches(destination, &point, LOCK_MAX)? != Reach::There {
            return Ok(None);
        }
        let there = read_rows(
            destination,
            (&pair.destination, Role::Destination),
            keys[1],
            &condition_there,
            false,
        )?;
        let found = differing(&here, &there);
        look_up([source, destination], pair, keys, found).map(Some)
    }
}

/// The condition that a row has the key of one of the suspects.
fn any_of(key: &ChunkKey, suspects: &[Suspect]) -> String {
    let each: Vec<String> = suspects
        .iter()
        .map(|suspect| key.equals(&suspect.key))
        .collect();
    format!(" WHERE ({})", each.join(" OR "))
}
