//! Encrypted connections, to servers whose accounts allow no others.

use std::path::Path;

use drs_testkit::Server;

use crate::{
    program::{Program, catch_up},
    servers::{self, assert_equal, in_new_database, run},
    task::{Task, endpoint_as},
};

const USER: &str = "tls_only";
const PASSWORD: &str = "tls-password";

/// Accounts that the servers admit over TLS only.
fn accounts(servers: [&Server; 2]) {
    for server in servers {
        run(
            &mut server.conn().unwrap(),
            &[
                &format!(
                    "CREATE USER IF NOT EXISTS {USER}@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL"
                ),
                &format!("GRANT ALL ON *.* TO {USER}@'%'"),
            ],
        );
    }
}

fn secure(server: &Server, host: &str, mode: &str, ca: &Path) -> String {
    let keys = endpoint_as(server, USER, PASSWORD).replace(Server::HOST, host);
    format!(
        "{keys}\ntls = {{ mode = \"{mode}\", ca = \"{}\" }}",
        ca.display()
    )
}

#[test]
fn both_sides_are_verified() {
    let pair = servers::gtid();
    accounts([pair.source, pair.destination]);
    for (database, mode, host) in [
        ("tls_ca", "verify-ca", Server::HOST),
        ("tls_identity", "verify-identity", Server::HOST),
        ("tls_name", "verify-identity", "localhost"),
    ] {
        let mut conn = in_new_database(pair.source, database);
        run(
            &mut conn,
            &[
                "CREATE TABLE t (id INT PRIMARY KEY, word TEXT)",
                "INSERT INTO t VALUES (1, 'one'), (2, 'two')",
            ],
        );
        let task = Task::of(pair, database)
            .source(&secure(pair.source, host, mode, &pair.source.ca_pem()))
            .destination(&secure(
                pair.destination,
                host,
                mode,
                &pair.destination.ca_pem(),
            ));
        assert_eq!(catch_up(&task).number("done", "rows_copied"), 2);
        // The stream, too.
        run(&mut conn, &["INSERT INTO t VALUES (3, 'three')"]);
        assert_eq!(catch_up(&task).number("done", "row_changes"), 1);
        assert_equal(pair.source, pair.destination, database);
    }
}

#[test]
fn another_ca_is_refused_on_either_side() {
    let pair = servers::gtid();
    accounts([pair.source, pair.destination]);
    let strange = servers::from_56().source.ca_pem();
    in_new_database(pair.source, "tls_strange");
    for mode in ["verify-ca", "verify-identity"] {
        for side in ["source", "destination"] {
            let secure = |role: &str, server: &Server| {
                let own = server.ca_pem();
                let ca = if role == side { &strange } else { &own };
                secure(server, Server::HOST, mode, ca)
            };
            let task = Task::of(pair, "tls_strange")
                .source(&secure("source", pair.source))
                .destination(&secure("destination", pair.destination));
            let said = Program::run(&task, &[]).fail();
            assert!(
                said.contains(side) && said.contains("certificate") && !said.contains(PASSWORD),
                "{said}"
            );
        }
    }
}

#[test]
fn an_old_server_speaks_tls_1_2_or_is_refused() {
    let pair = servers::from_56();
    let mut conn = in_new_database(pair.source, "tls_56");
    run(
        &mut conn,
        &[
            "CREATE TABLE t (id INT PRIMARY KEY, word TEXT)",
            "INSERT INTO t VALUES (1, 'one'), (2, 'two')",
        ],
    );
    let keys = |server: &Server| {
        secure(server, Server::HOST, "verify-identity", &server.ca_pem())
            .replace(USER, Server::USER)
            .replace(PASSWORD, Server::PASSWORD)
    };
    let task = Task::of(pair, "tls_56")
        .source(&keys(pair.source))
        .destination(&keys(pair.destination));
    let program = Program::run(&task, &["--until-caught-up"]);
    if pair.source.release().number >= (5, 6, 46) {
        program.succeed();
        assert_equal(pair.source, pair.destination, "tls_56");
    } else {
        let said = program.fail();
        assert!(said.contains("TLS 1.2"), "{said}");
    }
}
