//! What is decoded from a real server's binary log, against what that server says by SELECT.

mod images;
mod json;
mod log;
mod metadata;
mod mysqlbinlog;
mod types;

use std::sync::OnceLock;

use drs_testkit::{Installation, Server, Version};

/// MySQL 9.7, one for all tests; each works in a database of its own.
pub(crate) fn mysql_97() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(Version::MySql97))
}

/// MySQL 5.6.
pub(crate) fn mysql_56() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(Version::MySql56))
}

/// MySQL 5.6 for one test alone, whose log the newest `mysqlbinlog` cannot read.
pub(crate) fn mysql_56_alone() -> &'static Server {
    Box::leak(Box::new(start(Version::MySql56)))
}

/// MariaDB 10.11 that gives new tables its own temporal formats, for one test.
pub(crate) fn mariadb_with_old_temporal_formats() -> &'static Server {
    let installation = Installation::find_or_fetch(Version::MariaDb1011);
    let installation = installation.unwrap_or_else(|error| panic!("{error}"));
    let server = Server::builder(&installation).option("--mysql56-temporal-format=OFF");
    Box::leak(Box::new(
        server.start().unwrap_or_else(|error| panic!("{error}")),
    ))
}

/// MariaDB 10.11.
pub(crate) fn mariadb() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| start(Version::MariaDb1011))
}

fn start(version: Version) -> Server {
    let installation =
        Installation::find_or_fetch(version).unwrap_or_else(|error| panic!("{error}"));
    Server::builder(&installation)
        .start()
        .unwrap_or_else(|error| panic!("{error}"))
}
