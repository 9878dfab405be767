//! How the program ends: its exit code, and the errors that lead to one.

use std::{io, path::PathBuf, process::ExitCode};

use drs_core::{EndpointError, NameError, Role, TaskError};

/// The exit codes, which scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// A check failed, or a comparison differs.
    Differs = 1,
    /// A usage or task file error.
    Usage = 2,
    /// The task failed.
    Failed = 3,
    /// Ended by Ctrl-C or a signal to terminate.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed. No variant holds a password or a row's values.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The task file can't be used.
    #[error("{}: {source}", path.display())]
    TaskFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TaskError,
    },
    /// The task file gives no password and nobody is there to ask.
    #[error(
        "{}: {role}.password is missing, and there is no terminal to ask at; \
         set {role}.password = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}, or \"\" for none",
        path.display()
    )]
    NoPassword {
        /// The file.
        path: PathBuf,
        /// Which server's.
        role: Role,
    },
    /// The terminal gave no password.
    #[error("cannot read the password of the {role}: {source}")]
    Prompt {
        /// Which server's.
        role: Role,
        /// Why.
        source: io::Error,
    },
    /// There is no such check to confirm.
    #[error(
        "no check is called {id}{}",
        nearest.map_or_else(String::new, |nearest| format!("; the nearest is {nearest}"))
    )]
    NoSuchCheck {
        /// What was given.
        id: String,
        /// What may be meant.
        nearest: Option<&'static str>,
    },
    /// What the command line asks for can't be done.
    #[error("{0}")]
    Usage(String),
    /// `DRS_LOG` is no filter.
    #[error("DRS_LOG: {0}")]
    LogFilter(String),
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] EndpointError),
    /// A server answered a question with an error.
    #[error("cannot {what} at the {role}: {reason}")]
    Query {
        /// What was being done.
        what: &'static str,
        /// Which server.
        role: Role,
        /// The server's or the driver's words.
        reason: String,
    },
    /// A server has a name that MySQL does not allow.
    #[error("the {role} has a table that can't be handled: {source}")]
    Name {
        /// Which server.
        role: Role,
        /// What is wrong with the name.
        source: NameError,
    },
    /// Standard output can't be written to.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
    /// Anything that a command itself reports.
    #[error("{0}")]
    Failed(String),
}

impl CommandError {
    /// The exit code that the error leads to.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Prompt { source, .. } if source.kind() == io::ErrorKind::Interrupted => {
                Exit::Interrupted
            }
            Self::TaskFile { .. }
            | Self::NoPassword { .. }
            | Self::Prompt { .. }
            | Self::NoSuchCheck { .. }
            | Self::Usage(_)
            | Self::LogFilter(_) => Exit::Usage,
            Self::Connect(EndpointError::Password { .. }) => Exit::Usage,
            Self::Connect(_)
            | Self::Query { .. }
            | Self::Name { .. }
            | Self::Output(_)
            | Self::Failed(_) => Exit::Failed,
        }
    }

    /// A failed statement. Only the server's own words are kept of the driver's error.
    pub(crate) fn query(what: &'static str, role: Role, error: &mysql::Error) -> Self {
        let reason = match error {
            mysql::Error::MySqlError(error) => format!("error {}: {}", error.code, error.message),
            mysql::Error::FromValueError(_) | mysql::Error::FromRowError(_) => {
                "the server gave an unexpected answer".to_owned()
            }
            error => error.to_string(),
        };
        Self::Query { what, role, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_contract() {
        for (exit, code) in [
            (Exit::Done, 0),
            (Exit::Differs, 1),
            (Exit::Usage, 2),
            (Exit::Failed, 3),
            (Exit::Interrupted, 130),
        ] {
            assert_eq!(exit as u8, code);
        }
    }

    #[test]
    fn errors_lead_to_codes() {
        let io = || io::Error::other("x");
        for (error, exit) in [
            (
                CommandError::TaskFile {
                    path: "t".into(),
                    source: TaskError::Read(io()),
                },
                Exit::Usage,
            ),
            (
                CommandError::NoPassword {
                    path: "t".into(),
                    role: Role::Source,
                },
                Exit::Usage,
            ),
            (CommandError::Output(io()), Exit::Failed),
            (CommandError::Failed("x".to_owned()), Exit::Failed),
        ] {
            assert_eq!(error.exit(), exit, "{error}");
        }
        let row = mysql::Error::FromValueError(mysql::Value::Bytes(b"secret".to_vec()));
        let error = CommandError::query("list the tables", Role::Source, &row);
        assert_eq!(
            error.to_string(),
            "cannot list the tables at the source: the server gave an unexpected answer"
        );
    }
}
