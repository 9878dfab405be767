//! Programs that run to their end, and what that took.

use std::{
    io::Read,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::{Error, Result, usage};

/// How often the memory is looked at; what it grows by in its last moment goes unseen.
const PAUSE: Duration = Duration::from_millis(5);

/// What one run of a program, or of several connected by pipes, took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// From its start until its end; until the last one's end.
    pub elapsed: Duration,
    /// CPU time, in the kernel too, with the children that were waited for; of all the programs.
    /// The system tells it in hundredths of a second.
    pub cpu: Duration,
    /// The most memory that was resident at any time; of several programs, the sum of the peaks,
    /// which need not have been at one time.
    pub peak_memory_bytes: u64,
    /// What the (last) program wrote, if its command says `Stdio::piped()`.
    pub stdout: Vec<u8>,
}

impl Measured {
    /// Runs a program to its end. Input and output are where the command says; what it writes to
    /// standard error is kept for the error.
    ///
    /// # Errors
    /// [`Error::Program`] when it fails, and what the system says.
    pub fn run(command: &mut Command) -> Result<Self> {
        let start = Instant::now();
        Running::start(command)?.measure(start)
    }

    /// Runs programs of which each reads what the one before writes, as `mysqldump | mysql`.
    /// Otherwise as [`run`](Self::run).
    ///
    /// # Errors
    /// [`Error::Program`] when any of them fails, and what the system says.
    pub fn run_pipeline(commands: impl IntoIterator<Item = Command>) -> Result<Self> {
        let start = Instant::now();
        let mut running = Running::default();
        let mut commands = commands.into_iter().peekable();
        // Each command goes when its program runs: it holds the end of a pipe, and a writer must
        // notice when nobody reads any more.
        while let Some(mut command) = commands.next() {
            if commands.peek().is_some() {
                command.stdout(Stdio::piped());
            }
            if let Some(output) = running.take_output() {
                command.stdin(output);
            }
            running.add(&mut command)?;
        }
        running.measure(start)
    }
}

/// Programs that run; those still there when this is dropped are killed.
#[derive(Default)]
struct Running {
    programs: Vec<Program>,
    /// Reads what the last one writes.
    output: Option<JoinHandle<Vec<u8>>>,
}

struct Program {
    name: String,
    child: Child,
    errors: JoinHandle<Vec<u8>>,
}

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        let mut running = Self::default();
        running.add(command)?;
        Ok(running)
    }

    fn add(&mut self, command: &mut Command) -> Result<()> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::io(format!("run {name}")))?;
        let errors = drain(child.stderr.take());
        self.programs.push(Program {
            name,
            child,
            errors,
        });
        Ok(())
    }

    fn take_output(&mut self) -> Option<ChildStdout> {
        self.programs.last_mut()?.child.stdout.take()
    }

    fn measure(mut self, start: Instant) -> Result<Measured> {
        self.output = self.take_output().map(|pipe| drain(Some(pipe)));
        let pids: Vec<u32> = self.programs.iter().map(|it| it.child.id()).collect();
        let (ended, peak_memory_bytes) = with_peak_bytes(&pids, || wait_for_ends(&pids));
        let cpu = ended?;
        let elapsed = start.elapsed();
        self.succeed()?;
        Ok(Measured {
            elapsed,
            cpu,
            peak_memory_bytes,
            stdout: self.output.take().map(joined).unwrap_or_default(),
        })
    }

    /// Says of all that have failed what they said: the failure of one makes its neighbours fail.
    fn succeed(&mut self) -> Result<()> {
        let mut failed: Option<(String, ExitStatus, Vec<u8>)> = None;
        for mut program in self.programs.drain(..) {
            let status = program
                .child
                .wait()
                .map_err(Error::io("wait for the program's end"))?;
            let errors = joined(program.errors);
            if status.success() {
                continue;
            }
            failed = Some(match failed {
                None => (program.name, status, errors),
                Some((names, _, before)) => (
                    format!("{names} | {}", program.name),
                    status,
                    [before, errors].concat(),
                ),
            });
        }
        match failed {
            None => Ok(()),
            Some((names, status, errors)) => Err(Error::program(names, status, &errors)),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for mut program in self.programs.drain(..) {
            let _ = program.child.kill();
            let _ = program.child.wait();
            joined(program.errors);
        }
        self.output.take().map(joined);
    }
}

/// Waits until all of the processes have ended, and leaves them to be waited for; the CPU time of all.
fn wait_for_ends(pids: &[u32]) -> Result<Duration> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    let mut cpu = Duration::ZERO;
    for &number in pids {
        let pid = i32::try_from(number).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or(Error::NotRunning)?;
        rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), options))
            .map_err(|error| Error::io("wait for the program's end")(error.into()))?;
        // What an ended process has used is there until it is waited for.
        cpu = cpu.saturating_add(usage::cpu_time_with_children(number)?);
    }
    Ok(cpu)
}

/// The sum of the peaks of processes during some work. None of them may be waited for meanwhile, or
/// another might get its number.
fn with_peak_bytes<T>(pids: &[u32], work: impl FnOnce() -> T) -> (T, u64) {
    let (working, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let watcher = scope.spawn(move || {
            let mut peaks = vec![0; pids.len()];
            loop {
                for (pid, peak) in pids.iter().zip(&mut peaks) {
                    // Of one that has ended the last known counts: a peak never goes back.
                    *peak = usage::peak_memory_bytes(*pid).unwrap_or(*peak);
                }
                if ended.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                    return peaks.iter().sum();
                }
            }
        });
        let done = work();
        drop(working);
        (done, watcher.join().unwrap_or_default())
    })
}

/// Reads a pipe to its end, so that the program never waits for us.
fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still of use.
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn joined(thread: JoinHandle<Vec<u8>>) -> Vec<u8> {
    thread.join().unwrap_or_default()
}
