//! Whether the servers take part in replication, and the destination takes writes.

use drs_core::{Role, ServerVersion};

use super::{remedy::set_global, transactions::unread_for_lack_of};
use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{Channel, Grants},
};

pub(super) static SOURCE_REPLICATION: Check = Check {
    id: "source-replication",
    group: Group::Source,
    title: "a source that is a replica replicates",
    why: "one that stands still has old data, and gives old data",
    remedy: "repair its replication",
    rule: "behaviour of MySQL: a replica's log has what it has applied",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: source,
};

pub(super) static DESTINATION_WRITABLE: Check = Check {
    id: "destination-read-only",
    group: Group::Destination,
    title: "the destination takes writes",
    why: "a server that is set to read-only refuses the task's",
    remedy: "set read_only, super_read_only and offline_mode off",
    rule: "DRS manual, Table 2: after a task is created, the destination database cannot be set to read-only",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: writable,
};

pub(super) static DESTINATION_REPLICATION: Check = Check {
    id: "destination-replication",
    group: Group::Destination,
    title: "the destination's replication is in order",
    why: "a replica that fails, or gets the same changes twice, does not stay what the task makes it",
    remedy: "repair its replication, or take it out",
    rule: "DRS manual, Table 2: the destination is running properly, and of a primary/standby instance the replication status must also be normal",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: destination,
};

fn source(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let channels = facts.source.activity.channels.as_ref();
    let channels = channels.map_err(Clone::clone)?;
    let stopped: Vec<&Channel> = channels
        .iter()
        .filter(|channel| !runs(channel) || !channel.errors.is_empty())
        .collect();
    if stopped.is_empty() {
        return Ok(vec![Finding::pass(match channels.is_empty() {
            true => "it is no replica",
            false => "it does",
        })]);
    }
    let version = facts.source.version()?;
    let finding = Finding::confirm("the source is a replica that does not replicate");
    let finding = finding.about(stopped.iter().map(|channel| named(channel)));
    Ok(vec![
        finding
            .advice("see SHOW REPLICA STATUS there (before 8.0.22 SHOW SLAVE STATUS)")
            .sql(Role::Source, start(version)),
    ])
}

fn writable(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.destination.variables()?;
    let version = facts.destination.version()?;
    let is_on = |name: &str| variables.is_on(name) == Some(true);
    let mut findings = Vec::new();
    if is_on("innodb_read_only") {
        findings.push(
            Finding::fail("innodb_read_only is ON at the destination")
                .advice("restart the destination with innodb_read_only = OFF"),
        );
    }
    if is_on("super_read_only") {
        findings.push(
            Finding::fail("super_read_only is ON at the destination")
                .sql(
                    Role::Destination,
                    set_global(version, "super_read_only", "OFF"),
                )
                .sql(Role::Destination, set_global(version, "read_only", "OFF")),
        );
    } else if is_on("read_only") {
        let grants = facts.destination.account.grants.as_ref();
        let grants = grants.map_err(Clone::clone)?;
        let detail = "read_only is ON at the destination";
        let finding = match may_write(grants) {
            true => Finding::confirm(format!("{detail}; the account may write all the same")),
            false => Finding::fail(detail),
        };
        findings.push(finding.sql(Role::Destination, set_global(version, "read_only", "OFF")));
    }
    if is_on("offline_mode") {
        // Only accounts that it lets in get as far as here.
        findings.push(
            Finding::confirm("offline_mode is ON at the destination").sql(
                Role::Destination,
                set_global(version, "offline_mode", "OFF"),
            ),
        );
    }
    Ok(match findings.is_empty() {
        true => vec![Finding::pass("it does")],
        false => findings,
    })
}

fn may_write(grants: &Grants) -> bool {
    grants.has_global("SUPER") || grants.has_global("CONNECTION_ADMIN")
}

fn destination(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let activity = &facts.destination.activity;
    let channels = match &activity.channels {
        Ok(channels) => channels,
        Err(unread) => {
            let (role, privilege) = (Role::Destination, "REPLICATION CLIENT");
            return Ok(vec![unread_for_lack_of(facts, role, unread, privilege)?]);
        }
    };
    let version = facts.destination.version()?;
    let source_uuid = facts.source.variables().ok();
    let source_uuid = source_uuid.and_then(|variables| variables.text("server_uuid"));
    let mut findings = Vec::new();
    for channel in channels {
        let is_ours = source_uuid == Some(channel.source_uuid.as_str());
        let finding = if is_ours && facts.task.mode().follows() {
            Finding::fail("the destination is a replica of the source: it would get each change twice")
                .advice("end its replication: STOP REPLICA, then RESET REPLICA ALL (before 8.0.22 STOP SLAVE, RESET SLAVE ALL)")
        } else if !channel.errors.is_empty() {
            let codes: Vec<String> = channel.errors.iter().map(u64::to_string).collect();
            Finding::fail(format!(
                "the destination is a replica whose replication fails (error {})",
                codes.join(", ")
            ))
            .advice("repair it (SHOW REPLICA STATUS, before 8.0.22 SHOW SLAVE STATUS), or end it")
        } else if !runs(channel) {
            Finding::confirm("the destination is a replica that does not replicate")
                .sql(Role::Destination, start(version))
                .advice("or end its replication: RESET REPLICA ALL (before 8.0.22 RESET SLAVE ALL)")
        } else {
            Finding::pass("it is a replica, and replicates")
        };
        findings.push(match finding.verdict {
            Verdict::Pass => finding,
            _ => finding.about([named(channel)]),
        });
    }
    // Without performance_schema a group is not seen, and there is nothing to say.
    let members = activity.group.as_ref().map_err(Clone::clone)?;
    // With the plugin alone, and no group that it is for, a server shows itself as OFFLINE.
    let variables = facts.destination.variables()?;
    let group = variables.text("group_replication_group_name");
    let is_meant_for_one = group.is_some_and(|name| !name.is_empty());
    let down: Vec<_> = members
        .iter()
        .filter(|_| is_meant_for_one)
        .filter(|member| member.state != "ONLINE")
        .map(|member| format!("{} ({})", member.host, member.state))
        .collect();
    if !down.is_empty() {
        findings.push(
            Finding::fail("members of the destination's replication group are not ONLINE")
                .about(down)
                .advice("bring them back, or take them out of the group"),
        );
    }
    Ok(match findings.is_empty() {
        true => vec![Finding::pass("it is no replica")],
        false => findings,
    })
}

fn runs(channel: &Channel) -> bool {
    channel.receives && channel.applies
}

fn named(channel: &Channel) -> String {
    match channel.name.is_empty() {
        true => format!("from {}", channel.source),
        false => format!("{} from {}", channel.name, channel.source),
    }
}

fn start(version: ServerVersion) -> &'static str {
    match version.is_mysql_at_least(8, 0, 22) {
        true => "START REPLICA",
        false => "START SLAVE",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::GroupMember};

    fn replica(facts: &mut Facts, role: Role, change: fn(&mut Channel)) {
        let mut channel = Channel::sample();
        change(&mut channel);
        facts.side_mut(role).activity.channels = Ok(vec![channel]);
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("source-replication"),
        Case::of(
            "source-replication",
            Verdict::Pass,
            |facts| replica(facts, Role::Source, |_| {}),
            "it does",
        ),
        Case::of(
            "source-replication",
            Verdict::Confirm,
            |facts| replica(facts, Role::Source, |channel| channel.applies = false),
            "START REPLICA",
        ),
        Case::healthy("destination-read-only"),
        Case::of(
            "destination-read-only",
            Verdict::Fail,
            |facts| facts.destination.set("read_only", "ON"),
            "SET PERSIST read_only = OFF",
        ),
        Case::of(
            "destination-read-only",
            Verdict::Confirm,
            |facts| {
                facts.destination.set("read_only", "ON");
                facts
                    .destination
                    .account
                    .grant(&["GRANT SUPER ON *.* TO `drs`@`%`"]);
            },
            "all the same",
        ),
        Case::of(
            "destination-read-only",
            Verdict::Fail,
            |facts| facts.destination.set("super_read_only", "ON"),
            "SET PERSIST super_read_only = OFF",
        ),
        Case::of(
            "destination-read-only",
            Verdict::Confirm,
            |facts| facts.destination.set("offline_mode", "ON"),
            "SET PERSIST offline_mode = OFF",
        ),
        Case::of(
            "destination-read-only",
            Verdict::Fail,
            |facts| facts.destination.set("innodb_read_only", "ON"),
            "innodb_read_only",
        ),
        Case::healthy("destination-replication"),
        Case::of(
            "destination-replication",
            Verdict::Unknown,
            |facts| {
                facts.destination.activity.channels = Err(Unread::new("error 1227"));
                let poor = &["GRANT SELECT ON *.* TO `drs`@`%`"];
                facts.destination.account.grant(poor);
            },
            "GRANT REPLICATION CLIENT ON *.* TO `drs`@`%`",
        ),
        Case::of(
            "destination-replication",
            Verdict::Pass,
            |facts| replica(facts, Role::Destination, |_| {}),
            "and replicates",
        ),
        Case::of(
            "destination-replication",
            Verdict::Confirm,
            |facts| replica(facts, Role::Destination, |channel| channel.receives = false),
            "from other.example:3306",
        ),
        Case::of(
            "destination-replication",
            Verdict::Fail,
            |facts| {
                replica(facts, Role::Destination, |channel| {
                    channel.errors = vec![1062]
                })
            },
            "error 1062",
        ),
        Case::of(
            "destination-replication",
            Verdict::Fail,
            |facts| {
                replica(facts, Role::Destination, |channel| {
                    "11111111-1111-1111-1111-111111111111".clone_into(&mut channel.source_uuid);
                });
            },
            "each change twice",
        ),
        Case::of(
            "destination-replication",
            Verdict::Fail,
            |facts| {
                member(facts, "UNREACHABLE");
                let group = "22222222-3333-3333-3333-333333333333";
                facts.destination.set("group_replication_group_name", group);
            },
            "b (UNREACHABLE)",
        ),
        // The plugin is there, and no group.
        Case::of(
            "destination-replication",
            Verdict::Pass,
            |facts| {
                member(facts, "OFFLINE");
                facts.destination.set("group_replication_group_name", "");
            },
            "it is no replica",
        ),
    ];

    fn member(facts: &mut Facts, state: &str) {
        facts.destination.activity.group = Ok(vec![GroupMember {
            host: "b".to_owned(),
            state: state.to_owned(),
        }]);
    }
}
