//! `drs status`: what the destination's checkpoint says of a task.

use std::collections::BTreeMap;

use drs_core::{Role, TablePhase, Task, status};
use serde_json::json;

use crate::{
    args::TaskArgs,
    config,
    exit::{CommandError, Exit},
    render::{Align, Output, Table, grouped},
};

/// A task in mode "full" has nothing to catch up with.
fn phase(task: &Task, phase: TablePhase) -> &'static str {
    match phase {
        TablePhase::CatchingUp if !task.mode().follows() => "copied",
        phase => phase.as_str(),
    }
}

/// Other tables are listed one by one; a task may have thousands of these.
fn is_settled(task: &Task, phase: TablePhase) -> bool {
    phase == TablePhase::Live || (phase == TablePhase::CatchingUp && !task.mode().follows())
}

/// Carries the command out. It reads the checkpoint alone, so that it disturbs no run.
pub(crate) fn execute(args: TaskArgs, out: &mut Output) -> Result<Exit, CommandError> {
    let task = config::load(&args.task, &[Role::Destination])?;
    let mut conn = task.destination().connect(Role::Destination)?;
    let status = status::read(&mut conn, task.name().as_str())
        .map_err(|error| CommandError::Failed(error.to_string()))?;
    let Some(status) = status else {
        let name = task.name().as_str();
        out.fact(
            &format!("task {name} has not begun"),
            &json!({ "task": name, "begun": false }),
        )?;
        return Ok(Exit::Done);
    };
    let mut phases: BTreeMap<&str, u64> = BTreeMap::new();
    for table in &status.tables {
        *phases.entry(phase(&task, table.phase)).or_default() += 1;
    }
    if out.is_json() {
        out.object(&json!({
            "task": task.name().as_str(),
            "begun": true,
            "source_uuid": status.record.source_uuid,
            "copied": status.record.copied,
            "position": status.watermark.position.to_string(),
            "lag_ms": status.lag.map(|lag| lag.lag_ms),
            "lag_age_s": status.lag.map(|lag| lag.age_s),
            "gtid_set": status.watermark.gtid_set.as_ref().map(|set| set.to_string()),
            "phases": phases,
            "conflicts": status.conflicts,
        }))?;
        for table in &status.tables {
            out.object(&json!({
                "table": table.table.to_string(),
                "phase": phase(&task, table.phase),
                "rows_copied": table.rows_copied,
                "from": table.from.as_ref().map(|point| point.to_string()),
                "until": table.until.as_ref().map(|point| point.to_string()),
            }))?;
        }
        return Ok(Exit::Done);
    }
    out.line(&format!("task       {}", task.name().as_str()))?;
    out.line(&format!(
        "copy       {}",
        if status.record.copied {
            "done"
        } else {
            "under way"
        }
    ))?;
    out.line(&format!("position   {}", status.watermark.position))?;
    if let Some(lag) = status.lag {
        out.line(&format!(
            "lag        {} ms, {} s ago",
            grouped(lag.lag_ms),
            grouped(lag.age_s)
        ))?;
    }
    if let Some(set) = &status.watermark.gtid_set {
        out.line(&format!("gtid set   {set}"))?;
    }
    if status.conflicts > 0 {
        out.line(&format!("conflicts  {}", grouped(status.conflicts)))?;
    }
    let counts: Vec<String> = phases
        .iter()
        .map(|(phase, count)| format!("{count} {phase}"))
        .collect();
    out.line(&format!("tables     {}", counts.join(", ")))?;
    let mut table = Table::new(&[
        ("table", Align::Left),
        ("phase", Align::Left),
        ("rows copied", Align::Right),
    ]);
    let mut unsettled = 0;
    for record in status
        .tables
        .iter()
        .filter(|record| !is_settled(&task, record.phase))
    {
        unsettled += 1;
        table.row([
            record.table.to_string(),
            phase(&task, record.phase).to_owned(),
            grouped(record.rows_copied),
        ]);
    }
    if unsettled > 0 {
        out.table(&table)?;
    }
    Ok(Exit::Done)
}
