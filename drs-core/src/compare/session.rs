//! One session with either server: compares the ranges of a keyed table, and whole keyless tables.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use mysql::Conn;

use super::{
    CompareError, CompareLevel, RowCounts, RowDifferenceKind,
    board::{Found, OpenTable, Turn},
    describe::describe,
    keyed::{Suspect, differing, look_up, read_rows},
    keyless,
    pair::{TablePair, Unpaired},
    ranges::{Range, Steps, next_ranges, sizes, sums},
    run::{Shared, both},
    settle::{Reach, Settled},
};
use crate::{copy::ChunkKey, endpoint::Role, rule::DmlKind};

/// Rows of a range that are held in memory at a time; a larger range is divided again.
const ROWS_HELD_MAX: u64 = 2_000;
/// Differing rows of a table that wait for a second look.
const SUSPECTS_MAX: usize = 5_000;
/// How often a part of the work is begun again after a lost connection.
const ATTEMPTS_MAX: u32 = 5;
/// Different rows of a keyless table that repairing statements are written for.
const KEYLESS_REPAIRS_MAX: usize = 20_000;
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
        while let Some(turn) = self.shared.board.turn(&|| self.halted().is_err()) {
            self.halted()?;
            let open = match turn {
                Turn::Join(open) => open,
                Turn::Begin(waiting) => {
                    let paired = self.again(|shared, conns| shared.pair(conns, &waiting));
                    match paired {
                        Ok(Ok(pair)) => {
                            let open = OpenTable::new(waiting, pair);
                            self.shared.go_on(&open);
                            self.shared.board.open(open)
                        }
                        unpaired => {
                            self.shared.board.gone();
                            match unpaired {
                                Ok(Err(Unpaired::Absent)) => self.shared.absent(&waiting),
                                Err(failure) => {
                                    self.shared.not_compared(&waiting, failure.reason()?);
                                }
                                Ok(_) => {
                                    let reason = "it is no table of the source any more";
                                    self.shared.not_compared(&waiting, reason.to_owned());
                                }
                            }
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
                self.shared.finished(&open)?;
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
                        *steps = Some(Steps::of(
                            source,
                            side,
                            key,
                            within.lower.as_ref(),
                            (sizes.0, open.waiting.rows_estimate),
                        )?);
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
            let mut found = Found::default();
            self.compare_group(open, keys, &group.ranges, &mut found)?;
            let rows = found.counts.source.max(found.counts.destination);
            self.shared.throttle(rows * open.pair.bytes_per_row);
            self.shared.progressed(found.counts.source);
            if let Some(part) = open.complete(&group, found) {
                self.shared.keep_part(open, &part)?;
            }
            self.settle_waiting(open, keys, SUSPECTS_MAX)?;
        }
    }

    /// Compares ranges, and divides those that have too many rows to be looked at one by one.
    fn compare_group(
        &mut self,
        open: &Arc<OpenTable>,
        keys: [&ChunkKey; 2],
        ranges: &[Range],
        found: &mut Found,
    ) -> Result<(), CompareFailure> {
        let pair = &open.pair;
        let mut compared = self.again(|_, conns| compare_ranges(conns, pair, keys, ranges))?;
        found.counts.add(&compared.counts);
        self.take(open, keys, compared.suspects, found)?;
        while let Some(Large { mut rest, by }) = compared.large.pop() {
            let whole = rest.clone();
            let (part, is_last) = self.again(|_, [source, destination]| {
                let (conn, side, key) = match by {
                    Role::Source => (source, &pair.source, keys[0]),
                    Role::Destination => (destination, &pair.destination, keys[1]),
                };
                next_ranges(
                    conn,
                    (side, by),
                    key,
                    &rest,
                    sizes(side, pair.bytes_per_row),
                )
            })?;
            if !is_last && let Some(last) = part.last() {
                rest.lower.clone_from(&last.upper);
                compared.large.push(Large { rest, by });
            }
            self.halted()?;
            let inner = self.again(|_, conns| compare_ranges(conns, pair, keys, &part))?;
            let undivided = |large: &Large| part.contains(&large.rest) && large.rest == whole;
            if inner.large.iter().any(undivided) {
                return Err(CompareFailure::Reason(format!(
                    "more than {ROWS_HELD_MAX} of its rows have the same key at one side, where no unique key forbids it"
                )));
            }
            // Their rows are counted in the range that they are parts of.
            self.take(open, keys, inner.suspects, found)?;
            compared.large.extend(inner.large);
        }
        Ok(())
    }

    /// Lets differing rows wait for a second look where there is one, or counts them.
    fn take(
        &mut self,
        open: &Arc<OpenTable>,
        keys: [&ChunkKey; 2],
        suspects: Vec<Suspect>,
        found: &mut Found,
    ) -> Result<(), CompareFailure> {
        if self.shared.following.is_none() {
            return self.certain(open, keys, suspects, found);
        }
        found.suspects.extend(suspects);
        if found.suspects.len() <= SUSPECTS_MAX {
            return Ok(());
        }
        let suspects = std::mem::take(&mut found.suspects);
        self.settle(open, keys, suspects, found)
    }

    /// Looks again at differing rows that wait for it, when there are more of them than this.
    fn settle_waiting(
        &mut self,
        open: &Arc<OpenTable>,
        keys: [&ChunkKey; 2],
        waiting_max: usize,
    ) -> Result<(), CompareFailure> {
        if let Some((number, suspects)) = open.begin_to_settle(waiting_max) {
            let mut found = Found::default();
            self.settle(open, keys, suspects, &mut found)?;
            open.settled(number, found);
        }
        Ok(())
    }

    /// Looks again at differing rows.
    fn settle(
        &mut self,
        open: &Arc<OpenTable>,
        keys: [&ChunkKey; 2],
        suspects: Vec<Suspect>,
        found: &mut Found,
    ) -> Result<(), CompareFailure> {
        let settled = match &self.shared.following {
            Some(following) => {
                self.again(|_, conns| following.settle(conns, &open.pair, keys, suspects.clone()))?
            }
            // The task followed when the comparison was begun, and does not any more.
            None => Settled {
                different: suspects,
                unsettled: Vec::new(),
            },
        };
        found.counts.unsettled += settled.unsettled.len() as u64;
        self.certain(open, keys, settled.different, found)
    }

    /// Counts rows that certainly differ, and describes the first ones.
    fn certain(
        &mut self,
        open: &Arc<OpenTable>,
        keys: [&ChunkKey; 2],
        suspects: Vec<Suspect>,
        found: &mut Found,
    ) -> Result<(), CompareFailure> {
        for suspect in suspects {
            let is_others =
                open.pair.has_rows_of_others && suspect.kind == RowDifferenceKind::Extra;
            if is_others {
                continue;
            }
            if is_by_rule(&open.pair, suspect.kind) {
                found.counts.by_rule += 1;
                continue;
            }
            if let Some(repair) = &open.pair.repair {
                let statements =
                    self.again(|_, [source, _]| repair.keyed(source, &open.pair, keys, &suspect))?;
                let table = &open.pair.source.name;
                for statement in statements {
                    self.shared.observer.repair(table, &statement);
                }
            }
            if !open.wants_example(self.shared.options.examples_max) {
                found.count(suspect.kind, 1);
                continue;
            }
            let described = self.again(|_, conns| describe(conns, &open.pair, keys, &suspect))?;
            match described {
                // It has become the same in between: nobody follows, but somebody writes.
                None => found.counts.unsettled += 1,
                Some(difference) => {
                    found.count(difference.kind, 1);
                    let table = &open.pair.source.name;
                    self.shared.observer.difference(table, &difference);
                    found.examples.push(difference);
                }
            }
        }
        Ok(())
    }

    /// The second look at what still waits for it, and one at the definitions.
    fn finish(&mut self, open: &Arc<OpenTable>) -> Result<(), CompareFailure> {
        self.settle_last(open)?;
        let waiting = open.waiting.clone();
        let now = self.again(|shared, conns| shared.pair(conns, &waiting))?;
        match now {
            Ok(pair) if pair.definition() == open.pair.definition() => Ok(()),
            _ => Err(CompareFailure::Reason(
                "its definition changed while it was compared; compare it again".to_owned(),
            )),
        }
    }

    fn settle_last(&mut self, open: &Arc<OpenTable>) -> Result<(), CompareFailure> {
        match (&open.pair.source.key, &open.pair.destination.key) {
            (Some(key), Some(key_there)) => self.settle_waiting(open, [key, key_there], 0),
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
                    let reach = following.reaches(destination, &point, following.wait_max)?;
                    if reach == Reach::Stands {
                        following.stands.store(true, Ordering::Relaxed);
                    }
                    let reached = reach != Reach::Late;
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
            open.tally().found.counts.add(&counts);
            return Ok(());
        }
        open.tally().found.counts.add(&counts);
        let is_counted = pair.level == CompareLevel::Count && counts.source == counts.destination;
        if look.is_equal() || is_counted {
            return Ok(());
        }
        let rows = counts.source.max(counts.destination);
        let kept_max = match &pair.repair {
            Some(_) => KEYLESS_REPAIRS_MAX,
            None => self.shared.options.examples_max,
        };
        let is_live = self.shared.following.is_some();
        let listed = self.again(|_, [source, destination]| {
            let conns = [&mut *source, &mut *destination];
            let (mut first, mut left_out) = (Vec::new(), 0_u64);
            let counts =
                keyless::differing(conns, pair, rows, |surplus| match first.len() < kept_max {
                    true => first.push(surplus),
                    false => left_out += 1,
                })?;
            // They may be written to again since it was clear that they differ.
            let is_as_before = match is_live {
                true => {
                    let now = keyless::look([source, destination], pair)?;
                    now.source == look.source && now.destination == look.destination
                }
                false => true,
            };
            Ok(is_as_before.then_some((counts, first, left_out)))
        })?;
        let Some((found, surplus, left_out)) = listed else {
            // Which rows, nothing certain can be said of, nor of how many more than these.
            let (here, there) = (counts.source, counts.destination);
            let (kind, times) = match here >= there {
                true => (RowDifferenceKind::Missing, here - there),
                false => (RowDifferenceKind::Extra, there - here),
            };
            let mut tally = open.tally();
            match is_by_rule(pair, kind) {
                true => tally.found.counts.by_rule += times,
                false => tally.found.count(kind, times),
            }
            tally.found.counts.unsettled += 1;
            return Ok(());
        };
        let mut examples = Vec::new();
        for (index, surplus) in surplus.iter().enumerate() {
            if is_by_rule(pair, surplus.kind) {
                continue;
            }
            if let Some(repair) = &pair.repair {
                let what = (surplus.digest.as_str(), surplus.kind, surplus.times);
                let statement = self.again(|_, [source, _]| repair.keyless(source, pair, what))?;
                if let Some(statement) = statement {
                    self.shared.observer.repair(&pair.source.name, &statement);
                }
            }
            if index < self.shared.options.examples_max {
                examples.extend(self.again(|_, conns| keyless::describe(conns, pair, surplus))?);
            }
        }
        if pair.repair.is_some() && left_out > 0 {
            self.shared.observer.notice(&format!(
                "{left_out} more kinds of rows of {} differ than statements are written for: run the statements and compare \
                 again",
                pair.source.name
            ));
        }
        let mut tally = open.tally();
        for (kind, times) in [
            (RowDifferenceKind::Missing, found.missing),
            (RowDifferenceKind::Extra, found.extra),
        ] {
            match is_by_rule(pair, kind) {
                true => tally.found.counts.by_rule += times,
                false => tally.found.count(kind, times),
            }
        }
        if found.differences() == 0 {
            // Both have come to be the same since.
            tally.found.counts.unsettled += 1;
        }
        for example in examples {
            self.shared.observer.difference(&pair.source.name, &example);
            tally.found.examples.push(example);
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

/// What was found in some ranges.
#[derive(Debug, Default)]
struct Compared {
    counts: RowCounts,
    suspects: Vec<Suspect>,
    /// Ranges that differ and have too many rows.
    large: Vec<Large>,
}

/// What is left of a range, to be divided by the rows of one side.
#[derive(Debug)]
struct Large {
    rest: Range,
    by: Role,
}

fn compare_ranges(
    [source, destination]: [&mut Conn; 2],
    pair: &TablePair,
    keys: [&ChunkKey; 2],
    ranges: &[Range],
) -> Result<Compared, CompareError> {
    let [key, key_there] = keys;
    let (source_side, destination_side) = (
        (&pair.source, Role::Source),
        (&pair.destination, Role::Destination),
    );
    let (sums_here, sums_there) = both(
        || sums(source, source_side, key, ranges),
        || sums(destination, destination_side, key_there, ranges),
    )?;
    let mut compared = Compared::default();
    for (range, (here, there)) in ranges.iter().zip(sums_here.iter().zip(&sums_there)) {
        compared.counts.source += here.rows;
        compared.counts.destination += there.rows;
        let is_equal = match pair.level {
            // Rows of others may stand in for rows that are missing.
            CompareLevel::Count if pair.has_rows_of_others => false,
            _ => here.equals(there),
        };
        if is_equal {
            continue;
        }
        if here.rows.max(there.rows) > ROWS_HELD_MAX {
            compared.large.push(Large {
                rest: range.clone(),
                by: match here.rows >= there.rows {
                    true => Role::Source,
                    false => Role::Destination,
                },
            });
            continue;
        }
        let bounds = (range.lower.as_ref(), range.upper.as_ref());
        let condition = key.condition(bounds.0, bounds.1);
        let condition_there = key_there.condition(bounds.0, bounds.1);
        let (rows, rows_there) = both(
            || read_rows(source, source_side, key, &condition, false),
            || {
                read_rows(
                    destination,
                    destination_side,
                    key_there,
                    &condition_there,
                    false,
                )
            },
        )?;
        let suspects = differing(&rows, &rows_there);
        drop((rows, rows_there));
        let conns = [&mut *source, &mut *destination];
        let suspects = look_up(conns, pair, keys, suspects)?;
        compared.suspects.extend(suspects);
    }
    Ok(compared)
}
