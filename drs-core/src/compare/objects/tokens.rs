//! The tokens of an expression as a server prints it.

/// A token. Comments and white space are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name in backquotes, without them.
    Name(String),
    /// A bare word, in small letters.
    Word(String),
    /// A text, with its escapes undone.
    Text(String),
    /// A number or a hexadecimal literal, in small letters.
    Number(String),
    /// An operator, a comma or a point.
    Sign(&'static str),
    Open,
    Close,
}

/// Longer signs first.
const SIGNS: [&str; 28] = [
    "<=>", "->>", "<<", ">>", "<>", "!=", "<=", ">=", ":=", "||", "&&", "->", "=", "<", ">", "+",
    "-", "*", "/", "%", "^", "|", "&", "~", "!", ",", ".", "@",
];

/// Cuts a text into tokens; `None` where a character has no place in an expression.
pub(super) fn tokens(text: &str) -> Option<Vec<Token>> {
    Some(spanned(text)?.into_iter().map(|(token, _)| token).collect())
}

/// The same, each with the place where it ends.
pub(super) fn spanned(text: &str) -> Option<Vec<(Token, usize)>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            c if c.is_whitespace() => {
                rest = rest.get(c.len_utf8()..)?;
                continue;
            }
            '/' if rest.starts_with("/*") => {
                rest = rest.get(rest.find("*/")? + 2..)?;
                continue;
            }
            '`' => {
                let (name, length) = quoted(rest, '`')?;
                (Token::Name(name), length)
            }
            '\'' | '"' => {
                let (value, length) = quoted(rest, first)?;
                (Token::Text(value), length)
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            c if c.is_ascii_digit() => number(rest),
            c if is_word(c) => word(rest)?,
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
                (Token::Sign(sign), sign.len())
            }
        };
        rest = rest.get(length..)?;
        found.push((token, text.len() - rest.len()));
    }
    Some(found)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// What stands in quotes, and how many bytes it takes with them.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            match chars.peek() {
                Some((_, next)) if *next == quote => {
                    chars.next();
                    value.push(c);
                }
                _ => return Some((value, at + 1)),
            }
        } else if c == '\\' && quote != '`' {
            value.push_str(&unescaped(chars.next()?.1));
        } else {
            value.push(c);
        }
    }
    None
}

/// What a backslash and this character stand for.
fn unescaped(c: char) -> String {
    match c {
        '0' => "\0".to_owned(),
        'b' => "\u{8}".to_owned(),
        'n' => "\n".to_owned(),
        'r' => "\r".to_owned(),
        't' => "\t".to_owned(),
        'Z' => "\u{1a}".to_owned(),
        // They keep their backslash: it matters to LIKE.
        '%' | '_' => format!("\\{c}"),
        c => c.to_string(),
    }
}

/// A number; `1e-3` is one token.
fn number(text: &str) -> (Token, usize) {
    let mut length = 0;
    let mut before = ' ';
    let is_hex = text.starts_with("0x");
    for c in text.chars() {
        let is_sign = (c == '-' || c == '+') && before == 'e' && !is_hex;
        if !(c.is_ascii_alphanumeric() || c == '.' || is_sign) {
            break;
        }
        before = c.to_ascii_lowercase();
        length += 1;
    }
    let digits = text.get(..length).unwrap_or_default();
    (Token::Number(digits.to_ascii_lowercase()), length)
}

/// A word, or `x'ff'` and `b'01'`.
fn word(text: &str) -> Option<(Token, usize)> {
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    let word = text.get(..end)?.to_lowercase();
    let rest = text.get(end..)?;
    if rest.starts_with('\'') && matches!(word.as_str(), "x" | "b") {
        let (digits, length) = quoted(rest, '\'')?;
        let prefix = if word == "x" { "0x" } else { "0b" };
        let number = format!("{prefix}{}", digits.to_ascii_lowercase());
        return Some((Token::Number(number), end + length));
    }
    Some((Token::Word(word), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_with_their_escapes() {
        for (text, value) in [
            ("'a''b'", "a'b"),
            (r"'a\'b'", "a'b"),
            (r#""a""b""#, "a\"b"),
            (r"'\n\0\\'", "\n\0\\"),
            (r"'50\%'", r"50\%"),
        ] {
            assert_eq!(
                tokens(text),
                Some(vec![Token::Text(value.to_owned())]),
                "{text}"
            );
        }
        assert_eq!(tokens("`a``b`"), Some(vec![Token::Name("a`b".to_owned())]));
        assert_eq!(tokens("X'0F'"), tokens("0x0f"));
        assert_eq!(tokens("1e-3").map(|tokens| tokens.len()), Some(1));
        assert_eq!(tokens("1-3").map(|tokens| tokens.len()), Some(3));
        for open in ["'a", "`a", "/* a", "\\", "'a\\"] {
            assert_eq!(tokens(open), None, "{open}");
        }
    }
}
