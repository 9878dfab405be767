//! The server's process.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

use crate::{Error, Result, fetch};

#[derive(Debug)]
pub(super) struct Process(Child);

impl Process {
    /// Starts `command` with its output going to the end of `log`. `announce` gets the process id
    /// before the program itself runs: were we to die in between, the process would end unstarted.
    pub(super) fn start(
        command: Command,
        log: &Path,
        announce: impl FnOnce(u32) -> Result<()>,
    ) -> Result<Self> {
        let output = OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .map_err(Error::at("open", log))?;
        let errors = output.try_clone().map_err(Error::at("open", log))?;
        // The shell waits for a word and then becomes the program, under the same process id.
        let mut shell = Command::new("/bin/sh");
        shell.args([
            "-c",
            r#"read -r go && [ "$go" = go ] && exec "$@" </dev/null"#,
            "drs-start",
        ]);
        shell.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        // A group of its own, or Ctrl-C on the terminal would reach it too.
        shell
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .process_group(0);
        let child = shell.spawn().map_err(Error::io("run /bin/sh"))?;
        let mut process = Self(child);
        let go = || -> Result<()> {
            let pipe = process.0.stdin.take();
            announce(process.0.id())?;
            let mut pipe = pipe.ok_or(Error::NotRunning)?;
            pipe.write_all(b"go\n")
                .map_err(Error::io("start the server"))
        };
        match go() {
            Ok(()) => Ok(process),
            Err(error) => {
                let _ = process.kill();
                Err(error)
            }
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to end in order.
    pub(super) fn terminate(&self) -> Result<()> {
        // Not waited for yet, so the number is still its own even if it has ended.
        fetch::run(Command::new("/bin/sh").args(["-c", &format!("kill -s TERM {}", self.0.id())]))
            .map(drop)
    }

    pub(super) fn kill(&mut self) -> Result<()> {
        self.0.kill().map_err(Error::io("kill the server"))?;
        self.0
            .wait()
            .map(drop)
            .map_err(Error::io("wait for the server's end"))
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.0
            .try_wait()
            .map_err(Error::io("look after the server"))
    }
}
