//! How long the source keeps its binary log.

use drs_core::{Role, ServerVersion};

use super::{
    binlog::{not_followed, set},
    remedy::set_global,
};
use crate::{Check, Facts, Finding, Group, Plan, Rates, Unread, Verdict, facts::Variables};

pub(super) static LOG_RETENTION: Check = Check {
    id: "log-retention",
    group: Group::Source,
    title: "the source keeps its log for long enough",
    why: "what is purged before it was read can't be made up for: the task ends, and the copy is made again",
    remedy: "keep the log for three days or more",
    rule: "DRS manual, Table 2: the recommended retention period is three days; expire_logs_days of 0 may make the synchronization fail",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: retention,
};

const DAY: u64 = 24 * 3600;
const RETENTION_MIN: u64 = 3 * DAY;

fn retention(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.source.variables()?;
    let version = facts.source.version()?;
    if let Some(pass) = not_followed(facts) {
        return Ok(pass);
    }
    let mut findings = vec![by_age(facts, variables, version)?];
    // Percona's servers may purge by size.
    if let Some(bytes) = variables
        .number("binlog_space_limit")
        .filter(|bytes| *bytes > 0)
    {
        let finding = Finding::confirm(format!(
            "the source purges its log when it has more than {bytes} bytes (binlog_space_limit)"
        ));
        findings.push(set(facts, finding, "binlog_space_limit", "0")?);
    }
    Ok(findings)
}

fn by_age(facts: &Facts, variables: &Variables, version: ServerVersion) -> Result<Finding, Unread> {
    let wanted = RETENTION_MIN.max(2 * copy_seconds(facts));
    let retention = variables.log_retention().map(|kept| kept.as_secs());
    let finding = match retention {
        Some(seconds) if seconds >= wanted => {
            return Ok(Finding::pass(format!("for {}", days(seconds))));
        }
        Some(seconds) => Finding::confirm(format!(
            "the source keeps its log for {}, and this task should have {}: the time of the copy, and one in which it may be stopped",
            days(seconds),
            days(wanted)
        )),
        None => Finding::confirm(
            "the source never purges its log by itself: its disk fills, or somebody purges what is still to be read",
        ),
    };
    let keeps_seconds = variables.text("binlog_expire_logs_seconds").is_some();
    let finding = match keeps_seconds {
        true => set(
            facts,
            finding,
            "binlog_expire_logs_seconds",
            &wanted.to_string(),
        )?,
        false => set(
            facts,
            finding,
            "expire_logs_days",
            &wanted.div_ceil(DAY).to_string(),
        )?,
    };
    Ok(match variables.is_on("binlog_expire_logs_auto_purge") {
        Some(false) => finding.sql(
            Role::Source,
            set_global(version, "binlog_expire_logs_auto_purge", "ON"),
        ),
        _ => finding,
    })
}

/// How long the copy may take; nothing where there is none, or its size is not known.
fn copy_seconds(facts: &Facts) -> u64 {
    let plan = Plan::of(facts, Rates::default()).ok();
    let copy = plan.and_then(|plan| plan.copy);
    copy.map_or(0, |copy| copy.as_secs())
}

fn days(seconds: u64) -> String {
    const HOUR: u64 = 3600;
    match seconds {
        ..HOUR => format!("{seconds} seconds"),
        HOUR..DAY => format!("{} hours", seconds / HOUR),
        _ => format!("{} days", seconds / DAY),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checks::tests::Case;

    fn old(facts: &mut Facts, days: &str) {
        facts.source.set_version("5.6.24");
        facts.source.remove("binlog_expire_logs_seconds");
        facts.source.remove("binlog_expire_logs_auto_purge");
        facts.source.set("expire_logs_days", days);
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("log-retention"),
        Case::of(
            "log-retention",
            Verdict::Confirm,
            |facts| old(facts, "0"),
            "SET GLOBAL expire_logs_days = 3",
        ),
        Case::of(
            "log-retention",
            Verdict::Pass,
            |facts| old(facts, "4"),
            "for 4 days",
        ),
        Case::of(
            "log-retention",
            Verdict::Confirm,
            |facts| old(facts, "2"),
            "for 2 days",
        ),
        Case::of(
            "log-retention",
            Verdict::Confirm,
            |facts| facts.source.set("binlog_expire_logs_seconds", "7200"),
            "SET PERSIST binlog_expire_logs_seconds = 259200",
        ),
        Case::of(
            "log-retention",
            Verdict::Confirm,
            |facts| facts.source.set("binlog_expire_logs_seconds", "0"),
            "never purges",
        ),
        Case::of(
            "log-retention",
            Verdict::Confirm,
            |facts| facts.source.set("binlog_expire_logs_auto_purge", "OFF"),
            "SET PERSIST binlog_expire_logs_auto_purge = ON",
        ),
        // 20 TiB take a month.
        Case::of(
            "log-retention",
            Verdict::Confirm,
            |facts| facts.source.tables.tables.as_mut().unwrap()[0].data_bytes = 20 << 40,
            "for 30 days, and this task should have 48 days",
        ),
        Case::of(
            "log-retention",
            Verdict::Confirm,
            |facts| facts.source.set("binlog_space_limit", "1000"),
            "SET PERSIST binlog_space_limit = 0",
        ),
    ];
}
