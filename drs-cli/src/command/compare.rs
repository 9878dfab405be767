//! `drs compare`: whether the destination has what the task should have brought.

mod data;
mod file;
mod html;
mod look;
mod objects;
mod plan;
mod repair;
mod report;
mod screen;
mod text;
mod wait;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::Utc;
use drs_core::{
    Role, SessionError, Task,
    compare::{CompareError, CompareObserver, CompareOptions, Comparison, ObjectsError},
};
use serde_json::json;

use crate::{
    args::CompareArgs,
    config,
    exit::{CommandError, Exit},
    render::{Output, grouped},
};
use file::Files;
use plan::Plan;
use repair::Repairs;
use report::{Report, Rows};
use screen::Screen;
use wait::Waited;

/// Carries the command out. It writes to no server.
pub(crate) fn execute(args: CompareArgs, out: &mut Output) -> Result<Exit, CommandError> {
    let task = config::load(&args.task, &[Role::Source, Role::Destination])?;
    let plan = Plan::new(&args, task.compare())?;
    let stop = listen()?;
    // What can't work is told now, and not after hours of waiting or comparing.
    let files = Files::create(&args.report)?;
    let repairs = args
        .repair_sql
        .as_deref()
        .map(Repairs::create)
        .transpose()?;
    let servers = look::around(&task, &plan)?;
    if wait::until(plan.start_at, &stop, out)? == Waited::Stopped {
        return interrupted("it had not begun", out);
    }
    let screen = Screen::new(out.is_json(), repairs);
    let begun = Utc::now();
    let mut report = Report::new(&task, &plan, servers, begun);
    match compare(&task, &plan, &screen, &stop, &mut report, out) {
        Ok(()) => {}
        Err(Ending::Stopped) => {
            let progress = screen.progress();
            let text = format!(
                "{} of {} tables were compared",
                grouped(progress.tables_done),
                grouped(progress.tables_total)
            );
            return interrupted(&text, out);
        }
        Err(Ending::Failed(error)) => return Err(error),
    }
    report.ended = Utc::now();
    let (notices, repairs) = screen.into_parts();
    report.notices = notices;
    report.repairs = repairs.as_ref().map(Repairs::statements);
    // First, since a page that nobody can read any more must not cost the result.
    let written = files.write(&report);
    let repaired = repairs.map_or(Ok(()), |repairs| repairs.finish(&report));
    match out.is_json() {
        true => out.object(&data::done(&report))?,
        false => text::print(&report, args.all, out)?,
    }
    written?;
    repaired?;
    Ok(match report.verdict().is_equal() {
        true => Exit::Done,
        false => Exit::Differs,
    })
}

/// Why a comparison has no result.
enum Ending {
    Stopped,
    Failed(CommandError),
}

impl From<CommandError> for Ending {
    fn from(error: CommandError) -> Self {
        Self::Failed(error)
    }
}

impl From<std::io::Error> for Ending {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<CompareError> for Ending {
    fn from(error: CompareError) -> Self {
        match error {
            CompareError::Stopped => Self::Stopped,
            CompareError::Session(SessionError::Endpoint(error)) => {
                Self::Failed(CommandError::Connect(error))
            }
            error => Self::Failed(CommandError::Failed(error.to_string())),
        }
    }
}

impl From<ObjectsError> for Ending {
    fn from(error: ObjectsError) -> Self {
        match error {
            ObjectsError::Stopped => Self::Stopped,
            error => Self::Failed(CommandError::Failed(error.to_string())),
        }
    }
}

fn compare(
    task: &Task,
    plan: &Plan,
    screen: &Screen,
    stop: &AtomicBool,
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Ending> {
    if plan.objects {
        report.objects = Some(objects::compare(task, plan, screen, stop, out)?);
    }
    let Some(level) = plan.rows else {
        screen.clear();
        return Ok(());
    };
    if let Some(text) = plan.goes_on_with() {
        screen.notice(&text);
    }
    screen.busy("looking whether the task has applied what the source's log holds");
    let options = CompareOptions {
        level,
        sessions: u16::try_from(plan.sessions.get()).unwrap_or(1),
        tables: plan.tables.clone(),
        examples_max: usize::try_from(plan.examples).unwrap_or(usize::MAX),
        wait_max: Duration::from_secs(plan.wait_s),
        flow_control: plan.flow_control.clone(),
        repairs: screen.wants_repairs(),
        journal: plan.journal.clone(),
    };
    let outcome = Comparison::new(task)
        .options(options)
        .observer(screen)
        .run(stop);
    screen.clear();
    report.rows = Some(Rows::new(outcome?));
    Ok(())
}

/// Ctrl-C ends a comparison in order; the second one ends it at once, which does no harm either.
fn listen() -> Result<Arc<AtomicBool>, CommandError> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
        tracing::info!("stopping: statements in flight end first; once more to end at once");
    })
    .map_err(|error| CommandError::Failed(format!("cannot listen for Ctrl-C: {error}")))?;
    Ok(stop)
}

fn interrupted(how_far: &str, out: &mut Output) -> Result<Exit, CommandError> {
    out.fact(
        &format!("the comparison was interrupted: {how_far}; there is no report of it"),
        &json!({ "event": "interrupted" }),
    )?;
    Ok(Exit::Interrupted)
}
