//! One running server in a temporary folder.

mod arguments;
mod builder;
mod certificates;
mod guardian;
mod memory;
mod ports;
mod process;
mod template;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mysql::{Conn, Opts, OptsBuilder};

pub use arguments::BinlogFormat;
pub use builder::ServerBuilder;

use crate::{Error, Installation, Release, Result, deadline, folder};
use arguments::Settings;
use guardian::Guardian;
use process::Process;

/// How long a server may take to come up or to go down; a loaded machine with cold disks is slow.
const LIMIT: Duration = Duration::from_secs(90);

/// A running MySQL or MariaDB server of one's own.
///
/// When it is dropped, or the process ends in any way, `kill -9` included, the server is killed and
/// its folder is removed; see [`keep`](Self::keep). All methods take `&self`, so a server can be
/// shared by the tests of a binary in a `static`:
///
/// ```no_run
/// use std::sync::OnceLock;
/// use drs_testkit::{Installation, Server, Version};
///
/// fn source() -> &'static Server {
///     static SOURCE: OnceLock<Server> = OnceLock::new();
///     SOURCE.get_or_init(|| {
///         let mysql = Installation::find_or_fetch(Version::MySql97).unwrap();
///         Server::builder(&mysql).gtid(true).start().unwrap()
///     })
/// }
/// ```
#[derive(Debug)]
pub struct Server {
    installation: Installation,
    settings: Settings,
    place: Place,
    process: Mutex<Option<Process>>,
    guardian: Mutex<Option<Guardian>>,
}

/// Where a server keeps its files and where it listens.
#[derive(Debug, Clone)]
struct Place {
    folder: PathBuf,
    port: u16,
}

impl Place {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn temporary(&self) -> PathBuf {
        self.folder.join("tmp")
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("mysql.sock")
    }

    fn error_log(&self) -> PathBuf {
        self.folder.join("error.log")
    }
}

impl Server {
    /// The account that may do everything, over TCP too.
    pub const USER: &str = "drs";
    /// Its password.
    pub const PASSWORD: &str = "drs-test";
    /// The address that all servers listen on.
    pub const HOST: &str = "127.0.0.1";

    /// Describes a server that is to be started.
    pub fn builder(installation: &Installation) -> ServerBuilder {
        ServerBuilder::new(installation)
    }

    /// The TCP port; it stays the same over restarts.
    pub fn port(&self) -> u16 {
        self.place.port
    }

    /// The path of the Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.place.socket()
    }

    /// The data folder.
    pub fn data_dir(&self) -> PathBuf {
        self.place.data()
    }

    /// The file that the server writes its errors to.
    pub fn error_log(&self) -> PathBuf {
        self.place.error_log()
    }

    /// The programs that it runs from.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The exact release.
    pub fn release(&self) -> Release {
        self.installation.release()
    }

    /// The server's id.
    pub fn server_id(&self) -> u32 {
        self.settings.server_id
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        lock(&self.process).as_ref().map(Process::id)
    }

    /// Options to connect as root, without a password, over the socket.
    pub fn opts(&self) -> Opts {
        root_opts(&self.place.socket())
    }

    /// Options to connect as [`USER`](Self::USER) over TCP, without TLS.
    pub fn tcp_opts(&self) -> Opts {
        OptsBuilder::new()
            .ip_or_hostname(Some(Self::HOST))
            .tcp_port(self.place.port)
            .user(Some(Self::USER))
            .pass(Some(Self::PASSWORD))
            .prefer_socket(false)
            .into()
    }

    /// A new connection as root over the socket.
    ///
    /// # Errors
    /// What the server or the socket says.
    pub fn conn(&self) -> Result<Conn> {
        Ok(Conn::new(self.opts())?)
    }

    /// The binary log's files, in order.
    ///
    /// # Errors
    /// When the index file can't be read, as when the server keeps no binary log.
    pub fn binlog_files(&self) -> Result<Vec<PathBuf>> {
        let data = self.place.data();
        let index = data.join("binlog.index");
        let lines = fs::read_to_string(&index).map_err(Error::at("read", &index))?;
        Ok(lines
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| data.join(line))
            .collect())
    }

    /// The certificate of the authority that signed the server's, in PEM: what `verify-ca` and
    /// `verify-identity` need. The server's certificate is for `localhost` and `127.0.0.1`.
    pub fn ca_pem(&self) -> PathBuf {
        self.place.data().join("ca.pem")
    }

    /// A client's certificate and its key, in PEM, signed by the same authority.
    pub fn client_pem(&self) -> (PathBuf, PathBuf) {
        let data = self.place.data();
        (data.join("client-cert.pem"), data.join("client-key.pem"))
    }

    /// Shuts the server down in order and waits for its end. Nothing, if it does not run.
    ///
    /// # Errors
    /// [`Error::Late`] when it does not end in time.
    pub fn stop(&self) -> Result<()> {
        let mut process = lock(&self.process);
        let Some(running) = process.as_mut() else {
            return Ok(());
        };
        running.terminate()?;
        let ended = deadline::poll(LIMIT, || running.ended().transpose());
        match ended {
            Some(ended) => drop(ended?),
            None => {
                let log = folder::tail(&self.place.error_log());
                return Err(Error::Late {
                    action: "shut down",
                    waited: LIMIT,
                    log,
                });
            }
        }
        self.gone(&mut process);
        Ok(())
    }

    /// Kills the server as `kill -9` does, and waits until it is gone. Nothing, if it does not run.
    ///
    /// # Errors
    /// What the system says.
    pub fn kill(&self) -> Result<()> {
        let mut process = lock(&self.process);
        if let Some(running) = process.as_mut() {
            running.kill()?;
            self.gone(&mut process);
        }
        Ok(())
    }

    /// Starts a server that was stopped or killed again, on the same data and port; one that runs
    /// is stopped in order first.
    ///
    /// # Errors
    /// [`Error::Ended`] and [`Error::Late`], with the end of the server's error log.
    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        self.launch()
    }

    /// [Restarts](Self::restart) it with a further option, now and from then on. The last one wins.
    ///
    /// # Errors
    /// As with [`restart`](Self::restart).
    pub fn restart_with(&mut self, option: impl Into<String>) -> Result<()> {
        self.settings.options.push(option.into());
        self.restart()
    }

    /// Whether the server process is there.
    pub fn is_running(&self) -> bool {
        let mut process = lock(&self.process);
        process
            .as_mut()
            .is_some_and(|running| matches!(running.ended(), Ok(None)))
    }

    /// Leaves the server running when this process ends, and its folder in place; returns the
    /// folder. From then on it is the user's: [`stop`](Self::stop) still works, but nothing is
    /// done by itself.
    pub fn keep(&self) -> &Path {
        if let Some(guardian) = lock(&self.guardian).take() {
            guardian.dismiss();
        }
        &self.place.folder
    }

    /// Takes a process id off the guardian and forgets the process.
    fn gone(&self, process: &mut Option<Process>) {
        *process = None;
        if let Some(guardian) = lock(&self.guardian).as_mut() {
            // A guardian that is not there any more has nothing left to do wrong.
            let _ = guardian.watch(None);
        }
    }

    /// Starts the process and waits until it can be used.
    fn launch(&self) -> Result<()> {
        let mut slot = lock(&self.process);
        for stale in [
            self.place.socket(),
            self.place.folder.join("mysql.sock.lock"),
        ] {
            // It is there only after a kill.
            let _ = fs::remove_file(stale);
        }
        let command = self.settings.command(&self.installation, &self.place);
        let process = {
            let mut guardian = lock(&self.guardian);
            Process::start(command, &self.place.error_log(), |pid| {
                match guardian.as_mut() {
                    Some(guardian) => guardian.watch(Some(pid)),
                    None => Ok(()),
                }
            })?
        };
        let process = slot.insert(process);
        if let Err(error) = self.wait_until_ready(process) {
            // The first error is the one to tell.
            let _ = process.kill();
            self.gone(&mut slot);
            return Err(error);
        }
        Ok(())
    }

    fn wait_until_ready(&self, process: &mut Process) -> Result<()> {
        let opts = self.opts();
        let mut refused = String::new();
        let ready = deadline::poll(LIMIT, || match process.ended() {
            Ok(Some(status)) => {
                let log = folder::tail(&self.place.error_log());
                Some(Err(Error::Ended { status, log }))
            }
            Ok(None) if !self.place.socket().exists() => None,
            Ok(None) => match Conn::new(opts.clone()) {
                Ok(_) => Some(Ok(())),
                Err(error) => {
                    refused = format!("\n(the last attempt to connect: {error})");
                    None
                }
            },
            Err(error) => Some(Err(error)),
        });
        ready.unwrap_or_else(|| {
            let log = folder::tail(&self.place.error_log()) + &refused;
            Err(Error::Late {
                action: "come up",
                waited: LIMIT,
                log,
            })
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let guardian = lock(&self.guardian).take();
        // Without a guardian the server is to be kept.
        if let Some(mut guardian) = guardian {
            if let Some(mut process) = lock(&self.process).take()
                && process.kill().is_ok()
            {
                let _ = guardian.watch(None);
            }
            guardian.finish();
        }
    }
}

fn root_opts(socket: &Path) -> Opts {
    OptsBuilder::new()
        .ip_or_hostname(None::<String>)
        .socket(Some(socket.to_string_lossy()))
        .user(Some("root"))
        .into()
}

/// A panic of another test while it held the lock leaves nothing half-done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
