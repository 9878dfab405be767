//! A small shell that outlives us for a moment: when our end of its pipe closes, for whatever
//! reason, it kills the server and removes the folder. No destructor runs after a `kill -9`, and
//! none for a `static`; the pipe closes in either case.

use std::{
    io::{self, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{Error, Result};

/// Reads `watch PID`, `watch` (nothing to kill any more) and `keep` until the pipe closes. A process
/// is killed only while its command line names the folder: its number may have passed to another.
const SCRIPT: &str = r#"
folder=$1
pid=
while read -r word number; do
  case $word in
    watch) pid=$number ;;
    keep) exit 0 ;;
  esac
done
ours() { [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$folder"; }
tries=0
while ours && [ "$tries" -lt 200 ]; do
  kill -s KILL "$pid" 2>/dev/null
  tries=$((tries + 1))
  sleep 0.05
done
rm -rf -- "$folder"
"#;

/// The shell, and our end of its pipe.
#[derive(Debug)]
pub(super) struct Guardian(Child);

impl Guardian {
    /// Starts a guardian over a folder, which it will remove.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        Command::new("/bin/sh")
            .args(["-c", SCRIPT, "drs-guardian"])
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C on the terminal goes to our process group; the guardian must not die of it.
            .process_group(0)
            .spawn()
            .map(Self)
            .map_err(Error::io("run /bin/sh"))
    }

    /// Names the process to kill at the end, or none.
    pub(super) fn watch(&mut self, pid: Option<u32>) -> Result<()> {
        let line = pid.map_or_else(|| "watch\n".to_owned(), |pid| format!("watch {pid}\n"));
        self.say(&line)
            .map_err(Error::io("speak to the server's guardian"))
    }

    /// Lets it go without doing anything.
    pub(super) fn dismiss(mut self) {
        // If it is gone already, it will not do anything either.
        let _ = self.say("keep\n");
        self.finish();
    }

    /// Lets it do its work, and waits for it.
    pub(super) fn finish(mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        match self.0.stdin.as_mut() {
            // One write of a short line into a pipe arrives whole or not at all.
            Some(pipe) => pipe.write_all(line.as_bytes()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }
}
