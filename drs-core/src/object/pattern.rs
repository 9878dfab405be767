use std::fmt;

use super::NameCase;

/// A pattern for one name: `*` stands for any characters, `?` for one.
///
/// Case matters or not as the server's `lower_case_table_names` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Token>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// `*`.
    Any,
    /// `?`.
    One,
    /// A character that stands for itself.
    Is(char),
}

impl Pattern {
    pub(super) fn new(mut tokens: Vec<Token>) -> Self {
        tokens.dedup_by(|next, previous| *next == Token::Any && *previous == Token::Any);
        Self(tokens)
    }

    /// True when the whole name fits the pattern.
    pub fn matches(&self, name: &str, case: NameCase) -> bool {
        let name: Vec<char> = match case {
            NameCase::Sensitive => name.chars().collect(),
            NameCase::Insensitive => name.chars().map(fold).collect(),
        };
        let is = |token: &Token, c: char| match token {
            Token::Any => false,
            Token::One => true,
            Token::Is(own) => match case {
                NameCase::Sensitive => *own == c,
                NameCase::Insensitive => fold(*own) == c,
            },
        };
        // Only the last `*` seen can need another try: what an earlier one took can stay as
        // it is, so this is at most pattern length times name length.
        let (mut at_token, mut at_char) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while let Some(&c) = name.get(at_char) {
            match self.0.get(at_token) {
                Some(Token::Any) => {
                    retry = Some((at_token + 1, at_char));
                    at_token += 1;
                }
                Some(token) if is(token, c) => {
                    at_token += 1;
                    at_char += 1;
                }
                _ => match &mut retry {
                    Some((token, taken)) => {
                        *taken += 1;
                        (at_token, at_char) = (*token, *taken);
                    }
                    None => return false,
                },
            }
        }
        self.0
            .get(at_token..)
            .is_some_and(|rest| rest.iter().all(|token| *token == Token::Any))
    }

    /// True for the pattern `*`, which every name fits.
    pub fn is_any(&self) -> bool {
        self.0 == [Token::Any]
    }

    /// The one name that fits, when the pattern has no `*` and no `?`.
    pub fn literal(&self) -> Option<String> {
        self.0
            .iter()
            .map(|token| match token {
                Token::Is(c) => Some(*c),
                Token::Any | Token::One => None,
            })
            .collect()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.0 {
            match token {
                Token::Any => f.write_str("*")?,
                Token::One => f.write_str("?")?,
                Token::Is(c) => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// One character for one: names that differ only in a character whose small form is two
/// characters are two names here, as they are to the server.
fn fold(c: char) -> char {
    let mut small = c.to_lowercase();
    match (small.next(), small.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(
            text.chars()
                .map(|c| match c {
                    '*' => Token::Any,
                    '?' => Token::One,
                    c => Token::Is(c),
                })
                .collect(),
        )
    }

    #[test]
    fn matches_whole_names() {
        for (text, name, expected) in [
            ("orders", "orders", true),
            ("orders", "orders2", false),
            ("orders", "order", false),
            ("*", "", true),
            ("*", "anything", true),
            ("?", "é", true),
            ("?", "", false),
            ("log_*", "log_", true),
            ("log_*", "log", false),
            ("*_log", "a_log_log", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("*a?c", "aacabc", true),
            ("**a**", "bab", true),
            ("a**?", "a", false),
        ] {
            assert_eq!(
                pattern(text).matches(name, NameCase::Sensitive),
                expected,
                "{text} {name}"
            );
        }
    }

    #[test]
    fn case_is_the_servers() {
        for (text, name, sensitive, insensitive) in [
            ("Orders*", "orders_1", false, true),
            ("ÄB?", "äbC", false, true),
            ("a", "a", true, true),
        ] {
            assert_eq!(pattern(text).matches(name, NameCase::Sensitive), sensitive);
            assert_eq!(
                pattern(text).matches(name, NameCase::Insensitive),
                insensitive
            );
        }
    }

    proptest! {
        /// A regular expression is the oracle.
        #[test]
        fn agrees_with_regex(text in "[ab*?]{0,12}", name in "[abAB]{0,16}", insensitive: bool) {
            let mut expression = String::from(if insensitive { "(?is)^" } else { "(?s)^" });
            for c in text.chars() {
                match c {
                    '*' => expression.push_str(".*"),
                    '?' => expression.push('.'),
                    c => expression.push(c),
                }
            }
            expression.push('$');
            let expected = regex::Regex::new(&expression).unwrap().is_match(&name);
            let case = if insensitive { NameCase::Insensitive } else { NameCase::Sensitive };
            prop_assert_eq!(pattern(&text).matches(&name, case), expected);
        }

        #[test]
        fn a_name_matches_itself(name in "\\PC{0,64}") {
            let own = Pattern::new(name.chars().map(Token::Is).collect());
            prop_assert!(own.matches(&name, NameCase::Sensitive));
            prop_assert!(own.matches(&name, NameCase::Insensitive));
            prop_assert_eq!(own.literal(), Some(name));
        }
    }
}
