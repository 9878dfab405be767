//! Statements that change rows, logged as text.
use super::cursor::{Cursor, Reason, UNEXPECTED};
use super::lexer::TokenKind;
use super::statement::{
    DmlKind, Names, ObjectKind, ObjectName, Repeat, Role, Statement, StatementKind,
};

/// A statement whose tables are not looked for.
pub(super) fn unlisted(kind: DmlKind) -> Result<Statement, Reason> {
    Ok(Statement::new(
        StatementKind::Dml(kind),
        Vec::new(),
        Names::Unknown,
        Repeat::Ambiguous,
    ))
}

/// A statement on one table, which is told when it certainly is only one.
pub(super) fn listed(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    let (kind, written) = if c.eat("INSERT") {
        c.eat_any(&["LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY"]);
        c.eat("IGNORE");
        c.eat("INTO");
        (DmlKind::Insert, Some(table(c)?))
    } else if c.eat("REPLACE") {
        c.eat_any(&["LOW_PRIORITY", "DELAYED"]);
        c.eat("INTO");
        (DmlKind::Replace, Some(table(c)?))
    } else if c.eat("UPDATE") {
        c.eat("LOW_PRIORITY");
        c.eat("IGNORE");
        (DmlKind::Update, updated(c)?)
    } else if c.eat("DELETE") {
        while c.eat_any(&["LOW_PRIORITY", "QUICK", "IGNORE"]) {}
        (DmlKind::Delete, deleted(c)?)
    } else {
        c.expect("LOAD")?;
        if c.at_any(&["INDEX"]) {
            let kind = StatementKind::Maintenance;
            return Ok(Statement::new(
                kind,
                Vec::new(),
                Names::Unknown,
                Repeat::Repeatable,
            ));
        }
        (DmlKind::Load, Some(loaded(c)?))
    };
    Ok(match written {
        Some(table) => Statement::new(
            StatementKind::Dml(kind),
            vec![table],
            Names::Changed,
            Repeat::Ambiguous,
        ),
        None => return unlisted(kind),
    })
}

fn table(c: &mut Cursor<'_>) -> Result<ObjectName, Reason> {
    c.object(ObjectKind::Table, Role::Written)
}

/// The table of an update; `None` when there may be several.
fn updated(c: &mut Cursor<'_>) -> Result<Option<ObjectName>, Reason> {
    if c.at_punct(b'(') {
        return Ok(None);
    }
    let table = table(c)?;
    partitions(c)?;
    if !c.at_any(&["SET"]) {
        c.eat("AS");
        if !matches!(c.peek(0).kind, TokenKind::Word | TokenKind::Quoted) {
            return Ok(None);
        }
        c.next();
    }
    Ok(c.at_any(&["SET"]).then_some(table))
}

/// The table of a delete; `None` when there may be several.
fn deleted(c: &mut Cursor<'_>) -> Result<Option<ObjectName>, Reason> {
    const NEXT: [&str; 5] = ["WHERE", "ORDER", "LIMIT", "RETURNING", "FOR"];
    if !c.eat("FROM") {
        return Ok(None);
    }
    let table = table(c)?;
    partitions(c)?;
    if !c.at_end() && !c.at_any(&NEXT) {
        c.eat("AS");
        if c.at_any(&["USING"]) || !matches!(c.peek(0).kind, TokenKind::Word | TokenKind::Quoted) {
            return Ok(None);
        }
        c.next();
    }
    Ok((c.at_end() || c.at_any(&NEXT)).then_some(table))
}

fn loaded(c: &mut Cursor<'_>) -> Result<ObjectName, Reason> {
    if !c.eat_any(&["DATA", "XML"]) {
        return Err(UNEXPECTED);
    }
    c.eat_any(&["LOW_PRIORITY", "CONCURRENT"]);
    c.eat("LOCAL");
    c.expect("INFILE")?;
    if c.next().kind != TokenKind::Text {
        return Err(UNEXPECTED);
    }
    c.eat_any(&["REPLACE", "IGNORE"]);
    c.expect("INTO TABLE")?;
    table(c)
}

/// Skips `PARTITION (...)`.
fn partitions(c: &mut Cursor<'_>) -> Result<(), Reason> {
    if !c.eat("PARTITION") {
        return Ok(());
    }
    if !c.eat_punct(b'(') {
        return Err(UNEXPECTED);
    }
    loop {
        c.name()?;
        if c.eat_punct(b')') {
            return Ok(());
        }
        if !c.eat_punct(b',') {
            return Err(UNEXPECTED);
        }
    }
}
