//! Views, procedures and functions, triggers and events of the selected databases.

use std::collections::{BTreeMap, BTreeSet};

use drs_core::{DatabaseName, Role, TableName};

use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{AccountName, Routine, Trigger, Uses, View},
};

pub(super) static MAPPED_PROGRAMS: Check = Check {
    id: "mapped-programs",
    group: Group::Objects,
    title: "databases with another name at the destination hold tables only",
    why: "the texts of views, procedures and functions name the tables as they are at the source",
    remedy: "drop them at the source, or select the database without mapping it",
    rule: "DRS manual, Table 2: during database mapping, the source database cannot contain stored procedures, views, or functions",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: mapped_programs,
};

pub(super) static DEPENDENCIES: Check = Check {
    id: "dependencies",
    group: Group::Objects,
    title: "what views, procedures and functions use is selected",
    why: "a view can't be created without the tables that it reads, and a routine fails when it is called",
    remedy: "select what they use, or exclude them",
    rule: "DRS manual, Table 2, Precautions: objects that have dependencies must be synchronized at the same time",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: dependencies,
};

pub(super) static DEFINERS: Check = Check {
    id: "definers",
    group: Group::Objects,
    title: "definers of views, procedures and functions exist at the destination",
    why: "what has no definer there becomes the task's account's, and runs by its rights",
    remedy: "create the accounts at the destination, or accept it",
    rule: "docs/limits.md, Objects: views, procedures, functions; failed check items, userRequirementIsEnoughForDefiner",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: definers,
};

pub(super) static READABLE_DEFINITIONS: Check = Check {
    id: "readable-definitions",
    group: Group::Objects,
    title: "the account can read the views, procedures and functions",
    why: "what it can't read is not created at the destination",
    remedy: "grant SHOW VIEW, and SHOW_ROUTINE or SELECT on mysql.proc",
    rule: "failed check items, srcRoutinesWithoutPrivilegeCheck",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: readable_definitions,
};

pub(super) static TRIGGERS: Check = Check {
    id: "triggers",
    group: Group::Objects,
    title: "the selected tables have no triggers",
    why: "what a trigger changes in selected tables is in the log; at the destination it would be done twice",
    remedy: "create them at the destination once nothing is followed any more",
    rule: "DRS manual, Table 2: only tables, indexes, stored procedures, views and functions; failed check items, srcTriggerAndEventCheck",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: triggers,
};

pub(super) static EVENTS: Check = Check {
    id: "events",
    group: Group::Objects,
    title: "the selected databases have no events",
    why: "what an event changes in selected tables is in the log; at the destination it would be done twice",
    remedy: "create them at the destination once nothing is followed any more",
    rule: "DRS manual, Table 2: only tables, indexes, stored procedures, views and functions; failed check items, srcTriggerAndEventCheck",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: events,
};

fn views(facts: &Facts) -> Result<&Vec<View>, Unread> {
    facts.source.programs.views.as_ref().map_err(Clone::clone)
}

fn routines(facts: &Facts) -> Result<&Vec<Routine>, Unread> {
    let routines = facts.source.programs.routines.as_ref();
    routines.map_err(Clone::clone)
}

/// A view, procedure or function that the copy creates.
struct Program<'a> {
    shown: String,
    is_view: bool,
    definer: &'a AccountName,
    is_readable: bool,
    uses: &'a Uses,
}

/// What the copy creates: selected views, and the routines of whole databases.
fn copied(facts: &Facts) -> Result<Vec<Program<'_>>, Unread> {
    if !facts.task.mode().copies() {
        return Ok(Vec::new());
    }
    let selection = facts.selection();
    let mapping = facts.mapping();
    let is_mapped = |name: &DatabaseName| mapping.database(name) != *name;
    let views = views(facts)?
        .iter()
        .filter(|view| selection.matches(&view.name) && !is_mapped(&view.name.database))
        .map(|view| Program {
            shown: format!("view {}", view.name),
            is_view: true,
            definer: &view.definer,
            is_readable: view.is_readable,
            uses: &view.uses,
        });
    let routines = routines(facts)?
        .iter()
        .filter(|routine| {
            let database = &routine.name.database;
            selection.is_database_level(database) && !is_mapped(database)
        })
        .map(|routine| Program {
            shown: format!("{} {}", routine.kind, routine.name),
            is_view: false,
            definer: &routine.definer,
            is_readable: routine.is_readable,
            uses: &routine.uses,
        });
    Ok(views.chain(routines).collect())
}

fn mapped_programs(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let mapping = facts.mapping();
    let is_mapped = |name: &TableName| mapping.database(&name.database) != name.database;
    let views = views(facts)?
        .iter()
        .filter(|view| is_mapped(&view.name))
        .map(|view| format!("view {}", view.name));
    let routines = routines(facts)?
        .iter()
        .filter(|routine| is_mapped(&routine.name))
        .map(|routine| format!("{} {}", routine.kind, routine.name));
    let found: Vec<String> = views.chain(routines).collect();
    if found.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Finding::fail("these are in databases that get another name, and their texts name its tables")
            .about(found)
            .advice("drop them at the source, select single tables and map those, or select the database without mapping it"),
    ])
}

fn dependencies(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let programs = copied(facts)?;
    let selection = facts.selection();
    let mapping = facts.mapping();
    let there = facts.destination.tables.tables.as_ref();
    let there: BTreeSet<&TableName> = match programs.is_empty() {
        true => return Ok(Vec::new()),
        false => there
            .map_err(Clone::clone)?
            .iter()
            .map(|table| &table.name)
            .collect(),
    };
    let (mut without, mut maybe) = (BTreeSet::new(), BTreeSet::new());
    for program in &programs {
        // Under its own name at the destination.
        let is_brought =
            |name: &&TableName| selection.matches(name) && mapping.table(name) == **name;
        let tables = program.uses.tables.iter().filter(|name| !is_brought(name));
        let routines = program.uses.routines.iter().filter(|name| {
            !selection.is_database_level(&name.database)
                || mapping.database(&name.database) != name.database
        });
        for name in tables.chain(routines).filter(|name| !is_system(name)) {
            let shown = format!("{} -> {name}", program.shown);
            match program.is_view && !there.contains(name) {
                true => without.insert(shown),
                false => maybe.insert(shown),
            };
        }
    }
    let mut findings = Vec::new();
    if !without.is_empty() {
        findings.push(
            Finding::fail("these views use what does not come to the destination, so they can't be created there")
                .about(without)
                .advice("select what they use too, exclude the views, or create what they use at the destination"),
        );
    }
    if !maybe.is_empty() {
        findings.push(
            Finding::confirm("these seem to use what the task does not bring to the destination")
                .about(maybe)
                .advice("select what they use too, or see that the destination has it"),
        );
    }
    Ok(findings)
}

fn is_system(name: &TableName) -> bool {
    let systems = ["information_schema", "mysql", "performance_schema", "sys"];
    let database = name.database.as_str();
    systems
        .iter()
        .any(|system| database.eq_ignore_ascii_case(system))
}

fn definers(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let programs = copied(facts)?;
    if programs.is_empty() {
        return Ok(Vec::new());
    }
    let accounts = facts.destination.programs.accounts.as_ref();
    let accounts = accounts.map_err(Clone::clone)?;
    let mut missing: BTreeMap<&AccountName, Vec<&str>> = BTreeMap::new();
    for program in &programs {
        if !accounts.contains(program.definer) {
            let shown = missing.entry(program.definer).or_default();
            shown.push(&program.shown);
        }
    }
    let takes_locked = facts.destination.version()?.is_mysql_at_least(5, 7, 6);
    let findings = missing.into_iter().map(|(definer, programs)| {
        let finding = Finding::confirm(format!(
            "the destination has no account {definer}: the task's account becomes the definer"
        ))
        .about(programs);
        match takes_locked {
            true => finding.sql(
                Role::Destination,
                format!("CREATE USER {definer} ACCOUNT LOCK"),
            ),
            false => finding.advice(format!("create the account {definer} at the destination")),
        }
    });
    Ok(findings.collect())
}

fn readable_definitions(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let programs = copied(facts)?;
    let (views, routines): (Vec<&Program>, Vec<&Program>) = programs
        .iter()
        .filter(|program| !program.is_readable)
        .partition(|program| program.is_view);
    let account = facts.task.source().user();
    let mut findings = Vec::new();
    if !views.is_empty() {
        findings.push(
            Finding::fail("the account may not see the definitions of these views")
                .about(views.iter().map(|program| &program.shown))
                .advice(format!(
                    "grant SHOW VIEW on their databases to the account {account} at the source"
                )),
        );
    }
    if !routines.is_empty() {
        let privilege = match facts.source.version()?.is_mysql_at_least(8, 0, 20) {
            true => "SHOW_ROUTINE on *.*",
            false => "SELECT on mysql.proc (from 8.0 on: SELECT on *.*)",
        };
        findings.push(
            Finding::fail(
                "the account may not see the definitions of these procedures and functions",
            )
            .about(routines.iter().map(|program| &program.shown))
            .advice(format!(
                "grant {privilege} to the account {account} at the source"
            )),
        );
    }
    Ok(findings)
}

fn triggers(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let selection = facts.selection();
    let triggers = facts.source.programs.triggers.as_ref();
    let found: Vec<&Trigger> = triggers
        .map_err(Clone::clone)?
        .iter()
        .filter(|trigger| selection.matches(&trigger.table))
        .collect();
    if found.is_empty() {
        return Ok(vec![Finding::pass("the account sees none")]);
    }
    let shown = found
        .iter()
        .map(|trigger| format!("{} ({} on {})", trigger.name, trigger.when, trigger.table));
    Ok(vec![
        Finding::confirm(
            "these triggers are not created at the destination, and their later changes are not followed; what they change \
             in selected tables is",
        )
        .about(shown)
        .advice("create them at the destination once the task has ended"),
    ])
}

fn events(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let selection = facts.selection();
    let events = facts.source.programs.events.as_ref();
    let found: Vec<_> = events
        .map_err(Clone::clone)?
        .iter()
        .filter(|event| selection.is_database_level(&event.name.database))
        .map(|event| match event.is_enabled {
            true => event.name.to_string(),
            false => format!("{} (disabled)", event.name),
        })
        .collect();
    if found.is_empty() {
        return Ok(vec![Finding::pass("the account sees none")]);
    }
    Ok(vec![
        Finding::confirm(
            "these events are not created at the destination, and their later changes are not followed; what they change in \
             selected tables is",
        )
        .about(found)
        .advice("create them at the destination once the task has ended"),
    ])
}

#[cfg(test)]
pub(super) mod tests;
