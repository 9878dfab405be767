//! `CREATE`, `ALTER` and `DROP`: of databases, views, routines, triggers, events, and the way to tables.
use super::classify::{account, other};
use super::cursor::{Cursor, Reason, UNEXPECTED};
use super::lexer::TokenKind;
use super::statement::{
    Action, Names, ObjectKind, ObjectName, Repeat, Role, Statement, StatementKind,
};
use super::table;

/// Objects of the server, in no database: their statements touch no table's rows or structure.
const SERVER_OBJECTS: [&str; 7] = [
    "SERVER",
    "TABLESPACE",
    "UNDO TABLESPACE",
    "LOGFILE GROUP",
    "RESOURCE GROUP",
    "SPATIAL REFERENCE SYSTEM",
    "INSTANCE",
];

pub(super) fn create(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    if let Some(statement) = server_object(c, 1) {
        return Ok(statement);
    }
    c.next();
    let replace = c.eat("OR REPLACE");
    if c.eat("TEMPORARY TABLE") {
        return table::create(c, true, replace);
    }
    if c.eat("TABLE") || c.eat("EXTERNAL TABLE") {
        return table::create(c, false, replace);
    }
    if c.eat("SPATIAL REFERENCE SYSTEM") {
        return Ok(Statement::new(
            StatementKind::Other("CREATE OR REPLACE SPATIAL REFERENCE SYSTEM".to_owned()),
            Vec::new(),
            Names::All,
            Repeat::Repeatable,
        ));
    }
    if c.eat_any(&["DATABASE", "SCHEMA"]) {
        let keeps = c.eat("IF NOT EXISTS");
        let database = c.database(Role::Created)?;
        return Ok(database_statement(
            StatementKind::CreateDatabase,
            database,
            replace || keeps,
        ));
    }
    if c.at_any(&["USER", "ROLE"]) {
        return Ok(account());
    }
    if c.at_any(&[
        "INDEX", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "ONLINE", "OFFLINE",
    ]) {
        return table::create_index(c);
    }
    c.eat("TEMPORARY");
    prefixes(c)?;
    let kind = program_kind(c)?;
    let keeps = c.eat("IF NOT EXISTS");
    let mut objects = vec![c.object(kind, Role::Created)?];
    match kind {
        ObjectKind::Trigger => trigger_table(c, &mut objects)?,
        ObjectKind::Function if is_loadable(c) => {
            for object in &mut objects {
                object.kind = ObjectKind::LoadableFunction;
                object.database = None;
            }
        }
        _ => {}
    }
    let kind = objects.first().map_or(kind, |object| object.kind);
    let repeat = if replace || keeps {
        Repeat::Repeatable
    } else {
        Repeat::Visible
    };
    Ok(Statement::new(
        StatementKind::Program(Action::Create, kind),
        objects,
        Names::Changed,
        repeat,
    ))
}

pub(super) fn alter(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    if let Some(statement) = server_object(c, 1) {
        return Ok(statement);
    }
    c.next();
    if c.eat_any(&["DATABASE", "SCHEMA"]) {
        let database = if names_a_database(c) {
            c.database(Role::Altered)?
        } else {
            c.default_database(Role::Altered)?
        };
        return Ok(database_statement(
            StatementKind::AlterDatabase,
            database,
            true,
        ));
    }
    if c.at_any(&["USER", "ROLE"]) {
        return Ok(account());
    }
    while c.eat_any(&["ONLINE", "OFFLINE", "IGNORE"]) {}
    if c.eat("TABLE") {
        return table::alter(c);
    }
    prefixes(c)?;
    let kind = program_kind(c)?;
    if kind == ObjectKind::Trigger {
        return Err(UNEXPECTED);
    }
    c.eat("IF EXISTS");
    let mut objects = vec![c.object(kind, Role::Altered)?];
    if kind == ObjectKind::Event {
        renamed_event(c, &mut objects)?;
    }
    let is_rename = objects.len() > 1;
    let repeat = if is_rename {
        Repeat::Visible
    } else {
        Repeat::Repeatable
    };
    Ok(Statement::new(
        StatementKind::Program(Action::Alter, kind),
        objects,
        Names::Changed,
        repeat,
    ))
}

pub(super) fn drop(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    if let Some(statement) = server_object(c, 1) {
        return Ok(statement);
    }
    c.next();
    if c.eat_any(&["DATABASE", "SCHEMA"]) {
        let lenient = c.eat("IF EXISTS");
        let database = c.database(Role::Dropped)?;
        c.end()?;
        return Ok(database_statement(
            StatementKind::DropDatabase,
            database,
            lenient,
        ));
    }
    if c.at_any(&["USER", "ROLE"]) {
        return Ok(account());
    }
    if c.at_any(&["INDEX", "ONLINE", "OFFLINE"]) {
        return table::drop_index(c);
    }
    if c.eat("TEMPORARY TABLE") || c.eat("TEMPORARY TABLES") {
        return table::drop(c, true);
    }
    if c.eat_any(&["TABLE", "TABLES"]) {
        return table::drop(c, false);
    }
    c.eat("TEMPORARY");
    let kind = program_kind(c)?;
    let lenient = c.eat("IF EXISTS");
    let objects = match kind {
        ObjectKind::View | ObjectKind::Sequence => c.objects(kind, Role::Dropped)?,
        _ => vec![c.object(kind, Role::Dropped)?],
    };
    c.eat_any(&["RESTRICT", "CASCADE"]);
    c.end()?;
    let repeat = if lenient {
        Repeat::Repeatable
    } else {
        Repeat::Visible
    };
    Ok(Statement::new(
        StatementKind::Program(Action::Drop, kind),
        objects,
        Names::All,
        repeat,
    ))
}

/// A statement on one of the server's own objects, whose name begins at word `n`.
fn server_object(c: &mut Cursor<'_>, n: usize) -> Option<Statement> {
    let found = SERVER_OBJECTS.iter().any(|words| {
        words
            .split(' ')
            .enumerate()
            .all(|(i, word)| c.word_at(n + i, word))
    });
    found.then(|| other(c))
}

fn database_statement(kind: StatementKind, database: ObjectName, repeatable: bool) -> Statement {
    let repeat = if repeatable {
        Repeat::Repeatable
    } else {
        Repeat::Visible
    };
    Statement::new(kind, vec![database], Names::All, repeat)
}

/// Whether `ALTER DATABASE` is followed by a name, which may be left out.
///
/// The words `CHARSET` and `ENCRYPTION` are no reserved ones, and the server takes them for a name here.
fn names_a_database(c: &mut Cursor<'_>) -> bool {
    !c.at_any(&["DEFAULT", "CHARACTER", "COLLATE", "READ"])
}

/// Skips `ALGORITHM = ...`, `DEFINER = ...`, `SQL SECURITY ...` and `AGGREGATE`, in any order.
fn prefixes(c: &mut Cursor<'_>) -> Result<(), Reason> {
    loop {
        if c.eat("ALGORITHM") {
            c.eat_punct(b'=').then_some(()).ok_or(UNEXPECTED)?;
            c.next();
        } else if c.eat("DEFINER") {
            c.eat_punct(b'=').then_some(()).ok_or(UNEXPECTED)?;
            definer(c)?;
        } else if c.eat("SQL SECURITY") {
            c.next();
        } else if !c.eat("AGGREGATE") {
            return Ok(());
        }
    }
}

fn definer(c: &mut Cursor<'_>) -> Result<(), Reason> {
    if !matches!(
        c.next().kind,
        TokenKind::Word | TokenKind::Quoted | TokenKind::Text
    ) {
        return Err(UNEXPECTED);
    }
    if c.eat_punct(b'(') {
        c.eat_punct(b')').then_some(()).ok_or(UNEXPECTED)?;
    } else if c.eat_punct(b'@')
        && !matches!(
            c.next().kind,
            TokenKind::Host | TokenKind::Word | TokenKind::Quoted | TokenKind::Text
        )
    {
        return Err(UNEXPECTED);
    }
    Ok(())
}

fn program_kind(c: &mut Cursor<'_>) -> Result<ObjectKind, Reason> {
    const KINDS: [(&str, ObjectKind); 12] = [
        ("VIEW", ObjectKind::View),
        ("MATERIALIZED VIEW", ObjectKind::View),
        ("JSON DUALITY VIEW", ObjectKind::View),
        ("JSON RELATIONAL DUALITY VIEW", ObjectKind::View),
        ("PROCEDURE", ObjectKind::Procedure),
        ("FUNCTION", ObjectKind::Function),
        ("TRIGGER", ObjectKind::Trigger),
        ("EVENT", ObjectKind::Event),
        ("SEQUENCE", ObjectKind::Sequence),
        ("PACKAGE BODY", ObjectKind::Package),
        ("PACKAGE", ObjectKind::Package),
        ("LIBRARY", ObjectKind::Library),
    ];
    let found = KINDS.iter().find(|(words, _)| c.eat(words));
    found
        .map(|(_, kind)| *kind)
        .ok_or("what it creates, alters or drops is not known")
}

/// `{BEFORE | AFTER} event ON table`; a trigger is in its table's database.
fn trigger_table(c: &mut Cursor<'_>, objects: &mut Vec<ObjectName>) -> Result<(), Reason> {
    if !c.eat_any(&["BEFORE", "AFTER"]) {
        return Err(UNEXPECTED);
    }
    loop {
        if !c.eat_any(&["INSERT", "UPDATE", "DELETE"]) {
            return Err(UNEXPECTED);
        }
        if !c.eat("OR") {
            break;
        }
    }
    c.expect("ON")?;
    let table = c.object(ObjectKind::Table, Role::TriggerTable)?;
    for trigger in objects
        .iter_mut()
        .filter(|trigger| trigger.database_span.is_none())
    {
        trigger.database.clone_from(&table.database);
    }
    objects.push(table);
    Ok(())
}

/// `RETURNS type SONAME` follows the name.
fn is_loadable(c: &mut Cursor<'_>) -> bool {
    c.word_at(0, "RETURNS") && c.word_at(2, "SONAME")
}

/// `RENAME TO name`, which stands before the event's body.
fn renamed_event(c: &mut Cursor<'_>, objects: &mut Vec<ObjectName>) -> Result<(), Reason> {
    loop {
        let token = c.peek(0);
        if matches!(token.kind, TokenKind::End | TokenKind::Unterminated) || c.is_word(token, "DO")
        {
            return Ok(());
        }
        if c.eat("RENAME") {
            c.expect("TO")?;
            for event in objects.iter_mut() {
                event.role = Role::RenamedFrom;
            }
            objects.push(c.object(ObjectKind::Event, Role::RenamedTo)?);
            return Ok(());
        }
        c.next();
    }
}
