//! What an `ALTER TABLE` statement does to the table's columns.
use super::LexContext;
use super::cursor::{Cursor, Reason, UNEXPECTED};
use super::lexer::TokenKind;

/// The names of the columns that an `ALTER TABLE` adds, if it does nothing else.
///
/// `None` for every other statement: one that adds a key or a constraint, also with a column's
/// own attributes, is another one.
pub fn added_columns(sql: &[u8], context: &LexContext<'_>) -> Option<Vec<String>> {
    let changes = changes(sql, context)?;
    let names: Option<Vec<String>> = changes
        .into_iter()
        .filter(|change| *change != ColumnChange::Manner)
        .map(|change| match change {
            ColumnChange::Added {
                name, alone: true, ..
            } => Some(name),
            _ => None,
        })
        .collect();
    names.filter(|names| !names.is_empty())
}

/// The names of a table's columns in their order after an `ALTER TABLE`, from those before it.
///
/// `None` for what is no such statement, or does not go with these columns.
pub fn columns_after(
    sql: &[u8],
    context: &LexContext<'_>,
    before: &[String],
) -> Option<Vec<String>> {
    let find = |columns: &[String], name: &str| {
        let lower = name.to_lowercase();
        columns
            .iter()
            .position(|column| column.to_lowercase() == lower)
    };
    let changes = changes(sql, context)?;
    // As the server does it: every change names a column by the name that it had before the
    // statement, also where another takes that name. What has no place of its own keeps its.
    let mut kept: Vec<Option<String>> = before.iter().cloned().map(Some).collect();
    for change in &changes {
        let (name, now) = match change {
            ColumnChange::Dropped(name) => (name, None),
            ColumnChange::Changed { from, to, place } => {
                (from, Some(to.clone()).filter(|_| place.is_none()))
            }
            _ => continue,
        };
        *kept.get_mut(find(before, name)?)? = now;
    }
    let mut columns: Vec<String> = kept.into_iter().flatten().collect();
    // Then come those that have a place, which they name by its new name.
    for change in changes {
        let (name, place) = match change {
            ColumnChange::Added { name, place, .. } => (name, place.unwrap_or(Place::Last)),
            ColumnChange::Changed {
                to,
                place: Some(place),
                ..
            } => (to, place),
            _ => continue,
        };
        let at = match place {
            Place::First => 0,
            Place::Last => columns.len(),
            Place::After(other) => find(&columns, &other)? + 1,
        };
        columns.insert(at, name);
    }
    Some(columns)
}

/// One of the changes of an `ALTER TABLE`.
#[derive(Debug, PartialEq, Eq)]
enum ColumnChange {
    Added {
        name: String,
        place: Option<Place>,
        /// No key and no constraint comes with it.
        alone: bool,
    },
    Dropped(String),
    /// Another definition, maybe with another name or another place.
    Changed {
        from: String,
        to: String,
        place: Option<Place>,
    },
    /// How the statement is carried out.
    Manner,
    /// Nothing that concerns the list of columns.
    Other,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    First,
    Last,
    After(String),
}

fn changes(sql: &[u8], context: &LexContext<'_>) -> Option<Vec<ColumnChange>> {
    let mut cursor = Cursor::new(sql, context);
    read(&mut cursor).ok()
}

/// Words that make a column's definition more than a column.
const MORE_THAN_A_COLUMN: [&str; 5] = ["UNIQUE", "PRIMARY", "KEY", "REFERENCES", "CHECK"];

/// What `ADD` and `DROP` name instead of a column.
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

fn read(c: &mut Cursor<'_>) -> Result<Vec<ColumnChange>, Reason> {
    c.expect("ALTER")?;
    while c.eat_any(&["ONLINE", "OFFLINE", "IGNORE"]) {}
    c.expect("TABLE")?;
    c.eat("IF EXISTS");
    c.name()?;
    if c.eat_punct(b'.') {
        c.name()?;
    }
    let mut changes = Vec::new();
    loop {
        clause(c, &mut changes)?;
        if c.at_end() {
            return Ok(changes);
        }
        if !c.eat_punct(b',') {
            return Err(UNEXPECTED);
        }
    }
}

fn clause(c: &mut Cursor<'_>, changes: &mut Vec<ColumnChange>) -> Result<(), Reason> {
    if c.eat_any(&["ALGORITHM", "LOCK"]) {
        c.eat_punct(b'=');
        c.next();
        changes.push(ColumnChange::Manner);
        return Ok(());
    }
    if c.eat("ADD") {
        return added(c, changes);
    }
    let change = if c.eat("DROP") {
        let is_column = c.eat("COLUMN");
        if !is_column && c.at_any(&NOT_COLUMNS) {
            ColumnChange::Other
        } else {
            c.eat("IF EXISTS");
            ColumnChange::Dropped(column_name(c)?)
        }
    } else if c.eat("CHANGE") {
        c.eat("COLUMN");
        c.eat("IF EXISTS");
        let (from, to) = (column_name(c)?, column_name(c)?);
        let place = definition(c)?.place;
        ColumnChange::Changed { from, to, place }
    } else if c.eat("MODIFY") {
        c.eat("COLUMN");
        c.eat("IF EXISTS");
        let from = column_name(c)?;
        let place = definition(c)?.place;
        ColumnChange::Changed {
            to: from.clone(),
            from,
            place,
        }
    } else if c.eat("RENAME COLUMN") {
        c.eat("IF EXISTS");
        let from = column_name(c)?;
        c.expect("TO")?;
        ColumnChange::Changed {
            from,
            to: column_name(c)?,
            place: None,
        }
    } else {
        ColumnChange::Other
    };
    if change == ColumnChange::Other {
        definition(c)?;
    } else if c.at_any(&["RESTRICT", "CASCADE"]) {
        c.next();
    }
    changes.push(change);
    Ok(())
}

fn added(c: &mut Cursor<'_>, changes: &mut Vec<ColumnChange>) -> Result<(), Reason> {
    let is_column = c.eat("COLUMN");
    c.eat("IF NOT EXISTS");
    if c.eat_punct(b'(') {
        loop {
            if c.at_any(&NOT_COLUMNS) {
                definition(c)?;
                changes.push(ColumnChange::Other);
            } else {
                let name = column_name(c)?;
                let Definition { place, alone } = definition(c)?;
                changes.push(ColumnChange::Added { name, place, alone });
            }
            if c.eat_punct(b')') {
                return Ok(());
            }
            if !c.eat_punct(b',') {
                return Err(UNEXPECTED);
            }
        }
    }
    if !is_column && c.at_any(&NOT_COLUMNS) {
        definition(c)?;
        changes.push(ColumnChange::Other);
        return Ok(());
    }
    let name = column_name(c)?;
    let Definition { place, alone } = definition(c)?;
    changes.push(ColumnChange::Added { name, place, alone });
    Ok(())
}

/// A column's name, which old servers let be qualified.
fn column_name(c: &mut Cursor<'_>) -> Result<String, Reason> {
    let mut name = c.name()?.0;
    while c.eat_punct(b'.') {
        name = c.name()?.0;
    }
    Ok(name)
}

/// What is seen of a definition.
struct Definition {
    place: Option<Place>,
    alone: bool,
}

/// Reads up to the comma or parenthesis behind a definition, or to the end.
fn definition(c: &mut Cursor<'_>) -> Result<Definition, Reason> {
    let mut seen = Definition {
        place: None,
        alone: true,
    };
    let mut depth = 0_usize;
    loop {
        let token = c.peek(0);
        match token.kind {
            TokenKind::Punct(b',' | b')') if depth == 0 => return Ok(seen),
            TokenKind::Punct(b'(') => depth += 1,
            TokenKind::Punct(b')') => depth -= 1,
            TokenKind::End if depth == 0 => return Ok(seen),
            TokenKind::Punct(b';') if depth == 0 && c.at_end() => return Ok(seen),
            TokenKind::End | TokenKind::Unterminated => return Err(UNEXPECTED),
            TokenKind::Word if depth == 0 && c.eat("FIRST") => {
                seen.place = Some(Place::First);
                continue;
            }
            TokenKind::Word if depth == 0 && c.eat("AFTER") => {
                seen.place = Some(Place::After(column_name(c)?));
                continue;
            }
            TokenKind::Word if depth == 0 && c.at_any(&MORE_THAN_A_COLUMN) => seen.alone = false,
            _ => {}
        }
        c.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ServerVersion, ddl::SqlMode};

    fn context() -> LexContext<'static> {
        let version = ServerVersion::parse("9.7.0").unwrap();
        LexContext::new(255, SqlMode::default(), version, version, Some("d"))
    }

    #[test]
    fn only_statements_that_add_columns_and_no_more() {
        for (sql, columns) in [
            ("ALTER TABLE t ADD COLUMN a INT", "a"),
            (
                "alter table d.t add a int not null default (1 + 2) comment 'x, unique', add column `b c` enum('a,','b') after id;",
                "a,b c",
            ),
            (
                "ALTER TABLE t ADD (a INT, b VARCHAR(10)), ALGORITHM=INSTANT, LOCK NONE",
                "a,b",
            ),
            ("ALTER TABLE t ADD a INT FIRST", "a"),
            ("ALTER TABLE t ADD a INT UNIQUE", ""),
            ("ALTER TABLE t ADD a INT PRIMARY KEY", ""),
            ("ALTER TABLE t ADD a INT KEY", ""),
            ("ALTER TABLE t ADD a INT CHECK (a > 1)", ""),
            ("ALTER TABLE t ADD COLUMN a INT, DROP COLUMN b", ""),
            ("ALTER TABLE t ADD COLUMN (a INT, KEY (a))", ""),
            ("ALTER TABLE t ADD KEY (a)", ""),
            ("ALTER TABLE t ADD CONSTRAINT c CHECK (a)", ""),
            (
                "ALTER TABLE t ADD PARTITION (PARTITION p VALUES LESS THAN (1))",
                "",
            ),
            ("ALTER TABLE t ALGORITHM=INPLACE", ""),
            ("ALTER TABLE t RENAME TO u", ""),
            ("TRUNCATE t", ""),
            ("ALTER TABLE t ADD a INT COMMENT 'x", ""),
        ] {
            let found = added_columns(sql.as_bytes(), &context()).unwrap_or_default();
            assert_eq!(found.join(","), columns, "{sql}");
        }
    }

    #[test]
    fn columns_are_what_the_statement_leaves() {
        let before: Vec<String> = ["id", "A", "b"].map(str::to_owned).to_vec();
        for (sql, after) in [
            ("ALTER TABLE t ADD COLUMN c INT", "id,A,b,c"),
            ("ALTER TABLE t CHANGE A b INT, CHANGE b A INT", "id,b,A"),
            (
                "ALTER TABLE t RENAME COLUMN id TO b, RENAME COLUMN b TO id",
                "b,A,id",
            ),
            (
                "ALTER TABLE t CHANGE b id INT FIRST, CHANGE id b INT",
                "id,b,A",
            ),
            (
                "ALTER TABLE t DROP COLUMN A, CHANGE b A INT, ADD b INT AFTER A",
                "id,A,b",
            ),
            (
                "ALTER TABLE t ADD c INT FIRST, ADD d INT AFTER c",
                "c,d,id,A,b",
            ),
            (
                "ALTER TABLE t ADD (c INT, KEY (c), d INT COMMENT 'AFTER id')",
                "id,A,b,c,d",
            ),
            ("ALTER TABLE t DROP a", "id,b"),
            (
                "ALTER TABLE t DROP COLUMN `A`, ADD COLUMN a TEXT AFTER id",
                "id,a,b",
            ),
            (
                "ALTER TABLE t DROP KEY a, DROP PRIMARY KEY, DROP FOREIGN KEY b",
                "id,A,b",
            ),
            ("ALTER TABLE t CHANGE a x BIGINT", "id,x,b"),
            ("ALTER TABLE t CHANGE COLUMN a x BIGINT FIRST", "x,id,b"),
            (
                "ALTER TABLE t MODIFY b INT AFTER id, RENAME COLUMN a TO c",
                "id,b,c",
            ),
            (
                "ALTER TABLE t MODIFY a INT DEFAULT (1 + (2)) NOT NULL",
                "id,a,b",
            ),
            (
                "ALTER TABLE t ENGINE=InnoDB, COMMENT='DROP a', ADD KEY k (a, b), ALGORITHM=COPY",
                "id,A,b",
            ),
            (
                "ALTER TABLE t PARTITION BY RANGE (id) (PARTITION p VALUES LESS THAN (1), PARTITION q VALUES LESS THAN (2))",
                "id,A,b",
            ),
            ("ALTER TABLE t RENAME TO u, DROP b", "id,A"),
            ("ALTER TABLE t DROP nothing", "?"),
            ("ALTER TABLE t ADD c INT AFTER nothing", "?"),
            ("CREATE INDEX i ON t (a)", "?"),
        ] {
            let found = columns_after(sql.as_bytes(), &context(), &before);
            let found = found.map_or_else(|| "?".to_owned(), |columns| columns.join(","));
            assert_eq!(found, after, "{sql}");
        }
    }
}
