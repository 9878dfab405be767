use std::path::PathBuf;

/// Why there is no task.
///
/// No variant holds a password, or the file's text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The task file can't be read.
    #[error("cannot read it: {0}")]
    Read(#[source] std::io::Error),
    /// The task file holds a password, and is not its owner's alone.
    #[error("it holds a password and others can read it (mode {mode:03o}); run: chmod 600 '{}'", path.display())]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The text is not TOML.
    #[error("{}{reason}", at(*line))]
    Syntax {
        /// The line, from 1.
        line: Option<usize>,
        /// What the parser says.
        reason: String,
    },
    /// A key that no table of this name has.
    #[error("{}unknown key {key:?} {}; the nearest known key is {nearest}", at(Some(*line)), in_table(table))]
    UnknownKey {
        /// The line, from 1.
        line: usize,
        /// The table it is in; empty for the top level.
        table: String,
        /// The key.
        key: String,
        /// A key that there is.
        nearest: String,
    },
    /// A setting that has no default is not there.
    #[error("{key} is missing{hint}")]
    Missing {
        /// The setting, for instance `source.user`.
        key: String,
        /// What to do; empty or begins with a punctuation mark.
        hint: &'static str,
    },
    /// A setting's value can't be used.
    #[error("{}{key}: {reason}", at(*line))]
    Invalid {
        /// The line in the file, from 1; none for a task made in code.
        line: Option<usize>,
        /// The setting, for instance `sync.lanes`.
        key: String,
        /// What is wrong, and what is right.
        reason: String,
    },
    /// A setting that this version does not carry out, and so does not take.
    #[error("{}{setting} is not supported yet", at(*line))]
    NotSupportedYet {
        /// The line in the file, from 1; none for a task made in code.
        line: Option<usize>,
        /// The setting, with its value where only that is not supported.
        setting: String,
    },
}

impl TaskError {
    /// The line of the task file that the error is about, from 1.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::UnknownKey { line, .. } => Some(*line),
            Self::Syntax { line, .. }
            | Self::Invalid { line, .. }
            | Self::NotSupportedYet { line, .. } => *line,
            Self::Read(_) | Self::NotPrivate { .. } | Self::Missing { .. } => None,
        }
    }

    pub(super) fn invalid(key: impl Into<String>, reason: impl ToString) -> Self {
        Self::Invalid {
            line: None,
            key: key.into(),
            reason: reason.to_string(),
        }
    }

    /// The same error with its line, when `lines` knows the setting's.
    pub(super) fn with_line(mut self, line_of: impl Fn(&str) -> Option<usize>) -> Self {
        match &mut self {
            Self::Invalid {
                line, key: setting, ..
            }
            | Self::NotSupportedYet { line, setting }
                if line.is_none() =>
            {
                let key = setting.split(' ').next().unwrap_or(setting);
                *line = line_of(key);
            }
            _ => {}
        }
        self
    }
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!("line {line}: "))
        .unwrap_or_default()
}

fn in_table(table: &str) -> String {
    if table.is_empty() {
        "at the top level".to_owned()
    } else {
        format!("in [{table}]")
    }
}
