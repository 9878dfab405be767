//! `drs demo` as a user runs it: it proves both sides equal, and leaves nothing behind.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpStream,
    path::Path,
    process::{Command, ExitStatus},
    thread,
    time::Duration,
};

use drs_testkit::{GuardedChild, Installation, Server, Version, deadline};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(180);

/// A demo whose temporary files are all in one folder.
struct Demo {
    folder: tempfile::TempDir,
    child: GuardedChild,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    errors: thread::JoinHandle<String>,
}

impl Demo {
    fn start(options: &[&str]) -> Self {
        // Fetched here if need be, where it may take its time.
        Installation::find_or_fetch(Version::MySql97).unwrap_or_else(|error| panic!("{error}"));
        let folder = tempfile::Builder::new().prefix("demo-").tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_drs"));
        command
            .args(["demo", "--json"])
            .args(options)
            .env("TMPDIR", folder.path());
        let mut child = GuardedChild::start(&command).unwrap();
        let lines = BufReader::new(child.stdout().unwrap()).lines();
        let mut pipe = child.stderr().unwrap();
        let errors = thread::spawn(move || {
            let mut text = String::new();
            pipe.read_to_string(&mut text).unwrap();
            text
        });
        Self {
            folder,
            child,
            lines,
            errors,
        }
    }

    /// The next event with this key.
    fn event(&mut self, key: &str) -> Value {
        self.lines
            .by_ref()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
            .find(|event| event.get(key).is_some())
            .unwrap_or_else(|| panic!("the demo ended before it said `{key}`"))
    }

    /// The rest of its output and how it ended.
    fn end(mut self) -> (tempfile::TempDir, ExitStatus, String) {
        self.lines.by_ref().for_each(drop);
        let status = self.child.wait(LIMIT).unwrap().unwrap();
        (self.folder, status, self.errors.join().unwrap())
    }
}

#[test]
fn both_sides_are_equal_and_can_be_kept() {
    let mut demo = Demo::start(&["--keep"]);
    for place in ["in the copy", "while following"] {
        let killed = demo.event("killed");
        assert_eq!(killed["killed"], place, "{killed}");
    }
    let compared = demo.event("compare_equal");
    let done = demo.event("broken_rules");
    let kept = demo.event("kept")["kept"].clone();
    let (folder, status, errors) = demo.end();

    let again = Command::new(env!("CARGO_BIN_EXE_drs"))
        .args([
            "run",
            kept["task_file"].as_str().unwrap(),
            "--until-caught-up",
            "--json",
        ])
        .output()
        .unwrap();
    // From here on nothing of it runs, so that nothing is left whatever is found wrong below.
    let stop = Command::new("/bin/sh")
        .args(["-c", kept["stop"].as_str().unwrap()])
        .status()
        .unwrap();

    assert_eq!(status.code(), Some(0), "{done} {errors}");
    assert_eq!(
        (&done["equal"], &done["kills"]),
        (&Value::Bool(true), &2.into()),
        "{done}"
    );
    assert_eq!(compared["compare_equal"], true, "{compared}");
    assert!(
        compared["compare_rows"].as_u64() > Some(1_000),
        "{compared}"
    );
    assert!(done["transactions"].as_u64() > Some(1_000), "{done}");
    assert!(
        again.status.success(),
        "{}",
        String::from_utf8_lossy(&again.stderr)
    );
    assert!(stop.success());
    assert_nothing_left(folder.path());
}

#[test]
fn nothing_is_left_when_it_is_ended_early() {
    for (signal, code) in [("INT", Some(130)), ("TERM", Some(130)), ("KILL", None)] {
        let mut demo = Demo::start(&[]);
        let ports = demo.event("source_port");
        demo.event("command");
        let status = Command::new("/bin/sh")
            .args(["-c", &format!("kill -s {signal} {}", demo.child.id())])
            .status()
            .unwrap();
        assert!(status.success());
        let (folder, status, errors) = demo.end();
        assert_eq!(status.code(), code, "{signal}: {errors}");
        assert_nothing_left(folder.path());
        for port in ["source_port", "destination_port"] {
            let port = u16::try_from(ports[port].as_u64().unwrap()).unwrap();
            assert!(
                TcpStream::connect((Server::HOST, port)).is_err(),
                "{signal}"
            );
        }
    }
}

/// Guardians need a moment to do their work.
fn assert_nothing_left(folder: &Path) {
    deadline::until(
        LIMIT,
        "an empty folder and no process that knows of it",
        || {
            let empty = fs::read_dir(folder).unwrap().next().is_none();
            (empty && !is_known_to_a_process(folder)).then_some(())
        },
    );
}

fn is_known_to_a_process(folder: &Path) -> bool {
    let name = folder.to_string_lossy();
    fs::read_dir("/proc").unwrap().any(|entry| {
        let line = fs::read(entry.unwrap().path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&*name)
    })
}
