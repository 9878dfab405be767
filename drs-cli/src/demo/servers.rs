//! The two servers, and the task file between them.

use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf};

use drs_testkit::{Installation, Server};
use serde_json::json;

use super::{DATABASE, Ending, screen::Screen, shown};

/// A source, a destination, and a task file in the source's folder, which goes with it.
pub(super) struct Servers {
    pub(super) source: Server,
    pub(super) destination: Server,
    pub(super) task_file: PathBuf,
}

impl Servers {
    /// Starts both, and writes the task file.
    pub(super) fn start(installation: &Installation) -> Result<Self, Ending> {
        let builder = |id| {
            Server::builder(installation)
                .gtid(true)
                .server_id(id)
                .buffer_pool_mib(128)
                .option("--max-allowed-packet=1G")
        };
        let (source, destination) = std::thread::scope(|scope| {
            let source = scope.spawn(|| builder(1).start());
            let destination = builder(2).local_infile(true).start();
            (source.join(), destination)
        });
        let source = source.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let destination = destination?;
        let data = source.data_dir();
        let task_file = data.parent().unwrap_or(&data).join("task.toml");
        let text = task(&source, &destination);
        // It has passwords in it.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&task_file)?;
        file.write_all(text.as_bytes())?;
        Ok(Self {
            source,
            destination,
            task_file,
        })
    }

    /// Leaves the servers running, and says how to play on.
    pub(super) fn keep(self, screen: &mut Screen<'_>) -> Result<(), Ending> {
        let program = std::env::current_exe()?;
        let task = shown(&self.task_file);
        let mut lines = vec!["The servers are left running. To play on:".to_owned()];
        for command in ["run", "status", "compare", "objects", "start-point"] {
            lines.push(format!("  {} {command} {task}", shown(&program)));
        }
        for (name, server) in [("source", &self.source), ("destination", &self.destination)] {
            lines.push(format!(
                "  mysql --host={} --port={} --user={} --password={} {DATABASE}   # the {name}",
                Server::HOST,
                server.port(),
                Server::USER,
                Server::PASSWORD
            ));
        }
        let mut pids = String::new();
        let mut folders = String::new();
        for server in [&self.source, &self.destination] {
            let pid = server
                .pid()
                .ok_or_else(|| Ending::Failed("a server has ended".into()))?;
            pids.push_str(&format!(" {pid}"));
            folders.push_str(&format!(" {}", shown(server.keep())));
        }
        lines.push("To end it:".to_owned());
        lines.push(format!("  kill -9{pids} && rm -r{folders}"));
        screen.lines(&lines, json!({ "kept": { "task_file": task, "stop": format!("kill -9{pids} && rm -r{folders}") } }))?;
        Ok(())
    }
}

fn task(source: &Server, destination: &Server) -> String {
    let endpoint = |server: &Server| {
        format!(
            "host = \"{}\"\nport = {}\nuser = \"{}\"\npassword = \"{}\"\n",
            Server::HOST,
            server.port(),
            Server::USER,
            Server::PASSWORD
        )
    };
    format!(
        "# Written by `drs demo`.\n\
         [task]\n\
         name = \"demo\"\n\
         mode = \"full+incremental\"\n\
         # One of the shop's tables has no primary key.\n\
         confirm = [\"tables-without-key\"]\n\
         \n\
         [source]\n{}\
         \n\
         [destination]\n{}\
         \n\
         [objects]\n\
         include = [\"{DATABASE}\"]\n\
         \n\
         [copy]\n\
         # Small chunks and few sessions: the copy shall last long enough to be killed.\n\
         sessions = 2\n\
         chunk_bytes = \"1MiB\"\n",
        endpoint(source),
        endpoint(destination)
    )
}
