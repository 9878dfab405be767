//! What is well between servers as they come.

use drs_precheck::Verdict;

use crate::servers::{
    End, destination97, expect_in, report, run, session, source56, source97, task,
};

#[test]
fn the_healthy_pair_needs_no_repair() {
    for source in [source97(), source56()] {
        let ends = (End::of(source), End::of(destination97()));
        let objects = "include = [\"healthy_h\"]";
        let found = report(&task(ends.0, ends.1, "full+incremental", objects, ""));
        for id in [
            "source-connection",
            "destination-connection",
            "source-privileges",
            "destination-privileges",
            "checkpoint-privileges",
            "source-sessions",
            "destination-sessions",
            "replica-ids",
            "server-ids-differ",
            "server-uuids-differ",
            "source-replication",
            "destination-replication",
            "log-replica-updates",
            "rules",
            "catch-up",
        ] {
            expect_in(&found, id, Verdict::Pass, &[]);
        }
    }
}

/// The room on the disk of a server on this machine, the clocks, and how rows are copied.
#[test]
fn what_is_well_between_two_servers() {
    run(
        &mut session(source97()),
        "CREATE DATABASE healthy_w;\nCREATE TABLE healthy_w.t (id INT PRIMARY KEY)",
    );
    let objects = "include = [\"healthy_w.*\"]";
    for destination in [destination97(), source56()] {
        let ends = (End::of(source97()), End::of(destination));
        let found = report(&task(ends.0, ends.1, "full", objects, ""));
        for id in [
            "destination-disk-space",
            "destination-local-infile",
            "clocks",
            "time-zone",
            "merged-tables",
        ] {
            expect_in(&found, id, Verdict::Pass, &[]);
        }
    }
    run(&mut session(source97()), "DROP DATABASE healthy_w");
}
