//! MySQL's tokens, from the bytes of a statement.
//!
//! Follows the server's own lexer, whose rules depend on the session: which
//! character set the client spoke, what a double quote means, whether a
//! backslash escapes, and which executable comments the server's version runs.
use super::charset::ClientCharset;
use crate::dialect::{Flavor, ServerVersion};

/// Bits of `sql_mode`, as the binary log carries them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SqlMode(pub u64);

impl SqlMode {
    /// `ANSI_QUOTES`: a double quote begins a name, not a string.
    pub const ANSI_QUOTES: Self = Self(1 << 2);
    /// `IGNORE_SPACE`: has no bearing on where names stand.
    pub const IGNORE_SPACE: Self = Self(1 << 3);
    /// `NO_BACKSLASH_ESCAPES`: a backslash in a string is itself.
    pub const NO_BACKSLASH_ESCAPES: Self = Self(1 << 20);

    /// True if all bits of `other` are set here.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A range of bytes of a statement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes of `sql` in this range.
    pub fn of(self, sql: &[u8]) -> &[u8] {
        sql.get(self.start..self.end).unwrap_or_default()
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// White space.
    Space,
    /// A comment or an optimizer hint.
    Comment,
    /// `/*!NNNNN ... */` for other servers, whole: not run.
    SkippedCode,
    /// `/*!NNNNN` of code that is run.
    CodeOpen,
    /// The `*/` after it.
    CodeClose,
    /// An unquoted name or keyword.
    Word,
    /// An unquoted name after a point, never a keyword.
    Name,
    /// A name in backquotes, or in double quotes under `ANSI_QUOTES`.
    Quoted,
    /// A string.
    Text,
    /// A decimal number.
    Number,
    /// `0x1f` or `x'1f'`.
    Hex,
    /// `0b01` or `b'01'`.
    Bits,
    /// What follows `@` unquoted: a host or the name of a user variable.
    Host,
    /// One byte of punctuation.
    Punct(u8),
    /// A byte that has no meaning outside quotes, or a name with one that this lexer cannot tell.
    Invalid,
    /// A quote or comment that never ends; reaches to the end.
    Unterminated,
    /// The end of the statement; empty.
    End,
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// What the session tells the lexer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexRules {
    /// How bytes form characters.
    pub charset: ClientCharset,
    /// The session's `sql_mode`.
    pub sql_mode: SqlMode,
    /// The server that ran the statement.
    pub version: ServerVersion,
}

/// What `/*` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// A comment.
    Comment,
    /// Code that this server leaves out.
    OthersCode,
    /// Code that this server runs, and the length of its opening.
    Code(usize),
}

/// What the `/*` at the start of `text` begins, for a server of this version.
pub(super) fn opening(text: &[u8], version: ServerVersion) -> Opening {
    let is_mariadb = version.flavor == Flavor::MariaDb;
    let (intro, for_mariadb) = match text {
        [_, _, b'!', ..] => (3, false),
        [_, _, b'M', b'!', ..] if is_mariadb => (4, true),
        _ => return Opening::Comment,
    };
    // Five digits, or six on servers that know versions from 10.0.0 on.
    let own = version_id(version);
    let digits_max = if is_mariadb || own >= 80_000 { 6 } else { 5 };
    let digits = text
        .iter()
        .skip(intro)
        .take(digits_max)
        .take_while(|b| b.is_ascii_digit());
    let (count, number) = digits.fold((0, 0), |(count, n), b| {
        (count + 1, n * 10 + u32::from(*b - b'0'))
    });
    if count < 5 {
        return Opening::Code(intro);
    }
    // MariaDB leaves out what is marked for MySQL 5.7 and later.
    let for_mysql = is_mariadb && !for_mariadb && (50_700..=99_999).contains(&number);
    if number <= own && !for_mysql {
        Opening::Code(intro + count)
    } else {
        Opening::OthersCode
    }
}

/// The version as executable comments write it: 5.6.24 is 50624.
fn version_id(version: ServerVersion) -> u32 {
    let (major, minor, patch) = version.number;
    u32::from(major) * 10_000 + u32::from(minor) * 100 + u32::from(patch)
}

/// The tokens of a statement, one after the other and without gaps.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    sql: &'a [u8],
    rules: LexRules,
    at: usize,
    in_code: bool,
    state: State,
}

/// What the last token says about the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    /// After an unquoted name: a point here separates, whatever follows it.
    AfterWord,
    /// A name follows, even one that looks like a number.
    Name,
    /// After `@`.
    At,
    /// After the second `@` of a system variable.
    Variable,
}

impl<'a> Lexer<'a> {
    /// The tokens of `sql` under these rules.
    pub fn new(sql: &'a [u8], rules: LexRules) -> Self {
        Self {
            sql,
            rules,
            at: 0,
            in_code: false,
            state: State::Start,
        }
    }

    /// The next token; [`TokenKind::End`] again and again once there is none.
    pub fn token(&mut self) -> Token {
        let start = self.at;
        let state = std::mem::replace(&mut self.state, State::Start);
        let kind = self.scan(state);
        Token {
            kind,
            span: Span {
                start,
                end: self.at,
            },
        }
    }

    fn scan(&mut self, state: State) -> TokenKind {
        let Some(byte) = self.peek(0) else {
            // Code whose comment never ends is an error to the server.
            return if std::mem::take(&mut self.in_code) {
                TokenKind::Unterminated
            } else {
                TokenKind::End
            };
        };
        match state {
            State::Name | State::Variable if self.name_len() > 0 => {
                return self.name(TokenKind::Name);
            }
            State::At if !matches!(byte, b'@' | b'\'' | b'"' | b'`') => {
                let is_host =
                    |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$');
                let len = self.rest().iter().take_while(is_host).count();
                if len > 0 {
                    self.at += len;
                    return TokenKind::Host;
                }
            }
            _ => {}
        }
        if self.rules.charset.is_space(byte) {
            while self.peek(0).is_some_and(|b| self.rules.charset.is_space(b)) {
                self.at += 1;
            }
            return TokenKind::Space;
        }
        let next = self.peek(1);
        match byte {
            b'#' => self.line_comment(),
            b'-' if next == Some(b'-')
                && self
                    .peek(2)
                    .is_none_or(|b| b.is_ascii_control() || b == b' ') =>
            {
                self.line_comment()
            }
            b'/' if next == Some(b'*') => self.block_comment(),
            b'*' if next == Some(b'/') && self.in_code => {
                self.at += 2;
                self.in_code = false;
                TokenKind::CodeClose
            }
            b'`' => self.quoted_name(b'`'),
            b'"' if self.rules.sql_mode.contains(SqlMode::ANSI_QUOTES) => self.quoted_name(b'"'),
            b'\'' | b'"' => self.string(byte),
            b'n' | b'N' if next == Some(b'\'') => {
                self.at += 1;
                self.string(b'\'')
            }
            b'x' | b'X' if next == Some(b'\'') => {
                self.digits_in_quotes(TokenKind::Hex, u8::is_ascii_hexdigit)
            }
            b'b' | b'B' if next == Some(b'\'') => {
                self.digits_in_quotes(TokenKind::Bits, |b| matches!(b, b'0' | b'1'))
            }
            b'$' if self.dollar_text() => TokenKind::Text,
            b'0'..=b'9' => self.number(),
            b'.' => {
                if state != State::AfterWord && next.is_some_and(|b| b.is_ascii_digit()) {
                    self.at += 1;
                    self.fraction();
                    return TokenKind::Number;
                }
                self.at += 1;
                if self.name_len() > 0 {
                    self.state = State::Name;
                }
                TokenKind::Punct(b'.')
            }
            b'@' => {
                self.at += 1;
                self.state = if state == State::At {
                    State::Variable
                } else {
                    State::At
                };
                TokenKind::Punct(b'@')
            }
            _ if self.name_len() > 0 => self.name(TokenKind::Word),
            0x80.. => self.name(TokenKind::Invalid),
            0 => {
                self.at += 1;
                TokenKind::Invalid
            }
            _ => {
                self.at += 1;
                TokenKind::Punct(byte)
            }
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.sql.get(self.at..).unwrap_or_default()
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.sql.get(self.at.checked_add(ahead)?).copied()
    }

    fn name_len(&self) -> usize {
        self.rules.charset.name_char_len(self.rest())
    }

    fn unterminated(&mut self) -> TokenKind {
        self.at = self.sql.len();
        self.in_code = false;
        TokenKind::Unterminated
    }

    /// Takes a name. With a byte in it that may be a letter or not, it is [`TokenKind::Invalid`] as a whole.
    fn name(&mut self, kind: TokenKind) -> TokenKind {
        let mut is_certain = true;
        loop {
            match (self.name_len(), self.peek(0)) {
                (0, Some(byte @ 0x80..)) if !self.rules.charset.is_space(byte) => {
                    self.at += 1;
                    is_certain = false;
                }
                (0, _) => break,
                (len, _) => self.at += len,
            }
        }
        self.state = State::AfterWord;
        if is_certain { kind } else { TokenKind::Invalid }
    }

    fn line_comment(&mut self) -> TokenKind {
        let rest = self.rest();
        self.at += rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        TokenKind::Comment
    }

    fn block_comment(&mut self) -> TokenKind {
        match opening(self.rest(), self.rules.version) {
            Opening::Code(len) => {
                self.at += len;
                self.in_code = true;
                TokenKind::CodeOpen
            }
            kind => {
                let is_code = kind == Opening::OthersCode;
                self.at += 2;
                match self.comment_end(is_code) {
                    false => self.unterminated(),
                    true if is_code => TokenKind::SkippedCode,
                    true => TokenKind::Comment,
                }
            }
        }
    }

    /// Moves behind the closing `*/`; false when there is none. One level of comment may nest in skipped code.
    fn comment_end(&mut self, may_nest: bool) -> bool {
        while let Some(byte) = self.peek(0) {
            match (byte, self.peek(1)) {
                (b'*', Some(b'/')) => {
                    self.at += 2;
                    return true;
                }
                (b'/', Some(b'*')) if may_nest => {
                    self.at += 2;
                    if !self.comment_end(false) {
                        return false;
                    }
                }
                _ => self.at += 1,
            }
        }
        false
    }

    fn quoted_name(&mut self, quote: u8) -> TokenKind {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match self.rules.charset.char_len(self.rest()) {
                1 if byte == 0 => break,
                1 if byte == quote && self.peek(1) == Some(quote) => self.at += 2,
                1 if byte == quote => {
                    self.at += 1;
                    return TokenKind::Quoted;
                }
                len => self.at += len,
            }
        }
        self.unterminated()
    }

    fn string(&mut self, quote: u8) -> TokenKind {
        let escapes = !self.rules.sql_mode.contains(SqlMode::NO_BACKSLASH_ESCAPES);
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            match self.rules.charset.char_len(self.rest()) {
                // The server skips one byte here, not one character.
                1 if byte == b'\\' && escapes => self.at = (self.at + 2).min(self.sql.len()),
                1 if byte == quote && self.peek(1) == Some(quote) => self.at += 2,
                1 if byte == quote => {
                    self.at += 1;
                    return TokenKind::Text;
                }
                len => self.at += len,
            }
        }
        self.unterminated()
    }

    fn digits_in_quotes(&mut self, kind: TokenKind, is_digit: impl Fn(&u8) -> bool) -> TokenKind {
        self.at += 2;
        self.at += self.rest().iter().take_while(|b| is_digit(b)).count();
        if self.peek(0) != Some(b'\'') {
            return self.unterminated();
        }
        self.at += 1;
        kind
    }

    /// `$tag$ ... $tag$`, the quotes of newer servers for program bodies in other languages.
    fn dollar_text(&mut self) -> bool {
        let version = self.rules.version;
        if version.flavor == Flavor::MariaDb || version_id(version) < 80_034 {
            return false;
        }
        let rest = self.rest();
        let is_tag = |b: &&u8| b.is_ascii_alphanumeric() || **b == b'_' || **b >= 0x80;
        let tag_len = rest.iter().skip(1).take_while(is_tag).count() + 2;
        let Some(tag) = rest.get(..tag_len).filter(|tag| tag.ends_with(b"$")) else {
            return false;
        };
        let body = rest.get(tag_len..).unwrap_or_default();
        let Some(len) = body.windows(tag_len).position(|part| part == tag) else {
            return false;
        };
        self.at += tag_len + len + tag_len;
        true
    }

    /// A number, or a name that begins with a digit.
    fn number(&mut self) -> TokenKind {
        let prefixed = |prefix: u8, is_digit: fn(&u8) -> bool| -> Option<usize> {
            let digits = self.rest().strip_prefix(&[b'0', prefix])?;
            let len = digits.iter().take_while(|b| is_digit(b)).count();
            let after = digits.get(len..).unwrap_or_default();
            (len > 0 && self.rules.charset.name_char_len(after) == 0).then_some(len + 2)
        };
        if let Some(len) = prefixed(b'x', u8::is_ascii_hexdigit) {
            self.at += len;
            return TokenKind::Hex;
        }
        if let Some(len) = prefixed(b'b', |b| matches!(b, b'0' | b'1')) {
            self.at += len;
            return TokenKind::Bits;
        }
        let start = self.at;
        self.at += self
            .rest()
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        match self.peek(0) {
            Some(b'.') => {
                self.at += 1;
                self.fraction();
                TokenKind::Number
            }
            Some(b'e' | b'E') if self.exponent() => TokenKind::Number,
            _ if self.name_len() > 0 => {
                self.at = start;
                self.name(TokenKind::Word)
            }
            _ => TokenKind::Number,
        }
    }

    fn fraction(&mut self) {
        self.at += self
            .rest()
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        self.exponent();
    }

    /// Takes `e10`, `E+10` or `e-10` if that is what follows.
    fn exponent(&mut self) -> bool {
        let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
        let is_exponent = matches!(self.peek(0), Some(b'e' | b'E'))
            && self.peek(1 + sign).is_some_and(|b| b.is_ascii_digit());
        if is_exponent {
            self.at += 1 + sign;
            self.at += self
                .rest()
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .count();
        }
        is_exponent
    }
}
