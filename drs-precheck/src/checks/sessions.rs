//! Room for the task's sessions.

use drs_core::Role;

use super::{account::with_limits, remedy::set_global};
use crate::{Check, Facts, Finding, Group, Unread, Verdict};

pub(super) static SOURCE_SESSIONS: Check = Check {
    id: "source-sessions",
    group: Group::Source,
    title: "the source has room for the task's sessions",
    why: "a copy reads with several sessions at a time",
    remedy: "allow more, or set fewer sessions in the task file",
    rule: "MySQL manual, max_connections and max_user_connections",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: |facts| sessions(facts, Role::Source),
};

pub(super) static DESTINATION_SESSIONS: Check = Check {
    id: "destination-sessions",
    group: Group::Destination,
    title: "the destination has room for the task's sessions",
    why: "copying and applying use several sessions at a time",
    remedy: "allow more, or set fewer lanes and sessions in the task file",
    rule: "MySQL manual, max_connections and max_user_connections",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: |facts| sessions(facts, Role::Destination),
};

/// Besides those that copy and apply: the checkpoints, the log, definitions, statements.
const OTHERS: u64 = 5;

fn sessions(facts: &Facts, role: Role) -> Result<Vec<Finding>, Unread> {
    let side = facts.side(role);
    let needed = needed(facts, role);
    let findings = [
        server(facts, role, needed)?,
        account(facts, role, needed, side.activity.own_sessions.clone()?)?,
    ];
    let findings: Vec<Finding> = findings.into_iter().flatten().collect();
    Ok(match findings.is_empty() {
        true => vec![Finding::pass(format!(
            "for the {needed} that it uses at most"
        ))],
        false => findings,
    })
}

/// How many sessions the task has at a time, at most.
fn needed(facts: &Facts, role: Role) -> u64 {
    let task = &facts.task;
    let copying = match task.mode().copies() {
        true => task.sessions().get() as u64,
        false => 0,
    };
    let applying = match (role, task.mode().follows()) {
        (Role::Destination, true) => task.lanes().get() as u64,
        _ => 0,
    };
    copying.max(applying) + OTHERS
}

fn server(facts: &Facts, role: Role, needed: u64) -> Result<Option<Finding>, Unread> {
    let side = facts.side(role);
    let Some(limit) = side.variables()?.number("max_connections") else {
        return Ok(None);
    };
    let used = side.activity.sessions.clone()?;
    let detail = format!("the {role} allows {limit} sessions and has {used}");
    let Some(make) = verdict(limit, used, needed) else {
        return Ok(None);
    };
    let finding = make(format!("{detail}: the task uses up to {needed}"));
    let enough = (limit + needed).to_string();
    let statement = set_global(side.version()?, "max_connections", &enough);
    Ok(Some(finding.sql(role, statement)))
}

fn account(facts: &Facts, role: Role, needed: u64, used: u64) -> Result<Option<Finding>, Unread> {
    let side = facts.side(role);
    let limits = side.account.limits.as_ref().map_err(Clone::clone)?;
    let global = side.variables()?.number("max_user_connections");
    let global = global.filter(|limit| *limit > 0);
    let Some(limit) = limits.user_connections.or(global) else {
        return Ok(None);
    };
    let Some(make) = verdict(limit, used, needed) else {
        return Ok(None);
    };
    let finding = make(format!(
        "the {role} allows the account {limit} sessions, of which it has {used}: the task uses up to {needed}"
    ));
    let enough = limit + needed;
    let statement = with_limits(facts, role, &format!("MAX_USER_CONNECTIONS {enough}"))?;
    Ok(Some(finding.sql(role, statement)))
}

/// Nothing where there is room. The session that asks is one of those that are used, and goes.
fn verdict(limit: u64, used: u64, needed: u64) -> Option<fn(String) -> Finding> {
    if limit < needed {
        Some(Finding::fail)
    } else if limit < used.saturating_sub(1) + needed {
        Some(Finding::confirm)
    } else {
        None
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checks::tests::Case;

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("source-sessions"),
        Case::of(
            "source-sessions",
            Verdict::Confirm,
            |facts| facts.source.activity.sessions = Ok(145),
            "SET PERSIST max_connections = 160",
        ),
        Case::of(
            "source-sessions",
            Verdict::Fail,
            |facts| facts.source.account.limit().user_connections = Some(8),
            "ALTER USER `drs`@`%` WITH MAX_USER_CONNECTIONS 17",
        ),
        Case::healthy("destination-sessions"),
        Case::of(
            "destination-sessions",
            Verdict::Fail,
            |facts| facts.destination.set("max_connections", "5"),
            "the destination allows 5 sessions and has 1",
        ),
        Case::of(
            "destination-sessions",
            Verdict::Confirm,
            |facts| {
                facts.destination.set("max_user_connections", "10");
                facts.destination.activity.own_sessions = Ok(5);
            },
            "of which it has 5",
        ),
    ];
}
