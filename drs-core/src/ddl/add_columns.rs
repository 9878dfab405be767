//! `ALTER TABLE` statements that only add columns.
use super::LexContext;
use super::cursor::{Cursor, Reason, UNEXPECTED};
use super::lexer::TokenKind;

/// The names of the columns that an `ALTER TABLE` adds, if it does nothing else.
///
/// `None` for every other statement: one that adds a key or a constraint, also with a column's
/// own attributes, is another one.
pub fn added_columns(sql: &[u8], context: &LexContext<'_>) -> Option<Vec<String>> {
    let mut cursor = Cursor::new(sql, context);
    read(&mut cursor).ok().filter(|names| !names.is_empty())
}

/// Words that make a column's definition more than a column.
const MORE_THAN_A_COLUMN: [&str; 5] = ["UNIQUE", "PRIMARY", "KEY", "REFERENCES", "CHECK"];

fn read(c: &mut Cursor<'_>) -> Result<Vec<String>, Reason> {
    c.expect("ALTER")?;
    while c.eat_any(&["ONLINE", "OFFLINE", "IGNORE"]) {}
    c.expect("TABLE")?;
    c.name()?;
    if c.eat_punct(b'.') {
        c.name()?;
    }
    let mut names = Vec::new();
    loop {
        if c.eat_any(&["ALGORITHM", "LOCK"]) {
            c.eat_punct(b'=');
            c.next();
        } else {
            c.expect("ADD")?;
            let is_column = c.eat("COLUMN");
            if c.eat_punct(b'(') {
                loop {
                    column(c, &mut names, true)?;
                    if c.eat_punct(b')') {
                        break;
                    }
                    if !c.eat_punct(b',') {
                        return Err(UNEXPECTED);
                    }
                }
            } else {
                column(c, &mut names, is_column)?;
            }
        }
        if c.at_end() {
            return Ok(names);
        }
        if !c.eat_punct(b',') {
            return Err(UNEXPECTED);
        }
    }
}

/// A column's name and definition, up to the comma or parenthesis behind it.
fn column(c: &mut Cursor<'_>, names: &mut Vec<String>, is_column: bool) -> Result<(), Reason> {
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
    if !is_column && c.at_any(&NOT_COLUMNS) || c.at_any(&["INDEX", "KEY"]) {
        return Err(UNEXPECTED);
    }
    let (name, _) = c.name()?;
    names.push(name);
    let mut depth = 0_usize;
    loop {
        let token = c.peek(0);
        match token.kind {
            TokenKind::Punct(b',' | b')') if depth == 0 => return Ok(()),
            TokenKind::Punct(b'(') => depth += 1,
            TokenKind::Punct(b')') => depth -= 1,
            TokenKind::End if depth == 0 => return Ok(()),
            TokenKind::Punct(b';') if depth == 0 && c.at_end() => return Ok(()),
            TokenKind::End | TokenKind::Unterminated => return Err(UNEXPECTED),
            TokenKind::Word if depth == 0 && c.at_any(&MORE_THAN_A_COLUMN) => {
                return Err(UNEXPECTED);
            }
            _ => {}
        }
        c.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ServerVersion, ddl::SqlMode};

    #[test]
    fn only_statements_that_add_columns_and_no_more() {
        let version = ServerVersion::parse("9.7.0").unwrap();
        let context = LexContext::new(255, SqlMode::default(), version, version, Some("d"));
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
            let found = added_columns(sql.as_bytes(), &context).unwrap_or_default();
            assert_eq!(found.join(","), columns, "{sql}");
        }
    }
}
