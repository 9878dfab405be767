//! `drs run`.

use std::{
    io::IsTerminal,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use drs_core::{
    CopyProgress, End, FollowProgress, MySqlDestination, Observer, Pipeline, PipelineError, Role,
    SessionError, StreamPoint,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::check;
use crate::{
    args::RunArgs,
    config,
    exit::{CommandError, Exit},
    metrics::Metrics,
    render::{Output, grouped},
};

/// Plain lines of progress come this far apart.
const PLAIN_PERIOD: Duration = Duration::from_secs(5);
/// JSON objects of progress come this far apart.
const JSON_PERIOD: Duration = Duration::from_millis(100);

/// Carries the command out.
pub(crate) fn execute(args: RunArgs, out: &mut Output) -> Result<Exit, CommandError> {
    let mut task = config::load(&args.task, &[Role::Source, Role::Destination])?;
    if let Some(lanes) = args.lanes {
        task = task.with_lanes(lanes);
    }
    if args.no_check {
        tracing::warn!("{}", check::skipped());
    } else if !check::before_run(&task, &args.confirm, out)? {
        return Ok(Exit::Differs);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        // Asked twice: the user does not want to wait for what is in flight.
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
        tracing::info!("stopping: what is in flight is committed first; once more to end at once");
    })
    .map_err(|error| CommandError::Failed(format!("cannot listen for Ctrl-C: {error}")))?;

    let metrics = match args.metrics {
        None => None,
        Some(address) => Some(
            Metrics::serve(address, task.name().as_str()).map_err(|error| {
                CommandError::Failed(format!("cannot listen at {address} for --metrics: {error}"))
            })?,
        ),
    };
    if let Some(metrics) = &metrics {
        tracing::info!(address = %metrics.address(), "serving metrics");
    }
    let screen = Screen::new(out.is_json(), metrics);
    let begun = Instant::now();
    let result = Pipeline::new(&task, MySqlDestination::new(&task))
        .observer(&screen)
        .until_caught_up(args.until_caught_up)
        .run(&stop);
    screen.clear();
    let outcome = result.map_err(failed)?;
    let end = match outcome.end {
        End::Copied => "copied",
        End::CaughtUp => "caught up",
        End::Stopped => "stopped",
    };
    let copied = screen.copied();
    let follow = outcome.follow.as_ref();
    let text = format!(
        "{end} after {:.1} s: {} rows copied, {} transactions with {} row changes applied{}",
        begun.elapsed().as_secs_f64(),
        grouped(copied.rows_copied),
        grouped(follow.map_or(0, |follow| follow.transactions)),
        grouped(follow.map_or(0, |follow| follow.row_changes)),
        follow.map_or_else(String::new, |follow| format!(", at {}", follow.position)),
    );
    let object = json!({
        "event": "done",
        "end": end,
        "seconds": begun.elapsed().as_secs_f64(),
        "rows_copied": copied.rows_copied,
        "transactions": follow.map(|follow| follow.transactions),
        "row_changes": follow.map(|follow| follow.row_changes),
        "conflicts": follow.map(|follow| follow.conflicts),
        "position": follow.map(|follow| follow.position.to_string()),
    });
    out.fact(&text, &object)?;
    Ok(match outcome.end {
        End::Stopped => Exit::Interrupted,
        End::Copied | End::CaughtUp => Exit::Done,
    })
}

/// A task whose password can't be had is an error of the task file, as it is for other commands.
fn failed(error: PipelineError) -> CommandError {
    match error {
        PipelineError::Session(SessionError::Endpoint(error)) => CommandError::Connect(error),
        error => CommandError::Failed(error.to_string()),
    }
}

/// Shows a run as it goes: a bar on a terminal, plain lines or JSON elsewhere.
struct Screen {
    form: Form,
    metrics: Option<Metrics>,
    state: Mutex<State>,
}

enum Form {
    Bar(ProgressBar),
    Plain,
    Json,
}

struct State {
    begun: Instant,
    shown: Option<Instant>,
    copied: CopyProgress,
    follows: bool,
}

impl Screen {
    fn new(json: bool, metrics: Option<Metrics>) -> Self {
        let form = if json {
            Form::Json
        } else if std::io::stderr().is_terminal() {
            Form::Bar(ProgressBar::new_spinner())
        } else {
            Form::Plain
        };
        let state = State {
            begun: Instant::now(),
            shown: None,
            copied: CopyProgress::default(),
            follows: false,
        };
        Self {
            form,
            metrics,
            state: Mutex::new(state),
        }
    }

    fn copied(&self) -> CopyProgress {
        self.state().copied
    }

    fn clear(&self) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when it is time to show progress again.
    fn is_due(&self, state: &mut State, always: bool) -> bool {
        let period = match self.form {
            Form::Bar(_) => Duration::ZERO,
            Form::Plain => PLAIN_PERIOD,
            Form::Json => JSON_PERIOD,
        };
        let due = always || state.shown.is_none_or(|shown| shown.elapsed() >= period);
        if due {
            state.shown = Some(Instant::now());
        }
        due
    }

    fn show(&self, state: &State, text: &str, object: &serde_json::Value) {
        match &self.form {
            Form::Bar(bar) => bar.set_message(text.to_owned()),
            Form::Plain => println!("{:7.1}s  {text}", state.begun.elapsed().as_secs_f64()),
            Form::Json => println!("{object}"),
        }
    }
}

impl Observer for Screen {
    fn started(&self, resumed: bool, point: &StreamPoint) {
        let state = self.state();
        let verb = if resumed {
            "resumed; began at"
        } else {
            "begins at"
        };
        let object = json!({ "event": "started", "resumed": resumed, "point": point.to_string() });
        match &self.form {
            Form::Bar(bar) => bar.println(format!("the task {verb} {point}")),
            _ => self.show(&state, &format!("the task {verb} {point}"), &object),
        }
    }

    fn notice(&self, text: &str) {
        match &self.form {
            Form::Bar(bar) => bar.println(text),
            Form::Plain | Form::Json => tracing::warn!("{text}"),
        }
    }

    fn copying(&self, progress: &CopyProgress) {
        if let Some(metrics) = &self.metrics {
            metrics.copying(progress);
        }
        let mut state = self.state();
        // Views and routines come behind the rows, which are told of once.
        let finished = progress.tables_done == progress.tables_total && state.copied != *progress;
        state.copied = *progress;
        if !self.is_due(&mut state, finished) {
            return;
        }
        let text = format!(
            "copy: {} of {} tables, {} of about {} rows, {} MiB",
            grouped(progress.tables_done),
            grouped(progress.tables_total),
            grouped(progress.rows_copied),
            grouped(progress.rows_estimated),
            grouped(progress.bytes_copied >> 20),
        );
        if let Form::Bar(bar) = &self.form {
            bar.set_style(copy_style());
            bar.set_length(progress.rows_estimated.max(progress.rows_copied).max(1));
            bar.set_position(progress.rows_copied);
        }
        let object = json!({
            "event": "copy",
            "tables_total": progress.tables_total,
            "tables_done": progress.tables_done,
            "rows_copied": progress.rows_copied,
            "rows_estimated": progress.rows_estimated,
            "bytes_copied": progress.bytes_copied,
            "rows_kept": progress.rows_kept,
        });
        self.show(&state, &text, &object);
    }

    fn following(&self, progress: &FollowProgress) {
        if let Some(metrics) = &self.metrics {
            metrics.following(progress);
        }
        let mut state = self.state();
        let first = !std::mem::replace(&mut state.follows, true);
        if !self.is_due(&mut state, first) {
            return;
        }
        let text = format!(
            "follow: at {}, {} transactions, {} row changes, lag {} ms{}",
            progress.position,
            grouped(progress.transactions),
            grouped(progress.row_changes),
            progress.lag_ms,
            if progress.conflicts > 0 {
                format!(", {} conflicts", grouped(progress.conflicts))
            } else {
                String::new()
            },
        );
        if let Form::Bar(bar) = &self.form {
            bar.set_style(ProgressStyle::default_spinner());
            bar.tick();
        }
        let object = json!({
            "event": "follow",
            "position": progress.position.to_string(),
            "transactions": progress.transactions,
            "row_changes": progress.row_changes,
            "transactions_filtered": progress.transactions_filtered,
            "transactions_echoed": progress.transactions_echoed,
            "statements": progress.statements,
            "statements_left_out": progress.statements_left_out,
            "row_changes_filtered": progress.row_changes_filtered,
            "row_changes_left_out": progress.row_changes_left_out,
            "left_out": left_out(progress),
            "conflicts": progress.conflicts,
            "lag_ms": progress.lag_ms,
        });
        self.show(&state, &text, &object);
    }
}

/// The kinds of statements that were left out, with their numbers.
fn left_out(progress: &FollowProgress) -> serde_json::Map<String, serde_json::Value> {
    let kinds = progress.left_out.by_kind().into_iter();
    kinds
        .filter(|(_, number)| *number > 0)
        .map(|(kind, number)| (kind.to_owned(), number.into()))
        .collect()
}

fn copy_style() -> ProgressStyle {
    ProgressStyle::with_template("[{bar:30}] {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
