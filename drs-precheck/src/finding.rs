use std::fmt;

use drs_core::Role;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Nothing stands in the way.
    Pass,
    /// The user must look at it and accept it.
    Confirm,
    /// It could not be checked; never counted as passed.
    Unknown,
    /// The task must not start.
    Fail,
}

impl Verdict {
    /// All of them, the mildest first.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Confirm, Self::Unknown, Self::Fail];

    /// The word that scripts and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Confirm => "confirm",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it comes to.
    pub verdict: Verdict,
    /// Why, in one sentence, without the names of `objects`.
    pub detail: String,
    /// The objects that it is about, as they are to be shown: all of them, in order.
    pub objects: Vec<String>,
    /// What to do about it; the first ones first.
    pub remedies: Vec<Remedy>,
}

impl Finding {
    /// Nothing stands in the way: what was seen.
    pub fn pass(detail: impl Into<String>) -> Self {
        Self::new(Verdict::Pass, detail)
    }

    /// The user must look at it and accept it.
    pub fn confirm(detail: impl Into<String>) -> Self {
        Self::new(Verdict::Confirm, detail)
    }

    /// It could not be checked: why not.
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self::new(Verdict::Unknown, detail)
    }

    /// The task must not start.
    pub fn fail(detail: impl Into<String>) -> Self {
        Self::new(Verdict::Fail, detail)
    }

    fn new(verdict: Verdict, detail: impl Into<String>) -> Self {
        Self {
            verdict,
            detail: detail.into(),
            objects: Vec::new(),
            remedies: Vec::new(),
        }
    }

    /// The objects that it is about.
    #[must_use]
    pub fn about<T: fmt::Display>(mut self, objects: impl IntoIterator<Item = T>) -> Self {
        self.objects
            .extend(objects.into_iter().map(|object| object.to_string()));
        self
    }

    /// Something to do, in words.
    #[must_use]
    pub fn advice(mut self, text: impl Into<String>) -> Self {
        self.remedies.push(Remedy::Advice(text.into()));
        self
    }

    /// A statement that repairs it at one of the servers.
    #[must_use]
    pub fn sql(mut self, role: Role, statement: impl Into<String>) -> Self {
        self.remedies.push(Remedy::Sql {
            role,
            statement: statement.into(),
        });
        self
    }
}

/// What to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// A statement to run, without a semicolon at its end.
    Sql {
        /// Where.
        role: Role,
        /// The statement, on one line.
        statement: String,
    },
    /// Words.
    Advice(String),
}
