//! What tasks have left at the destination.

use std::sync::atomic::AtomicBool;

use drs_core::{Endpoint, Mode, MySqlDestination, Pipeline, Task};
use drs_precheck::Verdict;
use drs_testkit::Server;
use mysql::prelude::Queryable;

use crate::servers::{
    destination97, expect, expect_in, own_pair, report, run, session, source56, source97,
};

fn endpoint(server: &Server) -> Endpoint {
    Endpoint::tcp("127.0.0.1", server.port(), Server::USER).password(Server::PASSWORD)
}

fn task(name: &str, source: &Server, table: &str, to: &str) -> Task {
    Task::builder(endpoint(source), endpoint(destination97()))
        .name(name)
        .mode(Mode::Full)
        .select(table)
        .map(table, to)
        .build()
        .unwrap()
}

fn copy(task: &Task) {
    Pipeline::new(task, MySqlDestination::new(task))
        .run(&AtomicBool::new(false))
        .unwrap();
}

/// A task that has begun, then another source, other objects, and other tasks on its tables.
#[test]
fn tasks_that_have_begun() {
    for server in [source97(), source56()] {
        run(
            &mut session(server),
            "CREATE DATABASE previous_s;\nCREATE TABLE previous_s.t (id INT PRIMARY KEY);\n\
             CREATE TABLE previous_s.u (id INT PRIMARY KEY);\nINSERT INTO previous_s.t VALUES (1)",
        );
    }
    let first = |source| task("previous-first", source, "previous_s.t", "previous_d.t");
    expect(&first(source97()), "task-source", Verdict::Pass, &[]);
    copy(&first(source97()));
    let begun = report(&first(source97()));
    for id in [
        "task-source",
        "task-settings",
        "table-structures",
        "existing-rows",
    ] {
        expect_in(&begun, id, Verdict::Pass, &[]);
    }
    expect(&first(source56()), "task-source", Verdict::Fail, &[]);
    let changed = task("previous-first", source97(), "previous_s.u", "previous_d.u");
    expect(&changed, "task-settings", Verdict::Fail, &[]);

    let same = task("previous-same", source97(), "previous_s.t", "previous_d.t");
    let by_first = ["`previous_d`.`t` (task previous-first)"];
    expect(&same, "same-objects", Verdict::Confirm, &by_first);
    expect(&same, "shared-tables", Verdict::Pass, &[]);
    let shared = task("previous-other", source56(), "previous_s.t", "previous_d.t");
    expect(&shared, "shared-tables", Verdict::Confirm, &by_first);
    let mut there = session(destination97());
    run(&mut there, "ALTER TABLE previous_d.t DROP PRIMARY KEY");
    expect(&shared, "shared-tables", Verdict::Fail, &by_first);
    run(
        &mut there,
        "DELETE FROM drs_meta.writer WHERE task = 'previous-first'",
    );
    for (task, id) in [(&same, "same-objects"), (&shared, "shared-tables")] {
        expect(task, id, Verdict::Pass, &[]);
    }
    run(&mut there, "DROP DATABASE previous_d");
    for server in [source97(), source56()] {
        run(&mut session(server), "DROP DATABASE previous_s");
    }
}

/// A task that has followed for a while, whose source then purges its log.
#[test]
fn the_log_is_gone() {
    let pair = own_pair();
    let source = &pair.new;
    let mut here = session(source);
    run(
        &mut here,
        "CREATE DATABASE previous_l;\nCREATE TABLE previous_l.t (id INT PRIMARY KEY)",
    );
    let task = Task::builder(endpoint(source), endpoint(destination97()))
        .name("previous-log")
        .select("previous_l.t")
        .build()
        .unwrap();
    Pipeline::new(&task, MySqlDestination::new(&task))
        .until_caught_up(true)
        .run(&AtomicBool::new(false))
        .unwrap();
    let found = report(&task);
    for id in ["resume-point", "task-source", "table-structures"] {
        expect_in(&found, id, Verdict::Pass, &[]);
    }
    run(&mut here, "FLUSH BINARY LOGS");
    let newest: Vec<mysql::Row> = here.query("SHOW BINARY LOGS").unwrap();
    let newest: String = newest.last().unwrap().get(0).unwrap();
    run(&mut here, &format!("PURGE BINARY LOGS TO '{newest}'"));
    expect(&task, "resume-point", Verdict::Fail, &[]);
    for mut conn in [here, session(destination97())] {
        run(&mut conn, "DROP DATABASE previous_l");
    }
}
