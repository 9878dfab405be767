//! Whether following can catch up with the source after the copy.

use super::binlog::not_followed;
use crate::{Check, Facts, Finding, Group, Plan, Rates, Unread, Verdict};

pub(super) static CATCH_UP: Check = Check {
    id: "catch-up",
    group: Group::Both,
    title: "following can catch up with what the source writes",
    why: "a task that is slower than its source never comes to its end, and what the source purges meanwhile ends it",
    remedy: "begin in a quieter hour, select less, or give the task more lanes and the destination faster disks",
    rule: "drs: the growth of the source's log in a second or more, against what a slow server still follows",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: catch_up,
};

fn catch_up(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    if let Some(pass) = not_followed(facts) {
        return Ok(pass);
    }
    let rates = Rates::default();
    let rate = facts.write_rate.clone()?;
    let plan = Plan::of(facts, rates)?;
    let written = format!(
        "the source writes {} of log a second",
        size(rate.bytes_per_second())
    );
    let keeps_up = rate.bytes_per_second() < rates.follow_bytes_per_second;
    Ok(vec![match (keeps_up, plan.log_lasts()) {
        (true, Some(false)) => Finding::confirm(format!(
            "{written}, and may purge a part before the task comes to it"
        ))
        .advice("keep the log for longer, see the check log-retention"),
        (true, _) => Finding::pass(written),
        (false, _) => Finding::confirm(format!(
            "{written}; a slow destination follows {} of it a second, so see whether yours is faster",
            size(rates.follow_bytes_per_second)
        ))
        .advice("try it; begin in a quieter hour, or give the task more lanes"),
    }])
}

fn size(bytes: u64) -> String {
    match bytes {
        ..1024 => format!("{bytes} bytes"),
        1024..0x10_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        checks::tests::Case,
        facts::{WriteRate, sample::task},
    };

    fn writes(facts: &mut Facts, mib_per_second: u64) {
        facts.write_rate = Ok(WriteRate {
            bytes: mib_per_second << 20,
            period: Duration::from_secs(1),
        });
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("catch-up"),
        Case {
            check: "catch-up",
            verdict: Verdict::Pass,
            change: |facts| {
                facts.task = task("full", "");
                writes(facts, 100);
            },
            says: "does not follow",
        },
        Case {
            check: "catch-up",
            verdict: Verdict::Confirm,
            change: |facts| writes(facts, 7),
            says: "7 MiB of log a second; a slow destination follows 5 MiB",
        },
        Case {
            check: "catch-up",
            verdict: Verdict::Confirm,
            change: |facts| {
                writes(facts, 4);
                facts.source.set("binlog_expire_logs_seconds", "3600");
                for table in facts.source.tables.tables.as_mut().unwrap() {
                    table.data_bytes = 1 << 36;
                }
            },
            says: "may purge a part",
        },
    ];
}
