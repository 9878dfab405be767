use std::cmp::Ordering;

use super::{
    Operator,
    like::{Signs, like},
};
use crate::sql;

/// A test of text by a collation.
///
/// What is certain is decided here; anything else is a question for a server.
#[derive(Clone, Debug)]
pub(super) struct TextTest {
    pub(super) charset: String,
    pub(super) collation: String,
    pub(super) how: TextOperator,
    /// The literal or pattern, in the character set.
    pub(super) literal: Vec<u8>,
    rules: Rules,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextOperator {
    Compare(Operator),
    Like { escape: u8 },
}

/// What is certain of a collation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rules {
    /// Texts compare by their bytes; LIKE by characters of one byte, or of UTF-8.
    Exact { pads: bool, utf8: bool },
    /// Texts of printable ASCII are equal if they are so but for letter case, or exactly.
    Ascii {
        pads: bool,
        folds: bool,
        /// Such texts order by their bytes, in upper case.
        orders: bool,
    },
    /// Nothing.
    Unknown,
}

impl TextTest {
    /// `charset` and `collation` are the column's own.
    pub(super) fn new(charset: &str, collation: &str, how: TextOperator, literal: Vec<u8>) -> Self {
        Self {
            rules: rules(collation),
            charset: charset.to_owned(),
            collation: collation.to_owned(),
            how,
            literal,
        }
    }

    /// What is certain of a text in the column's character set.
    pub(super) fn certain(&self, text: &[u8]) -> Option<bool> {
        match (self.rules, self.how) {
            (Rules::Unknown, _) => None,
            (Rules::Exact { pads, .. }, TextOperator::Compare(operator)) => {
                Some(operator.holds(compare(text, &self.literal, pads, |byte| byte)))
            }
            (Rules::Exact { utf8, .. }, TextOperator::Like { escape }) => {
                if utf8 && !(text.is_ascii() && self.literal.is_ascii()) {
                    let chars =
                        |bytes| std::str::from_utf8(bytes).map(|text| text.chars().collect());
                    let text: Vec<char> = chars(text).ok()?;
                    let pattern: Vec<char> = chars(&self.literal).ok()?;
                    let signs = Signs {
                        any: '%',
                        one: '_',
                        escape: char::from(escape),
                    };
                    return Some(like(&text, &pattern, &signs, |a, b| a == b));
                }
                Some(like(text, &self.literal, &signs(escape), |a, b| a == b))
            }
            (Rules::Ascii { .. }, _) if !(is_printable(text) && is_printable(&self.literal)) => {
                None
            }
            (
                Rules::Ascii {
                    pads,
                    folds,
                    orders,
                },
                TextOperator::Compare(operator),
            ) => {
                if !operator.is_equality() && !orders {
                    return None;
                }
                let order = if folds {
                    compare(text, &self.literal, pads, |byte| byte.to_ascii_uppercase())
                } else {
                    compare(text, &self.literal, pads, |byte| byte)
                };
                Some(operator.holds(order))
            }
            (Rules::Ascii { folds, .. }, TextOperator::Like { escape }) => {
                Some(like(text, &self.literal, &signs(escape), |a, b| {
                    if folds {
                        a.eq_ignore_ascii_case(&b)
                    } else {
                        a == b
                    }
                }))
            }
        }
    }

    /// The question of a text in the column's character set.
    pub(super) fn question(&self, text: &[u8]) -> String {
        let mut out = String::from("SELECT ");
        self.write_operand(&mut out, text);
        self.write_rest(&mut out);
        out
    }

    /// The question of a text that is at hand as UTF-8.
    pub(super) fn question_of_label(&self, text: &str) -> String {
        let mut out = String::from("SELECT CONVERT(_utf8mb4 ");
        sql::write_hex(&mut out, text.as_bytes());
        out.push_str(" USING ");
        out.push_str(&self.charset);
        out.push_str(") COLLATE ");
        out.push_str(&self.collation);
        self.write_rest(&mut out);
        out
    }

    /// The test as a condition on the column itself.
    pub(super) fn write_sql(&self, out: &mut String, column: &str) {
        sql::write_identifier(out, column);
        self.write_rest(out);
    }

    fn write_rest(&self, out: &mut String) {
        match self.how {
            TextOperator::Compare(operator) => {
                out.push(' ');
                out.push_str(operator.as_str());
                out.push(' ');
                self.write_operand(out, &self.literal);
            }
            TextOperator::Like { escape } => {
                out.push_str(" LIKE ");
                self.write_operand(out, &self.literal);
                out.push_str(" ESCAPE ");
                sql::write_text(out, char::from(escape).encode_utf8(&mut [0; 4]));
            }
        }
    }

    /// As a function of bytes: of two texts with an introducer, MySQL 9.7 drops one of
    /// `c = 'a' OR c = 'A'`, because it compares them by the character set's own collation.
    fn write_operand(&self, out: &mut String, bytes: &[u8]) {
        out.push_str("CONVERT(");
        sql::write_hex(out, bytes);
        out.push_str(" USING ");
        out.push_str(&self.charset);
        out.push_str(") COLLATE ");
        out.push_str(&self.collation);
    }
}

/// What LIKE does with bytes.
pub(super) fn like_bytes(text: &[u8], pattern: &[u8], escape: u8) -> bool {
    like(text, pattern, &signs(escape), |a, b| a == b)
}

fn signs(escape: u8) -> Signs<u8> {
    Signs {
        any: b'%',
        one: b'_',
        escape,
    }
}

fn is_printable(text: &[u8]) -> bool {
    text.iter().all(|byte| (0x20..0x7f).contains(byte))
}

/// Compares by byte weights; a collation that pads compares the rest of the longer text with spaces.
fn compare(left: &[u8], right: &[u8], pads: bool, weight: impl Fn(u8) -> u8) -> Ordering {
    let weights = |text: &[u8], at: usize| text.get(at).map(|byte| weight(*byte));
    for at in 0..left.len().max(right.len()) {
        let order = match (weights(left, at), weights(right, at)) {
            (Some(left), Some(right)) => left.cmp(&right),
            (Some(left), None) if pads => left.cmp(&b' '),
            (None, Some(right)) if pads => b' '.cmp(&right),
            (left, right) => left.cmp(&right),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn rules(collation: &str) -> Rules {
    let pads = !collation.contains("_0900_");
    if EXACT.contains(&collation) {
        return Rules::Exact {
            pads,
            utf8: collation.starts_with("utf8"),
        };
    }
    match ASCII.iter().find(|(name, ..)| *name == collation) {
        Some((_, folds, orders)) => Rules::Ascii {
            pads,
            folds: *folds,
            orders: *orders,
        },
        None => Rules::Unknown,
    }
}

/// Collations of single bytes or UTF-8 that compare the bytes.
const EXACT: [&str; 16] = [
    "utf8mb4_bin",
    "utf8mb4_0900_bin",
    "utf8mb3_bin",
    "utf8_bin",
    "latin1_bin",
    "latin2_bin",
    "latin5_bin",
    "latin7_bin",
    "ascii_bin",
    "cp850_bin",
    "cp1250_bin",
    "cp1251_bin",
    "cp1256_bin",
    "cp1257_bin",
    "koi8r_bin",
    "koi8u_bin",
];

/// Collations in which printable ASCII is equal only without regard to letter case (true) or
/// exactly (false), and whether it orders by its bytes in upper case. Held against the servers
/// by a test, character by character.
const ASCII: [(&str, bool, bool); 20] = [
    ("utf8mb4_0900_ai_ci", true, false),
    ("utf8mb4_0900_as_ci", true, false),
    ("utf8mb4_0900_as_cs", false, false),
    ("utf8mb4_general_ci", true, true),
    ("utf8mb4_unicode_ci", true, false),
    ("utf8mb4_unicode_520_ci", true, false),
    ("utf8mb3_general_ci", true, true),
    ("utf8mb3_unicode_ci", true, false),
    ("utf8mb3_unicode_520_ci", true, false),
    ("utf8_general_ci", true, true),
    ("utf8_unicode_ci", true, false),
    ("utf8_unicode_520_ci", true, false),
    ("latin1_swedish_ci", true, true),
    ("latin1_general_ci", true, false),
    ("latin1_general_cs", false, false),
    ("latin2_general_ci", true, false),
    ("ascii_general_ci", true, true),
    ("cp1251_general_ci", true, false),
    ("greek_general_ci", true, false),
    ("koi8r_general_ci", true, false),
];

/// The collations of which something is certain without a server, for tests against one.
#[cfg(test)]
pub(super) fn known_collations() -> impl Iterator<Item = &'static str> {
    EXACT
        .into_iter()
        .chain(ASCII.iter().map(|(name, ..)| *name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(collation: &str, operator: Operator, literal: &str) -> TextTest {
        let charset = collation.split('_').next().unwrap_or_default();
        let how = TextOperator::Compare(operator);
        TextTest::new(charset, collation, how, literal.as_bytes().to_vec())
    }

    #[test]
    fn decides_what_is_certain() {
        use Operator::{Equal, Less};
        for (collation, operator, literal, text, answer) in [
            ("utf8mb4_0900_ai_ci", Equal, "EU", "eu", Some(true)),
            ("utf8mb4_0900_ai_ci", Equal, "EU", "eu ", Some(false)),
            ("utf8mb4_0900_ai_ci", Equal, "e", "é", None),
            ("utf8mb4_0900_ai_ci", Less, "b", "a", None),
            ("latin1_swedish_ci", Equal, "EU", "eu ", Some(true)),
            ("latin1_swedish_ci", Less, "b", "A", Some(true)),
            ("utf8mb4_bin", Equal, "EU", "EU  ", Some(true)),
            ("utf8mb4_bin", Equal, "EU", "eu", Some(false)),
            ("utf8mb4_bin", Less, "a", "a\t", Some(true)),
            ("utf8mb4_0900_bin", Equal, "EU", "EU ", Some(false)),
            ("utf8mb4_0900_as_cs", Equal, "EU", "eu", Some(false)),
            ("utf8mb4_tr_0900_ai_ci", Equal, "EU", "eu", None),
        ] {
            let test = test(collation, operator, literal);
            assert_eq!(test.certain(text.as_bytes()), answer, "{collation} {text}");
        }
    }

    #[test]
    fn asks_in_the_columns_own_bytes() {
        let test = test("latin1_swedish_ci", Operator::Equal, "e");
        assert_eq!(
            test.question(b"\xe9"),
            "SELECT CONVERT(x'e9' USING latin1) COLLATE latin1_swedish_ci = \
             CONVERT(x'65' USING latin1) COLLATE latin1_swedish_ci"
        );
        let mut sql = String::new();
        test.write_sql(&mut sql, "a`b");
        assert_eq!(
            sql,
            "`a``b` = CONVERT(x'65' USING latin1) COLLATE latin1_swedish_ci"
        );
    }
}
