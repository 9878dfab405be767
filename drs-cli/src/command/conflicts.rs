//! `drs conflicts`: what the ledger at the destination holds of a task's conflicts.

use drs_core::{
    Role,
    conflicts::{self, ConflictSummary, LedgerRow},
};
use serde_json::{Value, json};

use crate::{
    args::ConflictsArgs,
    config,
    exit::{CommandError, Exit},
    render::{Align, Output, Table, grouped},
};

/// Conflicts that are listed for people; `--json` lists all.
const LISTED_MAX: u64 = 50;
/// Characters of a row's key that are listed for people.
const KEY_LENGTH_MAX: usize = 60;

/// Carries the command out. It reads the ledger alone, so that it disturbs no run.
pub(crate) fn execute(args: ConflictsArgs, out: &mut Output) -> Result<Exit, CommandError> {
    let task = config::load(&args.task, &[Role::Destination])?;
    let name = task.name().as_str();
    let mut conn = task.destination().connect(Role::Destination)?;
    let since = args.since.as_ref();
    let summary = conflicts::summarize(&mut conn, name, since).map_err(failed)?;
    let total: u64 = summary.iter().map(|line| line.count).sum();
    if out.is_json() {
        out.object(&json!({ "event": "total", "task": name, "conflicts": total }))?;
        for line in &summary {
            out.object(&summary_object(line))?;
        }
        conflicts::for_each(&mut conn, name, since, None, |row| {
            out.object(&row_object(&row)).map_err(CommandError::from)
        })?;
        return Ok(Exit::Done);
    }
    if total == 0 {
        out.line("no conflicts")?;
        return Ok(Exit::Done);
    }
    out.table(&summary_table(&summary))?;
    out.line("")?;
    let mut listed = 0;
    let mut table = Table::new(&[
        ("met at (UTC)", Align::Left),
        ("table", Align::Left),
        ("kind", Align::Left),
        ("key", Align::Left),
        ("source's row", Align::Left),
        ("destination's row", Align::Left),
        ("position", Align::Left),
    ]);
    conflicts::for_each(&mut conn, name, since, Some(LISTED_MAX), |row| {
        listed += row.row_count;
        table.row(cells(&row));
        Ok::<_, CommandError>(())
    })?;
    out.table(&table)?;
    if listed < total {
        out.line(&format!("the last {LISTED_MAX}; --json lists all"))?;
    }
    out.line(&format!("{} conflicts", grouped(total)))?;
    Ok(Exit::Done)
}

fn failed(error: drs_core::CheckpointError) -> CommandError {
    CommandError::Failed(error.to_string())
}

impl From<drs_core::CheckpointError> for CommandError {
    fn from(error: drs_core::CheckpointError) -> Self {
        failed(error)
    }
}

fn summary_object(line: &ConflictSummary) -> Value {
    json!({
        "event": "summary",
        "table": line.table.to_string(),
        "kind": line.kind.as_str(),
        "key_name": key_name(line.kind.key_name()),
        "policy": line.policy.as_str(),
        "conflicts": line.count,
        "first": line.first,
        "last": line.last,
    })
}

fn row_object(row: &LedgerRow) -> Value {
    json!({
        "event": "conflict",
        "id": row.id,
        "met_at": row.met_at,
        "table": row.table.to_string(),
        "kind": row.kind.as_str(),
        "key_name": key_name(row.kind.key_name()),
        "policy": row.policy.as_str(),
        "row_count": row.row_count,
        "position": row.position.as_ref().map(ToString::to_string),
        "gtid": row.gtid.as_ref().map(ToString::to_string),
        "source_key": document(&row.source_key),
        "destination_key": document(&row.destination_key),
        "source_before": document(&row.images.source_before),
        "source_after": document(&row.images.source_after),
        "destination_row": document(&row.images.destination),
        "note": row.note,
    })
}

/// A 5.6 destination does not tell the key that the copy met.
fn key_name(name: Option<&str>) -> Option<&str> {
    name.filter(|name| !name.is_empty())
}

/// The ledger's texts are JSON already.
fn document(text: &Option<String>) -> Value {
    match text {
        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
        None => Value::Null,
    }
}

fn summary_table(summary: &[ConflictSummary]) -> Table {
    let mut table = Table::new(&[
        ("table", Align::Left),
        ("kind", Align::Left),
        ("key", Align::Left),
        ("policy", Align::Left),
        ("conflicts", Align::Right),
        ("first (UTC)", Align::Left),
        ("last (UTC)", Align::Left),
    ]);
    for line in summary {
        table.row([
            line.table.to_string(),
            line.kind.as_str().to_owned(),
            key_name(line.kind.key_name()).unwrap_or("-").to_owned(),
            line.policy.as_str().to_owned(),
            grouped(line.count),
            line.first.clone(),
            line.last.clone(),
        ]);
    }
    table
}

fn cells(row: &LedgerRow) -> [String; 7] {
    let shown = |text: &Option<String>| match text {
        Some(text) if text.chars().count() > KEY_LENGTH_MAX => {
            let cut: String = text.chars().take(KEY_LENGTH_MAX).collect();
            format!("{cut}…")
        }
        Some(text) => text.clone(),
        None if row.row_count > 1 => format!("{} rows", grouped(row.row_count)),
        None => "-".to_owned(),
    };
    [
        row.met_at.clone(),
        row.table.to_string(),
        row.kind.as_str().to_owned(),
        key_name(row.kind.key_name()).unwrap_or("-").to_owned(),
        shown(&row.source_key),
        shown(&row.destination_key),
        row.position
            .as_ref()
            .map_or_else(|| "-".to_owned(), ToString::to_string),
    ]
}
