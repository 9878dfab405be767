//! Statements on tables and their indexes.
use super::cursor::{Cursor, Reason, UNEXPECTED};
use super::lexer::{Span, Token, TokenKind};
use super::statement::{
    ColumnSource, Names, ObjectKind, ObjectName, Repeat, Role, Statement, StatementKind,
};

/// `CREATE TABLE`, from behind these words.
pub(super) fn create(
    c: &mut Cursor<'_>,
    temporary: bool,
    replace: bool,
) -> Result<Statement, Reason> {
    let keeps = c.eat("IF NOT EXISTS");
    let mut body = Body::new(c.object(ObjectKind::Table, Role::Created)?);
    let in_parentheses = c.at_punct(b'(') && c.word_at(1, "LIKE");
    if in_parentheses {
        c.next();
    }
    if c.eat("LIKE") {
        body.objects
            .push(c.object(ObjectKind::Table, Role::LikeSource)?);
        if in_parentheses && !c.eat_punct(b')') {
            return Err(UNEXPECTED);
        }
        c.end()?;
        body.columns = ColumnSource::Like;
    } else {
        body.created(c)?;
    }
    let repeat = match body.columns {
        ColumnSource::Query => Repeat::Ambiguous,
        _ if keeps || replace => Repeat::Repeatable,
        _ => Repeat::Visible,
    };
    let names = if body.columns == ColumnSource::Query {
        Names::Changed
    } else {
        Names::All
    };
    let (columns, start_transaction) = (body.columns, body.start_transaction);
    let kind = StatementKind::CreateTable {
        temporary,
        columns,
        start_transaction,
    };
    Ok(Statement::new(kind, body.finish(), names, repeat))
}

/// `ALTER TABLE`, from behind these words.
pub(super) fn alter(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    c.eat("IF EXISTS");
    let mut body = Body::new(c.object(ObjectKind::Table, Role::Altered)?);
    lock_wait(c);
    body.altered(c)?;
    let repeat = if body.is_ambiguous() {
        Repeat::Ambiguous
    } else {
        Repeat::Visible
    };
    Ok(Statement::new(
        StatementKind::AlterTable,
        body.finish(),
        Names::All,
        repeat,
    ))
}

/// `DROP TABLE`, from behind these words.
pub(super) fn drop(c: &mut Cursor<'_>, temporary: bool) -> Result<Statement, Reason> {
    let lenient = c.eat("IF EXISTS");
    let objects = c.objects(ObjectKind::Table, Role::Dropped)?;
    lock_wait(c);
    c.eat_any(&["RESTRICT", "CASCADE"]);
    c.end()?;
    let repeat = if lenient {
        Repeat::Repeatable
    } else {
        Repeat::Visible
    };
    Ok(Statement::new(
        StatementKind::DropTable { temporary },
        objects,
        Names::All,
        repeat,
    ))
}

/// `RENAME TABLE`.
pub(super) fn rename(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    c.expect("RENAME")?;
    if !c.eat_any(&["TABLE", "TABLES"]) {
        return Err(UNEXPECTED);
    }
    c.eat("IF EXISTS");
    let mut objects = Vec::new();
    loop {
        objects.push(c.object(ObjectKind::Table, Role::RenamedFrom)?);
        lock_wait(c);
        c.expect("TO")?;
        objects.push(c.object(ObjectKind::Table, Role::RenamedTo)?);
        if !c.eat_punct(b',') {
            break;
        }
    }
    c.end()?;
    let repeat = if renames_show(&objects) {
        Repeat::Visible
    } else {
        Repeat::Ambiguous
    };
    Ok(Statement::new(
        StatementKind::RenameTable,
        objects,
        Names::All,
        repeat,
    ))
}

/// `TRUNCATE [TABLE]`.
pub(super) fn truncate(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    c.expect("TRUNCATE")?;
    c.eat("TABLE");
    let table = c.object(ObjectKind::Table, Role::Truncated)?;
    lock_wait(c);
    c.end()?;
    Ok(Statement::new(
        StatementKind::TruncateTable,
        vec![table],
        Names::All,
        Repeat::Repeatable,
    ))
}

/// `CREATE ... INDEX`, from behind `CREATE`.
pub(super) fn create_index(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    c.eat_any(&["ONLINE", "OFFLINE"]);
    c.eat_any(&["UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR"]);
    c.expect("INDEX")?;
    c.eat("IF NOT EXISTS");
    c.name()?;
    if c.eat_any(&["USING", "TYPE"]) {
        c.name()?;
    }
    c.expect("ON")?;
    let table = c.object(ObjectKind::Table, Role::Altered)?;
    let mut body = Body::new(table);
    body.rest_of_index(c)?;
    Ok(Statement::new(
        StatementKind::CreateIndex,
        body.finish(),
        Names::All,
        Repeat::Visible,
    ))
}

/// `DROP INDEX`, from behind `DROP`.
pub(super) fn drop_index(c: &mut Cursor<'_>) -> Result<Statement, Reason> {
    c.eat_any(&["ONLINE", "OFFLINE"]);
    c.expect("INDEX")?;
    c.eat("IF EXISTS");
    // The primary key goes by a reserved word, in quotes or not.
    if !c.eat("PRIMARY") {
        c.name()?;
    }
    c.expect("ON")?;
    let table = c.object(ObjectKind::Table, Role::Altered)?;
    Ok(Statement::new(
        StatementKind::DropIndex,
        vec![table],
        Names::All,
        Repeat::Visible,
    ))
}

/// MariaDB's `WAIT n` and `NOWAIT`.
fn lock_wait(c: &mut Cursor<'_>) {
    if c.word_at(0, "WAIT") && c.peek(1).kind == TokenKind::Number {
        c.next();
        c.next();
    } else {
        c.eat("NOWAIT");
    }
}

/// Whether the tables that exist tell that the renames happened: not when they only change places.
fn renames_show(objects: &[ObjectName]) -> bool {
    let key = |object: &ObjectName| (object.database.clone(), object.name.clone());
    let mut before = Vec::new();
    let mut now: Vec<_> = Vec::new();
    for pair in objects.chunks_exact(2) {
        let [from, to] = pair else { continue };
        let from = key(from);
        match now.iter().position(|name| *name == from) {
            Some(at) => {
                now.swap_remove(at);
            }
            None => before.push(from),
        }
        now.push(key(to));
    }
    now.iter().any(|name| !before.contains(name))
}

/// What stands behind a table's name in `CREATE TABLE` and `ALTER TABLE`.
struct Body {
    objects: Vec<ObjectName>,
    columns: ColumnSource,
    start_transaction: Option<Span>,
    depth: usize,
    /// Old names of columns that get another name.
    renamed: Vec<String>,
    /// New names of columns, renamed or added.
    produced: Vec<String>,
    /// What the statement does cannot be seen, and does harm when done twice.
    is_hidden: bool,
}

impl Body {
    fn new(table: ObjectName) -> Self {
        Self {
            objects: vec![table],
            columns: ColumnSource::Listed,
            start_transaction: None,
            depth: 0,
            renamed: Vec::new(),
            produced: Vec::new(),
            is_hidden: false,
        }
    }

    /// Columns that change places look the same before and after.
    fn is_ambiguous(&self) -> bool {
        self.is_hidden || self.renamed.iter().any(|name| self.produced.contains(name))
    }

    /// The objects, once each parent named without a database has got the child's.
    fn finish(mut self) -> Vec<ObjectName> {
        let of_child = |role| matches!(role, Role::Created | Role::Altered | Role::RenamedTo);
        let child = self
            .objects
            .iter()
            .rev()
            .find(|object| of_child(object.role));
        let database = child.and_then(|child| child.database.clone());
        for object in &mut self.objects {
            if object.role == Role::Referenced && object.database_span.is_none() {
                object.database.clone_from(&database);
            }
        }
        self.objects
    }

    fn created(&mut self, c: &mut Cursor<'_>) -> Result<(), Reason> {
        let mut before = None;
        loop {
            let token = c.peek(0);
            let is_query = c.is_word(token, "SELECT")
                || c.is_word(token, "TABLE")
                || (c.is_word(token, "VALUES")
                    && (c.word_at(1, "ROW") || c.peek(1).kind == TokenKind::Punct(b'(')));
            if is_query {
                self.columns = ColumnSource::Query;
                // The rest is a query: its names are aliases as often as tables.
                return c.skip_rest();
            }
            let is_value = matches!(before, Some(TokenKind::Punct(b'=')));
            if self.depth == 0 && !is_value && c.word_at(0, "START") && c.word_at(1, "TRANSACTION")
            {
                let (start, end) = (c.next().span.start, c.next().span.end);
                self.start_transaction = Some(Span { start, end });
                continue;
            }
            before = Some(token.kind);
            if self.token(c)? {
                return Ok(());
            }
        }
    }

    fn altered(&mut self, c: &mut Cursor<'_>) -> Result<(), Reason> {
        let mut at_clause = true;
        loop {
            if at_clause {
                self.clause(c)?;
            } else if self.depth == 0 && c.at_any(&["RENAME"]) {
                return Err(UNEXPECTED);
            }
            at_clause = self.depth == 0 && c.at_punct(b',');
            if self.token(c)? {
                return Ok(());
            }
        }
    }

    /// The start of one of the comma-separated changes, as far as it names tables or renames columns.
    fn clause(&mut self, c: &mut Cursor<'_>) -> Result<(), Reason> {
        if c.eat("RENAME") {
            if c.eat("COLUMN") {
                c.eat("IF EXISTS");
                let from = self.column(c)?;
                c.expect("TO")?;
                let to = self.column(c)?;
                self.column_renamed(&from, &to);
            } else if !c.at_any(&["INDEX", "KEY"]) {
                let _to = c.eat_any(&["TO", "AS"]) || c.eat_punct(b'=');
                if self
                    .objects
                    .iter()
                    .any(|object| object.role == Role::RenamedTo)
                {
                    return Err("it renames the table more than once");
                }
                let to = c.object(ObjectKind::Table, Role::RenamedTo)?;
                if let Some(table) = self.objects.first_mut() {
                    table.role = Role::RenamedFrom;
                }
                self.objects.push(to);
            } else {
                // Names of indexes: no data hangs on them.
                c.next();
            }
        } else if c.eat("CHANGE") {
            c.eat("COLUMN");
            c.eat("IF EXISTS");
            let from = self.column(c)?;
            let to = self.column(c)?;
            self.column_renamed(&from, &to);
        } else if c.eat("ADD") {
            self.added(c)?;
        } else if c.eat("EXCHANGE PARTITION") {
            c.name()?;
            c.expect("WITH TABLE")?;
            self.objects
                .push(c.object(ObjectKind::Table, Role::Exchanged)?);
            self.is_hidden = true;
        } else if c.at_any(&["DISCARD", "IMPORT"]) {
            self.is_hidden = true;
        } else if c.eat("CONVERT") && c.at_any(&["TABLE", "PARTITION"]) {
            return Err("it moves rows between a partition and a table");
        }
        Ok(())
    }

    fn column_renamed(&mut self, from: &str, to: &str) {
        let (from, to) = (from.to_lowercase(), to.to_lowercase());
        if from != to {
            self.renamed.push(from);
            self.produced.push(to);
        }
    }

    /// The name behind `ADD`, if it is a column's.
    fn added(&mut self, c: &mut Cursor<'_>) -> Result<(), Reason> {
        const NOT_COLUMNS: [&str; 12] = [
            "INDEX",
            "KEY",
            "CONSTRAINT",
            "PRIMARY",
            "UNIQUE",
            "FULLTEXT",
            "SPATIAL",
            "VECTOR",
            "FOREIGN",
            "CHECK",
            "PARTITION",
            "PERIOD",
        ];
        let is_column = c.eat("COLUMN");
        c.eat("IF NOT EXISTS");
        if c.at_punct(b'(') {
            return self.added_list(c);
        }
        if is_column || !c.at_any(&NOT_COLUMNS) {
            let name = self.column(c)?;
            self.produced.push(name.to_lowercase());
        }
        Ok(())
    }

    /// `(column definition, ...)`.
    fn added_list(&mut self, c: &mut Cursor<'_>) -> Result<(), Reason> {
        let outer = self.depth;
        loop {
            let begins = c.at_punct(b'(') && self.depth == outer
                || c.at_punct(b',') && self.depth == outer + 1;
            if self.token(c)? {
                return Ok(());
            }
            // A key may stand here as well; its first word then counts as a name, to no harm.
            if begins && let Ok(name) = self.column(c) {
                self.produced.push(name.to_lowercase());
            }
            if self.depth == outer {
                return Ok(());
            }
        }
    }

    fn rest_of_index(&mut self, c: &mut Cursor<'_>) -> Result<(), Reason> {
        while !self.token(c)? {}
        Ok(())
    }

    /// Takes one token, or one construct that names a table; true at the end.
    fn token(&mut self, c: &mut Cursor<'_>) -> Result<bool, Reason> {
        if c.eat("REFERENCES") {
            self.objects
                .push(c.object(ObjectKind::Table, Role::Referenced)?);
            return Ok(false);
        }
        if c.eat("UNION") {
            self.union(c)?;
            return Ok(false);
        }
        let token = c.next();
        match token.kind {
            TokenKind::End if self.depth == 0 => return Ok(true),
            TokenKind::Punct(b';') if self.depth == 0 && c.at_end() => return Ok(true),
            TokenKind::End | TokenKind::Punct(b';') => return Err(UNEXPECTED),
            TokenKind::Unterminated => return Err("a quote or a comment does not end"),
            TokenKind::Punct(b'(') => self.depth += 1,
            TokenKind::Punct(b')') => self.depth = self.depth.checked_sub(1).ok_or(UNEXPECTED)?,
            TokenKind::Word | TokenKind::Quoted if c.at_punct(b'.') => {
                self.qualified(c, token)?;
            }
            _ => {}
        }
        Ok(false)
    }

    /// `UNION [=] (table, ...)`, an option of `MERGE` tables.
    fn union(&mut self, c: &mut Cursor<'_>) -> Result<(), Reason> {
        c.eat_punct(b'=');
        if !c.eat_punct(b'(') {
            return Err(UNEXPECTED);
        }
        if !c.at_punct(b')') {
            self.objects
                .extend(c.objects(ObjectKind::Table, Role::UnionMember)?);
        }
        if c.eat_punct(b')') {
            Ok(())
        } else {
            Err(UNEXPECTED)
        }
    }

    /// A column's name; old servers let it be qualified where it is made or renamed.
    fn column(&mut self, c: &mut Cursor<'_>) -> Result<String, Reason> {
        let first = c.next();
        if c.at_punct(b'.') {
            self.qualified(c, first)
        } else {
            c.name_of(first)
        }
    }

    /// `table.column` or `database.table.column`, from behind the first name; the column.
    fn qualified(&mut self, c: &mut Cursor<'_>, first: Token) -> Result<String, Reason> {
        let first_name = c.name_of(first)?;
        c.next();
        let second = c.next();
        let mut column = c.name_of(second)?;
        let mut object = ObjectName {
            kind: ObjectKind::Table,
            role: Role::Qualifier,
            database: self
                .objects
                .first()
                .and_then(|table| table.database.clone()),
            database_span: None,
            name: first_name,
            name_span: first.span,
        };
        if c.eat_punct(b'.') {
            let table = std::mem::replace(&mut column, c.name()?.0);
            object.database = Some(std::mem::replace(&mut object.name, table));
            object.database_span = Some(std::mem::replace(&mut object.name_span, second.span));
        } else if c.at_punct(b'(') {
            // A call of a function in that database.
            return Ok(column);
        }
        self.objects.push(object);
        Ok(column)
    }
}
