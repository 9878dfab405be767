//! A program under test that can be killed at any moment and that never outlives us.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio},
    time::Duration,
};

use crate::{Error, Result, deadline};

/// Waits for a word and then becomes the program, under the same process id: were we to die before
/// the guard knows of it, it would end unstarted.
const START: &str = r#"read -r go && [ "$go" = go ] && exec "$@" </dev/null"#;

/// Kills the process of the number it was told when the pipe closes without the word `done`, if that
/// is still the same program.
const GUARD: &str = r#"
arguments=$1
pid=
while read -r word number; do
  case $word in
    watch) pid=$number ;;
    done) exit 0 ;;
  esac
done
tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$arguments" && kill -s KILL "$pid"
"#;

/// A running program. It is killed when this is dropped or when our process ends in any way,
/// `kill -9` included; Ctrl-C on the terminal does not reach it.
#[derive(Debug)]
pub struct GuardedChild {
    child: Child,
    guard: Child,
}

impl GuardedChild {
    /// Starts a program with its standard output and standard error as pipes, to be taken by
    /// [`stdout`](Self::stdout) and [`stderr`](Self::stderr), and no input. Only program,
    /// arguments, environment and folder of the command matter.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(command: &Command) -> Result<Self> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", START, "drs-start"]);
        shell.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            shell.current_dir(folder);
        }
        shell
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let guard = guard(command)?;
        let child = shell.spawn().map_err(Error::io("run /bin/sh"))?;
        // From here on dropping it ends both.
        let mut this = Self { child, guard };
        let watch = format!("watch {}\n", this.child.id());
        say(&mut this.guard, &watch)?;
        say(&mut this.child, "go\n")?;
        drop(this.child.stdin.take());
        Ok(this)
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it writes; `None` when that was taken before.
    pub fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// What it writes about errors; `None` when that was taken before.
    pub fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// What the system says.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child
            .try_wait()
            .map_err(Error::io("look after the program"))
    }

    /// `kill -9`, and its end is waited for.
    ///
    /// # Errors
    /// What the system says.
    pub fn kill(&mut self) -> Result<ExitStatus> {
        self.child.kill().map_err(Error::io("kill the program"))?;
        self.child
            .wait()
            .map_err(Error::io("wait for the program's end"))
    }

    /// Sends it what Ctrl-C sends. Nothing, when it has ended.
    ///
    /// # Errors
    /// What the system says.
    pub fn interrupt(&mut self) -> Result<()> {
        // While it is not waited for, the number is its own.
        if self.ended()?.is_some() {
            return Ok(());
        }
        let status = Command::new("/bin/sh")
            .args(["-c", &format!("kill -s INT {}", self.child.id())])
            .status()
            .map_err(Error::io("run /bin/sh"))?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Program {
            program: "kill".into(),
            status,
            output: String::new(),
        })
    }

    /// Waits until it ends by itself; `None` when it has not within `limit`.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        deadline::poll(limit, || self.ended().transpose()).transpose()
    }
}

impl Drop for GuardedChild {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = say(&mut self.guard, "done\n");
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

fn guard(command: &Command) -> Result<Child> {
    let arguments: Vec<_> = command.get_args().map(|it| it.to_string_lossy()).collect();
    Command::new("/bin/sh")
        .args(["-c", GUARD, "drs-guardian", &arguments.join(" ")])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(Error::io("run /bin/sh"))
}

fn say(child: &mut Child, line: &str) -> Result<()> {
    match child.stdin.as_mut() {
        Some(pipe) => pipe
            .write_all(line.as_bytes())
            .map_err(Error::io("speak to a shell")),
        None => Err(Error::NotRunning),
    }
}
