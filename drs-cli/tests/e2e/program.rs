//! The program as a child process: its events as they come, its memory, its end.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use drs_testkit::{GuardedChild, deadline, peak_memory_bytes};
use serde_json::Value;

use crate::{servers::LIMIT, task::Task};

/// The program while it runs. It is killed when this is dropped.
pub(crate) struct Program {
    child: GuardedChild,
    events: Arc<Mutex<Vec<Value>>>,
    output: JoinHandle<()>,
    errors: JoinHandle<String>,
    memory: JoinHandle<u64>,
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` after a kill.
    pub(crate) code: Option<i32>,
    /// What it printed: one JSON object a line.
    pub(crate) events: Vec<Value>,
    /// What it said on standard error.
    pub(crate) errors: String,
    /// The most memory that was resident at any time, as the system counts it.
    pub(crate) memory_peak_mib: u64,
}

impl Program {
    /// Starts `drs run` on the task, with further arguments.
    pub(crate) fn run(task: &Task, arguments: &[&str]) -> Self {
        Self::run_file(&task.path(), arguments)
    }

    pub(crate) fn run_file(task: &Path, arguments: &[&str]) -> Self {
        let path = task.to_str().unwrap();
        Self::start(&[&["run", path, "--no-check"], arguments].concat())
    }

    /// Starts the program with `--json`.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drs"));
        command.args(arguments).arg("--json").env_remove("DRS_LOG");
        let mut child = GuardedChild::start(&command).unwrap();
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (stdout, mut stderr) = (child.stdout().unwrap(), child.stderr().unwrap());
        let seen = Arc::clone(&events);
        let output = thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let Ok(line) = line else { return };
                match serde_json::from_str(&line) {
                    Ok(event) => lock(&seen).push(event),
                    // A kill cuts the last line off.
                    Err(_) => lock(&seen).push(Value::String(line)),
                }
            }
        });
        let errors = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let pid = child.id();
        let memory = thread::spawn(move || memory_peak_mib(pid));
        Self {
            child,
            events,
            output,
            errors,
            memory,
        }
    }

    /// Waits until an event fits, and returns what `find` makes of it.
    #[track_caller]
    pub(crate) fn wait_for<T>(&mut self, what: &str, find: impl FnMut(&Value) -> Option<T>) -> T {
        let mut find = find;
        let found = deadline::poll(LIMIT, || {
            // In this order: what it printed before its end is all there after it.
            let ended = self.child.ended().unwrap();
            let found = lock(&self.events).iter().find_map(&mut find);
            found
                .map(Ok)
                .or_else(|| ended.filter(|_| self.output.is_finished()).map(Err))
        });
        match found {
            Some(Ok(found)) => found,
            Some(Err(status)) => panic!(
                "drs ended ({status}) before {what}: {}",
                self.errors_so_far()
            ),
            None => panic!("waited {LIMIT:?} in vain for {what}; {:?}", self.last()),
        }
    }

    /// Waits until it follows the source's log.
    #[track_caller]
    pub(crate) fn wait_until_it_follows(&mut self) {
        self.wait_for("it follows", |event| is(event, "follow").then_some(()));
    }

    /// The last event.
    pub(crate) fn last(&self) -> Option<Value> {
        lock(&self.events).last().cloned()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.ended().unwrap().is_none()
    }

    /// `kill -9`, whatever it is doing. It may have ended by itself before.
    pub(crate) fn kill(mut self) -> Ended {
        let status = self.child.kill().unwrap();
        self.finish(status.code())
    }

    /// What Ctrl-C does, and waits for the end.
    #[track_caller]
    pub(crate) fn interrupt(mut self) -> Ended {
        self.child.interrupt().unwrap();
        self.end(LIMIT)
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self, limit: Duration) -> Ended {
        let Some(status) = self.child.wait(limit).unwrap() else {
            let last = self.last();
            let ended = self.kill();
            panic!(
                "drs has not ended within {limit:?}; {last:?}; {}",
                ended.errors
            );
        };
        self.finish(status.code())
    }

    /// Waits for its end without an error.
    #[track_caller]
    pub(crate) fn succeed(self) -> Ended {
        let ended = self.end(LIMIT);
        assert_eq!(ended.code, Some(0), "{}", ended.errors);
        ended
    }

    /// Waits for the task's failure, and returns what it says of it.
    #[track_caller]
    pub(crate) fn fail(self) -> String {
        let ended = self.end(LIMIT);
        assert_eq!(ended.code, Some(3), "{}", ended.errors);
        ended.errors
    }

    fn errors_so_far(&mut self) -> String {
        std::mem::replace(&mut self.errors, thread::spawn(String::new))
            .join()
            .unwrap_or_default()
    }

    fn finish(self, code: Option<i32>) -> Ended {
        let Self {
            child,
            events,
            output,
            errors,
            memory,
        } = self;
        let memory_peak_mib = memory.join().unwrap();
        drop(child);
        output.join().unwrap();
        let events = lock(&events).clone();
        Ended {
            code,
            events,
            errors: errors.join().unwrap(),
            memory_peak_mib,
        }
    }
}

impl Ended {
    /// A number in the last event of a kind.
    #[track_caller]
    pub(crate) fn number(&self, kind: &str, key: &str) -> u64 {
        let event = self.events.iter().rev().find(|event| is(event, kind));
        event
            .and_then(|event| event[key].as_u64())
            .unwrap_or_else(|| panic!("no {key} in an event {kind}: {self:?}"))
    }
}

/// Copies and follows until the destination has everything.
#[track_caller]
pub(crate) fn catch_up(task: &Task) -> Ended {
    Program::run(task, &["--until-caught-up"]).succeed()
}

/// Whether the event is of this kind.
pub(crate) fn is(event: &Value, kind: &str) -> bool {
    event["event"] == kind
}

/// Looks at the process until it ends: the count of the system's never goes back.
fn memory_peak_mib(pid: u32) -> u64 {
    let mut peak = 0;
    while let Ok(bytes) = peak_memory_bytes(pid) {
        peak = bytes >> 20;
        thread::sleep(Duration::from_millis(2));
    }
    peak
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
