//! The differences of one object, as they are collected.

use super::result::{DifferenceKind, ObjectDifference, ObjectVerdict};

/// More real differences of one object than this are counted only.
const REAL_MAX: usize = 100;
/// A longer text is cut, in characters.
const TEXT_CHARS_MAX: usize = 160;

#[derive(Debug, Default)]
pub(super) struct Findings {
    real: Vec<ObjectDifference>,
    more: usize,
    /// One for each reason, with the number of others that it explains.
    explained: Vec<(ObjectDifference, &'static str, usize)>,
}

impl Findings {
    /// Notes a property that is not the same; with a reason, it is explained.
    pub(super) fn differ(
        &mut self,
        what: impl Into<String>,
        source: &str,
        destination: &str,
        reason: Option<&'static str>,
    ) {
        let (source, destination) = excerpts(source, destination);
        let difference = ObjectDifference {
            what: what.into(),
            source,
            destination,
            kind: reason.map_or(DifferenceKind::Real, DifferenceKind::Explained),
        };
        let Some(reason) = reason else {
            match self.real.len() < REAL_MAX {
                true => self.real.push(difference),
                false => self.more += 1,
            }
            return;
        };
        match self.explained.iter_mut().find(|known| known.1 == reason) {
            Some((_, _, others)) => *others += 1,
            None => self.explained.push((difference, reason, 0)),
        }
    }

    /// Compares a property, of which another spelling is explained so.
    pub(super) fn compare(
        &mut self,
        what: impl FnOnce() -> String,
        (source, destination): (&str, &str),
        means: impl Fn(&str) -> String,
        reason: &'static str,
    ) {
        if source != destination {
            let same = means(source) == means(destination);
            self.differ(what(), source, destination, same.then_some(reason));
        }
    }

    /// Compares a property that has one spelling.
    pub(super) fn same(&mut self, what: impl FnOnce() -> String, source: &str, destination: &str) {
        if source != destination {
            self.differ(what(), source, destination, None);
        }
    }

    pub(super) fn verdict(&self) -> ObjectVerdict {
        match self.real.is_empty() {
            true => ObjectVerdict::Equal,
            false => ObjectVerdict::Different,
        }
    }

    /// How many are real.
    pub(super) fn real(&self) -> usize {
        self.real.len() + self.more
    }

    /// The real ones first.
    pub(super) fn into_differences(self) -> Vec<ObjectDifference> {
        let mut all = self.real;
        if self.more > 0 {
            all.push(ObjectDifference {
                what: format!("{} more", self.more),
                source: String::new(),
                destination: String::new(),
                kind: DifferenceKind::Real,
            });
        }
        all.extend(self.explained.into_iter().map(|(mut first, _, others)| {
            if others > 0 {
                first.what.push_str(&format!(", and {others} more"));
            }
            first
        }));
        all
    }
}

/// Long texts from shortly before the place where they part.
fn excerpts(left: &str, right: &str) -> (String, String) {
    const BEFORE: usize = 40;
    let common = left
        .chars()
        .zip(right.chars())
        .take_while(|(left, right)| left == right)
        .count();
    let cut = |text: &str| {
        if text.chars().count() <= TEXT_CHARS_MAX {
            return text.to_owned();
        }
        let start = common.saturating_sub(BEFORE);
        let part: String = text.chars().skip(start).take(TEXT_CHARS_MAX).collect();
        let (before, after) = (
            if start > 0 { "…" } else { "" },
            if text.chars().count() > start + TEXT_CHARS_MAX {
                "…"
            } else {
                ""
            },
        );
        format!("{before}{part}{after}")
    };
    (cut(left), cut(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shown_where_they_part() {
        let (left, right) = (
            format!("{}left", "a".repeat(500)),
            format!("{}right", "a".repeat(500)),
        );
        let (left, right) = excerpts(&left, &right);
        assert!(left.starts_with('…') && left.ends_with("aleft"), "{left}");
        assert!(right.ends_with("aright"), "{right}");
        assert_eq!(excerpts("a", "b"), ("a".to_owned(), "b".to_owned()));
    }

    #[test]
    fn explained_differences_are_told_once_for_each_reason() {
        let mut findings = Findings::default();
        for column in ["a", "b", "c"] {
            findings.differ(column, "int(11)", "int", Some("widths"));
        }
        assert_eq!(findings.verdict(), ObjectVerdict::Equal);
        findings.differ("d", "int", "bigint", None);
        assert_eq!(findings.verdict(), ObjectVerdict::Different);
        let all = findings.into_differences();
        let what: Vec<_> = all
            .iter()
            .map(|difference| difference.what.as_str())
            .collect();
        assert_eq!(what, ["d", "a, and 2 more"]);
    }
}
