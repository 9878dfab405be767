//! The tools to be measured beside, on real servers.

use std::process::Command;

use drs_testkit::{Installation, Server, Tool, Tools, Version, compare_all_tables};
use mysql::prelude::Queryable;

/// Runs it to its end; what it printed.
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let printed = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{command:?}: {printed}");
    printed
}

/// How a server is reached.
#[derive(Debug, Clone, Copy)]
enum Way {
    Socket,
    Tcp,
}

const WAYS: [Way; 2] = [Way::Socket, Way::Tcp];

impl Way {
    fn sysbench(self, server: &Server) -> Vec<String> {
        match self {
            Self::Socket => vec![
                format!("--mysql-socket={}", server.socket().display()),
                "--mysql-user=root".into(),
            ],
            Self::Tcp => vec![
                format!("--mysql-host={}", Server::HOST),
                format!("--mysql-port={}", server.port()),
                format!("--mysql-user={}", Server::USER),
                format!("--mysql-password={}", Server::PASSWORD),
            ],
        }
    }

    fn mydumper(self, server: &Server) -> Vec<String> {
        match self {
            Self::Socket => vec![
                format!("--socket={}", server.socket().display()),
                "--user=root".into(),
            ],
            Self::Tcp => vec![
                format!("--host={}", Server::HOST),
                format!("--port={}", server.port()),
                format!("--user={}", Server::USER),
                format!("--password={}", Server::PASSWORD),
            ],
        }
    }
}

#[test]
fn sysbench_writes_what_mydumper_and_myloader_copy() {
    let tools = Tools::find_or_fetch().unwrap_or_else(|error| panic!("{error}"));
    let mysql =
        Installation::find_or_fetch(Version::MySql97).unwrap_or_else(|error| panic!("{error}"));
    let server = |id| {
        let builder = Server::builder(&mysql).server_id(id).in_memory(true);
        builder.gtid(true).start().unwrap()
    };
    let (source, destination) = (server(1), server(2));
    for way in WAYS {
        let database = format!("bench_{way:?}").to_lowercase();
        let mut conn = source.conn().unwrap();
        conn.query_drop(format!("CREATE DATABASE {database}"))
            .unwrap();
        let sysbench = |action: &str| {
            let mut command = tools.command(Tool::Sysbench);
            command
                .args(way.sysbench(&source))
                .arg(format!("--mysql-db={database}"))
                .args(["--tables=2", "--table-size=100", "--events=50", "--time=0"])
                .arg(tools.script("oltp_write_only"))
                .arg(action);
            succeed(&mut command)
        };
        sysbench("prepare");
        let printed = sysbench("run");
        assert!(
            printed.contains("transactions:                        50 "),
            "{printed}"
        );

        let folder = tempfile::tempdir().unwrap();
        let dump = folder.path().join("dump");
        let mut command = tools.command(Tool::MyDumper);
        command
            .args(way.mydumper(&source))
            .args(["--threads=2", "--database", &database, "--outputdir"])
            .arg(&dump);
        succeed(&mut command);
        let mut command = tools.command(Tool::MyLoader);
        command
            .args(way.mydumper(&destination))
            .args(["--threads=2", "--directory"])
            .arg(&dump);
        succeed(&mut command);

        let mut copied = destination.conn().unwrap();
        let compared = compare_all_tables(&mut conn, &mut copied, &database, |_| ()).unwrap();
        assert_eq!(compared.len(), 2, "{way:?}");
        for table in compared {
            assert!(table.is_equal(), "{way:?}: {table:?}");
        }
    }
}
