//! What can go wrong while a server is found, fetched or run.

use std::{io, path::Path, process::ExitStatus, time::Duration};

use crate::Version;

/// Why there is no server, or why it does not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such server on the machine and it can't be fetched either.
    #[error("{version} is not on this machine and could not be fetched: {reason}\n{}", .version.advice())]
    Unavailable {
        /// What was looked for.
        version: Version,
        /// Why fetching it failed.
        reason: String,
    },

    /// The tools to be measured beside are not on the machine and can't be fetched either.
    #[error(
        "sysbench, mydumper and myloader are not on this machine and could not be fetched: \
         {reason}\nInstall them so that all three are on PATH. (They are fetched from Debian's \
         bookworm suite, which needs apt-get, dpkg-deb, a Debian mirror in the apt configuration \
         and the network.)"
    )]
    NoTools {
        /// Why fetching them failed.
        reason: String,
    },

    /// The server program that the environment names can't be used.
    #[error("{variable} is set to {value}, which can't be used: {reason}")]
    Configured {
        /// The environment variable.
        variable: &'static str,
        /// What it is set to.
        value: String,
        /// Why that is of no use.
        reason: String,
    },

    /// A program that is not part of the installation was asked for.
    #[error("{version} is here without the program `{program}`")]
    NoProgram {
        /// The installation's version.
        version: Version,
        /// The program's name.
        program: String,
    },

    /// A file or a process could not be handled.
    #[error("could not {action}: {source}")]
    Io {
        /// What was being done, as the rest of "could not …".
        action: String,
        /// What the system said.
        source: io::Error,
    },

    /// A program that was run failed.
    #[error("{program} failed ({status}): {output}")]
    Program {
        /// The program.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote.
        output: String,
    },

    /// The server ended while it was expected to run.
    #[error("the server ended ({status}); the end of its error log:\n{log}")]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The end of its error log.
        log: String,
    },

    /// The server did not do something in time.
    #[error("the server did not {action} within {} s; the end of its error log:\n{log}", .waited.as_secs())]
    Late {
        /// What it was expected to do.
        action: &'static str,
        /// How long it was given.
        waited: Duration,
        /// The end of its error log.
        log: String,
    },

    /// Something that needs a running server was asked of a stopped one.
    #[error("the server is not running")]
    NotRunning,

    /// Some rows can't be compared: the server's `max_allowed_packet` is too small for a value.
    #[error("{rows} rows of {table} are too long for the server to be compared")]
    Incomparable {
        /// The table.
        table: String,
        /// How many rows.
        rows: u64,
    },

    /// The server refused a statement or a connection.
    #[error(transparent)]
    MySql(#[from] mysql::Error),
}

impl Error {
    /// A program that ended so, with the last lines of what it wrote about that.
    pub(crate) fn program(program: String, status: ExitStatus, stderr: &[u8]) -> Self {
        const LINES_MAX: usize = 5;
        let stderr = String::from_utf8_lossy(stderr);
        let lines: Vec<&str> = stderr
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let last = lines.len().saturating_sub(LINES_MAX);
        Self::Program {
            program,
            status,
            output: lines.get(last..).unwrap_or_default().join("\n"),
        }
    }

    /// Wraps an I/O error together with what was being done; for `map_err`.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }

    /// The same for an action on a path.
    pub(crate) fn at(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        Self::io(format!("{verb} {}", path.display()))
    }
}
