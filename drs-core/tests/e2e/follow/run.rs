use std::sync::atomic::AtomicBool;

use drs_core::{
    Endpoint, MySqlDestination, Observer, Outcome, Pipeline, PipelineError, Task, TaskBuilder,
};
use drs_testkit::{Server, compare_tables};
use mysql::Conn;

use crate::servers::{run, session};

/// A task that copies and follows one database, of its own name.
pub(crate) struct FollowTest {
    pub(crate) source: &'static Server,
    pub(crate) destination: &'static Server,
    pub(crate) name: String,
}

impl FollowTest {
    /// Makes the database at the source with these tables, and none at the destination.
    pub(crate) fn new(
        source: &'static Server,
        destination: &'static Server,
        name: &str,
        tables: &str,
    ) -> Self {
        let name = format!("{name}_{}_{}", source.server_id(), destination.server_id());
        for server in [source, destination] {
            run(
                &mut session(server),
                &format!("DROP DATABASE IF EXISTS {name}"),
            );
        }
        run(&mut session(source), &format!("CREATE DATABASE {name}"));
        let test = Self {
            source,
            destination,
            name,
        };
        run(&mut test.at_source(), tables);
        test
    }

    /// A session at the source, in the database.
    pub(crate) fn at_source(&self) -> Conn {
        let mut conn = session(self.source);
        run(&mut conn, &format!("USE {}", self.name));
        conn
    }

    /// The task, to be changed.
    pub(crate) fn task(&self) -> TaskBuilder {
        self.task_of_none().select(self.name.as_str())
    }

    /// The task, with nothing selected yet.
    pub(crate) fn task_of_none(&self) -> TaskBuilder {
        Task::builder(endpoint(self.source), endpoint(self.destination)).name(self.name.as_str())
    }

    /// Runs the task until it has caught up.
    pub(crate) fn catch_up(&self) -> Result<Outcome, PipelineError> {
        self.catch_up_watched(&self.task().build().unwrap(), &())
    }

    pub(crate) fn catch_up_watched(
        &self,
        task: &Task,
        observer: &dyn Observer,
    ) -> Result<Outcome, PipelineError> {
        Pipeline::new(task, MySqlDestination::new(task))
            .until_caught_up(true)
            .observer(observer)
            .run(&AtomicBool::new(false))
    }

    /// Fails when a table is not the same on both sides, to the byte.
    pub(crate) fn assert_equal(&self) {
        let different = compare_tables(
            &mut session(self.source),
            &mut session(self.destination),
            &self.name,
        )
        .unwrap();
        assert!(different.is_empty(), "{different:?}");
    }
}

pub(crate) fn endpoint(server: &Server) -> Endpoint {
    Endpoint::socket(server.socket(), "root")
}
