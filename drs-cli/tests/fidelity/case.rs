//! What a case is.

/// A few lines of SQL, and what must come of them.
///
/// Statements end with `;` at a line's end. `{db}` stands for the database that the case has for
/// itself, which is also the session's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    /// The number in the list of traps; 0 for a case that is in another list only.
    pub(crate) trap: u8,
    /// Tells cases of one trap apart: a letter, or nothing.
    pub(crate) part: &'static str,
    /// Items of the list of what a peer got wrong or right.
    pub(crate) peer: &'static [&'static str],
    /// What it is about.
    pub(crate) title: &'static str,
    /// From which servers it is tried.
    pub(crate) from: From,
    /// Settings of the session that writes, before everything else.
    pub(crate) session: &'static str,
    /// What is there before the copy.
    pub(crate) setup: &'static str,
    /// What happens after it.
    pub(crate) changes: &'static str,
    /// Further queries with the same answer on both sides.
    pub(crate) queries: &'static [&'static str],
    /// What comes of `setup` and `changes` together through the copy.
    pub(crate) copy: Outcome,
    /// What comes of `changes` through the log.
    pub(crate) follow: Outcome,
    /// The same two from 5.6, where they are others.
    pub(crate) from_56: Option<(Outcome, Outcome)>,
    /// Whether it is also tried with kills in between: not if a statement, once cut off, can't be
    /// decided.
    pub(crate) killed: bool,
    /// What else there is to say in the docs.
    pub(crate) note: &'static str,
}

/// A case with nothing in it yet.
pub(crate) const CASE: Case = Case {
    trap: 0,
    part: "",
    peer: &[],
    title: "",
    from: From::Both,
    session: "",
    setup: "",
    changes: "",
    queries: &[],
    copy: Outcome::Equal,
    follow: Outcome::Equal,
    from_56: None,
    killed: true,
    note: "",
};

/// The servers whose rows are taken to 9.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// 9.7 and 5.6.
    Both,
    /// What 5.6 does not have.
    Only97,
    /// What 9.7 has no more.
    Only56,
}

/// What must come of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Both sides are the same, byte for byte.
    Equal,
    /// The task fails, again after a restart too, and this is in what it says.
    Stops(&'static str),
    /// There is nothing to try.
    No,
}

impl Case {
    /// What is in the names of its databases.
    pub(crate) fn id(&self) -> String {
        let Self { trap, part, .. } = self;
        match self.peer.first() {
            Some(peer) if *trap == 0 => format!("p{peer}{part}").replace(['.', '-'], "_"),
            _ => format!("t{trap:02}{part}"),
        }
    }

    /// What it must come to from a 5.6 or from a 9.7: through the copy, and through the log.
    pub(crate) fn outcomes(&self, from_56: bool) -> (Outcome, Outcome) {
        match (self.from, from_56) {
            (From::Only97, true) | (From::Only56, false) => (Outcome::No, Outcome::No),
            (_, true) => self.from_56.unwrap_or((self.copy, self.follow)),
            (_, false) => (self.copy, self.follow),
        }
    }
}

/// The statements of a script.
pub(crate) fn statements(script: &str) -> impl Iterator<Item = &str> {
    script
        .split(";\n")
        .map(str::trim)
        .filter(|statement| !statement.is_empty())
}
