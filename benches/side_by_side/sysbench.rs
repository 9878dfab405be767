//! sysbench's tables and its work.

use std::process::Command;

use drs_testkit::{Server, Tool, Tools};

use crate::Result;

/// One sysbench run against a database of its own.
pub(crate) struct Sysbench<'a> {
    pub(crate) tools: &'a Tools,
    pub(crate) server: &'a Server,
    pub(crate) database: &'a str,
    pub(crate) tables: u32,
    pub(crate) rows: u32,
}

impl Sysbench<'_> {
    /// Makes the tables and fills them.
    pub(crate) fn prepare(&self) -> Result<()> {
        use mysql::prelude::Queryable;
        let mut conn = self.server.conn()?;
        conn.query_drop(format!("CREATE DATABASE IF NOT EXISTS {}", self.database))?;
        self.run("oltp_write_only", &["prepare"])
    }

    /// Runs this many transactions of a script, as fast as they go, from 4 threads.
    pub(crate) fn transactions(&self, script: &str, events: u32, options: &[&str]) -> Result<()> {
        let events = format!("--events={events}");
        let mut arguments = vec![events.as_str(), "--time=0"];
        arguments.extend(options);
        arguments.push("run");
        self.run(script, &arguments)
    }

    fn run(&self, script: &str, arguments: &[&str]) -> Result<()> {
        let mut command: Command = self.tools.command(Tool::Sysbench);
        command
            .arg(self.tools.script(script))
            .arg("--db-driver=mysql")
            .arg(format!("--mysql-socket={}", self.server.socket().display()))
            .args(["--mysql-user=root", "--threads=4"])
            .arg(format!("--mysql-db={}", self.database))
            .arg(format!("--tables={}", self.tables))
            .arg(format!("--table-size={}", self.rows))
            .args(arguments);
        let output = command.output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "sysbench {script}: {}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
        .into())
    }
}
