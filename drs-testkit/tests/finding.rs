//! Where servers are looked for, and what is said when there is none. The environment decides, so
//! each case runs in a process of its own.

use std::process::Command;

use drs_testkit::{Installation, Version};

/// This variable makes the test binary look for the version that it names, and print the outcome.
const ROLE: &str = "DRS_TESTKIT_TEST_FIND";

#[test]
fn plays_the_process_that_looks() {
    let version = match std::env::var(ROLE).as_deref() {
        Ok("mysql97") => Version::MySql97,
        Ok("mysql56") => Version::MySql56,
        _ => return,
    };
    match Installation::find_or_fetch(version) {
        Ok(found) => println!("\nfound {}", found.release()),
        Err(error) => println!("\nerror {error}"),
    }
}

/// The version to look for, the variables to set, and what must be printed.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

#[test]
fn the_environment_decides_and_errors_say_what_to_do() {
    let empty = tempfile::tempdir().unwrap();
    let nowhere = empty.path().join("nowhere").display().to_string();
    let mysql56 =
        Installation::find_or_fetch(Version::MySql56).unwrap_or_else(|error| panic!("{error}"));
    let old = server_program(&mysql56);
    let cases: [Case<'_>; 5] = [
        ("mysql56", &[("DRS_MYSQLD56", &old)], &["found MySQL 5.6."]),
        (
            "mysql97",
            &[("DRS_MYSQLD", &old)],
            &["error DRS_MYSQLD is set to", "where MySQL 9.7 is wanted"],
        ),
        (
            "mysql97",
            &[("DRS_MYSQLD", &nowhere)],
            &["error DRS_MYSQLD is set to", "No such file"],
        ),
        (
            "mysql97",
            &[("DRS_MYSQLD", "/bin/sh")],
            &["error DRS_MYSQLD is set to /bin/sh, which can't be used"],
        ),
        (
            "mysql56",
            &[("PATH", &nowhere), ("DRS_CACHE_DIR", &nowhere)],
            &[
                "error MySQL 5.6 is not on this machine and could not be fetched: could not run apt-get",
                "Set DRS_MYSQLD56",
            ],
        ),
    ];
    for (version, variables, expected) in cases {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "plays_the_process_that_looks", "--nocapture"])
            .env(ROLE, version)
            .env_remove("DRS_MYSQLD")
            .env_remove("DRS_MYSQLD56")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        for text in expected {
            assert!(printed.contains(text), "{variables:?} gives {printed}");
        }
    }
}

/// The path of the server program, which a server's own process tells.
fn server_program(installation: &Installation) -> String {
    let server = drs_testkit::Server::builder(installation).start().unwrap();
    let program = std::fs::read_link(format!("/proc/{}/exe", server.pid().unwrap())).unwrap();
    program.display().to_string()
}
