//! What this task and others have left at the destination.

use std::collections::BTreeMap;

use drs_core::TableName;

use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{Fact, Pair, Writer},
};

pub(super) static TASK_SOURCE: Check = Check {
    id: "task-source",
    group: Group::Both,
    title: "a task that has begun goes on with the same source",
    why: "another server's log and rows are not the ones that the task knows: it is refused at its start",
    remedy: "connect to the server that the task was begun with, or begin a new task under another name",
    rule: "refused by the engine, by server_uuid",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: task_source,
};

pub(super) static TASK_SETTINGS: Check = Check {
    id: "task-settings",
    group: Group::Both,
    title: "a task that has begun keeps its mode, start point, objects and rules",
    why: "a table that is selected later would be followed and not copied: the task is refused at its start",
    remedy: "put the settings back, or begin a new task under another name",
    rule: "refused by the engine; limits of this version",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: task_settings,
};

pub(super) static SHARED_TABLES: Check = Check {
    id: "shared-tables",
    group: Group::Both,
    title: "other tasks that write to the same tables can be told apart by keys",
    why: "each row belongs to one source, by its key; without a key, changes of one source would meet rows of the other",
    remedy: "give each source's rows keys of their own, or exclude the tables",
    rule: "DRS manual, Table 2, Precautions: many-to-one synchronization",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: shared_tables,
};

pub(super) static SAME_OBJECTS: Check = Check {
    id: "same-objects",
    group: Group::Both,
    title: "no other task brings the same tables of the same source",
    why: "two tasks that make the same changes meet each other's rows as conflicts; one that takes another's place is in order when the other does not run any more",
    remedy: "end the other task, and forget it at the destination",
    rule: "one object belongs to one task; drs_meta.writer",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: same_objects,
};

fn task_source(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let own = facts.destination.previous.own.as_ref();
    let Some(status) = own.map_err(Clone::clone)? else {
        return Ok(vec![Finding::pass("the task has not begun")]);
    };
    let expected = &status.record.source_uuid;
    let found = uuid(facts)?;
    if expected == found {
        return Ok(vec![Finding::pass("it is the same server")]);
    }
    Ok(vec![
        Finding::fail(format!(
            "this task was begun with the source whose server_uuid is {expected}, and the source now has {found}"
        ))
        .advice("connect to that server, or give another task name to begin anew"),
    ])
}

fn task_settings(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let own = facts.destination.previous.own.as_ref();
    let Some(status) = own.map_err(Clone::clone)? else {
        return Ok(vec![Finding::pass("the task has not begun")]);
    };
    let Some((before, now)) = facts.task.changed_since(&status.record.basis) else {
        return Ok(vec![Finding::pass("they are as they were")]);
    };
    let shown = |settings: String| match settings.is_empty() {
        true => "nothing".to_owned(),
        false => settings,
    };
    Ok(vec![
        Finding::fail(format!(
            "the task was begun with {}, and has {} instead now",
            shown(before),
            shown(now)
        ))
        .advice("put the settings back, or give another task name to begin anew"),
    ])
}

fn uuid(facts: &Facts) -> Fact<&str> {
    let found = facts.source.variables()?.text("server_uuid");
    found.ok_or_else(|| Unread::new("the source does not tell its server_uuid"))
}

/// The other tasks' writers of this task's tables, with the pair that they are for.
fn others<'a>(facts: &'a Facts) -> Fact<Vec<(&'a Writer, Pair<'a>)>> {
    let case = facts.destination.name_case();
    let mut own: BTreeMap<TableName, Pair<'a>> = BTreeMap::new();
    for pair in facts.pairs()? {
        own.insert(pair.name.folded(case), pair);
    }
    let writers = facts.destination.previous.writers.as_ref();
    Ok(writers
        .map_err(Clone::clone)?
        .iter()
        .filter(|writer| writer.task != facts.task.name().as_str())
        .filter_map(|writer| Some((writer, own.get(&writer.destination.folded(case))?.clone())))
        .collect())
}

/// True when the other task brings the same table of the same server.
fn is_same(writer: &Writer, pair: &Pair<'_>, facts: &Facts, uuid: &str) -> bool {
    let case = facts.source.name_case();
    writer.source_uuid.as_deref() == Some(uuid)
        && writer.source.folded(case) == pair.source.name.folded(case)
}

fn shared_tables(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let uuid = uuid(facts)?;
    let (mut keyed, mut keyless) = (Vec::new(), Vec::new());
    for (writer, pair) in others(facts)? {
        if is_same(writer, &pair, facts, uuid) {
            continue;
        }
        let here = facts.source.schema(pair.source)?;
        let there = pair.base().map(|there| facts.destination.schema(there));
        let there = there.transpose()?;
        let has_key = std::iter::once(here)
            .chain(there)
            .flatten()
            .all(|schema| schema.row_key().is_some());
        let shown = format!("{} (task {})", pair.name, writer.task);
        match has_key {
            true => keyed.push(shown),
            false => keyless.push(shown),
        }
    }
    let mut findings = Vec::new();
    if !keyless.is_empty() {
        findings.push(
            Finding::fail("tables without a key are written by other tasks too")
                .about(keyless)
                .advice("give them a primary key on all sides, or exclude them")
                .advice("a task that is no more is forgotten by deleting its rows in drs_meta.writer at the destination"),
        );
    }
    if !keyed.is_empty() {
        findings.push(
            Finding::confirm(
                "other tasks write to the same tables: rows of the same key would meet, and of the DDL only added columns \
                 are repeated",
            )
            .about(keyed)
            .advice("see that the sources' keys do not meet, or add a column that tells the sources apart ([[rules]] add)")
            .advice("a task that is no more is forgotten by deleting its rows in drs_meta.writer at the destination"),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::pass("no other source is brought to them"));
    }
    Ok(findings)
}

fn same_objects(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let uuid = uuid(facts)?;
    let same: Vec<String> = others(facts)?
        .into_iter()
        .filter(|(writer, pair)| is_same(writer, pair, facts, uuid))
        .map(|(writer, pair)| format!("{} (task {})", pair.name, writer.task))
        .collect();
    if same.is_empty() {
        return Ok(vec![Finding::pass("no other task does")]);
    }
    Ok(vec![
        Finding::confirm(
            "another task has brought the same tables of this source; it must not run any more",
        )
        .about(same)
        .advice("end the other task, and delete its rows in drs_meta.writer at the destination"),
    ])
}

#[cfg(test)]
pub(super) mod tests {
    use drs_core::{StreamPoint, TaskRecord, status::TaskStatus};

    use super::*;
    use crate::checks::tests::Case;

    pub(in crate::checks) const SOURCE: &str = "11111111-1111-1111-1111-111111111111";

    /// The task has begun with this source and these settings.
    pub(in crate::checks) fn begin(facts: &mut Facts, source_uuid: &str, basis: &str) {
        let start = StreamPoint {
            position: "binlog.000001:4".parse().unwrap(),
            gtid_set: None,
        };
        facts.destination.previous.own = Ok(Some(TaskStatus {
            record: TaskRecord {
                source_uuid: source_uuid.to_owned(),
                basis: basis.to_owned(),
                start: start.clone(),
                copied: true,
            },
            tables: Vec::new(),
            watermark: start,
            lag: None,
            conflicts: 0,
        }));
    }

    fn add_writer(facts: &mut Facts, source_uuid: &str, source: &str) {
        facts.destination.previous.writers = Ok(vec![Writer {
            task: "another".to_owned(),
            source_uuid: Some(source_uuid.to_owned()),
            source: TableName::new(source, "orders").unwrap(),
            destination: TableName::new("shop", "orders").unwrap(),
        }]);
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("task-source"),
        Case {
            check: "task-source",
            verdict: Verdict::Pass,
            change: |facts| begin(facts, SOURCE, ""),
            says: "the same server",
        },
        Case {
            check: "task-source",
            verdict: Verdict::Fail,
            change: |facts| begin(facts, "33333333-3333-3333-3333-333333333333", ""),
            says: "another task name",
        },
        Case::healthy("task-settings"),
        Case {
            check: "task-settings",
            verdict: Verdict::Pass,
            change: |facts| begin(facts, SOURCE, "mode = full+incremental\ninclude shop.*"),
            says: "as they were",
        },
        Case {
            check: "task-settings",
            verdict: Verdict::Fail,
            change: |facts| begin(facts, SOURCE, "mode = full+incremental\ninclude crm.*"),
            says: "begun with include crm.*, and has include shop.* instead",
        },
        Case::healthy("shared-tables"),
        Case {
            check: "shared-tables",
            verdict: Verdict::Confirm,
            change: |facts| add_writer(facts, "33333333-3333-3333-3333-333333333333", "shop"),
            says: "`shop`.`orders` (task another)",
        },
        Case {
            check: "shared-tables",
            verdict: Verdict::Fail,
            change: |facts| {
                add_writer(facts, SOURCE, "paris");
                facts.source.tables.indexes.as_mut().unwrap().clear();
            },
            says: "`shop`.`orders` (task another)",
        },
        Case::healthy("same-objects"),
        Case {
            check: "same-objects",
            verdict: Verdict::Confirm,
            change: |facts| add_writer(facts, SOURCE, "shop"),
            says: "`shop`.`orders` (task another)",
        },
        Case {
            check: "shared-tables",
            verdict: Verdict::Pass,
            change: |facts| add_writer(facts, SOURCE, "shop"),
            says: "",
        },
    ];
}
