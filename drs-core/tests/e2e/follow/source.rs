use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    time::Duration,
};

use drs_core::{Endpoint, Mode, MySqlDestination, Pipeline, Task};
use drs_testkit::{Server, deadline};
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
        run(&mut test.at_source(), "INSERT INTO t VALUES (1)");
        let mut look = session(test.destination);
        deadline::until(
            Duration::from_secs(60),
            "the row at the destination",
            || {
                let rows: Result<Option<u64>, _> =
                    look.query_first(format!("SELECT COUNT(*) FROM {}.t", test.name));
                (rows.ok().flatten() == Some(1)).then_some(())
            },
        );
        switch.lead_to(gtid97().port());
        running.join().unwrap().unwrap_err().to_string()
    });
    assert!(error.contains("server_uuid"), "{error}");
}

/// The stream would begin by the GTID set, and the position say that the end is reached already.
#[test]
fn a_start_point_behind_the_logs_end_is_refused() {
    let test = FollowTest::new(
        gtid97(),
        plain97(),
        "ahead",
        "CREATE TABLE t (id INT PRIMARY KEY);\n",
    );
    let set: Option<String> = session(test.source)
        .query_first("SELECT @@global.gtid_executed")
        .unwrap();
    let task = test
        .task()
        .mode(Mode::Incremental {
            start_point: format!("binlog.999999:4;{}", set.unwrap()).parse().unwrap(),
        })
        .build()
        .unwrap();
    let error = test.catch_up_watched(&task, &()).unwrap_err().to_string();
    assert!(error.contains("binlog.999999:4"), "{error}");
}
