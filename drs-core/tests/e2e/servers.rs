//! The servers that all tests of this binary share; each test uses databases of its own.

use std::sync::OnceLock;

use drs_testkit::{Installation, Server, Version};
use mysql::{Conn, prelude::Queryable};

pub(crate) fn start(version: Version, id: u32, gtid: bool, local_infile: bool) -> Server {
    let installation = Installation::find_or_fetch(version).unwrap();
    Server::builder(&installation)
        .server_id(id)
        .gtid(gtid)
        .local_infile(local_infile)
        .buffer_pool_mib(96)
        .start()
        .unwrap()
}

/// MySQL 9.7 with GTIDs, which takes no LOAD DATA LOCAL.
pub(crate) fn gtid97() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(Version::MySql97, 971, true, false))
}

/// MySQL 9.7 without GTIDs, which takes LOAD DATA LOCAL.
pub(crate) fn plain97() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(Version::MySql97, 972, false, true))
}

/// MySQL 5.6 without GTIDs, which takes LOAD DATA LOCAL.
pub(crate) fn plain56() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(Version::MySql56, 561, false, true))
}

/// MySQL 5.6 with GTIDs, which takes no LOAD DATA LOCAL.
pub(crate) fn gtid56() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(Version::MySql56, 562, true, false))
}

/// A session of root's with a lax `sql_mode`, in UTC.
pub(crate) fn session(server: &Server) -> Conn {
    let mut conn = server.conn().unwrap();
    for statement in [
        "SET NAMES utf8mb4",
        "SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'",
        "SET time_zone = '+00:00'",
    ] {
        conn.query_drop(statement).unwrap();
    }
    conn
}

/// Runs statements that end in `;` at a line's end.
pub(crate) fn run(conn: &mut Conn, script: &str) {
    for statement in script.split(";\n") {
        if !statement.trim().is_empty() {
            conn.query_drop(statement)
                .unwrap_or_else(|error| panic!("{error}\n{statement}"));
        }
    }
}
