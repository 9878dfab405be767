//! A program under test that is killed, interrupted, waited for, and never left behind.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::Command,
    time::Duration,
};

use drs_testkit::{GuardedChild, deadline};

const LIMIT: Duration = Duration::from_secs(60);

fn sleeper(marker: &str) -> GuardedChild {
    ready(Command::new("/bin/sh"), marker)
}

fn ready(mut command: Command, marker: &str) -> GuardedChild {
    command.args(["-c", "echo ready; while :; do sleep 1; done", marker]);
    let mut child = GuardedChild::start(&command).unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "ready\n");
    child
}

fn runs(pid: u32, marker: &str) -> bool {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(marker)
}

#[test]
fn output_and_exit_code_come_back() {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "cat; echo \"$WORD\"; pwd; echo trouble >&2; exit 3"])
        .env("WORD", "hello")
        .current_dir("/");
    let mut child = GuardedChild::start(&command).unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout().unwrap().read_to_string(&mut out).unwrap();
    child.stderr().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((out.as_str(), err.as_str()), ("hello\n/\n", "trouble\n"));
    let status = child.wait(LIMIT).unwrap().unwrap();
    assert_eq!(status.code(), Some(3));
    child.interrupt().unwrap();
}

#[test]
fn it_can_be_killed_and_interrupted() {
    let mut child = sleeper("drs-testkit-kill");
    assert!(child.wait(Duration::ZERO).unwrap().is_none());
    assert_eq!(child.kill().unwrap().code(), None);

    // A shell can't undo that signals are ignored, as they are in what a script runs in the background.
    let mut shell = Command::new("env");
    shell.args(["--default-signal=INT", "/bin/sh"]);
    let mut child = ready(shell, "drs-testkit-interrupt");
    child.interrupt().unwrap();
    assert_eq!(child.wait(LIMIT).unwrap().unwrap().code(), None);
}

#[test]
fn it_ends_when_it_is_dropped() {
    let child = sleeper("drs-testkit-drop");
    let pid = child.id();
    assert!(runs(pid, "drs-testkit-drop"));
    drop(child);
    assert!(!runs(pid, "drs-testkit-drop"));
}

/// This variable makes the test binary play the process that dies.
const ROLE: &str = "DRS_TESTKIT_TEST_PARENT";
const MARKER: &str = "drs-testkit-orphan";

#[test]
fn plays_the_process_that_dies() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let child = sleeper(MARKER);
    println!("\npid={}", child.id());
    loop {
        std::thread::park();
    }
}

#[test]
fn it_ends_when_our_process_is_killed() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "plays_the_process_that_dies", "--nocapture"])
        .env(ROLE, "1");
    let mut parent = GuardedChild::start(&command).unwrap();
    let lines = BufReader::new(parent.stdout().unwrap()).lines();
    let pid = lines
        .map(Result::unwrap)
        .find_map(|line| line.strip_prefix("pid=")?.parse().ok())
        .unwrap();
    assert!(
        runs(pid, MARKER),
        "{}",
        Path::new("/proc").join(pid.to_string()).display()
    );
    parent.kill().unwrap();
    deadline::until(LIMIT, "the guard's work", || {
        (!runs(pid, MARKER)).then_some(())
    });
}
