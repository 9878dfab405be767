//! What a view's or routine's text names.

use std::collections::BTreeSet;

use drs_core::{
    DatabaseName, ServerVersion, TableName,
    ddl::{ClientCharset, LexRules, Lexer, SqlMode, TokenKind},
};

/// Tables, views and routines that a view or routine names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Tables and views.
    pub tables: BTreeSet<TableName>,
    /// Procedures and functions.
    pub routines: BTreeSet<TableName>,
}

/// Words that the name of a table may stand behind.
const BEFORE_TABLES: [&str; 6] = ["FROM", "JOIN", "STRAIGHT_JOIN", "INTO", "UPDATE", "TABLE"];

/// Words that may stand between those and a name.
const FILLERS: [&str; 6] = ["LOW_PRIORITY", "IGNORE", "IF", "NOT", "EXISTS", "ONLY"];

/// What stands where a name is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A table's name comes next.
    Table,
    /// A procedure's name comes next.
    Procedure,
    /// Behind a table's name and so many words: a comma brings the next table.
    List(u8),
    Elsewhere,
}

impl Uses {
    /// What a text of this database names, as far as that can be told without the server. Names
    /// without a database are taken for ones of this database, though they may be variables,
    /// temporary tables or parts of the text itself.
    pub fn of(text: &str, database: &DatabaseName, version: ServerVersion) -> Self {
        let tokens = tokens(text, version);
        let kind = |at: usize| tokens.get(at).map(|(kind, _)| *kind);
        let mut uses = Self::default();
        let mut place = Place::Elsewhere;
        let mut at = 0;
        while let Some((first, word)) = tokens.get(at) {
            at += 1;
            if !is_name(*first) {
                place = match (*first, place) {
                    (TokenKind::Punct(b','), Place::List(_)) => Place::Table,
                    (TokenKind::Punct(b'('), Place::Table) => Place::Table,
                    _ => Place::Elsewhere,
                };
                continue;
            }
            let mut parts = vec![word.clone()];
            while kind(at) == Some(TokenKind::Punct(b'.'))
                && let Some((_, part)) = tokens.get(at + 1).filter(|(kind, _)| is_name(*kind))
            {
                parts.push(part.clone());
                at += 2;
            }
            let calls = kind(at) == Some(TokenKind::Punct(b'('));
            if let ([word], TokenKind::Word) = (parts.as_slice(), *first) {
                let word = word.to_ascii_uppercase();
                if BEFORE_TABLES.contains(&word.as_str()) {
                    place = Place::Table;
                    continue;
                } else if word == "CALL" {
                    place = Place::Procedure;
                    continue;
                } else if FILLERS.contains(&word.as_str()) && place == Place::Table {
                    continue;
                } else if word == "SELECT" {
                    place = Place::Elsewhere;
                    continue;
                }
            }
            let name = match parts.as_slice() {
                [name] => database.table(name),
                [database, name, ..] => TableName::new(database, name),
                [] => continue,
            };
            // The server's own functions stand without quotes.
            let is_stored = calls && (parts.len() > 1 || *first == TokenKind::Quoted);
            let is_routine = place == Place::Procedure || is_stored;
            place = match (place, name) {
                (Place::Table, Ok(name)) if !calls => {
                    uses.tables.insert(name);
                    Place::List(0)
                }
                // With a parenthesis, a table's name in `INSERT INTO t (a, b)`.
                (Place::Table, Ok(name)) if parts.len() > 1 => {
                    uses.tables.insert(name);
                    Place::Elsewhere
                }
                (_, Ok(name)) if is_routine => {
                    uses.routines.insert(name);
                    Place::Elsewhere
                }
                // An alias, with AS or without.
                (Place::List(words), _) if words < 2 && parts.len() == 1 => Place::List(words + 1),
                _ => Place::Elsewhere,
            };
        }
        uses
    }
}

fn is_name(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Word | TokenKind::Name | TokenKind::Quoted)
}

/// The tokens that mean something, names without their quotes.
fn tokens(text: &str, version: ServerVersion) -> Vec<(TokenKind, String)> {
    let rules = LexRules {
        charset: ClientCharset::Utf8,
        sql_mode: SqlMode::default(),
        version,
    };
    let sql = text.as_bytes();
    let mut lexer = Lexer::new(sql, rules);
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token();
        let text = String::from_utf8_lossy(token.span.of(sql));
        let text = match token.kind {
            TokenKind::End | TokenKind::Unterminated => return tokens,
            TokenKind::Space | TokenKind::Comment | TokenKind::SkippedCode => continue,
            TokenKind::Quoted => {
                let inner = text
                    .strip_prefix('`')
                    .and_then(|text| text.strip_suffix('`'));
                inner.unwrap_or(&text).replace("``", "`")
            }
            _ => text.into_owned(),
        };
        tokens.push((token.kind, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_names() {
        for (text, tables, routines) in [
            (
                "select `shop`.`t`.`a` AS `a`,count(0),`g`(1),`shop`.`f`() AS `f()` from (`shop`.`t` left join `crm`.`u` `x` on((`shop`.`t`.`a` = `x`.`a`)))",
                "crm.u shop.t",
                "shop.f shop.g",
            ),
            (
                "BEGIN INSERT IGNORE INTO log (a) SELECT a FROM crm.customers c, dw.`f``acts` AS d ORDER BY c.a, c.b; END",
                "crm.customers dw.f`acts",
                "",
            ),
            (
                "BEGIN CALL other.p(1); CALL q; UPDATE LOW_PRIORITY t SET t.a = 1, t.b = 2; END",
                "shop.t",
                "other.p shop.q",
            ),
            (
                "RETURN (SELECT COUNT(*) FROM (SELECT 'from x.y' FROM a.b) AS n /* from c.d */)",
                "a.b",
                "",
            ),
            ("INSERT INTO crm.log (a, b) VALUES (1, 2)", "crm.log", ""),
            ("RETURN `", "", ""),
        ] {
            let database = DatabaseName::new("shop").unwrap();
            let version = ServerVersion::parse("5.6.24").unwrap();
            let uses = Uses::of(text, &database, version);
            let plain = |names: &BTreeSet<TableName>| {
                let names = names
                    .iter()
                    .map(|name| format!("{}.{}", name.database.as_str(), name.table));
                names.collect::<Vec<_>>().join(" ")
            };
            assert_eq!(plain(&uses.tables), tables, "{text}");
            assert_eq!(plain(&uses.routines), routines, "{text}");
        }
    }
}
