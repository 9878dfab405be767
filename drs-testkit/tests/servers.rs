//! Every version, brought up for real.

use std::{fs, path::Path, time::Duration};

use drs_testkit::{BinlogFormat, Installation, Release, Server, Version, deadline};
use mysql::{Conn, OptsBuilder, SslOpts, prelude::Queryable};

fn installation(version: Version) -> Installation {
    Installation::find_or_fetch(version).unwrap_or_else(|error| panic!("{error}"))
}

fn value(conn: &mut Conn, sql: &str) -> String {
    conn.query_first::<Option<String>, _>(sql)
        .unwrap()
        .flatten()
        .unwrap_or_default()
}

fn write_some(conn: &mut Conn) {
    conn.query_drop("CREATE DATABASE shop").unwrap();
    conn.query_drop("CREATE TABLE shop.item (id INT PRIMARY KEY, name VARCHAR(20)) ENGINE=InnoDB")
        .unwrap();
    conn.query_drop("INSERT INTO shop.item VALUES (1, 'one'), (2, 'two')")
        .unwrap();
}

/// What a version must do: run, log row changes, be reachable over both ways, and keep its data
/// over a kill and over a clean stop.
fn lives_through_kill_and_restart(version: Version) {
    let server = Server::builder(&installation(version))
        .server_id(77)
        .start()
        .unwrap();
    let mut conn = server.conn().unwrap();
    assert_eq!(value(&mut conn, "SELECT @@server_id"), "77");
    assert_eq!(value(&mut conn, "SELECT @@binlog_format"), "ROW");
    write_some(&mut conn);

    let files = server.binlog_files().unwrap();
    assert!(!files.is_empty());
    let first = fs::read(&files[0]).unwrap();
    assert_eq!(first.get(..4), Some(b"\xfebin".as_slice()));
    assert!(first.windows(4).any(|bytes| bytes == b"shop"));

    let port = server.port();
    let first_pid = server.pid().unwrap();
    server.kill().unwrap();
    assert!(!server.is_running());
    assert!(server.conn().is_err());
    assert!(!Path::new(&format!("/proc/{first_pid}")).exists());

    server.restart().unwrap();
    assert_eq!(server.port(), port);
    let mut conn = Conn::new(server.tcp_opts()).unwrap();
    assert_eq!(
        value(
            &mut conn,
            "SELECT group_concat(name ORDER BY id) FROM shop.item"
        ),
        "one,two"
    );
    conn.query_drop("INSERT INTO shop.item VALUES (3, 'three')")
        .unwrap();

    server.stop().unwrap();
    server.stop().unwrap();
    server.restart().unwrap();
    let mut conn = Conn::new(server.tcp_opts()).unwrap();
    assert_eq!(value(&mut conn, "SELECT count(*) FROM shop.item"), "3");
    assert_eq!(server.binlog_files().unwrap().len(), files.len() + 2);
}

#[test]
fn mysql97_lives_through_kill_and_restart() {
    lives_through_kill_and_restart(Version::MySql97);
}

#[test]
fn mysql56_lives_through_kill_and_restart() {
    lives_through_kill_and_restart(Version::MySql56);
}

#[test]
fn mariadb_lives_through_kill_and_restart() {
    lives_through_kill_and_restart(Version::MariaDb1011);
}

#[test]
fn gtids_are_on_or_off_as_asked() {
    for version in [Version::MySql97, Version::MySql56] {
        for gtid in [false, true] {
            let server = Server::builder(&installation(version))
                .gtid(gtid)
                .start()
                .unwrap();
            let mut conn = server.conn().unwrap();
            assert_eq!(
                value(&mut conn, "SELECT @@GLOBAL.gtid_executed"),
                "",
                "{version}: a history from the template"
            );
            write_some(&mut conn);
            let executed = value(&mut conn, "SELECT @@GLOBAL.gtid_executed");
            let uuid = value(&mut conn, "SELECT @@server_uuid");
            let expected = if gtid {
                format!("{uuid}:1-3")
            } else {
                String::new()
            };
            assert_eq!(executed, expected, "{version}, gtid {gtid}");
        }
    }
}

#[test]
fn mariadb_has_gtids_of_its_own() {
    let server = Server::builder(&installation(Version::MariaDb1011))
        .server_id(5)
        .start()
        .unwrap();
    let mut conn = server.conn().unwrap();
    write_some(&mut conn);
    assert_eq!(value(&mut conn, "SELECT @@gtid_binlog_pos"), "0-5-3");
}

#[test]
fn servers_of_one_template_have_uuids_of_their_own() {
    for version in [Version::MySql97, Version::MySql56] {
        let installation = installation(version);
        let uuids = [1, 2].map(|id| {
            let server = Server::builder(&installation)
                .server_id(id)
                .start()
                .unwrap();
            value(&mut server.conn().unwrap(), "SELECT @@server_uuid")
        });
        assert_ne!(uuids[0], uuids[1], "{version}");
    }
}

#[test]
fn settings_reach_the_server() {
    let server = Server::builder(&installation(Version::MySql97))
        .binlog_format(BinlogFormat::Statement)
        .local_infile(true)
        .durable(true)
        .buffer_pool_mib(96)
        .option("--max-binlog-size=8192")
        .option("--max-binlog-size=4096")
        .initial_option("--lower-case-table-names=1")
        .start()
        .unwrap();
    let mut conn = server.conn().unwrap();
    for (variable, expected) in [
        ("binlog_format", "STATEMENT"),
        ("local_infile", "1"),
        ("sync_binlog", "1"),
        ("innodb_flush_log_at_trx_commit", "1"),
        ("innodb_buffer_pool_size", "100663296"),
        ("max_binlog_size", "4096"),
        ("lower_case_table_names", "1"),
        ("log_bin", "1"),
    ] {
        assert_eq!(
            value(&mut conn, &format!("SELECT @@{variable}")),
            expected,
            "{variable}"
        );
    }
    let server = Server::builder(&installation(Version::MySql97))
        .log_bin(false)
        .start()
        .unwrap();
    assert_eq!(value(&mut server.conn().unwrap(), "SELECT @@log_bin"), "0");
    assert!(server.binlog_files().is_err());
}

#[test]
fn tls_connections_are_verified_by_the_servers_own_authority() {
    for version in [Version::MySql97, Version::MariaDb1011] {
        let server = Server::builder(&installation(version)).start().unwrap();
        let connect = |host: &str, ssl: SslOpts| {
            Conn::new(
                OptsBuilder::from_opts(server.tcp_opts())
                    .ip_or_hostname(Some(host))
                    .ssl_opts(Some(ssl)),
            )
        };
        let trusting = || SslOpts::default().with_root_cert_path(Some(server.ca_pem()));
        for host in ["127.0.0.1", "localhost"] {
            let mut conn = connect(host, trusting())
                .unwrap_or_else(|error| panic!("{version}, {host}: {error}"));
            let status: Option<(String, String)> =
                conn.query_first("SHOW STATUS LIKE 'Ssl_version'").unwrap();
            assert!(status.unwrap().1.starts_with("TLSv1."), "{version}, {host}");
        }
        assert!(
            connect("127.0.0.1", SslOpts::default()).is_err(),
            "{version}: an unknown authority"
        );
    }
}

#[test]
fn mysql56_has_tls_too() {
    let server = Server::builder(&installation(Version::MySql56))
        .start()
        .unwrap();
    assert_eq!(
        value(&mut server.conn().unwrap(), "SELECT @@have_ssl"),
        "YES"
    );
}

#[test]
fn the_clients_of_an_installation_run() {
    let installation = installation(Version::MySql97);
    let server = Server::builder(&installation).start().unwrap();
    write_some(&mut server.conn().unwrap());
    let file = server.binlog_files().unwrap().remove(0);
    let output = installation
        .command("mysqlbinlog")
        .unwrap()
        .arg("-v")
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("### INSERT INTO `shop`.`item`"));

    let old = Server::builder(&self::installation(Version::MySql56))
        .start()
        .unwrap();
    for server in [&server, &old] {
        let output = installation
            .command("mysql")
            .unwrap()
            .arg(format!("--socket={}", server.socket().display()))
            .args([
                "--user=root",
                "--batch",
                "--skip-column-names",
                "--execute=SELECT 1 + 1",
            ])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.stdout, b"2\n", "{}: {errors}", server.release());
    }

    for (version, program) in [
        (Version::MySql97, "mysqldump"),
        (Version::MariaDb1011, "mysqlbinlog"),
        (Version::MariaDb1011, "mysqldump"),
    ] {
        let output = self::installation(version)
            .command(program)
            .unwrap()
            .arg("--version")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{version} {program}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let error = self::installation(Version::MySql56)
        .command("mysqlbinlog")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "MySQL 5.6 is here without the program `mysqlbinlog`"
    );
}

#[test]
fn a_server_that_ends_early_says_why() {
    let server = Server::builder(&installation(Version::MySql97))
        .option("--no-such-option=1")
        .start();
    let message = server.unwrap_err().to_string();
    assert!(message.contains("no-such-option"), "{message}");
}

#[test]
fn a_dropped_server_leaves_nothing_behind() {
    let server = Server::builder(&installation(Version::MySql97))
        .start()
        .unwrap();
    let (pid, data) = (server.pid().unwrap(), server.data_dir());
    let folder = data.parent().unwrap().to_path_buf();
    assert!(folder.exists());
    drop(server);
    assert!(!folder.exists());
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn a_kept_server_stays_until_it_is_stopped() {
    let server = Server::builder(&installation(Version::MySql97))
        .start()
        .unwrap();
    let folder = server.keep().to_path_buf();
    let (opts, pid) = (server.opts(), server.pid().unwrap());
    drop(server);
    let mut conn = Conn::new(opts).unwrap();
    assert_eq!(value(&mut conn, "SELECT 1"), "1");
    conn.query_drop("SHUTDOWN").unwrap();
    // We are its parent still, so it stays as a zombie, without a command line.
    deadline::until(
        Duration::from_secs(60),
        "the end of the kept server",
        || {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.is_empty().then_some(())
        },
    );
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn releases_are_of_the_versions_asked_for() {
    let mysql56 = installation(Version::MySql56).release();
    assert_eq!(
        (mysql56.mariadb, mysql56.number.0, mysql56.number.1),
        (false, 5, 6)
    );
    assert!(
        installation(Version::MySql97)
            .release()
            .is_mysql_since(8, 0)
    );
    let Release { mariadb, number } = installation(Version::MariaDb1011).release();
    assert!(mariadb && number >= (10, 6, 0));
}
