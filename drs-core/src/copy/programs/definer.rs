use std::ops::Range;

use mysql::{Conn, prelude::Queryable};

/// The `DEFINER` clause of a statement that the server printed.
pub(super) struct Definer {
    user: String,
    host: String,
    /// Where the account stands.
    span: Range<usize>,
}

impl Definer {
    /// Finds the clause: the printed statement has it before the object's name and body.
    pub(super) fn of(text: &str) -> Option<Self> {
        const CLAUSE: &str = "DEFINER=";
        let start = text.find(CLAUSE)? + CLAUSE.len();
        let (user, at) = quoted(text, start)?;
        text.get(at..)?.strip_prefix('@')?;
        let (host, end) = quoted(text, at + 1)?;
        Some(Self {
            user,
            host,
            span: start..end,
        })
    }

    /// The account as people write it.
    pub(super) fn account(&self) -> String {
        format!("'{}'@'{}'", self.user, self.host)
    }

    /// The statement with the session's own account instead.
    pub(super) fn replaced(&self, text: &str) -> String {
        let mut text = text.to_owned();
        text.replace_range(self.span.clone(), "CURRENT_USER");
        text
    }

    /// Whether the destination has the account; `None` when it may not be asked.
    pub(super) fn exists(&self, destination: &mut Conn) -> Option<bool> {
        let found: Option<u64> = destination
            .exec_first(
                "SELECT COUNT(*) FROM mysql.user WHERE User = ? AND Host = ?",
                (&self.user, &self.host),
            )
            .ok()?;
        found.map(|found| found > 0)
    }
}

/// The quoted name at a place, and where it ends; the quote depends on the statement's `sql_mode`.
fn quoted(text: &str, start: usize) -> Option<(String, usize)> {
    let quote = text
        .get(start..)?
        .chars()
        .next()
        .filter(|c| matches!(c, '`' | '"'))?;
    let mut name = String::new();
    let mut chars = text.get(start + 1..)?.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            name.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            name.push(quote);
        } else {
            return Some((name, start + 1 + at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_found_and_replaced() {
        for (text, account, replaced) in [
            (
                "CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`local``host` SQL SECURITY INVOKER VIEW `v` AS select 1",
                "'root'@'local`host'",
                "CREATE ALGORITHM=UNDEFINED DEFINER=CURRENT_USER SQL SECURITY INVOKER VIEW `v` AS select 1",
            ),
            (
                "CREATE DEFINER=\"é\"@\"%\" PROCEDURE \"p\"() SELECT 'DEFINER=`x`@`y`'",
                "'é'@'%'",
                "CREATE DEFINER=CURRENT_USER PROCEDURE \"p\"() SELECT 'DEFINER=`x`@`y`'",
            ),
        ] {
            let definer = Definer::of(text).unwrap();
            assert_eq!(definer.account(), account);
            assert_eq!(definer.replaced(text), replaced);
        }
        for text in ["", "DEFINER=", "DEFINER=`a", "DEFINER=`a`", "DEFINER=`a`@b"] {
            assert!(Definer::of(text).is_none(), "{text}");
        }
    }
}
