use std::fmt;

use crate::{
    Finding, Verdict,
    facts::{Facts, Unread},
};

/// What a check looks at, and where its line stands in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The source server.
    Source,
    /// The destination server.
    Destination,
    /// The objects that are selected, at the source.
    Objects,
    /// One against the other.
    Both,
}

impl Group {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 4] = [Self::Source, Self::Destination, Self::Objects, Self::Both];

    /// The word that scripts and pages use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Objects => "objects",
            Self::Both => "both",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One precheck: a pure function from the task and the facts to findings, and what the reference
/// says about it. [`CHECKS`](crate::CHECKS) lists them all.
pub struct Check {
    /// Its stable name, for scripts: small letters, digits and hyphens.
    pub id: &'static str,
    /// Where it stands.
    pub group: Group,
    /// What it looks at, in a few words.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What to do when it does not pass.
    pub remedy: &'static str,
    /// The line of a manual that it implements, or the behaviour of a server or of this program.
    pub rule: &'static str,
    /// What it may come to. Every check may be [`Verdict::Unknown`] when a fact is missing, so that
    /// is listed only where the check itself can say so.
    pub verdicts: &'static [Verdict],
    /// The check itself. No finding means that there was nothing to look at, and passes; a fact that
    /// could not be read is [`Verdict::Unknown`].
    pub run: fn(&Facts) -> Result<Vec<Finding>, Unread>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.id).finish()
    }
}

/// What a check came to.
#[derive(Debug)]
pub struct Checked {
    /// The check.
    pub check: &'static Check,
    /// What it found, the gravest first; never empty.
    pub findings: Vec<Finding>,
    /// The user has accepted what is to be confirmed.
    pub is_accepted: bool,
}

impl Checked {
    pub(crate) fn of(check: &'static Check, facts: &Facts) -> Self {
        let mut findings = match (check.run)(facts) {
            Ok(findings) if findings.is_empty() => vec![Finding::pass("nothing to look at")],
            Ok(findings) => findings,
            Err(unread) => vec![unread.into()],
        };
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
        Self {
            check,
            findings,
            is_accepted: false,
        }
    }

    /// The gravest verdict of its findings.
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.findings.iter().map(|finding| finding.verdict);
        verdicts.max().unwrap_or(Verdict::Unknown)
    }

    /// True when a task must not start: something failed, or is to be confirmed and was not. What
    /// could not be checked does not stop a task: it says so.
    pub fn stands_in_the_way(&self) -> bool {
        self.findings.iter().any(|finding| match finding.verdict {
            Verdict::Pass | Verdict::Unknown => false,
            Verdict::Confirm => !self.is_accepted,
            Verdict::Fail => true,
        })
    }
}
