use super::ParseError;

/// A part of a condition's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word without quotes: a keyword or a column.
    Word(String),
    /// A name in backquotes.
    Quoted(String),
    /// A text in quotes, its escapes taken.
    Text(String),
    /// `x'…'` or `0x…`.
    Bytes(Vec<u8>),
    /// Digits alone.
    Integer(String),
    /// Digits with a point.
    Decimal(String),
    /// A number with an exponent.
    Float(String),
    /// An operator, a bracket, a comma, or a character that has no business here.
    Sign(String),
    /// The text's end.
    End,
}

/// Divides a condition into tokens, each with the number of its first character, from 1.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ParseError> {
    let mut lexer = Lexer {
        chars: text.chars().collect(),
        at: 0,
    };
    let mut tokens = Vec::new();
    loop {
        while lexer.peek(0).is_some_and(char::is_whitespace) {
            lexer.at += 1;
        }
        let at = lexer.at + 1;
        let token = lexer.next(at)?;
        let ended = token == Token::End;
        tokens.push((at, token));
        if ended {
            return Ok(tokens);
        }
    }
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self, at: usize) -> Result<Token, ParseError> {
        let Some(first) = self.peek(0) else {
            return Ok(Token::End);
        };
        match first {
            '\'' | '"' => self.text(first, at).map(Token::Text),
            '`' => self.name(at),
            'x' | 'X' if self.peek(1) == Some('\'') => {
                self.at += 2;
                let digits = self.take_while(|c| c != '\'');
                if self.peek(0).is_none() {
                    return Err(ParseError::new(at, "this literal has no end"));
                }
                self.at += 1;
                bytes(&digits, at)
            }
            '0' if self.peek(1) == Some('x') => {
                self.at += 2;
                let digits = self.take_while(is_word);
                bytes(&digits, at)
            }
            '0'..='9' => self.number(at),
            '.' if self.peek(1).is_some_and(|c| c.is_ascii_digit()) => self.number(at),
            c if is_word(c) => Ok(Token::Word(self.take_while(is_word))),
            _ => Ok(Token::Sign(self.sign())),
        }
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let mut out = String::new();
        while let Some(c) = self.peek(0).filter(|c| belongs(*c)) {
            out.push(c);
            self.at += 1;
        }
        out
    }

    /// A text, by the rules of a session without NO_BACKSLASH_ESCAPES.
    fn text(&mut self, quote: char, at: usize) -> Result<String, ParseError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let Some(c) = self.peek(0) else {
                return Err(ParseError::new(at, "this text has no end"));
            };
            self.at += 1;
            if c == quote {
                if self.peek(0) != Some(quote) {
                    return Ok(out);
                }
                self.at += 1;
                out.push(quote);
            } else if c == '\\' {
                let Some(escaped) = self.peek(0) else {
                    return Err(ParseError::new(at, "this text has no end"));
                };
                self.at += 1;
                match escaped {
                    '0' => out.push('\0'),
                    'b' => out.push('\u{8}'),
                    'n' => out.push('\n'),
                    'r' => out.push('\r'),
                    't' => out.push('\t'),
                    'Z' => out.push('\u{1a}'),
                    // For LIKE, which takes the backslash itself.
                    '%' | '_' => out.extend(['\\', escaped]),
                    other => out.push(other),
                }
            } else {
                out.push(c);
            }
        }
    }

    fn name(&mut self, at: usize) -> Result<Token, ParseError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return Err(ParseError::new(at, "this name has no end")),
                (Some('`'), Some('`')) => {
                    out.push('`');
                    self.at += 2;
                }
                (Some('`'), _) => {
                    self.at += 1;
                    break;
                }
                (Some(c), _) => {
                    out.push(c);
                    self.at += 1;
                }
            }
        }
        if out.is_empty() {
            return Err(ParseError::new(at, "this name is empty"));
        }
        Ok(Token::Quoted(out))
    }

    fn number(&mut self, at: usize) -> Result<Token, ParseError> {
        let digit = |c: char| c.is_ascii_digit();
        let mut text = self.take_while(digit);
        let mut token: fn(String) -> Token = Token::Integer;
        if self.peek(0) == Some('.') {
            self.at += 1;
            text.push('.');
            text.push_str(&self.take_while(digit));
            token = Token::Decimal;
        }
        if matches!(self.peek(0), Some('e' | 'E')) {
            let signed = matches!(self.peek(1), Some('+' | '-'));
            if self.peek(1 + usize::from(signed)).is_some_and(digit) {
                text.push('e');
                self.at += 1;
                if let Some(sign) = self.peek(0).filter(|_| signed) {
                    text.push(sign);
                    self.at += 1;
                }
                text.push_str(&self.take_while(digit));
                token = Token::Float;
            }
        }
        if self.peek(0).is_some_and(is_word) {
            return Err(ParseError::new(
                at,
                "this is neither a number nor a name; a name that begins with a digit stands in backquotes",
            ));
        }
        Ok(token(text))
    }

    fn sign(&mut self) -> String {
        const LONG: [&str; 9] = ["<=>", "<=", ">=", "<>", "!=", "&&", "||", ":=", "/*"];
        let long = LONG.into_iter().find(|sign| {
            sign.chars()
                .enumerate()
                .all(|(ahead, c)| self.peek(ahead) == Some(c))
        });
        match long {
            Some(sign) => {
                self.at += sign.len();
                sign.to_owned()
            }
            None => {
                let sign = self.peek(0).map(String::from).unwrap_or_default();
                self.at += 1;
                sign
            }
        }
    }
}

/// The characters of names without quotes (MySQL manual, "Schema Object Names").
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || ('\u{80}'..='\u{ffff}').contains(&c)
}

fn bytes(digits: &str, at: usize) -> Result<Token, ParseError> {
    let nibbles: Option<Vec<u8>> = digits
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    match nibbles {
        Some(nibbles) if nibbles.len() % 2 == 0 => Ok(Token::Bytes(
            nibbles
                .chunks_exact(2)
                .map(|pair| pair.iter().fold(0, |byte, nibble| byte << 4 | nibble))
                .collect(),
        )),
        _ => Err(ParseError::new(
            at,
            "a hexadecimal literal needs two of 0-9, a-f for each byte",
        )),
    }
}
