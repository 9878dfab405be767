//! What the destination's account needs for views and routines, and for settings of its sessions.

use std::collections::BTreeSet;

use drs_core::{Role, ServerVersion};

use super::{
    privileges::{Level, Missing, or_pass},
    scope::Scope,
};
use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{AccountName, Grants},
};

pub(super) static PROGRAM_PRIVILEGES: Check = Check {
    id: "program-privileges",
    group: Group::Destination,
    title: "the destination's account may create views, procedures and functions",
    why: "those that it can't create are left out of the copy",
    remedy: "grant what is missing",
    rule: "failed check items, dstDbPrivilegesIsEnough: CREATE VIEW, CREATE ROUTINE; drs names what it could not create, and goes on",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: programs,
};

pub(super) static DEFINER_PRIVILEGE: Check = Check {
    id: "definer-privilege",
    group: Group::Destination,
    title: "the destination's account may create views and routines for their definers",
    why: "without it they get the task's account as their definer, and run with its rights",
    remedy: "grant the privilege that the version has for it, and SYSTEM_USER where a definer has it",
    rule: "MySQL manual, Stored Object Access Control: only some accounts may name another one as DEFINER",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: definer,
};

pub(super) static SESSION_PRIVILEGE: Check = Check {
    id: "session-privilege",
    group: Group::Destination,
    title: "the destination's account may set up its sessions",
    why: "a server that adds keys to tables, or wants one in each, must be told not to",
    remedy: "grant SESSION_VARIABLES_ADMIN, or set the variable off",
    rule: "drs sets sql_generate_invisible_primary_key and sql_require_primary_key off for its sessions, so that tables become what they are at the source",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: session,
};

/// A view, procedure or function that the copy is to create.
struct Program<'f> {
    database: Scope,
    definer: &'f AccountName,
    is_view: bool,
}

fn copied(facts: &Facts) -> Result<Vec<Program<'_>>, Unread> {
    if !facts.task.mode().copies() {
        return Ok(Vec::new());
    }
    let (selection, mapping) = (facts.selection(), facts.task.mapping());
    let views = facts.source.programs.views.as_ref();
    let views = views.map_err(Clone::clone)?.iter();
    let routines = facts.source.programs.routines.as_ref();
    let routines = routines.map_err(Clone::clone)?.iter();
    let views = views
        .filter(|view| selection.matches(&view.name))
        .map(|view| (&view.name, &view.definer, true));
    let routines = routines
        .filter(|routine| selection.is_database_level(&routine.name.database))
        .map(|routine| (&routine.name, &routine.definer, false));
    Ok(views
        .chain(routines)
        .filter(|(name, ..)| mapping.database(&name.database) == name.database)
        .map(|(name, definer, is_view)| Program {
            database: Scope::Database(name.database.clone()),
            definer,
            is_view,
        })
        .collect())
}

fn programs(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let programs = copied(facts)?;
    let mut findings = Vec::new();
    for (is_view, needs) in [
        (true, ["CREATE VIEW", "SHOW VIEW"]),
        (false, ["CREATE ROUTINE", "ALTER ROUTINE"]),
    ] {
        let there = programs.iter().filter(|program| program.is_view == is_view);
        let scopes: BTreeSet<Scope> = there.map(|program| program.database.clone()).collect();
        let scopes: Vec<Scope> = scopes.into_iter().collect();
        let needs = needs.map(|privilege| (privilege, Level::Database));
        let missing = Missing::of(facts, Role::Destination, &needs, &scopes)?;
        findings.extend(missing.findings(Finding::confirm));
    }
    Ok(or_pass(findings, "it may, or there are none"))
}

fn definer(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let account = facts.destination.account.name.clone()?;
    let mut definers: BTreeSet<&AccountName> = copied(facts)?
        .iter()
        .map(|program| program.definer)
        .filter(|definer| **definer != account)
        .collect();
    let grants = grants(facts)?;
    let privilege = definer_privilege(facts.destination.version()?);
    let lacks = |privilege: &str, definers: &BTreeSet<&AccountName>| {
        Finding::confirm(format!(
            "the account {account} lacks {privilege}: what these accounts have defined gets it as definer"
        ))
        .about(definers)
        .sql(
            Role::Destination,
            format!("GRANT {privilege} ON *.* TO {account}"),
        )
    };
    let mut findings = Vec::new();
    if !definers.is_empty() && !grants.has_global(privilege) && !grants.has_global("SUPER") {
        findings.push(lacks(privilege, &definers));
    }
    // Only an account with SYSTEM_USER may name one that has it.
    if !definers.is_empty() && !grants.has_global("SYSTEM_USER") {
        match &facts.destination.programs.system_users {
            Ok(system_users) => {
                definers.retain(|definer| system_users.contains(definer));
                if !definers.is_empty() {
                    findings.push(lacks("SYSTEM_USER", &definers));
                }
            }
            // What is known to be missing is worth more.
            Err(unread) if findings.is_empty() => {
                let statement = format!("GRANT SELECT ON `mysql`.`global_grants` TO {account}");
                findings.push(Finding::from(unread.clone()).sql(Role::Destination, statement));
            }
            Err(_) => {}
        }
    }
    Ok(or_pass(findings, "it may, or there are none"))
}

fn definer_privilege(version: ServerVersion) -> &'static str {
    if version.is_mysql_at_least(8, 2, 0) {
        "SET_ANY_DEFINER"
    } else if version.is_mysql_at_least(8, 0, 0) {
        "SET_USER_ID"
    } else {
        "SUPER"
    }
}

fn session(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.destination.variables()?;
    let is_on = |name: &str| variables.is_on(name) == Some(true);
    let adds_key = is_on("sql_generate_invisible_primary_key");
    let wants_key = is_on("sql_require_primary_key");
    if !adds_key && !wants_key {
        return Ok(vec![Finding::pass("no setting is in the way")]);
    }
    let grants = grants(facts)?;
    let enough = ["SESSION_VARIABLES_ADMIN", "SYSTEM_VARIABLES_ADMIN", "SUPER"];
    if enough.iter().any(|privilege| grants.has_global(privilege)) {
        return Ok(vec![Finding::pass("it may")]);
    }
    let account = facts.destination.account.name.clone()?;
    let variable = match adds_key {
        true => "sql_generate_invisible_primary_key",
        false => "sql_require_primary_key",
    };
    let detail = format!(
        "{variable} is ON at the destination, and the account {account} may not set it off for its sessions"
    );
    // The session of each statement that is repeated sets sql_require_primary_key off.
    let finding = match (adds_key, facts.task.mode().follows()) {
        (true, _) => Finding::fail(detail),
        (false, true) => Finding::fail(format!(
            "{detail}: the first statement of the log that is repeated stops the task"
        )),
        (false, false) => Finding::confirm(format!(
            "{detail}: a table without a primary key stops the task"
        )),
    };
    let statement = format!("GRANT SESSION_VARIABLES_ADMIN ON *.* TO {account}");
    Ok(vec![finding.sql(Role::Destination, statement)])
}

fn grants(facts: &Facts) -> Result<&Grants, Unread> {
    let grants = facts.destination.account.grants.as_ref();
    grants.map_err(Clone::clone)
}

#[cfg(test)]
pub(super) mod tests {
    use drs_core::TableName;

    use super::*;
    use crate::{
        checks::tests::Case,
        facts::{Uses, View, sample::task},
    };

    fn add_view(facts: &mut Facts) {
        facts.source.programs.views.as_mut().unwrap().push(View {
            name: TableName::new("shop", "v").unwrap(),
            definer: AccountName::parse("boss@localhost"),
            is_readable: true,
            uses: Uses::default(),
        });
    }

    const POOR: &[&str] = &["GRANT SELECT ON *.* TO `drs`@`%`"];

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("program-privileges"),
        Case::of("program-privileges", Verdict::Pass, add_view, ""),
        Case::of(
            "program-privileges",
            Verdict::Confirm,
            |facts| {
                add_view(facts);
                facts.destination.account.grant(POOR);
            },
            "GRANT CREATE VIEW, SHOW VIEW ON `shop`.* TO `drs`@`%`",
        ),
        Case::healthy("definer-privilege"),
        Case::of(
            "definer-privilege",
            Verdict::Confirm,
            |facts| {
                add_view(facts);
                facts.destination.account.grant(POOR);
            },
            "GRANT SET_ANY_DEFINER ON *.* TO `drs`@`%`",
        ),
        Case::of(
            "definer-privilege",
            Verdict::Confirm,
            |facts| {
                add_view(facts);
                let grants = &["GRANT SELECT, SET_ANY_DEFINER ON *.* TO `drs`@`%`"];
                facts.destination.account.grant(grants);
                let boss = AccountName::parse("boss@localhost");
                facts.destination.programs.system_users = Ok([boss].into());
            },
            "GRANT SYSTEM_USER ON *.* TO `drs`@`%`",
        ),
        Case::healthy("session-privilege"),
        Case::of(
            "session-privilege",
            Verdict::Fail,
            |facts| {
                facts.destination.account.grant(POOR);
                facts
                    .destination
                    .set("sql_generate_invisible_primary_key", "ON");
            },
            "GRANT SESSION_VARIABLES_ADMIN ON *.* TO `drs`@`%`",
        ),
        Case::of(
            "session-privilege",
            Verdict::Confirm,
            |facts| {
                facts.task = task("full", "");
                facts.destination.account.grant(POOR);
                facts.destination.set("sql_require_primary_key", "ON");
            },
            "without a primary key",
        ),
        Case::of(
            "session-privilege",
            Verdict::Fail,
            |facts| {
                facts.destination.account.grant(POOR);
                facts.destination.set("sql_require_primary_key", "ON");
            },
            "the first statement of the log",
        ),
    ];
}
