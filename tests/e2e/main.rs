//! What an embedder of the facade relies on, on real servers.

use std::{
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use drs::{
    ConflictPolicy, End, Endpoint, MySqlDestination, Observer, Outcome, Pipeline, PipelineError,
    Task,
    core::{CopyProgress, FollowProgress, StreamPoint},
};
use drs_testkit::{Installation, Server, Version, compare_tables, deadline};
use mysql::{Conn, prelude::Queryable};

const LIMIT: Duration = Duration::from_secs(120);

/// A source and a destination, for all tests.
fn servers() -> &'static [Server; 2] {
    static SERVERS: OnceLock<[Server; 2]> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let mysql =
            Installation::find_or_fetch(Version::MySql97).unwrap_or_else(|error| panic!("{error}"));
        [(1, false), (2, true)].map(|(id, local_infile)| {
            Server::builder(&mysql)
                .in_memory(true)
                .gtid(true)
                .server_id(id)
                .local_infile(local_infile)
                .start()
                .unwrap()
        })
    })
}

/// A connection to the source, in a new database with a table of three rows.
fn source_with(database: &str) -> Conn {
    let mut conn = servers()[0].conn().unwrap();
    for statement in [
        format!("CREATE DATABASE {database}"),
        format!("USE {database}"),
        "CREATE TABLE t (id INT PRIMARY KEY, word VARCHAR(40))".into(),
        "INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three')".into(),
    ] {
        conn.query_drop(statement).unwrap();
    }
    conn
}

fn task(database: &str, conflict: ConflictPolicy) -> Task {
    let [source, destination] = servers().each_ref().map(|server| {
        Endpoint::tcp(Server::HOST, server.port(), Server::USER).password(Server::PASSWORD)
    });
    Task::builder(source, destination)
        .name(database)
        .select(format!("{database}.*"))
        .conflict(conflict)
        .build()
        .unwrap()
}

fn catch_up(task: &Task, observer: &dyn Observer) -> Result<Outcome, PipelineError> {
    Pipeline::new(task, MySqlDestination::new(task))
        .observer(observer)
        .until_caught_up(true)
        .run(&AtomicBool::new(false))
}

fn assert_equal(database: &str) {
    let [mut source, mut destination] = servers().each_ref().map(|server| server.conn().unwrap());
    let different = compare_tables(&mut source, &mut destination, database).unwrap();
    assert!(different.is_empty(), "{different:?}");
}

/// Keeps what it is told.
#[derive(Default)]
struct Notes {
    resumed: Mutex<Vec<bool>>,
    copied: Mutex<Option<CopyProgress>>,
    followed: Mutex<Option<FollowProgress>>,
}

impl Observer for Notes {
    fn started(&self, resumed: bool, _point: &StreamPoint) {
        self.resumed.lock().unwrap().push(resumed);
    }

    fn copying(&self, progress: &CopyProgress) {
        *self.copied.lock().unwrap() = Some(*progress);
    }

    fn following(&self, progress: &FollowProgress) {
        *self.followed.lock().unwrap() = Some(progress.clone());
    }
}

#[test]
fn a_task_is_copied_then_followed_and_the_observer_hears_of_it() {
    let mut conn = source_with("embedded");
    let task = task("embedded", ConflictPolicy::ReportError);
    let notes = Notes::default();
    let outcome = catch_up(&task, &notes).unwrap();
    assert_eq!(outcome.end, End::CaughtUp);
    let copied = notes.copied.lock().unwrap().unwrap();
    assert_eq!((copied.tables_done, copied.rows_copied), (1, 3));

    conn.query_drop("UPDATE t SET word = 'changed' WHERE id > 1")
        .unwrap();
    let outcome = catch_up(&task, &notes).unwrap();
    assert_eq!(outcome.follow.unwrap().row_changes, 2);
    assert_eq!(*notes.resumed.lock().unwrap(), [false, true]);
    assert_equal("embedded");
}

#[test]
fn a_stop_from_another_thread_ends_a_run_that_follows() {
    let mut conn = source_with("stopped");
    let task = task("stopped", ConflictPolicy::ReportError);
    let (stop, notes) = (AtomicBool::new(false), Notes::default());
    thread::scope(|scope| {
        let run = scope.spawn(|| {
            Pipeline::new(&task, MySqlDestination::new(&task))
                .observer(&notes)
                .run(&stop)
        });
        let followed = deadline::poll(LIMIT, || {
            (notes.followed.lock().unwrap().is_some() || run.is_finished()).then_some(())
        });
        conn.query_drop("INSERT INTO t VALUES (4, 'four')").unwrap();
        let applied = deadline::poll(LIMIT, || {
            let followed = notes.followed.lock().unwrap();
            let applied = followed
                .as_ref()
                .is_some_and(|progress| progress.row_changes == 1);
            (applied || run.is_finished()).then_some(())
        });
        stop.store(true, Ordering::Relaxed);
        let outcome = run.join().unwrap().unwrap();
        assert!(followed.is_some() && applied.is_some());
        assert_eq!(outcome.end, End::Stopped);
    });
    assert_equal("stopped");
}

#[test]
fn a_conflict_is_an_error_or_is_overwritten() {
    let mut conn = source_with("conflict");
    catch_up(&task("conflict", ConflictPolicy::ReportError), &()).unwrap();
    let mut there = servers()[1].conn().unwrap();
    there
        .query_drop("DELETE FROM conflict.t WHERE id = 2")
        .unwrap();
    conn.query_drop("UPDATE t SET word = 'changed'").unwrap();

    let error = catch_up(&task("conflict", ConflictPolicy::ReportError), &()).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("`conflict`.`t`") && said.contains("GTID") && !said.contains("changed"),
        "{said}"
    );
    let outcome = catch_up(&task("conflict", ConflictPolicy::Overwrite), &()).unwrap();
    assert_eq!(outcome.follow.unwrap().conflicts, 1);
    assert_equal("conflict");
}
