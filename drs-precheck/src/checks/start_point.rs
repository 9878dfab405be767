//! Where an incremental task begins.

use drs_binlog::{GtidSet, Position, StartPoint};
use drs_core::{Mode, ServerVersion};

use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{AtStart, Variables},
};

pub(super) static START_POINT: Check = Check {
    id: "start-point",
    group: Group::Source,
    title: "the source's log has the start point",
    why: "what lies between the start point and where the log can be read from would be missing at the destination",
    remedy: "take a start point that the log has: drs start-point prints the present one",
    rule: "DRS manual, Table 7: the start point is file:position, with the executed GTID set where GTIDs are enabled; Table 2: if it is not precise, data may be inconsistent",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: start_point,
};

const ADVICE: &str = "take a start point that the log has (drs start-point prints the present one), or copy again with mode full+incremental";

fn start_point(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.source.variables()?;
    let Mode::Incremental { start_point } = facts.task.mode() else {
        return Ok(vec![Finding::pass(
            "the task takes its start point from the source by itself",
        )]);
    };
    if facts.begun().is_some() {
        return Ok(vec![Finding::pass(
            "the task has begun, and goes on from where it is",
        )]);
    }
    let has_gtids = variables
        .text("gtid_mode")
        .is_some_and(|mode| mode.eq_ignore_ascii_case("ON"));
    match (&start_point.gtid_set, has_gtids) {
        (Some(_), false) => Ok(vec![
            Finding::fail("the start point has a GTID set, and gtid_mode is not ON at the source")
                .advice(
                    "give the position alone, file:position, or set gtid_mode to ON at the source",
                ),
        ]),
        (Some(set), true) => by_set(facts, start_point, set),
        (None, has_gtids) => {
            let mut findings = by_position(facts, &start_point.position)?;
            if has_gtids {
                findings.push(
                    Finding::confirm(
                        "the start point has no GTID set, and gtid_mode is ON at the source: the log is followed by position, and not beyond a switchover",
                    )
                    .advice("give the GTID set that was executed at the position too: file:position;set"),
                );
            }
            Ok(findings)
        }
    }
}

/// The set decides where the log is read from; the file is only where to look.
fn by_set(facts: &Facts, point: &StartPoint, set: &GtidSet) -> Result<Vec<Finding>, Unread> {
    let variables = facts.source.variables()?;
    let purged = variable_set(variables, "gtid_purged")?;
    let executed = variable_set(variables, "gtid_executed")?;
    let mut findings = Vec::new();
    if !set.contains_set(&purged) {
        let mut missing = purged;
        missing.subtract(set);
        findings.push(
            Finding::fail("these transactions are not in the start point, and the source has purged them from its log")
                .about([missing])
                .advice(ADVICE),
        );
    }
    if !executed.contains_set(set) {
        let mut unknown = set.clone();
        unknown.subtract(&executed);
        findings.push(
            Finding::fail(
                "these transactions are in the start point, and the source has not executed them",
            )
            .about([unknown])
            .advice("check that the start point is of this server"),
        );
    }
    if let Some(finding) = past_the_end(facts, &point.position, false)? {
        findings.push(finding);
    }
    if findings.is_empty() {
        findings.push(Finding::pass("all behind its GTID set is in the log"));
    }
    Ok(findings)
}

fn by_position(facts: &Facts, position: &Position) -> Result<Vec<Finding>, Unread> {
    let files = facts.source.binlog.files.as_ref().map_err(Clone::clone)?;
    let fail = |detail: String| Ok(vec![Finding::fail(detail).advice(ADVICE)]);
    if let Some(finding) = past_the_end(facts, position, true)? {
        return Ok(vec![finding]);
    }
    if !files.iter().any(|there| there.file == position.file) {
        let oldest = files.first().map(|there| there.file.to_string());
        return fail(format!(
            "the source's log has no file {} (any more): the oldest is {}",
            position.file,
            oldest.as_deref().unwrap_or("none")
        ));
    }
    match facts.source.binlog.at_start.clone()? {
        AtStart::Nothing => fail(format!("no event of the log begins at {position}")),
        AtStart::Event(kind) if is_inside(&kind, facts.source.version()?) => fail(format!(
            "{position} is in the middle of a transaction: what begins there is of type {kind}"
        )),
        AtStart::Event(_) | AtStart::End | AtStart::NotAsked => {
            Ok(vec![Finding::pass(format!("{position} is in the log"))])
        }
    }
}

fn past_the_end(
    facts: &Facts,
    position: &Position,
    exactly: bool,
) -> Result<Option<Finding>, Unread> {
    let end = facts.source.binlog.end.clone()?;
    let files = facts.source.binlog.files.as_ref().map_err(Clone::clone)?;
    let is_past = match &end {
        None => true,
        Some(end) if exactly => position > end,
        Some(end) => position.file > end.file,
    };
    // Also past the end of an older file.
    let size = files.iter().find(|there| there.file == position.file);
    let is_past = is_past || (exactly && size.is_some_and(|there| position.offset > there.bytes));
    Ok(is_past.then(|| {
        let end = end.map_or_else(|| "nowhere".to_owned(), |end| end.to_string());
        Finding::fail(format!(
            "the start point {position} lies behind the end of the file or the log, which is at {end}"
        ))
        .advice("check that the start point is of this server, and that its log was not reset")
    }))
}

/// True for an event that is not the first of a transaction.
fn is_inside(kind: &str, version: ServerVersion) -> bool {
    let kind = kind.to_ascii_lowercase();
    let is_row = kind.contains("rows") || kind.contains("table_map");
    // From 5.7 on an event with or without a GTID comes first.
    is_row || kind == "xid" || (kind == "query" && version.is_mysql_at_least(5, 7, 0))
}

/// A global variable that is a GTID set.
pub(super) fn variable_set(variables: &Variables, name: &str) -> Result<GtidSet, Unread> {
    let text = variables.text(name).unwrap_or_default();
    let set = text.parse();
    set.map_err(|_| Unread::new(format!("the source's {name} is not a GTID set")))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::sample};

    fn begin_at(facts: &mut Facts, point: &str) {
        facts.task = sample::task_at(point);
        facts.source.set(
            "gtid_executed",
            "11111111-1111-1111-1111-111111111111:1-100",
        );
        facts
            .source
            .set("gtid_purged", "11111111-1111-1111-1111-111111111111:1-10");
    }

    fn begin_without_gtids(facts: &mut Facts, point: &str) {
        begin_at(facts, point);
        facts.source.set("gtid_mode", "OFF");
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("start-point"),
        Case::of(
            "start-point",
            Verdict::Pass,
            |facts| {
                begin_at(
                    facts,
                    "binlog.000001:4;11111111-1111-1111-1111-111111111111:1-20",
                )
            },
            "all behind its GTID set",
        ),
        Case::of(
            "start-point",
            Verdict::Fail,
            |facts| {
                begin_at(
                    facts,
                    "binlog.000001:4;11111111-1111-1111-1111-111111111111:1-5",
                )
            },
            "11111111-1111-1111-1111-111111111111:6-10",
        ),
        Case::of(
            "start-point",
            Verdict::Fail,
            |facts| {
                begin_at(
                    facts,
                    "binlog.000001:4;11111111-1111-1111-1111-111111111111:1-102",
                )
            },
            "11111111-1111-1111-1111-111111111111:101-102",
        ),
        Case::of(
            "start-point",
            Verdict::Fail,
            |facts| {
                begin_at(
                    facts,
                    "binlog.000009:4;11111111-1111-1111-1111-111111111111:1-20",
                )
            },
            "behind the end",
        ),
        Case::of(
            "start-point",
            Verdict::Fail,
            |facts| {
                begin_without_gtids(
                    facts,
                    "binlog.000001:4;11111111-1111-1111-1111-111111111111:1-20",
                )
            },
            "gtid_mode is not ON",
        ),
        Case::of(
            "start-point",
            Verdict::Confirm,
            |facts| begin_at(facts, "binlog.000001:4"),
            "file:position;set",
        ),
        Case::of(
            "start-point",
            Verdict::Pass,
            |facts| begin_without_gtids(facts, "binlog.000001:4"),
            "is in the log",
        ),
        Case::of(
            "start-point",
            Verdict::Fail,
            |facts| begin_without_gtids(facts, "binlog.000000:4"),
            "the oldest is binlog.000001",
        ),
        Case::of(
            "start-point",
            Verdict::Fail,
            |facts| begin_without_gtids(facts, "binlog.000001:1048577"),
            "behind the end",
        ),
        Case::of(
            "start-point",
            Verdict::Fail,
            |facts| begin_without_gtids(facts, "binlog.000002:1048577"),
            "behind the end",
        ),
        Case::of(
            "start-point",
            Verdict::Fail,
            |facts| {
                begin_without_gtids(facts, "binlog.000001:130");
                facts.source.binlog.at_start = Ok(AtStart::Nothing);
            },
            "no event of the log begins",
        ),
        Case::of(
            "start-point",
            Verdict::Fail,
            |facts| {
                begin_without_gtids(facts, "binlog.000001:130");
                facts.source.binlog.at_start = Ok(AtStart::Event("Table_map".to_owned()));
            },
            "in the middle of a transaction",
        ),
    ];
}
