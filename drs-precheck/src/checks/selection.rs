//! What the entries of `[objects]` find at the source.

use drs_core::TableName;

use crate::{Check, Facts, Finding, Group, Unread, Verdict};

pub(super) static SELECTION: Check = Check {
    id: "selection",
    group: Group::Objects,
    title: "each entry of [objects] finds something",
    why: "an object that is misspelt or gone is not synchronized, and nothing says so later",
    remedy: "mend the entry, or take it out",
    rule: "DRS manual, Table 7, Synchronization Object; failed check items, imported objects exist",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: selection,
};

fn selection(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let tables = facts.source.tables.tables.as_ref().map_err(Clone::clone)?;
    let databases = facts.source.tables.databases.as_ref();
    let databases = databases.map_err(Clone::clone)?;
    let selection = facts.selection();
    let names: Vec<TableName> = tables.iter().map(|table| table.name.clone()).collect();
    let whole: Vec<_> = databases
        .iter()
        .map(|database| &database.name)
        .filter(|name| selection.is_database_level(name))
        .collect();
    if names.is_empty() && (whole.is_empty() || !facts.task.mode().follows()) {
        return Ok(vec![
            Finding::fail("nothing at the source is selected, or the account may see none of it")
                .about(selection.include())
                .advice("name objects that exist in objects.include, and let the account see them"),
        ]);
    }
    let (mut missing, mut empty, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    for entry in selection.entries_without_match(&names) {
        let mut there = databases.iter().map(|database| &database.name);
        if entry.is_database_level() && there.any(|name| entry.looks_in(name, selection.case())) {
            empty.push(entry);
        } else if entry.is_exact() {
            missing.push(entry);
        } else {
            idle.push(entry);
        }
    }
    let mut findings = Vec::new();
    if !missing.is_empty() {
        findings.push(
            Finding::fail("the source does not have these, or the account may not see them")
                .about(missing)
                .advice("mend the names in [objects] or in the object file, or take them out"),
        );
    }
    if !empty.is_empty() {
        findings.push(
            Finding::confirm("these databases have no tables that are selected")
                .about(empty)
                .advice("see whether these are the databases that you mean"),
        );
    }
    if !idle.is_empty() {
        findings.push(
            Finding::confirm("no table or view that there is now matches these")
                .about(idle)
                .advice("see whether the entries are written as you mean them"),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::pass(format!(
            "{} tables and views are selected",
            names.len()
        )));
    }
    Ok(findings)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::sample::task_on};

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("selection"),
        Case {
            check: "selection",
            verdict: Verdict::Fail,
            change: |facts| {
                facts.task = task_on("full", "include = [\"shop\", \"shop.order\"]", "");
            },
            says: "shop.order",
        },
        Case {
            check: "selection",
            verdict: Verdict::Fail,
            change: |facts| {
                facts.task = task_on("full", "include = [\"shop\"]", "");
                facts.source.tables.tables = Ok(Vec::new());
            },
            says: "nothing at the source is selected",
        },
        Case {
            check: "selection",
            verdict: Verdict::Confirm,
            change: |facts| facts.source.tables.tables = Ok(Vec::new()),
            says: "no tables",
        },
        Case {
            check: "selection",
            verdict: Verdict::Confirm,
            change: |facts| facts.task = task_on("full", "include = [\"shop\", \"log_*\"]", ""),
            says: "log_*",
        },
    ];
}
