//! The definitions' part of a comparison.

use std::{collections::BTreeMap, io, sync::atomic::AtomicBool};

use drs_core::{
    NameCase, Role, Selection, Task,
    compare::{ObjectCounts, ObjectKind, ObjectName, ObjectResult, ObjectVerdict, compare_objects},
};
use mysql::{Conn, prelude::Queryable};

use super::{Ending, data, look, plan::Plan, screen::Screen};
use crate::{exit::CommandError, render::Output};

/// What became of the objects.
pub(super) struct Objects {
    pub(super) results: Vec<ObjectResult>,
    pub(super) counts: BTreeMap<ObjectKind, ObjectCounts>,
}

impl Objects {
    /// Objects that are not the same, or are on one side only.
    pub(super) fn different(&self) -> u64 {
        self.results.iter().filter(|result| differs(result)).count() as u64
    }

    /// Objects that the task should have brought, and of which nothing can be said.
    pub(super) fn left_open(&self) -> u64 {
        self.results
            .iter()
            .filter(|result| is_left_open(result))
            .count() as u64
    }
}

/// True for an object that is not the same on both sides.
pub(super) fn differs(result: &ObjectResult) -> bool {
    matches!(
        result.verdict,
        ObjectVerdict::Different | ObjectVerdict::OnlyAtSource | ObjectVerdict::OnlyAtDestination
    )
}

/// True for an object whose result is missing from the whole. Triggers and events, and what other
/// tasks bring, are outside of it.
pub(super) fn is_left_open(result: &ObjectResult) -> bool {
    matches!(result.verdict, ObjectVerdict::NotCompared(_))
        && result.source.is_some()
        && !matches!(result.kind, ObjectKind::Trigger | ObjectKind::Event)
}

/// Compares the objects; with --json, each is told as it comes.
pub(super) fn compare(
    task: &Task,
    plan: &Plan,
    screen: &Screen,
    stop: &AtomicBool,
    out: &mut Output,
) -> Result<Objects, Ending> {
    screen.busy("comparing definitions");
    let (mut source, version) = look::open(task, Role::Source)?;
    let (mut destination, version_there) = look::open(task, Role::Destination)?;
    let wanted = match &plan.tables {
        None => None,
        Some(tables) => Some(tables.clone().with_case(name_case(&mut source)?)),
    };
    let mut results = Vec::new();
    let mut written: io::Result<()> = Ok(());
    let mut take = |result: ObjectResult| {
        if !is_wanted(&result, wanted.as_ref()) {
            return;
        }
        if out.is_json() && written.is_ok() {
            written = out.object(&data::event("object", data::object(&result)));
        }
        results.push(result);
    };
    let summary = compare_objects(
        task,
        (&mut source, version),
        (&mut destination, version_there),
        stop,
        &mut take,
    )?;
    written?;
    let counts = match &wanted {
        None => summary.counts,
        Some(_) => counts(&results),
    };
    Ok(Objects { results, counts })
}

/// With a choice of tables, what has no name of a table there is left out.
fn is_wanted(result: &ObjectResult, tables: Option<&Selection>) -> bool {
    let Some(tables) = tables else { return true };
    match (&result.kind, &result.source) {
        (ObjectKind::Table | ObjectKind::View, Some(ObjectName::In(name))) => tables.matches(name),
        _ => false,
    }
}

fn counts(results: &[ObjectResult]) -> BTreeMap<ObjectKind, ObjectCounts> {
    let mut counts: BTreeMap<ObjectKind, ObjectCounts> = BTreeMap::new();
    for result in results {
        let counts = counts.entry(result.kind).or_default();
        counts.source += u64::from(result.source.is_some());
        counts.destination += u64::from(result.destination.is_some());
        counts.different += u64::from(differs(result));
        let is_not_compared = matches!(result.verdict, ObjectVerdict::NotCompared(_));
        counts.not_compared += u64::from(is_not_compared);
    }
    counts
}

fn name_case(source: &mut Conn) -> Result<NameCase, CommandError> {
    let case: Option<u8> = source
        .query_first("SELECT @@global.lower_case_table_names")
        .map_err(|error| CommandError::query("ask how names compare", Role::Source, &error))?;
    Ok(NameCase::from_lower_case_table_names(case.unwrap_or(0)))
}
