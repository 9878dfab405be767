//! Task files.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt, path::PathBuf};

use drs_testkit::Server;
use tempfile::TempDir;

use crate::servers::Pair;

/// A task file in a folder of its own, private to its owner. The defaults are what most tests want;
/// each method changes a thing.
pub(crate) struct Task {
    folder: TempDir,
    name: String,
    mode: String,
    source: String,
    destination: String,
    include: String,
    sync: String,
    copy: String,
    compare: String,
    rules: String,
}

impl Task {
    /// A full copy and incremental task on one database, which has the task's name.
    pub(crate) fn new(source: &Server, destination: &Server, database: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            name: database.to_owned(),
            mode: "mode = \"full+incremental\"".into(),
            source: endpoint(source),
            destination: endpoint(destination),
            include: format!("[\"{database}\"]"),
            sync: String::new(),
            copy: String::new(),
            compare: String::new(),
            rules: String::new(),
        }
    }

    pub(crate) fn of(pair: Pair, database: &str) -> Self {
        Self::new(pair.source, pair.destination, database)
    }

    pub(crate) fn name(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Only the incremental part, from a start point on.
    pub(crate) fn incremental(mut self, start_point: &str) -> Self {
        self.mode = format!("mode = \"incremental\"\nstart_point = \"{start_point}\"");
        self
    }

    /// The keys of `[source]`, instead of what goes with the server.
    pub(crate) fn source(mut self, keys: &str) -> Self {
        self.source = keys.to_owned();
        self
    }

    /// The keys of `[destination]`, instead of what goes with the server.
    pub(crate) fn destination(mut self, keys: &str) -> Self {
        self.destination = keys.to_owned();
        self
    }

    pub(crate) fn include(mut self, include: &str) -> Self {
        self.include = include.to_owned();
        self
    }

    /// Lines for `[sync]`.
    pub(crate) fn sync(mut self, lines: &str) -> Self {
        self.sync = lines.to_owned();
        self
    }

    /// `[[rules]]` tables.
    pub(crate) fn rules(mut self, rules: &str) -> Self {
        self.rules = rules.to_owned();
        self
    }

    /// Lines for `[copy]`.
    pub(crate) fn copy(mut self, lines: &str) -> Self {
        self.copy = lines.to_owned();
        self
    }

    /// Lines for `[compare]`.
    pub(crate) fn compare(mut self, lines: &str) -> Self {
        self.compare = lines.to_owned();
        self
    }

    /// Writes the file as it is now, and says where.
    pub(crate) fn path(&self) -> PathBuf {
        self.write(0o600)
    }

    /// The same with other permissions.
    pub(crate) fn write(&self, permissions: u32) -> PathBuf {
        let path = self.folder.path().join("task.toml");
        let _ = fs::remove_file(&path);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(permissions)
            .open(&path)
            .unwrap();
        write!(
            file,
            "[task]\nname = \"{}\"\n{}\n\n[source]\n{}\n\n[destination]\n{}\n\n\
             [objects]\ninclude = {}\n\n[sync]\n{}\n\n[copy]\n{}\n\n[compare]\n{}\n\n{}\n",
            self.name,
            self.mode,
            self.source,
            self.destination,
            self.include,
            self.sync,
            self.copy,
            self.compare,
            self.rules
        )
        .unwrap();
        path
    }
}

/// The keys of an endpoint.
pub(crate) fn endpoint(server: &Server) -> String {
    endpoint_as(server, Server::USER, Server::PASSWORD)
}

pub(crate) fn endpoint_as(server: &Server, user: &str, password: &str) -> String {
    format!(
        "host = \"{}\"\nport = {}\nuser = \"{user}\"\npassword = \"{password}\"",
        Server::HOST,
        server.port()
    )
}
