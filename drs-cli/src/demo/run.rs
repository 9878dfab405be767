//! `drs run` as a process of its own, and what it says of its progress.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use drs_binlog::Position;
use drs_testkit::GuardedChild;
use serde_json::Value;

use super::Ending;

/// How many of its last lines of errors are kept.
const LINES_KEPT: usize = 20;

/// How far a run has come, from its JSON.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    pub(super) tables_total: u64,
    pub(super) tables_done: u64,
    pub(super) rows_copied: u64,
    /// Where following has come to.
    pub(super) position: Option<Position>,
    pub(super) transactions: u64,
    pub(super) row_changes: u64,
    pub(super) lag_ms: u64,
}

impl Progress {
    /// Whether the copy is over.
    pub(super) fn follows(&self) -> bool {
        self.position.is_some()
    }

    fn take(&mut self, object: &Value) {
        let number = |key: &str| object.get(key).and_then(Value::as_u64);
        let fields = [
            ("tables_total", &mut self.tables_total),
            ("tables_done", &mut self.tables_done),
            ("rows_copied", &mut self.rows_copied),
            ("transactions", &mut self.transactions),
            ("row_changes", &mut self.row_changes),
            ("lag_ms", &mut self.lag_ms),
        ];
        for (key, field) in fields {
            *field = number(key).unwrap_or(*field);
        }
        let position = object.get("position").and_then(Value::as_str);
        if let Some(position) = position.and_then(|text| text.parse().ok()) {
            self.position = Some(position);
        }
    }
}

/// One process of `drs run`. It is killed when this is dropped, and when the demo ends in any way.
pub(super) struct Run {
    child: GuardedChild,
    state: Arc<State>,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    progress: Mutex<Progress>,
    errors: Mutex<VecDeque<String>>,
}

impl Run {
    /// Starts this very program with `run`.
    pub(super) fn start(task_file: &Path, options: &[&str]) -> Result<Self, Ending> {
        let mut command = Command::new(program()?);
        command
            .arg("run")
            .arg(task_file)
            .args(options)
            .arg("--json");
        let mut child = GuardedChild::start(&command)?;
        let state = Arc::new(State::default());
        let mut readers = Vec::new();
        if let Some(output) = child.stdout() {
            let state = Arc::clone(&state);
            readers.push(thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // A line that a kill has cut in two is no object.
                    if let Ok(object) = serde_json::from_str::<Value>(&line) {
                        lock(&state.progress).take(&object);
                    }
                }
            }));
        }
        if let Some(errors) = child.stderr() {
            let state = Arc::clone(&state);
            readers.push(thread::spawn(move || {
                for line in BufReader::new(errors).lines().map_while(Result::ok) {
                    let mut kept = lock(&state.errors);
                    if kept.len() == LINES_KEPT {
                        kept.pop_front();
                    }
                    kept.push_back(line);
                }
            }));
        }
        Ok(Self {
            child,
            state,
            readers,
        })
    }

    pub(super) fn progress(&self) -> Progress {
        lock(&self.state.progress).clone()
    }

    /// How it ended, if it has; then all that it said has been read.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, Ending> {
        let ended = self.child.ended()?;
        if ended.is_some() {
            self.read_on();
        }
        Ok(ended)
    }

    /// Kills it with `kill -9`, and returns how far it had said to be.
    pub(super) fn kill(&mut self) -> Result<Progress, Ending> {
        let status = self.child.kill()?;
        self.read_on();
        if status.code().is_some() {
            return Err(self.trouble("ended before it was killed"));
        }
        Ok(self.progress())
    }

    pub(super) fn interrupt(&mut self) -> Result<(), Ending> {
        Ok(self.child.interrupt()?)
    }

    /// Says what is wrong with it, in its own words.
    pub(super) fn trouble(&self, what: &str) -> Ending {
        let lines = lock(&self.state.errors);
        let said = lines.iter().rev().find_map(|line| {
            let object: Value = serde_json::from_str(line).ok()?;
            Some(object.get("error")?.as_str()?.to_owned())
        });
        let said = said.unwrap_or_else(|| Vec::from_iter(lines.iter().cloned()).join("\n"));
        Ending::Failed(format!("`drs run` {what}: {said}"))
    }

    /// Its pipes have closed, so the readers come to their end.
    fn read_on(&mut self) {
        for reader in self.readers.drain(..) {
            reader
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
}

/// This very program, also when a new build has taken the place of its file.
fn program() -> Result<PathBuf, Ending> {
    let file = std::env::current_exe()?;
    if file.exists() {
        return Ok(file);
    }
    Ok(format!("/proc/{}/exe", std::process::id()).into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_comes_from_events() {
        let mut progress = Progress::default();
        for line in [
            r#"{"event":"started","resumed":false}"#,
            r#"{"event":"copy","tables_total":8,"tables_done":2,"rows_copied":70,"rows_estimated":100}"#,
            r#"{"event":"follow","position":"binlog.000002:157","transactions":5,"row_changes":9,"lag_ms":3}"#,
        ] {
            assert!(!progress.follows());
            progress.take(&serde_json::from_str(line).unwrap());
        }
        assert!(progress.follows());
        assert_eq!((progress.tables_done, progress.rows_copied), (2, 70));
        assert_eq!((progress.transactions, progress.lag_ms), (5, 3));
        progress.take(&serde_json::json!({ "event": "done", "transactions": null }));
        assert_eq!(progress.transactions, 5);
    }
}
