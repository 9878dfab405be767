//! The servers that the tests share, and what is asked of them again and again.

use std::{env, sync::OnceLock, time::Duration};

use drs_testkit::{Installation, Server, ServerBuilder, Version, compare_tables, deadline};
use mysql::{Conn, prelude::Queryable};

/// Time for anything that happens in moments on an idle machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A source and a destination.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) source: &'static Server,
    pub(crate) destination: &'static Server,
}

/// From 9.7 to 9.7, with GTIDs, and `LOAD DATA LOCAL` allowed.
pub(crate) fn gtid() -> Pair {
    static SOURCE: OnceLock<Server> = OnceLock::new();
    Pair {
        source: SOURCE.get_or_init(|| start(builder(Version::MySql97).gtid(true).server_id(11))),
        destination: destination(),
    }
}

/// From 9.7 without GTIDs.
pub(crate) fn by_position() -> Pair {
    static SOURCE: OnceLock<Server> = OnceLock::new();
    Pair {
        source: SOURCE.get_or_init(|| start(builder(Version::MySql97).server_id(12))),
        destination: destination(),
    }
}

/// From 5.6 without GTIDs, whose destination does not allow `LOAD DATA LOCAL`.
pub(crate) fn from_56() -> Pair {
    static SOURCE: OnceLock<Server> = OnceLock::new();
    static DESTINATION: OnceLock<Server> = OnceLock::new();
    Pair {
        source: SOURCE.get_or_init(|| start(builder(Version::MySql56).server_id(13))),
        destination: DESTINATION.get_or_init(|| start(builder(Version::MySql97).server_id(23))),
    }
}

/// From 5.6 to 5.6, with GTIDs.
pub(crate) fn to_56() -> Pair {
    static SERVERS: OnceLock<[Server; 2]> = OnceLock::new();
    let [source, destination] = SERVERS.get_or_init(|| {
        [14, 24].map(|id| {
            let builder = builder(Version::MySql56).gtid(true).server_id(id);
            start(builder.local_infile(true))
        })
    });
    Pair {
        source,
        destination,
    }
}

fn destination() -> &'static Server {
    static DESTINATION: OnceLock<Server> = OnceLock::new();
    DESTINATION.get_or_init(|| {
        let builder = builder(Version::MySql97).gtid(true).server_id(21);
        start(builder.local_infile(true))
    })
}

/// A server to be started for one test alone.
pub(crate) fn builder(version: Version) -> ServerBuilder {
    let installation =
        Installation::find_or_fetch(version).unwrap_or_else(|error| panic!("{error}"));
    Server::builder(&installation).in_memory(!is_campaign())
}

/// A long campaign may write more than memory holds.
fn is_campaign() -> bool {
    env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with("DRS_"))
}

pub(crate) fn start(builder: ServerBuilder) -> Server {
    builder.start().unwrap_or_else(|error| panic!("{error}"))
}

/// Runs statements one after the other.
#[track_caller]
pub(crate) fn run(conn: &mut Conn, statements: &[&str]) {
    for statement in statements {
        if let Err(error) = conn.query_drop(statement) {
            panic!("{statement}: {error}");
        }
    }
}

/// A connection in a new, empty database.
pub(crate) fn in_new_database(server: &Server, database: &str) -> Conn {
    let mut conn = server.conn().unwrap();
    run(
        &mut conn,
        &[
            &format!("CREATE DATABASE {database} DEFAULT CHARACTER SET utf8mb4"),
            &format!("USE {database}"),
        ],
    );
    conn
}

/// A query's only value, or `None` while there is nothing to ask, as with a table that is not there.
pub(crate) fn value(conn: &mut Conn, query: &str) -> Option<String> {
    conn.query_first::<Option<String>, _>(query)
        .ok()
        .flatten()
        .flatten()
}

/// Waits until a query gives this value.
#[track_caller]
pub(crate) fn wait_for_value(conn: &mut Conn, query: &str, expected: &str) {
    let mut last = None;
    let seen = deadline::poll(LIMIT, || {
        last = value(conn, query);
        (last.as_deref() == Some(expected)).then_some(())
    });
    assert!(
        seen.is_some(),
        "waited in vain for {expected:?} of {query}; the last answer was {last:?}"
    );
}

/// Compares the database on both sides: tables, definitions, every byte of every row.
#[track_caller]
pub(crate) fn assert_equal(source: &Server, destination: &Server, database: &str) {
    let (mut source, mut destination) = (source.conn().unwrap(), destination.conn().unwrap());
    let different = compare_tables(&mut source, &mut destination, database).unwrap();
    let texts: Vec<String> = different.iter().map(ToString::to_string).collect();
    assert!(texts.is_empty(), "{database}:\n{}", texts.join("\n"));
}
