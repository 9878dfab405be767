//! What a task has before it, as `drs check` prints it.

use std::time::Duration;

use drs_precheck::{CatchUp, Plan, Rates};
use serde_json::json;

use crate::{
    exit::CommandError,
    render::{Output, grouped},
};

/// Prints a plan: a few lines, or one object.
pub(super) fn print(plan: &Plan, out: &mut Output) -> Result<(), CommandError> {
    if out.is_json() {
        return Ok(out.object(&object(plan))?);
    }
    out.line("plan")?;
    for line in lines(plan) {
        out.line(&format!("  {line}"))?;
    }
    Ok(())
}

fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = vec![format!(
        "{} tables, about {} rows, {} of rows and {} of indexes, as the source believes",
        grouped(plan.tables),
        grouped(plan.rows),
        size(plan.data_bytes),
        size(plan.index_bytes),
    )];
    if let Some(copy) = plan.copy {
        lines.push(format!(
            "the copy takes up to {}, at {} a second, which slow servers reach",
            time(copy),
            size(Rates::default().copy_bytes_per_second),
        ));
    }
    match &plan.write_rate {
        Some(Ok(rate)) => lines.push(format!(
            "the source writes {} of log a second (seen for {:.1} s){}",
            size(rate.bytes_per_second()),
            rate.period.as_secs_f64(),
            match plan.catch_up {
                None => String::new(),
                Some(CatchUp::Never) => ": a slow destination never catches up".to_owned(),
                Some(CatchUp::After(after)) => format!(
                    ": after the copy, following catches up within {}",
                    time(after)
                ),
            }
        )),
        Some(Err(unread)) => lines.push(format!("how much the source writes is unknown: {unread}")),
        None => {}
    }
    lines
}

fn object(plan: &Plan) -> serde_json::Value {
    let rate = plan.write_rate.as_ref().and_then(|rate| rate.as_ref().ok());
    let catch_up_seconds = match plan.catch_up {
        Some(CatchUp::After(after)) => Some(after.as_secs()),
        Some(CatchUp::Never) | None => None,
    };
    json!({
        "event": "plan",
        "tables": plan.tables,
        "rows_estimated": plan.rows,
        "data_bytes_estimated": plan.data_bytes,
        "index_bytes_estimated": plan.index_bytes,
        "copy_seconds_estimated": plan.copy.map(|copy| copy.as_secs()),
        "write_bytes_per_second": rate.map(drs_precheck::facts::WriteRate::bytes_per_second),
        "catch_up_seconds_estimated": catch_up_seconds,
        "catches_up": plan.catch_up.map(|catch_up| catch_up != CatchUp::Never),
        "log_lasts": plan.log_lasts(),
    })
}

fn size(bytes: u64) -> String {
    match bytes {
        ..1024 => format!("{bytes} bytes"),
        1024..0x10_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", grouped(bytes >> 20)),
    }
}

fn time(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ ..120 => format!("{} s", seconds.max(1)),
        seconds @ 120..7200 => format!("{} minutes", seconds.div_ceil(60)),
        seconds => format!("{} hours", seconds.div_ceil(3600)),
    }
}
