//! A comparison as it goes: a bar on a terminal, plain lines or JSON elsewhere.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use drs_core::TableName;
use drs_core::compare::{CompareObserver, CompareProgress, TableResult, TableVerdict};
use indicatif::{ProgressBar, ProgressStyle};

use super::{data, repair::Repairs, text};
use crate::render::{grouped, printable};

/// Plain lines of progress come this far apart.
const PLAIN_PERIOD: Duration = Duration::from_secs(5);
/// JSON objects of progress come this far apart.
const JSON_PERIOD: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// Shows how far it is, and what differs as soon as it is known.
pub(super) struct Screen {
    form: Form,
    state: Mutex<State>,
    repairs: Option<Repairs>,
}

enum Form {
    Bar(ProgressBar),
    Plain,
    Json,
}

struct State {
    begun: Instant,
    shown: Option<Instant>,
    progress: CompareProgress,
    notices: Vec<String>,
}

impl Screen {
    pub(super) fn new(json: bool, repairs: Option<Repairs>) -> Self {
        let form = if json {
            Form::Json
        } else if io::stderr().is_terminal() {
            Form::Bar(ProgressBar::new_spinner())
        } else {
            Form::Plain
        };
        Self {
            form,
            state: Mutex::new(State {
                begun: Instant::now(),
                shown: None,
                progress: CompareProgress::default(),
                notices: Vec::new(),
            }),
            repairs,
        }
    }

    /// Something that can't say how far it is.
    pub(super) fn busy(&self, text: &str) {
        if let Form::Bar(bar) = &self.form {
            bar.set_message(text.to_owned());
            bar.enable_steady_tick(TICK);
        }
    }

    pub(super) fn clear(&self) {
        if let Form::Bar(bar) = &self.form {
            bar.finish_and_clear();
        }
    }

    pub(super) fn progress(&self) -> CompareProgress {
        self.state().progress
    }

    /// True when the statements that would repair are wanted.
    pub(super) fn wants_repairs(&self) -> bool {
        self.repairs.is_some()
    }

    /// What was told, and what would repair what differs.
    pub(super) fn into_parts(self) -> (Vec<String>, Option<Repairs>) {
        let state = self.state.into_inner();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        (state.notices, self.repairs)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when it is time to show progress again.
    fn is_due(&self, state: &mut State) -> bool {
        let period = match self.form {
            Form::Bar(_) => Duration::ZERO,
            Form::Plain => PLAIN_PERIOD,
            Form::Json => JSON_PERIOD,
        };
        // A comparison that takes no time says nothing of it.
        let last = state.shown.unwrap_or(state.begun);
        let is_due = last.elapsed() >= period;
        if is_due {
            state.shown = Some(Instant::now());
        }
        is_due
    }
}

impl CompareObserver for Screen {
    fn progress(&self, progress: &CompareProgress) {
        let mut state = self.state();
        state.progress = *progress;
        if !self.is_due(&mut state) {
            return;
        }
        match &self.form {
            Form::Bar(bar) => {
                bar.set_style(style());
                bar.set_length(progress.rows_estimated.max(progress.rows_done).max(1));
                bar.set_position(progress.rows_done);
                bar.set_message(line(progress));
            }
            Form::Plain => print(&timed(&state, &line(progress))),
            Form::Json => print(&data::progress(progress).to_string()),
        }
    }

    fn table(&self, result: &TableResult) {
        // One after the other, so that no line is torn.
        let state = self.state();
        match &self.form {
            Form::Json => print(&data::event("table", data::table(result)).to_string()),
            _ if result.verdict == TableVerdict::Equal => {}
            Form::Bar(bar) => bar.println(printable(&text::in_a_line(result))),
            Form::Plain => print(&timed(&state, &printable(&text::in_a_line(result)))),
        }
    }

    fn repair(&self, _table: &TableName, statement: &str) {
        if let Some(repairs) = &self.repairs {
            repairs.take(statement);
        }
    }

    fn notice(&self, text: &str) {
        self.state().notices.push(text.to_owned());
        match &self.form {
            Form::Bar(bar) => bar.println(printable(text)),
            Form::Plain | Form::Json => tracing::warn!("{text}"),
        }
    }
}

fn line(progress: &CompareProgress) -> String {
    let left = match progress.time_left {
        Some(left) if progress.tables_done < progress.tables_total => {
            format!(", about {} left", text::duration(left))
        }
        _ => String::new(),
    };
    format!(
        "compare: {} of {} tables, {} of about {} rows, {} differences{left}",
        grouped(progress.tables_done),
        grouped(progress.tables_total),
        grouped(progress.rows_done),
        grouped(progress.rows_estimated.max(progress.rows_done)),
        grouped(progress.differences),
    )
}

fn timed(state: &State, text: &str) -> String {
    format!("{:7.1}s  {text}", state.begun.elapsed().as_secs_f64())
}

/// Who can't be written to any more is told by the result, which can't be written either.
fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("[{bar:20}] {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_in_a_line() {
        let mut progress = CompareProgress {
            tables_total: 40,
            tables_done: 3,
            rows_done: 1_200,
            rows_estimated: 1_000,
            differences: 2,
            time_left: Some(Duration::from_secs(3_725)),
        };
        assert_eq!(
            line(&progress),
            "compare: 3 of 40 tables, 1,200 of about 1,200 rows, 2 differences, about 1 h 2 min left"
        );
        progress.tables_done = 40;
        assert_eq!(
            line(&progress),
            "compare: 40 of 40 tables, 1,200 of about 1,200 rows, 2 differences"
        );
    }
}
