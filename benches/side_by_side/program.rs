//! Our own program, as a user runs it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use drs_testkit::{GuardedChild, Measured, Server};
use tempfile::TempDir;

use crate::Result;

/// A task file in a folder of its own.
pub(crate) struct TaskFile {
    folder: TempDir,
}

/// What the task is to do.
pub(crate) struct TaskText<'a> {
    pub(crate) source: &'a Server,
    pub(crate) destination: &'a Server,
    /// Where the destination is reached, if not at its own port.
    pub(crate) destination_port: Option<u16>,
    /// Lines of `[task]` behind the name: mode and start point.
    pub(crate) task: String,
    /// The databases, quoted and separated by commas.
    pub(crate) include: String,
    /// Lines behind: `[sync]`, `[copy]`.
    pub(crate) sections: String,
}

impl TaskFile {
    pub(crate) fn write(text: &TaskText<'_>) -> Result<Self> {
        // As the replica and the other tools connect.
        let endpoint = |server: &Server, port: Option<u16>| {
            format!(
                "host = \"{}\"\nport = {}\nuser = \"{}\"\npassword = \"{}\"\n\
                 tls = {{ mode = \"disabled\" }}\n",
                Server::HOST,
                port.unwrap_or(server.port()),
                Server::USER,
                Server::PASSWORD
            )
        };
        let this = Self {
            folder: tempfile::tempdir()?,
        };
        fs::write(
            this.path(),
            format!(
                "[task]\nname = \"side-by-side\"\n{}\n[source]\n{}\n[destination]\n{}\n[objects]\ninclude = [{}]\n{}\n",
                text.task,
                endpoint(text.source, None),
                endpoint(text.destination, text.destination_port),
                text.include,
                text.sections
            ),
        )?;
        fs::set_permissions(this.path(), fs::Permissions::from_mode(0o600))?;
        Ok(this)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("task.toml")
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drs"));
        command
            .arg("run")
            .arg(self.path())
            .arg("--no-check")
            .args(options);
        command
    }

    /// Runs it until the destination has what the source has now.
    pub(crate) fn until_caught_up(&self) -> Result<Measured> {
        let mut command = self.command(&["--until-caught-up", "--json"]);
        command.stdout(Stdio::null());
        Ok(Measured::run(&mut command)?)
    }

    /// Starts it; it follows until it is killed.
    pub(crate) fn start(&self) -> Result<GuardedChild> {
        Ok(GuardedChild::start(&self.command(&["--json"]))?)
    }
}
