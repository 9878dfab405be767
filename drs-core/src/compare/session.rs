//! One session with either server: compares the ranges of a keyed table, and whole keyless tables.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use mysql::Conn;

use super::{
    CompareError, CompareLevel, RowCounts, RowDifference, RowDifferenceKind,
    board::{OpenTable, Turn},
    describe::describe,
    keyed::{Suspect, differing, look_up, read_rows},
    keyless,
    pair::TablePair,
    ranges::{Range, RangeSum, Steps, next_ranges, sizes, sums},
    run::{Shared, both},
    settle::Settled,
};
use crate::{copy::ChunkKey, endpoint::Role, rule::DmlKind};

/// Rows of a range that are held in memory at a time; a larger range is divided again.
const ROWS_HELD_MAX: u64 = 2_000;
/// Differing rows of a table that wait for a second look.
const SUSPECTS_MAX: usize = 5_000;
/// How often a part of the work is begun again after a lost connection.
const ATTEMPTS_MAX: u32 = 5;
/// Looks at a keyless table while a task writes to it.
const KEYLESS_ROUNDS: usize = 5;

pub(super) struct Session<'s, 'a> {
    shared: &'s Shared<'a>,
    conns: Option<[Conn; 2]>,
}

impl<'s, 'a> Session<'s, 'a> {
    pub(super) fn new(shared: &'s Shared<'a>) -> Self {
        Self {
            shared,
            conns: None,
        }
    }

    /// Works until nothing is left to begin.
    pub(super) fn work(mut self) -> Result<(), CompareError> {
        while let Some(turn) = self.shared.board.turn() {
            self.halted()?;
            let open = match turn {
                Turn::Join(open) => open,
                Turn::Begin(waiting) => {
                    let paired = self.again(|shared, conns| shared.pair(conns, &waiting));
                    match paired.and_then(|pair| pair.map_err(CompareFailure::Reason)) {
                        Ok(pair) => self.shared.board.open(waiting.rows_estimate, pair),
                        Err(failure) => {
                            let reason = failure.reason()?;
                            self.shared.not_compared(&waiting, reason);
                            self.shared.board.gone();
                            continue;
                        }
                    }
                }
            };
            if let Err(failure) = self.compare(&open) {
                open.fail(failure.reason()?);
            }
            if self.shared.board.leave(&open) {
                if let Err(failure) = self.finish(&open) {
                    open.fail(failure.reason()?);
                }
                self.shared.finished(&open);
            }
        }
        Ok(())
    }

    fn halted(&self) -> Result<(), CompareError> {
        match self.shared.stop.load(Ordering::Relaxed) || self.shared.failed.load(Ordering::Relaxed)
        {
            true => Err(CompareError::Stopped),
            false => Ok(()),
        }
    }

    fn compare(&mut self, open: &Arc<OpenTable>) -> Result<(), CompareFailure> {
        let (Some(key), Some(key_there)) = (&open.pair.source.key, &open.pair.destination.key)
        else {
            return self.compare_keyless(open);
        };
        let keys = [key, key_there];
        let sizes = sizes(&open.pair.source, open.pair.bytes_per_row);
        loop {
            self.halted()?;
            let Some(group) = self.again(|_, [source, _]| {
                open.next_group(|within, steps| {
                    let side = &open.pair.source;
                    if steps.is_none() {
                        *steps = Some(Steps::of(source, side, key, sizes.0, open.rows_estimate)?);
                    }
                    match steps {
                        Some(Some(steps)) => Ok(steps.next_ranges(key, within, sizes.1)),
                        _ => next_ranges(source, (side, Role::Source), key, within, sizes),
                    }
                })
            })?
            else {
                return Ok(());
            };
            let (counts, suspects) = self.again(|_, conns| {
                let mut counts = RowCounts::default();
                let mut suspects = Vec::new();
                compare_ranges(
                    conns,
                    &open.pair,
                    keys,
                    &group.ranges,
                    &mut |sums, found| {
                        if let Some([source, destination]) = sums {
                            counts.source += source.rows;
                            counts.destination += destination.rows;
                        }
                        suspects.extend(found);
                    },
                )?;
                Ok((counts, suspects))
            })?;
            self.shared
                .throttle(counts.source.max(counts.destination) * open.pair.bytes_per_row);
            self.shared.progressed(counts.source);
            open.add(counts);
            self.take_suspects(open, keys, suspects, SUSPECTS_MAX)?;
        }
    }

    /// Keeps differing rows for a second look, or looks at them where there is none.
    fn take_suspects(
        &mut self,
        open: &Arc<OpenTable>,
        keys: [&ChunkKey; 2],
        suspects: Vec<Suspect>,
        waiting_max: usize,
    ) -> Result<(), CompareFailure> {
        let Some(following) = &self.shared.following else {
            return self.certain(open, keys, suspects);
        };
        let suspects = open.wait_with(suspects, waiting_max);
        if suspects.is_empty() {
            return Ok(());
        }
        let Settled {
            different,
            unsettled,
        } = self.again(|_, conns| following.settle(conns, &open.pair, keys, suspects.clone()))?;
        open.tally().counts.unsettled += unsettled.len() as u64;
        self.certain(open, keys, different)
    }

    /// Counts rows that certainly differ, and describes the first ones.
    fn certain(
        &mut self,
        open: &Arc<OpenTable>,
        keys: [&ChunkKey; 2],
        suspects: Vec<Suspect>,
    ) -> Result<(), CompareFailure> {
        for suspect in suspects {
            let is_others =
                open.pair.has_rows_of_others && suspect.kind == RowDifferenceKind::Extra;
            if is_others {
                continue;
            }
            if is_by_rule(&open.pair, suspect.kind) {
                open.tally().counts.by_rule += 1;
                continue;
            }
            if !open.wants_example(self.shared.options.examples_max) {
                open.tally().count(suspect.kind, 1);
                continue;
            }
            let described = self.again(|_, conns| describe(conns, &open.pair, keys, &suspect))?;
            match described {
                // It has become the same in between: nobody follows, but somebody writes.
                None => open.tally().counts.unsettled += 1,
                Some(difference) => self.tell(open, difference),
            }
        }
        Ok(())
    }

    fn tell(&self, open: &Arc<OpenTable>, difference: RowDifference) {
        open.tally().count(difference.kind, difference.times);
        self.shared
            .observer
            .difference(&open.pair.source.name, &difference);
        open.tally().examples.push(difference);
    }

    /// The second look at what still waits for it.
    fn finish(&mut self, open: &Arc<OpenTable>) -> Result<(), CompareFailure> {
        match (&open.pair.source.key, &open.pair.destination.key) {
            (Some(key), Some(key_there)) => {
                self.take_suspects(open, [key, key_there], Vec::new(), 0)
            }
            _ => Ok(()),
        }
    }

    fn compare_keyless(&mut self, open: &Arc<OpenTable>) -> Result<(), CompareFailure> {
        let pair = &open.pair;
        if pair.has_rows_of_others {
            return Err(CompareFailure::Reason(
                "it has no key, and others write to the same table of the destination".to_owned(),
            ));
        }
        let mut look = self.again(|_, conns| keyless::look(conns, pair))?;
        let mut is_settled = true;
        if let Some(following) = &self.shared.following {
            // Rows can't be locked without a key. A table that did not change between two looks
            // tells what the destination should hold behind the first one.
            for _ in 0..KEYLESS_ROUNDS {
                if look.is_equal() {
                    break;
                }
                (look, is_settled) = self.again(|_, [source, destination]| {
                    let before = keyless::sum(source, (&pair.source, Role::Source))?;
                    let point = following.point(source)?;
                    let reached = following.reaches(destination, &point, following.wait_max)?;
                    let look = keyless::look([source, destination], pair)?;
                    let is_settled = reached && before == look.source;
                    Ok((look, is_settled))
                })?;
            }
        }
        let mut counts = RowCounts {
            source: look.source.rows,
            destination: look.destination.rows,
            ..RowCounts::default()
        };
        self.shared
            .throttle(counts.source.max(counts.destination) * pair.bytes_per_row);
        self.shared.progressed(counts.source);
        if !look.is_equal() && !is_settled {
            counts.unsettled = counts.source.abs_diff(counts.destination).max(1);
            open.tally().counts.add(&counts);
            return Ok(());
        }
        open.tally().counts.add(&counts);
        if look.is_equal() {
            return Ok(());
        }
        let examples_max = self.shared.options.examples_max;
        let rows = counts.source.max(counts.destination);
        let (found, examples) = self.again(|_, [source, destination]| {
            let mut first = Vec::new();
            let counts =
                keyless::differing([&mut *source, &mut *destination], pair, rows, |surplus| {
                    if first.len() < examples_max {
                        first.push(surplus);
                    }
                })?;
            let mut examples = Vec::new();
            for surplus in &first {
                examples.extend(keyless::describe(
                    [&mut *source, &mut *destination],
                    pair,
                    surplus,
                )?);
            }
            Ok((counts, examples))
        })?;
        let mut tally = open.tally();
        for (kind, times) in [
            (RowDifferenceKind::Missing, found.missing),
            (RowDifferenceKind::Extra, found.extra),
        ] {
            match is_by_rule(pair, kind) {
                true => tally.counts.by_rule += times,
                false => tally.count(kind, times),
            }
        }
        if found.differences() == 0 {
            // Both have come to be the same since.
            tally.counts.unsettled += 1;
        }
        for example in examples {
            self.shared.observer.difference(&pair.source.name, &example);
            tally.examples.push(example);
        }
        Ok(())
    }

    /// Does something with both connections, and again with new ones when one is lost.
    fn again<T>(
        &mut self,
        mut act: impl FnMut(&Shared<'a>, [&mut Conn; 2]) -> Result<T, CompareError>,
    ) -> Result<T, CompareFailure> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let result = self.shared.connected(&mut self.conns).and_then(|conns| {
                let [source, destination] = conns;
                act(self.shared, [source, destination])
            });
            match result {
                Err(error) if error.is_transient() && attempt < ATTEMPTS_MAX => {
                    self.conns = None;
                    self.halted()?;
                    thread::sleep(Duration::from_millis(200) * attempt);
                }
                Err(error) => {
                    self.conns = None;
                    return Err(error.into());
                }
                Ok(value) => return Ok(value),
            }
        }
    }
}

/// Why a table was not compared to its end.
#[derive(Debug)]
pub(super) enum CompareFailure {
    /// The reason is in the table.
    Reason(String),
    /// It may be anywhere.
    Error(CompareError),
}

impl From<CompareError> for CompareFailure {
    fn from(error: CompareError) -> Self {
        Self::Error(error)
    }
}

impl CompareFailure {
    /// What is wrong with the table; what concerns more than this table is an error.
    fn reason(self) -> Result<String, CompareError> {
        match self {
            Self::Reason(reason) => Ok(reason),
            Self::Error(
                error @ (CompareError::Query { .. }
                | CompareError::RowTooLong { .. }
                | CompareError::Unreadable { .. }
                | CompareError::Schema(_)
                | CompareError::Listing(_)),
            ) if !error.is_transient() => Ok(error.to_string()),
            Self::Error(error) => Err(error),
        }
    }
}

fn is_by_rule(pair: &TablePair, kind: RowDifferenceKind) -> bool {
    pair.without.contains(&match kind {
        RowDifferenceKind::Missing => DmlKind::Insert,
        RowDifferenceKind::Extra => DmlKind::Delete,
        RowDifferenceKind::Different => DmlKind::Update,
    })
}

/// Told the sums of a range, where it is one of the given ranges, and the rows that differ in it.
type Found<'f> = &'f mut dyn FnMut(Option<[&RangeSum; 2]>, Vec<Suspect>);

fn compare_ranges(
    [source, destination]: [&mut Conn; 2],
    pair: &TablePair,
    keys: [&ChunkKey; 2],
    ranges: &[Range],
    found: Found<'_>,
) -> Result<(), CompareError> {
    for (range, sums) in ranges.iter().zip(sums_of(
        [&mut *source, &mut *destination],
        pair,
        keys,
        ranges,
    )?) {
        let [here, there] = &sums;
        found(Some([here, there]), Vec::new());
        let is_equal = match pair.level {
            CompareLevel::Count if pair.has_rows_of_others => false,
            _ => here.equals(there),
        };
        if !is_equal {
            drill(
                [&mut *source, &mut *destination],
                pair,
                keys,
                range,
                &sums,
                found,
            )?;
        }
    }
    Ok(())
}

fn sums_of(
    [source, destination]: [&mut Conn; 2],
    pair: &TablePair,
    [key, key_there]: [&ChunkKey; 2],
    ranges: &[Range],
) -> Result<Vec<[RangeSum; 2]>, CompareError> {
    let (here, there) = both(
        || sums(source, (&pair.source, Role::Source), key, ranges),
        || {
            let side = (&pair.destination, Role::Destination);
            sums(destination, side, key_there, ranges)
        },
    )?;
    Ok(here.into_iter().zip(there).map(|(a, b)| [a, b]).collect())
}

/// Finds the rows of a range that differ, dividing it by the rows of the side that has more of them.
fn drill(
    [source, destination]: [&mut Conn; 2],
    pair: &TablePair,
    keys: [&ChunkKey; 2],
    range: &Range,
    [here, there]: &[RangeSum; 2],
    found: Found<'_>,
) -> Result<(), CompareError> {
    if here.rows.max(there.rows) <= ROWS_HELD_MAX {
        let [key, key_there] = keys;
        let bounds = (range.lower.as_ref(), range.upper.as_ref());
        let condition = key.condition(bounds.0, bounds.1);
        let condition_there = key_there.condition(bounds.0, bounds.1);
        let (rows, rows_there) = both(
            || read_rows(source, (&pair.source, Role::Source), key, &condition, false),
            || {
                let side = (&pair.destination, Role::Destination);
                read_rows(destination, side, key_there, &condition_there, false)
            },
        )?;
        let suspects = differing(&rows, &rows_there);
        drop((rows, rows_there));
        let suspects = look_up([source, destination], pair, keys, suspects)?;
        found(None, suspects);
        return Ok(());
    }
    let mut rest = range.clone();
    loop {
        let (part, is_last) = match here.rows >= there.rows {
            true => {
                let side = (&pair.source, Role::Source);
                next_ranges(
                    source,
                    side,
                    keys[0],
                    &rest,
                    sizes(side.0, pair.bytes_per_row),
                )?
            }
            false => {
                let side = (&pair.destination, Role::Destination);
                next_ranges(
                    destination,
                    side,
                    keys[1],
                    &rest,
                    sizes(side.0, pair.bytes_per_row),
                )?
            }
        };
        let sums = sums_of([&mut *source, &mut *destination], pair, keys, &part)?;
        for (range, sums) in part.iter().zip(&sums) {
            let [here, there] = sums;
            if !here.equals(there) {
                drill(
                    [&mut *source, &mut *destination],
                    pair,
                    keys,
                    range,
                    sums,
                    found,
                )?;
            }
        }
        match part.last() {
            Some(last) if !is_last => rest.lower = last.upper.clone(),
            _ => return Ok(()),
        }
    }
}
