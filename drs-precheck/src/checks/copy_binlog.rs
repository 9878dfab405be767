//! Whether the copy can be kept out of the destination's log, and who misses it there.

use drs_core::Role;

use crate::{Check, Facts, Finding, Group, Unread, Verdict};

pub(super) static COPY_BINLOG: Check = Check {
    id: "copy-binlog",
    group: Group::Destination,
    title: "the copy can be kept out of the destination's binary log, if the task wants it",
    why: "copy.binlog = false sets sql_log_bin, which not every account may; and the destination's replicas then get neither the tables nor their rows",
    remedy: "grant SESSION_VARIABLES_ADMIN, or leave copy.binlog out of the task file; make replicas anew from the destination after the copy",
    rule: "behaviour of MySQL: sql_log_bin is a restricted session variable",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run,
};

fn run(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let destination = &facts.destination;
    let writes_log = destination.variables()?.is_on("log_bin") != Some(false);
    if facts.task.copy_binlog() || !facts.task.mode().copies() {
        return Ok(vec![Finding::pass("the task does not want it")]);
    }
    if !writes_log {
        return Ok(vec![Finding::pass("it writes none")]);
    }
    let grants = destination.account.grants.as_ref();
    let grants = grants.map_err(Clone::clone)?;
    let enough = [
        "SESSION_VARIABLES_ADMIN",
        "SYSTEM_VARIABLES_ADMIN",
        "BINLOG ADMIN",
        "SUPER",
    ];
    if !enough.iter().any(|privilege| grants.has_global(privilege)) {
        let account = destination.account.name.clone()?;
        let privilege = match destination.version()?.is_mysql_at_least(8, 0, 14) {
            true => "SESSION_VARIABLES_ADMIN",
            false => "SUPER",
        };
        return Ok(vec![
            Finding::fail(format!(
                "copy.binlog is false, and the account {account} may not set sql_log_bin"
            ))
            .sql(
                Role::Destination,
                format!("GRANT {privilege} ON *.* TO {account}"),
            ),
        ]);
    }
    if destination
        .activity
        .group
        .as_ref()
        .is_ok_and(|members| !members.is_empty())
    {
        return Ok(vec![Finding::fail(
            "copy.binlog is false, and the destination is a member of a replication group: the others would not get the copied tables",
        )
        .advice("leave copy.binlog out of the task file")]);
    }
    let detail = match &destination.activity.replicas {
        Ok(replicas) if replicas.is_empty() => return Ok(vec![Finding::pass("it can")]),
        Ok(replicas) => {
            let ids = replicas
                .iter()
                .map(|replica| replica.server_id.to_string())
                .collect::<Vec<_>>();
            format!(
                "something reads the destination's log (server_id {})",
                ids.join(", ")
            )
        }
        Err(_) => "it is not known whether the destination has replicas".to_owned(),
    };
    Ok(vec![Finding::confirm(format!(
        "{detail}: copy.binlog is false, so that what reads that log gets neither the copied tables nor their rows"
    ))
    .advice("make replicas anew from the destination when the copy is done")])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        checks::tests::Case,
        facts::{Replica, sample::task},
    };

    fn unlogged(facts: &mut Facts) {
        facts.task = task("full", "[copy]\nbinlog = false");
    }

    const POOR: &[&str] = &["GRANT SELECT ON *.* TO `drs`@`%`"];

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("copy-binlog"),
        Case::of("copy-binlog", Verdict::Pass, unlogged, "it can"),
        Case::of(
            "copy-binlog",
            Verdict::Pass,
            |facts| {
                unlogged(facts);
                facts.destination.account.grant(POOR);
                facts.destination.set("log_bin", "OFF");
            },
            "it writes none",
        ),
        Case::of(
            "copy-binlog",
            Verdict::Pass,
            |facts| {
                facts.task = task("incremental", "[copy]\nbinlog = false");
                facts.destination.account.grant(POOR);
            },
            "does not want it",
        ),
        Case::of(
            "copy-binlog",
            Verdict::Fail,
            |facts| {
                unlogged(facts);
                facts.destination.account.grant(POOR);
            },
            "GRANT SESSION_VARIABLES_ADMIN ON *.* TO `drs`@`%`",
        ),
        Case::of(
            "copy-binlog",
            Verdict::Confirm,
            |facts| {
                unlogged(facts);
                facts.destination.activity.replicas = Ok(vec![Replica {
                    server_id: 7,
                    uuid: String::new(),
                    host: String::new(),
                }]);
            },
            "(server_id 7)",
        ),
    ];
}
