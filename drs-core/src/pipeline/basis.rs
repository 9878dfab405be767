//! What a task can not change once it has begun.

use std::collections::HashMap;

use super::PipelineError;
use crate::{
    checkpoint::TableRecord,
    object::{Mapping, NameCase, Selection, TableName},
    replicate::is_companion,
    rule::TableRule,
    task::{Mode, Task},
};

/// What a task can't change once it has begun, one setting a line.
pub(crate) fn basis(task: &Task) -> String {
    let mut lines = vec![format!("mode = {}", task.mode().as_str())];
    if let Mode::Incremental { start_point } = task.mode() {
        lines.push(format!("start_point = {start_point}"));
    }
    let selection = task.selection();
    lines.extend(
        selection
            .include()
            .iter()
            .map(|entry| format!("include {}", entry.as_str())),
    );
    lines.extend(
        selection
            .exclude()
            .iter()
            .map(|entry| format!("exclude {}", entry.as_str())),
    );
    lines.extend(task.mapping().lines());
    lines.extend(task.rules().iter().map(TableRule::basis));
    lines.join("\n")
}

/// Fails when the task file says something else than when the task was begun: a table that is
/// selected later would be followed and not copied, and another start point would be passed over.
pub(super) fn refuse_changed(before: &str, now: &str) -> Result<(), PipelineError> {
    match changed(before, now) {
        None => Ok(()),
        Some((before, now)) => Err(PipelineError::Changed { before, now }),
    }
}

/// The settings that are in one basis only: those that are gone, and the new ones.
fn changed(before: &str, now: &str) -> Option<(String, String)> {
    let only_in = |a: &str, b: &str| {
        let lines: Vec<&str> = a
            .lines()
            .filter(|line| !b.lines().any(|other| other == *line))
            .collect();
        lines.join(", ")
    };
    let (gone, new) = (only_in(before, now), only_in(now, before));
    (!gone.is_empty() || !new.is_empty()).then_some((gone, new))
}

impl Task {
    /// What of the task file is not as it was when the task was begun, and can't be changed: the
    /// settings that are gone, and the new ones.
    ///
    /// `basis` is what the checkpoint has ([`TaskRecord::basis`](crate::TaskRecord)).
    pub fn changed_since(&self, basis: &str) -> Option<(String, String)> {
        changed(basis, &self::basis(self))
    }
}

/// Fails when the task has tables that are no longer selected: their changes would be passed over
/// unseen from now on.
pub(super) fn refuse_deselected(
    tables: &[TableRecord],
    selection: &Selection,
) -> Result<(), PipelineError> {
    let lost: Vec<_> = tables
        .iter()
        .map(|record| &record.table)
        .filter(|table| !selection.matches(table) && !is_companion(table, selection))
        .cloned()
        .collect();
    match lost.is_empty() {
        true => Ok(()),
        false => Err(PipelineError::Deselected { tables: lost }),
    }
}

/// Fails when two tables of the source would be one at the destination, by the mapping or because
/// it does not tell upper from lower case.
pub(super) fn refuse_merged(
    tables: &[TableName],
    mapping: &Mapping,
    case: NameCase,
) -> Result<(), PipelineError> {
    let mut sources: HashMap<TableName, &TableName> = HashMap::with_capacity(tables.len());
    for table in tables {
        let destination = mapping.table(table);
        if let Some(other) = sources.insert(destination.folded(case), table) {
            return Err(PipelineError::Merged {
                first: other.clone(),
                second: table.clone(),
                destination,
            });
        }
    }
    Ok(())
}
