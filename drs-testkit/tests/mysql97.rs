//! MySQL 9.7, brought up for real.

use drs_testkit::{Installation, Server, Version};
use mysql::{Conn, prelude::Queryable};

#[test]
fn a_server_starts() {
    let installation = Installation::find_or_fetch(Version::MySql97).unwrap();
    let server = Server::builder(&installation).gtid(true).start().unwrap();
    let mut conn = Conn::new(server.tcp_opts()).unwrap();
    let mode: Option<String> = conn.query_first("SELECT @@gtid_mode").unwrap();
    assert_eq!(mode.as_deref(), Some("ON"));
}
