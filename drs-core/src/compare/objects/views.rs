//! Views: what `SHOW CREATE VIEW` prints, taken apart.

use mysql::{Row, prelude::Queryable};

use super::{
    ObjectsError,
    ask::{Side, some},
    definers::{self, Account, Accounts},
    expression::{Names, canonical},
    findings::Findings,
    spelling::plain_charset,
    tokens::{Token, spanned},
};
use crate::{
    error,
    object::{DatabaseName, Mapping, TableName},
    sql,
};

const WORDING: &str = "the versions print the same query in other words";
const CLIENT: &str = "its text has other characters than ASCII, so the copy takes utf8mb4 for it";
const UTF8: &str = super::columns::UTF8;

/// A view's definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    algorithm: String,
    definer: Account,
    security: String,
    /// From the columns or `AS` on.
    body: String,
    client: String,
    collation: String,
}

/// Reads a view; the inner error says why it can't be read.
pub(super) fn load(
    side: &mut Side<'_>,
    name: &TableName,
) -> Result<Result<View, String>, ObjectsError> {
    let shown: Result<Option<Row>, _> = side
        .conn
        .query_first(format!("SHOW CREATE VIEW {}", sql::table(name)));
    let mut row = match shown {
        Ok(Some(row)) => row,
        Ok(None) => return Ok(Err(format!("the {} shows no definition", side.role))),
        Err(source @ mysql::Error::MySqlError(_)) => {
            return Ok(Err(format!(
                "at the {}: {}",
                side.role,
                error::redacted(&source)
            )));
        }
        Err(source) => {
            return Err(ObjectsError::Query {
                role: side.role,
                doing: "the definition of a view",
                source,
            });
        }
    };
    let definition = some(&mut row, 1).unwrap_or_default();
    let (client, collation) = (some(&mut row, 2), some(&mut row, 3));
    let view = parse(&definition).map(|view| View {
        client: client.unwrap_or_default(),
        collation: collation.unwrap_or_default(),
        ..view
    });
    Ok(view.ok_or_else(|| format!("what the {} prints of it is not understood", side.role)))
}

fn parse(text: &str) -> Option<View> {
    let mut view = View {
        algorithm: String::new(),
        definer: Account::default(),
        security: String::new(),
        body: String::new(),
        client: String::new(),
        collation: String::new(),
    };
    let mut tokens = spanned(text)?.into_iter();
    let word = |token: Option<(Token, usize)>| match token {
        Some((Token::Word(word), _)) => Some(word),
        _ => None,
    };
    while let Some((token, _)) = tokens.next() {
        match token {
            Token::Word(name) if name == "algorithm" => {
                tokens.next();
                view.algorithm = word(tokens.next())?;
            }
            Token::Word(name) if name == "definer" => {
                tokens.next();
                let (user, _, host) = (tokens.next()?.0, tokens.next(), tokens.next()?.0);
                view.definer = match (user, host) {
                    (Token::Name(user), Token::Name(host)) => Account { user, host },
                    _ => return None,
                };
            }
            Token::Word(name) if name == "security" => view.security = word(tokens.next())?,
            Token::Word(name) if name == "view" => break,
            _ => {}
        }
    }
    // The name, with its database where that is not the session's.
    let (_, mut end) = tokens.next()?;
    if let Some((Token::Sign("."), _)) = tokens.next() {
        end = tokens.next()?.1;
    }
    text.get(end..)?.trim().clone_into(&mut view.body);
    (!view.body.is_empty()).then_some(view)
}

/// Compares a view of the source with the one that is there.
pub(super) fn compare(
    (name, here): (&TableName, &View),
    (name_there, there): (&TableName, &View),
    mapping: &Mapping,
    accounts: &Accounts,
    findings: &mut Findings,
) {
    let what = |what: &'static str| move || what.to_owned();
    let names = ViewNames {
        own: &name.database,
        mapping: Some(mapping),
        own_there: &name_there.database,
    };
    let names_there = ViewNames {
        own: &name_there.database,
        mapping: None,
        own_there: &name_there.database,
    };
    if here.body != there.body {
        let forms = (
            canonical(&here.body, &names),
            canonical(&there.body, &names_there),
        );
        match forms.0 == forms.1 {
            true => findings.differ("definition", &here.body, &there.body, Some(WORDING)),
            // In one form, the place where they part is the one that matters.
            false => findings.differ("definition", &forms.0, &forms.1, None),
        }
    }
    definers::compare(&here.definer, &there.definer, accounts, findings);
    findings.same(what("SQL SECURITY"), &here.security, &there.security);
    findings.same(what("algorithm"), &here.algorithm, &there.algorithm);
    compare_session(
        (&here.client, &here.collation),
        (&there.client, &there.collation),
        here.body.is_ascii(),
        findings,
    );
}

/// Compares the character sets of the session that an object was made in.
pub(super) fn compare_session(
    (client, collation): (&str, &str),
    (client_there, collation_there): (&str, &str),
    is_ascii: bool,
    findings: &mut Findings,
) {
    let is_replaced = !is_ascii && client_there == "utf8mb4";
    if client != client_there {
        let same = plain_charset(client) == plain_charset(client_there);
        let reason = match is_replaced {
            true => Some(CLIENT),
            false => same.then_some(UTF8),
        };
        findings.differ("character_set_client", client, client_there, reason);
    }
    findings.compare(
        || "collation_connection".to_owned(),
        (collation, collation_there),
        plain_charset,
        UTF8,
    );
}

/// The names in a view: tables by their names at the destination, and columns without the database
/// of the view itself, which not all versions print.
struct ViewNames<'a> {
    own: &'a DatabaseName,
    /// Of the source's names.
    mapping: Option<&'a Mapping>,
    own_there: &'a DatabaseName,
}

impl Names for ViewNames<'_> {
    fn name(&self, mut parts: Vec<String>) -> Vec<String> {
        let is_table =
            parts.len() == 2 && parts.first().is_some_and(|first| self.is_database(first));
        if parts.len() != 3 && !is_table {
            return parts;
        }
        if let (Some(mapping), [database, table, ..]) = (self.mapping, parts.as_mut_slice())
            && let Ok(name) = TableName::new(database, table)
        {
            let name = mapping.table(&name);
            name.database.as_str().clone_into(database);
            *table = name.table;
        }
        if parts.len() == 3
            && parts
                .first()
                .is_some_and(|first| first == self.own_there.as_str())
        {
            parts.remove(0);
        }
        parts
    }
}

impl ViewNames<'_> {
    fn is_database(&self, name: &str) -> bool {
        let is_mapped = |mapping: &Mapping| {
            mapping.databases().any(|(from, _)| from.as_str() == name)
                || mapping
                    .tables()
                    .any(|(from, _)| from.database.as_str() == name)
        };
        self.own.as_str() == name || self.mapping.is_some_and(is_mapped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_taken_apart() {
        let view = parse(
            "CREATE ALGORITHM=MERGE DEFINER=`a VIEW ``b`@`%` SQL SECURITY INVOKER VIEW `d`.`v w` (`x`) AS select 1 AS `x` \
             WITH CASCADED CHECK OPTION",
        )
        .unwrap();
        assert_eq!(view.algorithm, "merge");
        assert_eq!(view.security, "invoker");
        assert_eq!(view.definer.to_string(), "`a VIEW ``b`@`%`");
        assert_eq!(
            view.body,
            "(`x`) AS select 1 AS `x` WITH CASCADED CHECK OPTION"
        );
        assert_eq!(parse("CREATE VIEW"), None);
        assert_eq!(
            parse("CREATE ALGORITHM=MERGE DEFINER='a'@'b' VIEW `v` AS"),
            None
        );
    }

    #[test]
    fn names_follow_the_mapping() {
        let mapping = Mapping::new(&[("shop", "eu"), ("crm.c", "dw.d")]).unwrap();
        let (own, own_there) = (
            DatabaseName::new("shop").unwrap(),
            DatabaseName::new("eu").unwrap(),
        );
        let here = ViewNames {
            own: &own,
            mapping: Some(&mapping),
            own_there: &own_there,
        };
        let there = ViewNames {
            own: &own_there,
            mapping: None,
            own_there: &own_there,
        };
        for (source, destination, same) in [
            (
                "select `shop`.`t`.`a` from `shop`.`t`",
                "select `t`.`a` from `eu`.`t`",
                true,
            ),
            (
                "select `x`.`a` from `crm`.`c` `x`",
                "select `x`.`a` from `dw`.`d` `x`",
                true,
            ),
            (
                "select `x`.`a` from `crm`.`c` `x`",
                "select `x`.`a` from `crm`.`c` `x`",
                false,
            ),
            (
                "select `t`.`a` from `shop`.`t`",
                "select `t`.`a` from `shop`.`t`",
                false,
            ),
            (
                "select `shop`.`t`.`a` from `shop`.`t`",
                "select `t`.`b` from `eu`.`t`",
                false,
            ),
            ("select `crm`.`t`.`a`", "select `eu`.`t`.`a`", false),
        ] {
            let found = canonical(source, &here) == canonical(destination, &there);
            assert_eq!(found, same, "{source} / {destination}");
        }
    }
}
