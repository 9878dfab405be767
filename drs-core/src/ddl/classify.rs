//! The kind of a statement, from its first words.
use super::charset::ClientCharset;
use super::cursor::{Cursor, Reason, UNEXPECTED};
use super::lexer::{LexRules, SqlMode, Token, TokenKind};
use super::statement::{
    DmlKind, Names, ObjectKind, ObjectName, Repeat, Role, Statement, StatementKind, XaAction, Xid,
};
use super::{change, program, table};
use crate::dialect::ServerVersion;

/// What must be known about a session to read its statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexContext<'a> {
    /// How its statements are read.
    ///
    /// The source's rules, its version included: what it ran is what the statement means.
    pub rules: LexRules,
    /// The server that is to run them.
    pub destination: ServerVersion,
    /// The database that unqualified names are in.
    pub default_database: Option<&'a str>,
}

impl<'a> LexContext<'a> {
    /// The context of a session of `source` whose `character_set_client` has this collation id.
    pub fn new(
        character_set_client: u16,
        sql_mode: SqlMode,
        source: ServerVersion,
        destination: ServerVersion,
        default_database: Option<&'a str>,
    ) -> Self {
        let charset = ClientCharset::of_collation(character_set_client);
        let default_database = default_database.filter(|name| !name.is_empty());
        Self {
            rules: LexRules {
                charset,
                sql_mode,
                version: source,
            },
            destination,
            default_database,
        }
    }
}

/// Recognises a statement.
pub fn classify(sql: &[u8], context: &LexContext<'_>) -> Statement {
    // Letters, digits and white space mean the same in every character set.
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || b" \t\r\n;".contains(b);
    if context.rules.charset == ClientCharset::Unsupported && !sql.iter().all(is_plain) {
        return Statement::unknown("the client's character set is not one that can be read");
    }
    let mut cursor = Cursor::new(sql, context);
    let mut statement = match statement(&mut cursor) {
        Ok(statement) => statement,
        Err(reason) => Statement::unknown(reason),
    };
    if let Err(reason) = cursor.skip_rest() {
        statement = Statement::unknown(reason);
    }
    statement.leaves_out_code = cursor.leaves_out_code();
    statement
}

impl Statement {
    pub(super) fn new(
        kind: StatementKind,
        objects: Vec<ObjectName>,
        names: Names,
        repeat: Repeat,
    ) -> Self {
        Self {
            kind,
            objects,
            names,
            repeat,
            leaves_out_code: false,
        }
    }

    /// A statement that names no object and touches none.
    fn bare(kind: StatementKind) -> Self {
        Self::new(kind, Vec::new(), Names::All, Repeat::Ambiguous)
    }

    fn unknown(reason: &'static str) -> Self {
        Self::new(
            StatementKind::Unknown { reason },
            Vec::new(),
            Names::Unknown,
            Repeat::Ambiguous,
        )
    }
}

fn statement(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    if c.at_end() {
        return Ok(Statement::bare(StatementKind::Empty));
    }
    if c.at_punct(b'(') {
        return change::unlisted(DmlKind::Select);
    }
    let first = c.peek(0);
    if first.kind != TokenKind::Word {
        return Err("it does not begin with a word");
    }
    match c.text(first).to_ascii_uppercase().as_slice() {
        b"BEGIN" | b"START" | b"COMMIT" | b"ROLLBACK" | b"SAVEPOINT" | b"RELEASE" => transaction(c),
        b"XA" => xa(c),
        b"INSERT" | b"REPLACE" | b"UPDATE" | b"DELETE" | b"LOAD" => change::listed(c),
        b"CALL" => change::unlisted(DmlKind::Call),
        b"DO" => change::unlisted(DmlKind::Do),
        b"SELECT" | b"WITH" | b"TABLE" | b"VALUES" => change::unlisted(DmlKind::Select),
        b"CREATE" => program::create(c),
        b"ALTER" => program::alter(c),
        b"DROP" => program::drop(c),
        b"RENAME" if c.word_at(1, "USER") => Ok(Statement::bare(StatementKind::Account)),
        b"RENAME" => table::rename(c),
        b"TRUNCATE" => table::truncate(c),
        b"GRANT" | b"REVOKE" => Ok(Statement::bare(StatementKind::Account)),
        b"SET" if c.word_at(1, "STATEMENT") => Err("SET STATEMENT runs another statement"),
        b"SET" if c.word_at(1, "PASSWORD") || c.word_at(1, "ROLE") => {
            Ok(Statement::bare(StatementKind::Account))
        }
        b"SET" if c.word_at(1, "DEFAULT") && c.word_at(2, "ROLE") => {
            Ok(Statement::bare(StatementKind::Account))
        }
        b"ANALYZE" | b"OPTIMIZE" | b"REPAIR" | b"CHECK" | b"CHECKSUM" => maintenance(c),
        b"FLUSH" | b"CACHE" | b"KILL" | b"PURGE" | b"RESET" | b"SHUTDOWN" | b"RESTART" => {
            Ok(Statement::bare(StatementKind::Maintenance))
        }
        b"SET" | b"USE" | b"SHOW" | b"HELP" | b"LOCK" | b"UNLOCK" | b"STOP" | b"CHANGE"
        | b"INSTALL" | b"UNINSTALL" | b"CLONE" => Ok(other(c)),
        _ => Err("its first word is not known"),
    }
}

/// A recognised statement that concerns no table, by its first words.
pub(super) fn other(c: &mut Cursor<'_>) -> Statement {
    let mut words = Vec::new();
    while words.len() < 3 && c.peek(0).kind == TokenKind::Word {
        let token = c.next();
        words.push(String::from_utf8_lossy(c.text(token)).to_uppercase());
    }
    Statement::bare(StatementKind::Other(words.join(" ")))
}

/// An account statement.
pub(super) fn account() -> Statement {
    Statement::bare(StatementKind::Account)
}

fn transaction(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    let kind = if c.eat("START TRANSACTION") {
        while !c.at_end() {
            let is_option = c.eat_punct(b',')
                || c.eat_any(&["WITH", "CONSISTENT", "SNAPSHOT", "READ", "ONLY", "WRITE"]);
            if !is_option {
                return Err(UNEXPECTED);
            }
        }
        StatementKind::Begin
    } else if c.eat("START") {
        if !c.at_any(&["SLAVE", "REPLICA", "GROUP_REPLICATION", "ALL"]) {
            return Err(UNEXPECTED);
        }
        return Ok(Statement::bare(StatementKind::Other(
            "START REPLICA".to_owned(),
        )));
    } else if c.eat("BEGIN") {
        c.eat("WORK");
        StatementKind::Begin
    } else if c.eat("COMMIT") {
        completion(c);
        StatementKind::Commit
    } else if c.eat("ROLLBACK") {
        completion(c);
        if c.eat("TO") {
            if !c.is_last_word("SAVEPOINT") {
                c.eat("SAVEPOINT");
            }
            StatementKind::RollbackTo(c.name()?.0)
        } else {
            StatementKind::Rollback
        }
    } else if c.eat("RELEASE SAVEPOINT") {
        StatementKind::ReleaseSavepoint(c.name()?.0)
    } else {
        c.expect("SAVEPOINT")?;
        StatementKind::Savepoint(c.name()?.0)
    };
    c.end()?;
    Ok(Statement::bare(kind))
}

fn completion(c: &mut Cursor<'_>) {
    c.eat("WORK");
    let _chain = c.eat("AND CHAIN") || c.eat("AND NO CHAIN");
    let _release = c.eat("RELEASE") || c.eat("NO RELEASE");
}

fn maintenance(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    c.next();
    c.eat_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    let kind = match c.eat_any(&["TABLE", "TABLES"]) {
        true => ObjectKind::Table,
        // MariaDB's ANALYZE runs the statement that follows; only its CHECK and REPAIR know views.
        false => {
            c.expect("VIEW")?;
            ObjectKind::View
        }
    };
    let objects = c.objects(kind, Role::Maintained)?;
    Ok(Statement::new(
        StatementKind::Maintenance,
        objects,
        Names::All,
        Repeat::Repeatable,
    ))
}

fn xa(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    c.next();
    if c.at_any(&["RECOVER"]) {
        return Ok(Statement::bare(StatementKind::Other(
            "XA RECOVER".to_owned(),
        )));
    }
    let action = if c.eat_any(&["START", "BEGIN"]) {
        XaAction::Start
    } else if c.eat("END") {
        XaAction::End
    } else if c.eat("PREPARE") {
        XaAction::Prepare
    } else if c.eat("COMMIT") {
        XaAction::Commit
    } else {
        c.expect("ROLLBACK")?;
        XaAction::Rollback
    };
    let xid = xid(c)?;
    let action = match action {
        XaAction::Start => {
            c.eat_any(&["JOIN", "RESUME"]);
            action
        }
        XaAction::End => {
            if c.eat("SUSPEND") {
                c.eat("FOR MIGRATE");
            }
            action
        }
        XaAction::Commit if c.eat("ONE PHASE") => XaAction::CommitOnePhase,
        _ => action,
    };
    c.end()?;
    Ok(Statement::bare(StatementKind::Xa(action, xid)))
}

/// `gtrid [, bqual [, format]]`, as the server writes it (`X'..',X'..',1`) or as a client may.
fn xid(c: &mut Cursor<'_>) -> Result<Xid, Reason> {
    const BAD: Reason = "an XA transaction's identifier is malformed";
    let mut xid = Xid {
        gtrid: Vec::new(),
        bqual: Vec::new(),
        format_id: 1,
    };
    let token = c.next();
    xid.gtrid = bytes_of(c, token).ok_or(BAD)?;
    if c.eat_punct(b',') {
        let token = c.next();
        xid.bqual = bytes_of(c, token).ok_or(BAD)?;
    }
    if c.eat_punct(b',') {
        let token = c.next();
        let text = std::str::from_utf8(c.text(token)).map_err(|_| BAD)?;
        xid.format_id = match token.kind {
            TokenKind::Number => text.parse().map_err(|_| BAD)?,
            _ => {
                let bytes = bytes_of(c, token)
                    .filter(|_| token.kind == TokenKind::Hex)
                    .ok_or(BAD)?;
                let number = bytes
                    .iter()
                    .try_fold(0u32, |n, b| Some(n.checked_mul(256)? + u32::from(*b)));
                number.ok_or(BAD)?
            }
        };
    }
    if xid.gtrid.len() > 64 || xid.bqual.len() > 64 {
        Err(BAD)
    } else {
        Ok(xid)
    }
}

/// The bytes of a string or hexadecimal literal.
fn bytes_of(c: &Cursor<'_>, token: Token) -> Option<Vec<u8>> {
    let text = c.text(token);
    match (token.kind, text) {
        (TokenKind::Hex, [b'0', _, digits @ ..] | [_, b'\'', digits @ .., b'\'']) => {
            let digits: Vec<u8> = digits
                .iter()
                .map(|b| (*b as char).to_digit(16).map(|n| n as u8))
                .collect::<Option<_>>()?;
            let (odd, pairs) = digits.split_at(digits.len() % 2);
            let tail = pairs
                .chunks_exact(2)
                .map(|pair| pair.iter().fold(0, |n, d| n << 4 | d));
            Some(odd.iter().copied().chain(tail).collect())
        }
        (TokenKind::Text, [quote @ (b'\'' | b'"'), inner @ .., _]) => {
            let escapes = !c
                .context()
                .rules
                .sql_mode
                .contains(SqlMode::NO_BACKSLASH_ESCAPES);
            let charset = c.context().rules.charset;
            Some(unquote(inner, *quote, escapes, charset))
        }
        _ => None,
    }
}

fn unquote(mut inner: &[u8], quote: u8, escapes: bool, charset: ClientCharset) -> Vec<u8> {
    let mut out = Vec::with_capacity(inner.len());
    loop {
        let len = charset.char_len(inner);
        inner = match inner {
            [] => return out,
            [b'\\', escaped, rest @ ..] if escapes => {
                out.push(match escaped {
                    b'0' => 0,
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'b' => 8,
                    b'Z' => 26,
                    other => *other,
                });
                rest
            }
            [byte, again, rest @ ..] if *byte == quote && *again == quote => {
                out.push(quote);
                rest
            }
            _ => {
                let (char, rest) = inner.split_at_checked(len.max(1)).unwrap_or((inner, &[]));
                out.extend_from_slice(char);
                rest
            }
        };
    }
}
