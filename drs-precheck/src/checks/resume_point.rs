//! Where a task that has begun goes on.

use drs_core::{StreamPoint, status::TaskStatus};

use super::start_point::variable_set;
use crate::{Check, Facts, Finding, Group, Unread, Verdict};

pub(super) static RESUME_POINT: Check = Check {
    id: "resume-point",
    group: Group::Both,
    title: "the source's log has the point that a task has reached",
    why: "what the source has purged from its log can't be followed any more, and a log that was reset is not the one that the task knows",
    remedy: "begin a new task under another name, and keep the source's log for longer than a task may stand still",
    rule: "DRS manual, Table 2: binlogs must not be deleted, and RESET MASTER is not supported",
    verdicts: &[Verdict::Pass, Verdict::Unknown, Verdict::Fail],
    run: resume_point,
};

fn resume_point(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let own = facts.destination.previous.own.as_ref();
    let Some(status) = own.map_err(Clone::clone)? else {
        return Ok(vec![Finding::pass("the task has not begun")]);
    };
    if !facts.task.mode().follows() {
        return Ok(vec![Finding::pass("the task does not follow the log")]);
    }
    let point = &status.watermark;
    let advice = "give another task name to begin anew";
    Ok(vec![match lost(facts, status)? {
        Some(reason) => {
            Finding::fail(format!("the task is at {point}, and {reason}")).advice(advice)
        }
        None if is_behind_the_end(facts, point)? => Finding::unknown(format!(
            "the task is at {point}, which the source's log did not reach when it was asked: either the task runs just now, \
             or the log has lost its end"
        )),
        None => Finding::pass(format!("the task is at {point}, which the log has")),
    }])
}

/// Why the log can't be read from the point on.
fn lost(facts: &Facts, status: &TaskStatus) -> Result<Option<String>, Unread> {
    let variables = facts.source.variables()?;
    let position = &status.watermark.position;
    if let Some(end) = facts.source.binlog.end.clone()?
        && position.file > end.file
    {
        return Ok(Some(format!(
            "the source's log ends at {end}: it was reset"
        )));
    }
    if let (Some(set), Some(start)) = (&status.watermark.gtid_set, &status.record.start.gtid_set) {
        if !set.contains_set(&variable_set(variables, "gtid_purged")?) {
            return Ok(Some(
                "the source has purged transactions behind it from its log".to_owned(),
            ));
        }
        let executed = variable_set(variables, "gtid_executed")?;
        return Ok((!executed.contains_set(start)).then(|| {
            "the source's gtid_executed lacks what the task began with: its log was reset"
                .to_owned()
        }));
    }
    let files = facts.source.binlog.files.as_ref().map_err(Clone::clone)?;
    let is_there = files.iter().any(|there| there.file == position.file);
    Ok((!is_there).then(|| "the source has purged that file of its log".to_owned()))
}

/// True also for a task that has gone on since the source was asked.
fn is_behind_the_end(facts: &Facts, point: &StreamPoint) -> Result<bool, Unread> {
    let end = facts.source.binlog.end.clone()?;
    let is_behind = end.is_none_or(|end| point.position > end);
    let Some(set) = &point.gtid_set else {
        return Ok(is_behind);
    };
    let executed = variable_set(facts.source.variables()?, "gtid_executed")?;
    Ok(is_behind || !executed.contains_set(set))
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::checks::{
        tasks::tests::{SOURCE, begin},
        tests::Case,
    };

    /// The task began with transactions 1 to 2, and has reached this point.
    fn reach(facts: &mut Facts, position: &str, transactions: Option<&str>) {
        begin(facts, SOURCE, "");
        let set = |range: &str| Some(Arc::new(format!("{SOURCE}:{range}").parse().unwrap()));
        let own = facts.destination.previous.own.as_mut().unwrap();
        let status = own.as_mut().unwrap();
        status.watermark.position = position.parse().unwrap();
        if let Some(range) = transactions {
            status.record.start.gtid_set = set("1-2");
            status.watermark.gtid_set = set(range);
            facts.source.set("gtid_executed", &format!("{SOURCE}:1-20"));
            facts.source.set("gtid_purged", &format!("{SOURCE}:1-5"));
        }
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("resume-point"),
        Case::of(
            "resume-point",
            Verdict::Pass,
            |facts| reach(facts, "binlog.000001:400", None),
            "which the log has",
        ),
        Case::of(
            "resume-point",
            Verdict::Pass,
            |facts| reach(facts, "binlog.000001:400", Some("1-9")),
            "which the log has",
        ),
        Case::of(
            "resume-point",
            Verdict::Fail,
            |facts| reach(facts, "binlog.000000:400", None),
            "has purged that file",
        ),
        Case::of(
            "resume-point",
            Verdict::Fail,
            |facts| reach(facts, "binlog.000001:400", Some("1-3")),
            "has purged transactions",
        ),
        Case::of(
            "resume-point",
            Verdict::Fail,
            |facts| {
                reach(facts, "binlog.000001:400", Some("1-9"));
                facts.source.set("gtid_executed", "");
                facts.source.set("gtid_purged", "");
            },
            "its log was reset",
        ),
        Case::of(
            "resume-point",
            Verdict::Fail,
            |facts| reach(facts, "binlog.000003:400", None),
            "it was reset",
        ),
        Case::of(
            "resume-point",
            Verdict::Unknown,
            |facts| reach(facts, "binlog.000002:2000000", None),
            "the task runs just now",
        ),
        Case::of(
            "resume-point",
            Verdict::Unknown,
            |facts| reach(facts, "binlog.000002:400", Some("1-21")),
            "the task runs just now",
        ),
        // The start point was purged long ago, and nobody needs it any more.
        Case::of(
            "start-point",
            Verdict::Pass,
            |facts| {
                facts.task = crate::facts::sample::task_at("binlog.000000:4");
                reach(facts, "binlog.000001:400", None);
            },
            "has begun",
        ),
    ];
}
