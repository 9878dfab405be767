use crate::{CHECKS, Checked, Facts, Verdict};

/// What all checks came to.
#[derive(Debug)]
pub struct Report {
    /// One for each check, in the order of [`CHECKS`].
    pub checked: Vec<Checked>,
}

impl Report {
    /// Runs all checks on these facts, with what the task file confirms.
    pub fn of(facts: &Facts) -> Self {
        let checks = CHECKS.iter().copied();
        Self {
            checked: checks.map(|check| Checked::of(check, facts)).collect(),
        }
    }

    /// Accepts what the checks with these ids want confirmed; the ids that no check has.
    pub fn accept<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let mut unknown = Vec::new();
        for id in ids {
            match self
                .checked
                .iter_mut()
                .find(|checked| checked.check.id == id)
            {
                Some(checked) => checked.is_accepted = true,
                None => unknown.push(id),
            }
        }
        unknown
    }

    /// True when nothing failed, and everything that is to be confirmed was accepted.
    pub fn allows_start(&self) -> bool {
        !self.checked.iter().any(Checked::stands_in_the_way)
    }

    /// How many checks came to this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        let verdicts = self.checked.iter().map(Checked::verdict);
        verdicts.filter(|found| *found == verdict).count()
    }
}
