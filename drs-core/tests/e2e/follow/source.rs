use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    time::Duration,
};

use drs_core::{ConflictPolicy, Endpoint, Mode, MySqlDestination, Pipeline, PipelineError, Task};
use drs_testkit::{Installation, Server, Version, compare_tables, deadline};
use mysql::prelude::Queryable;

use super::run::{FollowTest, endpoint};
use crate::servers::{gtid97, plain97, run, session};

/// An address that leads to one server and then to another one.
struct Switch {
    port: u16,
    leads_to: Arc<AtomicU16>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Switch {
    fn new(leads_to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let switch = Self {
            port: listener.local_addr().unwrap().port(),
            leads_to: Arc::new(AtomicU16::new(leads_to)),
            open: Arc::default(),
        };
        let (leads_to, open) = (Arc::clone(&switch.leads_to), Arc::clone(&switch.open));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server =
                    TcpStream::connect(("127.0.0.1", leads_to.load(Ordering::SeqCst))).unwrap();
                let mut open = open.lock().unwrap();
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    open.push(from.try_clone().unwrap());
                    std::thread::spawn(move || {
                        _ = io::copy(&mut from, &mut to);
                        _ = to.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        switch
    }

    fn lead_to(&self, port: u16) {
        self.leads_to.store(port, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// In another server's log a position means nothing, and there may well be events at it.
#[test]
fn another_server_behind_the_sources_address_ends_the_task() {
    let test = FollowTest::new(
        plain97(),
        gtid97(),
        "failover",
        "CREATE TABLE t (id INT PRIMARY KEY);\n",
    );
    let switch = Switch::new(plain97().port());
    let source = Endpoint::tcp("127.0.0.1", switch.port, Server::USER).password(Server::PASSWORD);
    let task = Task::builder(source, endpoint(test.destination))
        .name(test.name.as_str())
        .select(test.name.as_str())
        .build()
        .unwrap();
    let stop = AtomicBool::new(false);
    let error = std::thread::scope(|scope| {
        let running = scope.spawn(|| Pipeline::new(&task, MySqlDestination::new(&task)).run(&stop));
        let mut look = session(test.destination);
        let mut wait = |what: &str, statement: String, wanted: u64| {
            deadline::until(Duration::from_secs(60), what, || {
                let found: Result<Option<u64>, _> = look.query_first(&statement);
                (found.ok().flatten() == Some(wanted)).then_some(())
            });
        };
        // Only what follows the log meets the other server.
        wait(
            "the end of the copy",
            format!(
                "SELECT copied FROM drs_meta.task WHERE name = '{}'",
                test.name
            ),
            1,
        );
        run(&mut test.at_source(), "INSERT INTO t VALUES (1)");
        wait(
            "the row at the destination",
            format!("SELECT COUNT(*) FROM {}.t", test.name),
            1,
        );
        switch.lead_to(gtid97().port());
        running.join().unwrap().unwrap_err().to_string()
    });
    assert!(error.contains("server_uuid"), "{error}");
}

/// The stream would begin by the GTID set, and the position say that the end is reached already;
/// without a set, the run would end before the server is asked for a file that it does not have.
#[test]
fn a_start_point_behind_the_logs_end_is_refused() {
    for (source, destination) in [(gtid97(), plain97()), (plain97(), gtid97())] {
        let test = FollowTest::new(
            source,
            destination,
            "ahead",
            "CREATE TABLE t (id INT PRIMARY KEY);\n",
        );
        let set: Option<String> = session(test.source)
            .query_first("SELECT @@global.gtid_executed")
            .unwrap();
        let set = set.filter(|set| !set.is_empty());
        let set = set.map_or_else(String::new, |set| format!(";{set}"));
        let task = test
            .task()
            .mode(Mode::Incremental {
                start_point: format!("binlog.999999:4{set}").parse().unwrap(),
            })
            .build()
            .unwrap();
        let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
        assert!(error.contains("binlog.999999:4"), "{error}");
    }
}

/// Tried: the rows were copied over themselves, and the log that was followed was the copy's own.
#[test]
fn the_source_is_no_destination_under_another_name() {
    let test = FollowTest::new(
        plain97(),
        gtid97(),
        "itself",
        "CREATE TABLE t (id INT PRIMARY KEY);\n",
    );
    let destination = Endpoint::tcp("127.0.0.1", plain97().port(), Server::USER);
    let task = Task::builder(
        endpoint(test.source),
        destination.password(Server::PASSWORD),
    )
    .name(test.name.as_str())
    .select(test.name.as_str())
    .build()
    .unwrap();
    let error = test.catch_up_watched(&task, &()).unwrap_err();
    assert!(
        matches!(error, PipelineError::SameServer { .. }),
        "{error:?}"
    );
}

/// Changes between a wrong edit of the task file and its correction would be lost.
#[test]
fn a_task_keeps_the_tables_that_it_has_copied() {
    let test = FollowTest::new(
        plain97(),
        gtid97(),
        "deselected",
        "CREATE TABLE t (id INT PRIMARY KEY);\nCREATE TABLE u (id INT PRIMARY KEY);\n",
    );
    test.catch_up().unwrap();
    run(&mut test.at_source(), "INSERT INTO u VALUES (1)");
    let less = test.task().exclude(format!("{}.u", test.name));
    match test.catch_up_watched(&less.build().unwrap(), &()) {
        Err(PipelineError::Deselected { tables }) => {
            assert_eq!(tables.len(), 1);
            assert_eq!(tables[0].table, "u");
        }
        other => panic!("{other:?}"),
    }
    test.catch_up().unwrap();
    test.assert_equal();
}

/// The privileges that the README names, and no more.
#[test]
fn the_documented_privileges_are_enough() {
    let test = FollowTest::new(
        plain97(),
        gtid97(),
        "granted",
        "CREATE TABLE parent (id INT PRIMARY KEY, name VARCHAR(9) UNIQUE, KEY (name, id));\n\
         CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id));\n\
         CREATE TABLE keyless (a INT);\n\
         INSERT INTO parent VALUES (1, 'one');\nINSERT INTO child VALUES (1, 1);\nINSERT INTO keyless VALUES (1);\n",
    );
    let grants = [
        (
            test.source,
            "SELECT, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT, SHOW VIEW, EVENT",
        ),
        (
            test.destination,
            "SELECT, CREATE, DROP, DELETE, INSERT, UPDATE, ALTER, REFERENCES, INDEX, TRIGGER",
        ),
    ];
    let endpoints = grants.map(|(server, privileges)| {
        let account = format!("'{}'@'%'", test.name);
        let mut conn = session(server);
        for statement in [
            format!("DROP USER IF EXISTS {account}"),
            format!("CREATE USER {account} IDENTIFIED BY 'of-its-own'"),
            format!("GRANT {privileges} ON *.* TO {account}"),
        ] {
            run(&mut conn, &statement);
        }
        Endpoint::tcp("127.0.0.1", server.port(), test.name.as_str()).password("of-its-own")
    });
    let [source, destination] = endpoints;
    let task = Task::builder(source, destination)
        .name(test.name.as_str())
        .select(test.name.as_str())
        .conflict(ConflictPolicy::Overwrite)
        .conflict_images(true)
        .build()
        .unwrap();
    test.catch_up_watched(&task, &()).unwrap();
    let in_the_way = format!("INSERT INTO {}.parent VALUES (9, 'three')", test.name);
    run(&mut session(test.destination), &in_the_way);
    run(
        &mut test.at_source(),
        "UPDATE parent SET name = 'two';\nINSERT INTO parent VALUES (3, 'three');\nINSERT INTO keyless VALUES (1);\nALTER TABLE keyless ADD b INT;\n\
         CREATE INDEX by_a ON keyless (a);\nCREATE TABLE more (id INT PRIMARY KEY);\nRENAME TABLE more TO most;\n\
         TRUNCATE TABLE child;\nDROP TABLE child",
    );
    test.catch_up_watched(&task, &()).unwrap();
    test.assert_equal();
}

/// A table that is selected later would be followed without having been copied.
#[test]
fn objects_cannot_be_added_to_a_task_that_has_begun() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "changed",
        "CREATE TABLE a (id INT PRIMARY KEY); CREATE TABLE b (id INT PRIMARY KEY); INSERT INTO b VALUES (1);\n",
    );
    let task = |tables: &[&str]| {
        let endpoints = (endpoint(test.source), endpoint(test.destination));
        let builder = Task::builder(endpoints.0, endpoints.1).name(test.name.as_str());
        tables
            .iter()
            .fold(builder, |builder, table| {
                builder.select(format!("{}.{table}", test.name))
            })
            .build()
            .unwrap()
    };
    test.catch_up_watched(&task(&["a"]), &()).unwrap();
    let error = test
        .catch_up_watched(&task(&["a", "b"]), &())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("include {}.b", test.name)),
        "{error}"
    );
    test.catch_up_watched(&task(&["a"]), &()).unwrap();
}

/// `SYSTEM` is known by what it does, not by its name: a zone that the destination has not stops
/// the statements that depend on it.
#[test]
fn the_system_time_zone_of_the_source_is_told_by_its_effect() {
    let installation = |version| Installation::find_or_fetch(version).unwrap();
    let zone = |version, id, zone: &str| {
        Server::builder(&installation(version))
            .in_memory(true)
            .server_id(id)
            .system_time_zone(zone)
            .start()
            .unwrap()
    };
    let berlin = zone(Version::MySql97, 981, "CET-1CEST,M3.5.0,M10.5.0/3");
    let old = zone(Version::MySql56, 982, "XXX-1YYY,M3.5.0,M10.5.0/3");
    let india = zone(Version::MySql97, 983, "IST-5:30");
    let there = zone(Version::MySql97, 984, "CET-1CEST,M3.5.0,M10.5.0/3");
    for (source, destination, fits) in [
        (&berlin, &there, true),
        (&old, &there, true),
        (&india, &there, true),
        (&berlin, plain97(), false),
    ] {
        let database = format!("zone_{}_{}", source.server_id(), destination.server_id());
        for server in [source, destination] {
            run(
                &mut session(server),
                &format!("DROP DATABASE IF EXISTS {database}"),
            );
        }
        let mut conn = source.conn().unwrap();
        run(
            &mut conn,
            &format!(
                "CREATE DATABASE {database};\nUSE {database};\nCREATE TABLE t (id INT PRIMARY KEY)"
            ),
        );
        let task = Task::builder(endpoint(source), endpoint(destination))
            .name(database.as_str())
            .select(database.as_str())
            .build()
            .unwrap();
        let catch_up = || {
            Pipeline::new(&task, MySqlDestination::new(&task))
                .until_caught_up(true)
                .run(&AtomicBool::new(false))
        };
        catch_up().unwrap();
        run(
            &mut conn,
            "INSERT INTO t VALUES (1);
             ALTER TABLE t ADD COLUMN summer TIMESTAMP NOT NULL DEFAULT '2024-07-01 12:00:00',
               ADD COLUMN winter TIMESTAMP NOT NULL DEFAULT '2024-01-01 12:00:00'",
        );
        match catch_up() {
            Ok(_) => assert!(fits, "{database}"),
            Err(error) => {
                assert!(
                    !fits && error.to_string().contains("time_zone = SYSTEM"),
                    "{database}: {error}"
                );
                continue;
            }
        }
        let different =
            compare_tables(&mut session(source), &mut session(destination), &database).unwrap();
        assert!(different.is_empty(), "{different:?}");
    }
}
