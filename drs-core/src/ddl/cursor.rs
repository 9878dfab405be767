//! Reading a statement token by token.
use std::collections::VecDeque;

use super::LexContext;
use super::lexer::{Lexer, Span, Token, TokenKind, opening};
use super::statement::{ObjectKind, ObjectName, Role};

/// Why a statement is not recognised.
pub(super) type Reason = &'static str;

pub(super) const UNEXPECTED: Reason = "an unexpected word or sign";
const NO_NAME: Reason = "a name was expected";
const CHARSET: Reason = "a name in a character set whose characters cannot be told";

/// The tokens of a statement that mean something, with as much lookahead as asked for.
pub(super) struct Cursor<'a> {
    sql: &'a [u8],
    context: &'a LexContext<'a>,
    lexer: Lexer<'a>,
    ahead: VecDeque<Token>,
    leaves_out_code: bool,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(sql: &'a [u8], context: &'a LexContext<'a>) -> Self {
        let lexer = Lexer::new(sql, context.rules);
        Self {
            sql,
            context,
            lexer,
            ahead: VecDeque::new(),
            leaves_out_code: false,
        }
    }

    /// True if source and destination differ so far about what is code.
    pub(super) fn leaves_out_code(&self) -> bool {
        self.leaves_out_code
    }

    /// The token `n` after the next one.
    pub(super) fn peek(&mut self, n: usize) -> Token {
        loop {
            match self.ahead.get(n) {
                Some(token) => return *token,
                None => {
                    let token = self.lex();
                    self.ahead.push_back(token);
                }
            }
        }
    }

    /// Takes the next token.
    pub(super) fn next(&mut self) -> Token {
        match self.ahead.pop_front() {
            Some(token) => token,
            None => self.lex(),
        }
    }

    fn lex(&mut self) -> Token {
        loop {
            let token = self.lexer.token();
            if matches!(
                token.kind,
                TokenKind::CodeOpen | TokenKind::SkippedCode | TokenKind::Comment
            ) {
                let text = self.sql.get(token.span.start..).unwrap_or_default();
                let here = opening(text, self.context.rules.version);
                let there = opening(text, self.context.destination);
                self.leaves_out_code |= here != there && text.starts_with(b"/*");
            }
            match token.kind {
                TokenKind::Space
                | TokenKind::Comment
                | TokenKind::SkippedCode
                | TokenKind::CodeOpen
                | TokenKind::CodeClose => {}
                _ => return token,
            }
        }
    }

    /// The bytes of a token.
    pub(super) fn text(&self, token: Token) -> &'a [u8] {
        token.span.of(self.sql)
    }

    /// Whether a token is this keyword.
    pub(super) fn is_word(&self, token: Token, keyword: &str) -> bool {
        token.kind == TokenKind::Word && self.text(token).eq_ignore_ascii_case(keyword.as_bytes())
    }

    /// Whether the token `n` after the next one is this keyword.
    pub(super) fn word_at(&mut self, n: usize, keyword: &str) -> bool {
        let token = self.peek(n);
        self.is_word(token, keyword)
    }

    /// Whether the next token is one of these keywords.
    pub(super) fn at_any(&mut self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.word_at(0, keyword))
    }

    /// Takes these keywords if they all follow.
    pub(super) fn eat(&mut self, keywords: &str) -> bool {
        let mut count = 0;
        for keyword in keywords.split(' ') {
            if !self.word_at(count, keyword) {
                return false;
            }
            count += 1;
        }
        self.ahead.drain(..count);
        true
    }

    /// Whether this keyword follows and nothing after it.
    pub(super) fn is_last_word(&mut self, keyword: &str) -> bool {
        self.word_at(0, keyword)
            && matches!(self.peek(1).kind, TokenKind::End | TokenKind::Punct(b';'))
    }

    /// Takes the next token if it is one of these keywords.
    pub(super) fn eat_any(&mut self, keywords: &[&str]) -> bool {
        let found = self.at_any(keywords);
        if found {
            self.next();
        }
        found
    }

    /// Takes these keywords, which must follow.
    pub(super) fn expect(&mut self, keywords: &str) -> Result<(), Reason> {
        if self.eat(keywords) {
            Ok(())
        } else {
            Err(UNEXPECTED)
        }
    }

    /// Whether the next token is this punctuation.
    pub(super) fn at_punct(&mut self, byte: u8) -> bool {
        self.peek(0).kind == TokenKind::Punct(byte)
    }

    /// Takes this punctuation if it follows.
    pub(super) fn eat_punct(&mut self, byte: u8) -> bool {
        let found = self.at_punct(byte);
        if found {
            self.next();
        }
        found
    }

    /// Whether nothing follows but one `;`.
    pub(super) fn at_end(&mut self) -> bool {
        let n = usize::from(self.at_punct(b';'));
        self.peek(n).kind == TokenKind::End
    }

    /// The statement must end here.
    pub(super) fn end(&mut self) -> Result<(), Reason> {
        if self.at_end() {
            Ok(())
        } else {
            Err(UNEXPECTED)
        }
    }

    /// Reads to the end, so that an unfinished quote or comment is seen.
    pub(super) fn skip_rest(&mut self) -> Result<(), Reason> {
        loop {
            match self.next().kind {
                TokenKind::End => return Ok(()),
                TokenKind::Unterminated => return Err("a quote or a comment does not end"),
                _ => {}
            }
        }
    }

    /// A name's text and place.
    pub(super) fn name(&mut self) -> Result<(String, Span), Reason> {
        let token = self.next();
        self.name_of(token).map(|name| (name, token.span))
    }

    /// The text of a token that is a name.
    pub(super) fn name_of(&self, token: Token) -> Result<String, Reason> {
        let text = self.text(token);
        let charset = self.context.rules.charset;
        match token.kind {
            TokenKind::Word if is_reserved(text) => Err(NO_NAME),
            TokenKind::Word | TokenKind::Name => charset.decode(text).ok_or(CHARSET),
            TokenKind::Quoted => {
                let inner = text
                    .get(1..text.len().saturating_sub(1))
                    .unwrap_or_default();
                let name = charset.decode(inner).ok_or(CHARSET)?;
                match text.first() {
                    _ if name.is_empty() => Err(NO_NAME),
                    Some(b'"') => Ok(name.replace("\"\"", "\"")),
                    _ => Ok(name.replace("``", "`")),
                }
            }
            TokenKind::Unterminated => Err("a quote or a comment does not end"),
            TokenKind::Invalid => Err("a byte that has no meaning outside quotes"),
            _ => Err(NO_NAME),
        }
    }

    /// The name of an object of a database: `name`, `database.name` or `.name`.
    pub(super) fn object(&mut self, kind: ObjectKind, role: Role) -> Result<ObjectName, Reason> {
        let from_default = |(name, name_span)| ObjectName {
            kind,
            role,
            database: self.context.default_database.map(str::to_owned),
            database_span: None,
            name,
            name_span,
        };
        if self.at_punct(b'.') {
            self.next();
            return self.name().map(from_default);
        }
        let first = self.name()?;
        if !self.eat_punct(b'.') {
            return Ok(from_default(first));
        }
        let (database, database_span) = first;
        let (name, name_span) = self.name()?;
        Ok(ObjectName {
            kind,
            role,
            database: Some(database),
            database_span: Some(database_span),
            name,
            name_span,
        })
    }

    /// One or more objects, with commas between.
    pub(super) fn objects(
        &mut self,
        kind: ObjectKind,
        role: Role,
    ) -> Result<Vec<ObjectName>, Reason> {
        let mut objects = vec![self.object(kind, role)?];
        while self.eat_punct(b',') {
            objects.push(self.object(kind, role)?);
        }
        Ok(objects)
    }

    /// A database's name.
    pub(super) fn database(&mut self, role: Role) -> Result<ObjectName, Reason> {
        let (name, span) = self.name()?;
        Ok(ObjectName {
            kind: ObjectKind::Database,
            role,
            database: Some(name.clone()),
            database_span: Some(span),
            name,
            name_span: span,
        })
    }

    /// The session's default database, meant by a statement that names none.
    pub(super) fn default_database(&mut self, role: Role) -> Result<ObjectName, Reason> {
        let name = self
            .context
            .default_database
            .ok_or("it names no database and the session has none")?;
        let at = self.peek(0).span.start;
        Ok(ObjectName {
            kind: ObjectKind::Database,
            role,
            database: Some(name.to_owned()),
            database_span: None,
            name: name.to_owned(),
            name_span: Span { start: at, end: at },
        })
    }

    /// What was said about the session.
    pub(super) fn context(&self) -> &'a LexContext<'a> {
        self.context
    }
}

/// Reserved words that follow a name's place in statements: met there, the statement was not understood.
fn is_reserved(word: &[u8]) -> bool {
    const RESERVED: [&str; 52] = [
        "ADD",
        "ALL",
        "ALTER",
        "AND",
        "AS",
        "BY",
        "CHANGE",
        "CHECK",
        "COLUMN",
        "CONSTRAINT",
        "CREATE",
        "DATABASE",
        "DEFAULT",
        "DELAYED",
        "DELETE",
        "DESCRIBE",
        "DROP",
        "EXISTS",
        "FOREIGN",
        "FOR",
        "FROM",
        "GRANT",
        "HIGH_PRIORITY",
        "IF",
        "IGNORE",
        "IN",
        "INDEX",
        "INSERT",
        "INTO",
        "JOIN",
        "KEY",
        "KEYS",
        "LIKE",
        "LIMIT",
        "LOW_PRIORITY",
        "NOT",
        "NULL",
        "ON",
        "OR",
        "ORDER",
        "PARTITION",
        "PRIMARY",
        "REFERENCES",
        "RENAME",
        "SELECT",
        "SET",
        "TABLE",
        "TO",
        "UNION",
        "USING",
        "WHERE",
        "WITH",
    ];
    RESERVED
        .iter()
        .any(|reserved| word.eq_ignore_ascii_case(reserved.as_bytes()))
}
