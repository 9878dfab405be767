//! Which servers these are: ids, and GTIDs.

use drs_core::{Role, replica_server_id};

use super::{
    binlog::not_followed,
    remedy::{keep_setting, set_global},
};
use crate::{Check, Facts, Finding, Group, Side, Unread, Verdict};

pub(super) static SERVER_ID: Check = Check {
    id: "server-id",
    group: Group::Source,
    title: "the source has a server_id",
    why: "a server without one sends its log to nobody",
    remedy: "set server_id",
    rule: "DRS manual, Table 2: server_id must be set, 2 to 4294967296 for 5.6 and older, 1 to 4294967296 for 5.7 and later",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: server_id,
};

pub(super) static GTID_MODE: Check = Check {
    id: "gtid-mode",
    group: Group::Source,
    title: "the source's transactions have GTIDs",
    why: "without them the task can't go on after a switchover of the source, and the copy locks each table for an instant",
    remedy: "set gtid_mode to ON, step by step",
    rule: "DRS manual, Table 2: enable GTID for the source database; if it is not enabled, primary/standby switchover is not supported",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: gtid_mode,
};

pub(super) static REPLICA_IDS: Check = Check {
    id: "replica-ids",
    group: Group::Source,
    title: "no other replica of the source has the id of the task's",
    why: "a source takes two replicas with one id for one that has come again, and ends the older one's stream",
    remedy: "give the other server another server_id, or the task another name",
    rule: "failed check items, srcDbServerIdCheck; drs takes its id from the task's name and the destination's address",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: replica_ids,
};

pub(super) static SERVER_IDS_DIFFER: Check = Check {
    id: "server-ids-differ",
    group: Group::Both,
    title: "the servers have different ids",
    why: "a server leaves out events with its own id if it ever replicates from the other one",
    remedy: "set another server_id",
    rule: "failed check items, the source and destination server_id must differ; drs itself tells servers apart by server_uuid",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: server_ids_differ,
};

pub(super) static SERVER_UUIDS_DIFFER: Check = Check {
    id: "server-uuids-differ",
    group: Group::Both,
    title: "the source and the destination are two servers",
    why: "a task from a server to itself would follow its own changes",
    remedy: "check the addresses, or give a cloned server an identity of its own",
    rule: "failed check items, dbServerUuidConsistency",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: server_uuids_differ,
};

fn server_id(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let id = id(&facts.source)?;
    let version = facts.source.version()?;
    if let Some(pass) = not_followed(facts) {
        return Ok(pass);
    }
    let least = if version.is_mysql_at_least(5, 7, 0) {
        1
    } else {
        2
    };
    if id >= least {
        return Ok(vec![Finding::pass(format!("it is {id}"))]);
    }
    let finding = Finding::fail(format!(
        "server_id is {id} at the source, and must be at least {least} for {version}"
    ));
    Ok(vec![set_server_id(finding, facts, Role::Source)?])
}

fn gtid_mode(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.source.variables()?;
    let version = facts.source.version()?;
    if let Some(pass) = not_followed(facts) {
        return Ok(pass);
    }
    let mode = variables
        .text("gtid_mode")
        .unwrap_or("OFF")
        .to_ascii_uppercase();
    if mode == "ON" {
        return Ok(vec![Finding::pass("ON")]);
    }
    let finding = Finding::confirm(format!("gtid_mode is {mode} at the source"));
    if !version.is_mysql_at_least(5, 7, 6) {
        return Ok(vec![finding.advice(
            "restart the source with gtid_mode = ON, enforce_gtid_consistency = ON, log_bin and log_slave_updates, or accept it",
        )]);
    }
    let steps = ["OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"];
    let done = steps
        .iter()
        .position(|step| *step == mode)
        .map_or(0, |at| at + 1);
    let finding = match variables.is_on("enforce_gtid_consistency") {
        Some(true) => finding,
        _ => finding.sql(
            Role::Source,
            set_global(version, "enforce_gtid_consistency", "ON"),
        ),
    };
    let finding = steps.iter().skip(done).fold(finding, |finding, step| {
        finding.sql(Role::Source, set_global(version, "gtid_mode", step))
    });
    Ok(vec![finding.advice(
        "with replicas or much traffic, wait between the steps until Ongoing_anonymous_transaction_count is 0 everywhere",
    )])
}

fn replica_ids(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let source = id(&facts.source)?;
    let replicas = facts.source.activity.replicas.as_ref();
    let replicas = replicas.map_err(Clone::clone)?;
    if let Some(pass) = not_followed(facts) {
        return Ok(pass);
    }
    let own = u64::from(replica_server_id(&facts.task));
    if source == own {
        let finding = Finding::confirm(format!(
            "the source's server_id is {own}, which is the id that this task would have as its replica"
        ));
        return Ok(vec![set_server_id(finding, facts, Role::Source)?]);
    }
    let finding = match replicas.iter().find(|replica| replica.server_id == own) {
        None => Finding::pass(format!("the task's is {own}")),
        // The source ends a stream that an earlier run has left.
        Some(replica) if replica.is_of_a_task() => {
            Finding::pass(format!("the task's is {own}, and it was here before"))
        }
        Some(replica) => Finding::confirm(format!(
            "a replica of the source has the server_id {own}, which is this task's"
        ))
        .about([&replica.host])
        .advice("give that server another server_id, or this task another name"),
    };
    Ok(vec![finding])
}

fn server_ids_differ(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let (source, destination) = (id(&facts.source)?, id(&facts.destination)?);
    if source != destination || source == 0 {
        let ids = format!("{source} and {destination}");
        return Ok(vec![Finding::pass(ids)]);
    }
    let finding = Finding::confirm(format!("both servers have the server_id {source}"));
    Ok(vec![set_server_id(finding, facts, Role::Destination)?])
}

fn server_uuids_differ(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let source = facts.source.variables()?.text("server_uuid");
    let destination = facts.destination.variables()?.text("server_uuid");
    let finding = match (source, destination) {
        (Some(source), Some(destination)) if source == destination => {
            Finding::fail(format!("both servers have the server_uuid {source}"))
                .advice("check that the addresses lead to two servers")
                .advice("if one was made from the other's data folder, stop it, remove auto.cnf from its data folder, and start it")
        }
        _ => Finding::pass("they are"),
    };
    Ok(vec![finding])
}

fn id(side: &Side) -> Result<u64, Unread> {
    Ok(side.variables()?.number("server_id").unwrap_or(0))
}

fn set_server_id(finding: Finding, facts: &Facts, role: Role) -> Result<Finding, Unread> {
    let version = facts.side(role).version()?;
    let value = free_id(facts, role).to_string();
    let finding = finding.sql(role, set_global(version, "server_id", &value));
    Ok(match keep_setting(version, "server_id", &value) {
        Some(advice) => finding.advice(advice),
        None => finding,
    })
}

/// An id that nobody has, as far as that is known, and that is not told for the other server too.
fn free_id(facts: &Facts, role: Role) -> u64 {
    let replicas = [&facts.source, &facts.destination]
        .into_iter()
        .filter_map(|side| side.activity.replicas.as_ref().ok())
        .flatten()
        .map(|replica| replica.server_id);
    let servers = [&facts.source, &facts.destination];
    let servers = servers.into_iter().filter_map(|side| id(side).ok());
    let taken: Vec<u64> = replicas.chain(servers).collect();
    let mut free = (2..).filter(|id| !taken.contains(id));
    let at = usize::from(role == Role::Destination);
    free.nth(at).unwrap_or(2)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        checks::tests::Case,
        facts::{Replica, sample},
    };

    fn add_replica(facts: &mut Facts, uuid: &str) {
        let replica = Replica {
            server_id: u64::from(replica_server_id(&facts.task)),
            uuid: uuid.to_owned(),
            host: "elsewhere".to_owned(),
        };
        facts.source.activity.replicas = Ok(vec![replica]);
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("server-id"),
        Case::of(
            "server-id",
            Verdict::Fail,
            |facts| facts.source.set("server_id", "0"),
            "SET PERSIST server_id = 3",
        ),
        Case::of(
            "server-id",
            Verdict::Fail,
            |facts| facts.source.set_version("5.6.24"),
            "SET GLOBAL server_id = 3",
        ),
        Case::of(
            "server-id",
            Verdict::Pass,
            |facts| {
                facts.task = sample::task("full", "");
                facts.source.set("server_id", "0");
            },
            "does not follow",
        ),
        Case::healthy("gtid-mode"),
        Case::of(
            "gtid-mode",
            Verdict::Confirm,
            |facts| {
                facts.source.set("gtid_mode", "OFF");
                facts.source.set("enforce_gtid_consistency", "OFF");
            },
            "SET PERSIST enforce_gtid_consistency = ON",
        ),
        Case::of(
            "gtid-mode",
            Verdict::Confirm,
            |facts| {
                facts.source.set_version("5.6.24");
                facts.source.set("gtid_mode", "OFF");
            },
            "restart the source",
        ),
        Case::healthy("replica-ids"),
        Case::of(
            "replica-ids",
            Verdict::Pass,
            |facts| add_replica(facts, "64727300-0000-4000-8000-000040000000"),
            "was here before",
        ),
        Case::of(
            "replica-ids",
            Verdict::Confirm,
            |facts| add_replica(facts, ""),
            "elsewhere",
        ),
        Case::of(
            "replica-ids",
            Verdict::Confirm,
            |facts| {
                let id = replica_server_id(&facts.task);
                facts.source.set("server_id", &id.to_string());
            },
            "SET PERSIST server_id",
        ),
        Case::healthy("server-ids-differ"),
        Case::of(
            "server-ids-differ",
            Verdict::Confirm,
            |facts| facts.destination.set("server_id", "1"),
            "SET PERSIST server_id = 3",
        ),
        Case::healthy("server-uuids-differ"),
        Case::of(
            "server-uuids-differ",
            Verdict::Fail,
            |facts| {
                facts
                    .destination
                    .set("server_uuid", "11111111-1111-1111-1111-111111111111")
            },
            "auto.cnf",
        ),
    ];
}
