//! A server never outlives the process that started it, however that process ends.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use drs_testkit::{Installation, Version, deadline};

/// This variable makes the test binary play the process that dies.
const ROLE: &str = "DRS_TESTKIT_TEST_CHILD";

#[test]
fn plays_the_process_that_dies() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let installation = Installation::find_or_fetch(Version::MySql97).unwrap();
    let server = drs_testkit::Server::builder(&installation).start().unwrap();
    println!("\npid={}", server.pid().unwrap());
    println!("folder={}", server.data_dir().parent().unwrap().display());
    println!("ready=");
    loop {
        std::thread::park();
    }
}

#[test]
fn a_kill_9_of_the_process_takes_the_server_and_its_folder_along() {
    // Fetch here if need be, where a failure is seen.
    Installation::find_or_fetch(Version::MySql97).unwrap_or_else(|error| panic!("{error}"));
    for signal in ["KILL", "INT", "TERM"] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "plays_the_process_that_dies", "--nocapture"])
            .env(ROLE, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = read_until_ready(&mut child);
        let (pid, folder) = (&told["pid"], PathBuf::from(&told["folder"]));
        assert!(folder.join("data").is_dir());
        assert!(runs(pid, &folder));

        let status = Command::new("sh")
            .args(["-c", &format!("kill -s {signal} {}", child.id())])
            .status()
            .unwrap();
        assert!(status.success());
        child.wait().unwrap();
        deadline::until(Duration::from_secs(30), "the guardian's work", || {
            (!runs(pid, &folder) && !folder.exists()).then_some(())
        });
    }
}

fn read_until_ready(child: &mut Child) -> HashMap<String, String> {
    let mut told = HashMap::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some((name, value)) = line.unwrap().split_once('=') {
            told.insert(name.to_owned(), value.to_owned());
        }
        if told.contains_key("ready") {
            return told;
        }
    }
    panic!("the child ended early: {told:?}");
}

fn runs(pid: &str, folder: &Path) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(&*folder.to_string_lossy())
}
