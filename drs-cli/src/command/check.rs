//! `drs check`: what can be known of both servers before a task starts.

mod plan;

use std::collections::{BTreeMap, BTreeSet};

use drs_core::{Role, Task};
use drs_precheck::{CHECKS, Checked, Facts, Finding, Group, Plan, Rates, Remedy, Report, Verdict};
use serde_json::{Value, json};

use crate::{
    args::CheckArgs,
    config,
    exit::{CommandError, Exit},
    render::Output,
};

/// So many objects of a finding are named; all of them with --json.
const OBJECTS_SHOWN: usize = 10;

/// So many of the checks that could not be made for one reason are named.
const UNMADE_SHOWN: usize = 3;

/// Stands before what belongs to a check.
const INDENT: &str = "           ";

/// Carries the command out. It changes nothing on either server.
pub(crate) fn execute(args: CheckArgs, out: &mut Output) -> Result<Exit, CommandError> {
    let task = config::load(&args.task, &[Role::Source, Role::Destination])?;
    known(&args.only)?;
    let (mut report, facts) = report(&task, &args.confirm)?;
    let is_alone = !args.only.is_empty();
    if is_alone {
        let is_wanted = |checked: &Checked| args.only.iter().any(|id| id == checked.check.id);
        report.checked.retain(is_wanted);
    }
    if args.fix_sql {
        print_statements(&report, out)?;
    } else {
        for group in Group::ALL {
            print_group(&report, group, is_alone, out)?;
        }
        if let (false, Ok(plan)) = (is_alone, Plan::of(&facts, Rates::default())) {
            plan::print(&plan, out)?;
        }
        print_count(&report, out)?;
    }
    Ok(match report.allows_start() {
        true => Exit::Done,
        false => Exit::Differs,
    })
}

/// Runs the checks before a task: prints what does not pass; true when the task may start.
pub(super) fn before_run(
    task: &Task,
    confirmed: &[String],
    out: &mut Output,
) -> Result<bool, CommandError> {
    let (mut report, facts) = report(task, confirmed)?;
    if facts.begun().is_some() {
        // The log tells what became of its objects: a table that was dropped, or made with a name
        // that a new task would not begin with, is followed.
        let is_of_objects = |checked: &Checked| checked.check.group == Group::Objects;
        report.checked.retain(|checked| !is_of_objects(checked));
    }
    let troubles = || {
        let troubles = report.checked.iter();
        troubles.filter(|checked| checked.verdict() != Verdict::Pass)
    };
    print_checks(troubles(), false, out)?;
    if troubles().next().is_some() {
        print_count(&report, out)?;
    }
    Ok(report.allows_start())
}

/// Says what a run without checks leaves out.
pub(super) fn skipped() -> String {
    let ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    format!(
        "--no-check: nothing was checked before this run; skipped: {}",
        ids.join(", ")
    )
}

fn report(task: &Task, confirmed: &[String]) -> Result<(Report, Facts), CommandError> {
    let confirmed = [confirmed, task.confirmed()].concat();
    known(&confirmed)?;
    let facts = Facts::gather(task);
    let mut report = Report::of(&facts);
    report.accept(confirmed.iter().map(String::as_str));
    if facts.begun().is_some() {
        // It was accepted when the task began; a restart must not wait for anybody.
        report.accept(CHECKS.iter().map(|check| check.id));
    }
    Ok((report, facts))
}

/// Fails when one of these is no check's id, before anything is asked.
fn known(ids: &[String]) -> Result<(), CommandError> {
    let is_known = |id: &&String| CHECKS.iter().any(|check| check.id == **id);
    match ids.iter().find(|id| !is_known(id)) {
        None => Ok(()),
        Some(id) => Err(CommandError::NoSuchCheck {
            id: id.clone(),
            nearest: nearest(id),
        }),
    }
}

fn nearest(id: &str) -> Option<&'static str> {
    let distance = |check: &str| strsim::damerau_levenshtein(id, check);
    let ids = CHECKS.iter().map(|check| check.id);
    let nearest = ids.min_by_key(|check| distance(check))?;
    (distance(nearest) <= nearest.len() / 2).then_some(nearest)
}

/// One line for each check of a group; with `all`, also what was seen where it passes.
fn print_group(
    report: &Report,
    group: Group,
    all: bool,
    out: &mut Output,
) -> Result<(), CommandError> {
    let of_group = |checked: &&Checked| checked.check.group == group;
    let mut of_group = report.checked.iter().filter(of_group).peekable();
    if of_group.peek().is_some() && !out.is_json() {
        out.line(group.as_str())?;
    }
    print_checks(of_group, all, out)
}

/// Checks that could not be made for one and the same reason are a single line of a text: without
/// a server that is nearly all of them.
fn print_checks<'r>(
    checks: impl Iterator<Item = &'r Checked>,
    all: bool,
    out: &mut Output,
) -> Result<(), CommandError> {
    let checks: Vec<&Checked> = checks.collect();
    let mut unmade: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    if !out.is_json() {
        for checked in &checks {
            if let Some(reason) = only_reason(checked) {
                unmade.entry(reason).or_default().push(checked.check.id);
            }
        }
        unmade.retain(|_, ids| ids.len() > UNMADE_SHOWN);
    }
    for checked in checks {
        let is_told_below = only_reason(checked).is_some_and(|it| unmade.contains_key(it));
        if !is_told_below {
            print_check(checked, all, out)?;
        }
    }
    for (reason, ids) in unmade {
        let more = ids.len().saturating_sub(UNMADE_SHOWN);
        let shown: Vec<&str> = ids.into_iter().take(UNMADE_SHOWN).collect();
        out.line(&format!(
            "  unknown  {} checks  [{} and {more} more]",
            UNMADE_SHOWN.saturating_add(more),
            shown.join(", ")
        ))?;
        out.line(&format!("{INDENT}{reason}"))?;
    }
    Ok(())
}

/// Why a check could not be made, where that is all there is to say of it.
fn only_reason(checked: &Checked) -> Option<&str> {
    match checked.findings.as_slice() {
        [finding]
            if finding.verdict == Verdict::Unknown
                && finding.objects.is_empty()
                && finding.remedies.is_empty() =>
        {
            Some(&finding.detail)
        }
        _ => None,
    }
}

fn print_check(checked: &Checked, all: bool, out: &mut Output) -> Result<(), CommandError> {
    if out.is_json() {
        for finding in &checked.findings {
            out.object(&object(checked, finding))?;
        }
        return Ok(());
    }
    let mark = match (checked.verdict(), checked.is_accepted) {
        (Verdict::Pass, _) => "ok",
        (Verdict::Confirm, true) => "accepted",
        (verdict, _) => verdict.as_str(),
    };
    out.line(&format!(
        "  {mark:<8} {}  [{}]",
        checked.check.title, checked.check.id
    ))?;
    for finding in &checked.findings {
        if all || finding.verdict != Verdict::Pass {
            print_finding(checked, finding, out)?;
        }
    }
    Ok(())
}

fn print_finding(
    checked: &Checked,
    finding: &Finding,
    out: &mut Output,
) -> Result<(), CommandError> {
    out.line(&format!("{INDENT}{}", finding.detail))?;
    if !finding.objects.is_empty() {
        let shown = finding.objects.iter().take(OBJECTS_SHOWN);
        let shown = shown.map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = match finding.objects.len().saturating_sub(OBJECTS_SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more ({} in all)", finding.objects.len()),
        };
        out.line(&format!("{INDENT}{shown}{more}"))?;
    }
    for remedy in &finding.remedies {
        out.line(&match remedy {
            Remedy::Sql { role, statement } => format!("{INDENT}run at the {role}: {statement};"),
            Remedy::Advice(text) => format!("{INDENT}to do: {text}"),
        })?;
    }
    if finding.verdict == Verdict::Confirm && !checked.is_accepted {
        let id = checked.check.id;
        out.line(&format!("{INDENT}or accept it: --confirm {id}"))?;
    }
    Ok(())
}

fn print_count(report: &Report, out: &mut Output) -> Result<(), CommandError> {
    let count = |verdict| report.count(verdict);
    let text = format!(
        "{} passed, {} to confirm, {} unknown, {} failed: {}",
        count(Verdict::Pass),
        count(Verdict::Confirm),
        count(Verdict::Unknown),
        count(Verdict::Fail),
        match report.allows_start() {
            true => "the task may start",
            false => "the task may not start",
        }
    );
    let object = json!({
        "event": "checked",
        "pass": count(Verdict::Pass),
        "confirm": count(Verdict::Confirm),
        "unknown": count(Verdict::Unknown),
        "fail": count(Verdict::Fail),
        "may_start": report.allows_start(),
    });
    Ok(out.fact(&text, &object)?)
}

/// The statements of all findings that do not pass, each once.
fn print_statements(report: &Report, out: &mut Output) -> Result<(), CommandError> {
    for wanted in [Role::Source, Role::Destination] {
        let mut printed = BTreeSet::new();
        for checked in &report.checked {
            let findings = checked.findings.iter();
            for remedy in findings
                .filter(|finding| finding.verdict != Verdict::Pass)
                .flat_map(|finding| &finding.remedies)
            {
                let Remedy::Sql { role, statement } = remedy else {
                    continue;
                };
                if *role != wanted || !printed.insert(statement) {
                    continue;
                }
                if printed.len() == 1 && !out.is_json() {
                    out.line(&format!("-- at the {role}"))?;
                }
                let object = json!({
                    "check": checked.check.id, "role": role.to_string(), "statement": statement,
                });
                out.fact(&format!("{statement};"), &object)?;
            }
        }
    }
    Ok(())
}

fn object(checked: &Checked, finding: &Finding) -> Value {
    let remedies: Vec<Value> = finding
        .remedies
        .iter()
        .map(|remedy| match remedy {
            Remedy::Sql { role, statement } => {
                json!({ "role": role.to_string(), "statement": statement })
            }
            Remedy::Advice(text) => json!({ "advice": text }),
        })
        .collect();
    json!({
        "event": "check",
        "check": checked.check.id,
        "group": checked.check.group.as_str(),
        "title": checked.check.title,
        "verdict": finding.verdict.as_str(),
        "accepted": finding.verdict == Verdict::Confirm && checked.is_accepted,
        "detail": finding.detail,
        "objects": finding.objects,
        "remedies": remedies,
    })
}
