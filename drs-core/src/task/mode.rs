use std::fmt;

use drs_binlog::StartPoint;

/// What a task does with the objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Copies them, then follows the source's changes.
    FullAndIncremental,
    /// Copies them, and ends.
    Full,
    /// Follows the source's changes from a point on; the objects are at the destination already.
    Incremental {
        /// What the destination already has: everything up to here.
        start_point: StartPoint,
    },
}

impl Mode {
    /// The mode's name in a task file.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::FullAndIncremental => "full+incremental",
            Self::Full => "full",
            Self::Incremental { .. } => "incremental",
        }
    }

    /// True when the task begins with a full copy.
    pub fn copies(&self) -> bool {
        !matches!(self, Self::Incremental { .. })
    }

    /// True when the task follows the source's binary log.
    pub fn follows(&self) -> bool {
        !matches!(self, Self::Full)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What to do when a change meets a row at the destination that it does not fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConflictPolicy {
    /// Leave the destination's row, and go on.
    Ignore,
    /// Stop the task.
    #[default]
    ReportError,
    /// Make the row what it is at the source.
    Overwrite,
}

impl ConflictPolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Ignore, Self::ReportError, Self::Overwrite];

    /// The policy's name in a task file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::ReportError => "report-error",
            Self::Overwrite => "overwrite",
        }
    }
}

impl fmt::Display for ConflictPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
