use std::sync::atomic::AtomicBool;

use drs_core::{
    Endpoint, FollowProgress, MySqlDestination, Pipeline, PipelineError, Task, TaskBuilder,
};
use drs_testkit::Server;
use mysql::{Conn, Row, prelude::Queryable};

use crate::servers::{run, session};

/// Drops databases on both sides, and makes them at the source.
pub(crate) fn make(source: &Server, destination: &Server, here: &[&str], there: &[&str]) {
    for (server, names) in [(source, here), (destination, there)] {
        for name in names {
            run(
                &mut session(server),
                &format!("DROP DATABASE IF EXISTS {name}"),
            );
        }
    }
    for name in here {
        run(&mut session(source), &format!("CREATE DATABASE {name}"));
    }
}

/// A session in a database.
pub(crate) fn within(server: &Server, database: &str) -> Conn {
    let mut conn = session(server);
    run(&mut conn, &format!("USE {database}"));
    conn
}

/// A task between two servers, to be completed.
pub(crate) fn task(source: &Server, destination: &Server, name: &str) -> TaskBuilder {
    Task::builder(
        Endpoint::socket(source.socket(), "root"),
        Endpoint::socket(destination.socket(), "root"),
    )
    .name(name)
}

/// Runs a task until it has caught up.
pub(crate) fn catch_up(task: &TaskBuilder) -> Result<(), PipelineError> {
    catch_up_counting(task).map(|_| ())
}

/// The same, and what it came to.
pub(crate) fn catch_up_counting(task: &TaskBuilder) -> Result<FollowProgress, PipelineError> {
    let task = task.clone().build().unwrap();
    Pipeline::new(&task, MySqlDestination::new(&task))
        .until_caught_up(true)
        .run(&AtomicBool::new(false))
        .map(|outcome| outcome.follow.unwrap())
}

/// The rows of a query as text, sorted, values apart by `|`.
pub(crate) fn rows(server: &Server, query: &str) -> Vec<String> {
    let mut conn = session(server);
    let rows: Vec<Row> = conn.query(query).unwrap();
    let mut rows: Vec<String> = rows
        .into_iter()
        .map(|row| {
            row.unwrap()
                .iter()
                .map(|value| value.as_sql(true).trim_matches('\'').to_owned())
                .collect::<Vec<_>>()
                .join("|")
        })
        .collect();
    rows.sort();
    rows
}
