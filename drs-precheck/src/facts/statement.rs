//! The texts of `SHOW GRANTS` and `SHOW CREATE USER`, in so far as quotes are concerned.

/// The parts before and after the first `separator` outside of quotes and brackets.
pub(super) fn split<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let mut depth = 0_u32;
    for (at, c, is_quoted) in places(text) {
        if is_quoted {
            continue;
        }
        if depth == 0
            && text
                .get(at..)
                .is_some_and(|rest| rest.starts_with(separator))
        {
            let after = text.get(at + separator.len()..)?;
            return Some((text.get(..at)?, after));
        }
        match c {
            '(' => depth += 1,
            // MySQL before 8.0 does not quote the names of columns, which may hold a bracket.
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// The words outside of quotes.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (_, c, is_quoted) in places(text) {
        if is_quoted || c.is_whitespace() {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A name without the backquotes around it.
pub(super) fn trimmed_name(quoted: &str) -> String {
    let inner = quoted
        .strip_prefix('`')
        .and_then(|name| name.strip_suffix('`'));
    match inner {
        Some(inner) => inner.replace("``", "`"),
        None => quoted.to_owned(),
    }
}

/// Each character with its place, and whether it is within quotes or one.
fn places(text: &str) -> impl Iterator<Item = (usize, char, bool)> {
    let mut quote = None;
    let mut is_escaped = false;
    text.char_indices().map(move |(at, c)| {
        let is_quoted = match quote {
            None => {
                if matches!(c, '`' | '\'' | '"') {
                    quote = Some(c);
                }
                quote.is_some()
            }
            Some(open) => {
                if is_escaped {
                    is_escaped = false;
                } else if c == '\\' && open != '`' {
                    is_escaped = true;
                } else if c == open {
                    // A doubled one closes and opens again.
                    quote = None;
                }
                true
            }
        };
        (at, c, is_quoted)
    })
}
