//! The servers that pages are run on.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};

use drs_testkit::{Installation, Server, Version};
use mysql::{Conn, Row, prelude::Queryable};
use tempfile::TempDir;

use crate::page::{Kind, Page, Step};

/// Two servers of a page's own, and a folder for its files.
pub(crate) struct Stage {
    source: Server,
    destination: Server,
    folder: TempDir,
}

impl Stage {
    pub(crate) fn new(name: &str) -> Self {
        let installation = Installation::find_or_fetch(Version::MySql97).unwrap();
        let start = |id| {
            let builder = Server::builder(&installation)
                .in_memory(true)
                .server_id(id)
                .gtid(true);
            builder
                .local_infile(true)
                .option("--max-allowed-packet=128M")
                .start()
                .unwrap()
        };
        Self {
            source: start(1),
            destination: start(2),
            folder: tempfile::Builder::new().prefix(name).tempdir().unwrap(),
        }
    }

    /// Runs all steps; a failure names the page's line.
    pub(crate) fn run(&self, page: &Page) {
        let (mut source, mut destination) = (
            self.source.conn().unwrap(),
            self.destination.conn().unwrap(),
        );
        let mut rows = Vec::new();
        for step in &page.steps {
            let at = format!("docs/{}:{}", page.name, step.line);
            match &step.kind {
                Kind::Source => rows = run_script(&mut source, step, &at),
                Kind::Destination => rows = run_script(&mut destination, step, &at),
                Kind::Rows => {
                    let expected: Vec<&str> = step.text.lines().collect();
                    assert_eq!(rows, expected, "{at}");
                }
                Kind::File(name) => self.write(name, &step.text),
                Kind::Console => self.console(step, &at),
            }
        }
    }

    fn write(&self, name: &str, text: &str) {
        let mut text = text.to_owned();
        for (host, server) in [
            ("source.example", &self.source),
            ("destination.example", &self.destination),
        ] {
            let address = format!("host = \"{}\"\nport = {}", Server::HOST, server.port());
            text = text.replace(&format!("host = \"{host}\""), &address);
        }
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Runs each command, and looks for the lines below it in what it printed.
    fn console(&self, step: &Step, at: &str) {
        let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in step.text.lines() {
            match (line.strip_prefix("$ drs "), commands.last_mut()) {
                (Some(command), _) => commands.push((command, Vec::new())),
                (None, Some((_, lines))) => lines.push(line),
                (None, None) => panic!("{at}: no command comes before {line:?}"),
            }
        }
        for (command, lines) in commands {
            let output = self.drs(command);
            let printed = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            let code = lines
                .iter()
                .find_map(|line| line.strip_prefix("exit code "))
                .unwrap_or("0");
            assert_eq!(
                output.status.code().map(|code| code.to_string()).as_deref(),
                Some(code),
                "{at}: drs {command}\n{printed}"
            );
            for line in lines.iter().filter(|line| !line.starts_with("exit code ")) {
                // "…" stands for what is another thing each time.
                let mut rest = printed.as_str();
                for part in line.split('…') {
                    let found = rest.find(part.trim());
                    assert!(found.is_some(), "{at}: {line:?} is not in\n{printed}");
                    rest = &rest[found.unwrap()..];
                }
            }
        }
    }

    fn drs(&self, command: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_drs"))
            .args(command.split_whitespace())
            .current_dir(self.folder.path())
            .env("DRS_SOURCE_PASSWORD", Server::PASSWORD)
            .env("DRS_DESTINATION_PASSWORD", Server::PASSWORD)
            .output()
            .unwrap()
    }
}

/// Runs statements that end with `;` at a line's end; the rows of the last one.
fn run_script(conn: &mut Conn, step: &Step, at: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for statement in step.text.trim().trim_end_matches(';').split(";\n") {
        let result: Result<Vec<Row>, _> = conn.query(statement);
        rows = match result {
            Ok(rows) => rows.into_iter().map(shown).collect(),
            Err(error) => panic!("{at}: {error}\n{statement}"),
        };
    }
    rows
}

fn shown(row: Row) -> String {
    let text = |value: mysql::Value| match value {
        mysql::Value::NULL => "NULL".to_owned(),
        mysql::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        value => value.as_sql(true),
    };
    row.unwrap()
        .into_iter()
        .map(text)
        .collect::<Vec<_>>()
        .join(" | ")
}
