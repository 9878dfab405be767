//! Prechecks: facts gathered from both servers, and the findings drawn from them.
//!
//! Only the task's rules are checked so far; the other checks come next.
//!
//! ```
//! use drs_precheck::{Finding, Verdict};
//!
//! let finding = Finding::new("binlog-format", Verdict::Fail, "binlog_format is STATEMENT");
//! assert!(!finding.verdict.allows_start());
//! ```

mod rules;

use std::fmt;

pub use rules::rules;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing stands in the way.
    Pass,
    /// The user must look at it and accept it.
    Confirm,
    /// The task must not start.
    Fail,
    /// It could not be checked; never counted as passed.
    Unknown,
}

impl Verdict {
    /// True when the task may start without anybody's word.
    pub fn allows_start(self) -> bool {
        self == Self::Pass
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Confirm => "confirm",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        })
    }
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check's stable name, for scripts.
    pub check: &'static str,
    /// What it came to.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub detail: String,
}

impl Finding {
    /// A finding.
    pub fn new(check: &'static str, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self {
            check,
            verdict,
            detail: detail.into(),
        }
    }
}
