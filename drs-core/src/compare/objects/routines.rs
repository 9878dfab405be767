//! Procedures and functions.

use std::collections::BTreeMap;

use super::{
    ObjectsError,
    ask::{Side, literal, some, text},
    columns::{TYPES, UTF8},
    definers::{self, Account, Accounts},
    findings::Findings,
    result::ObjectKind,
    spelling::{plain_charset, plain_type},
    views::compare_session,
};
use crate::{
    copy::may_hide_labels,
    object::{DatabaseName, TableName},
    sql,
};

const MODES: &str = "modes that MySQL 8.0 has removed or calls by another name";

/// Modes of `sql_mode` that MySQL 8.0 does not know.
const MODES_REMOVED: [&str; 11] = [
    "NO_AUTO_CREATE_USER",
    "POSTGRESQL",
    "ORACLE",
    "MSSQL",
    "DB2",
    "MAXDB",
    "NO_KEY_OPTIONS",
    "NO_TABLE_OPTIONS",
    "NO_FIELD_OPTIONS",
    "MYSQL323",
    "MYSQL40",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Routine {
    /// `None` when the account may not see it.
    pub(super) body: Option<String>,
    language: String,
    /// What a function returns comes first.
    parameters: Vec<Parameter>,
    is_deterministic: String,
    data_access: String,
    security: String,
    sql_mode: String,
    comment: String,
    definer: Account,
    client: String,
    collation: String,
    database_collation: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parameter {
    mode: String,
    name: String,
    data_type: String,
    collation: String,
}

/// The routines of a database by kind and name, whose case does not count.
pub(super) type Routines = BTreeMap<(ObjectKind, String), (String, Routine)>;

/// Asks for the procedures and functions of a database.
pub(super) fn load(side: &mut Side<'_>, database: &DatabaseName) -> Result<Routines, ObjectsError> {
    let mut routines = Routines::new();
    side.rows(
        "its procedures and functions",
        &format!(
            "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, ROUTINE_DEFINITION, EXTERNAL_LANGUAGE, IS_DETERMINISTIC, \
             SQL_DATA_ACCESS, SECURITY_TYPE, SQL_MODE, ROUTINE_COMMENT, DEFINER, CHARACTER_SET_CLIENT, \
             COLLATION_CONNECTION, DATABASE_COLLATION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {}",
            literal(database)
        ),
        |row| {
            let (Some(kind), true) = (kind(&text(row, 2)), text(row, 0) == database.as_str()) else {
                return;
            };
            let name = text(row, 1);
            let routine = Routine {
                body: some(row, 3),
                language: some(row, 4).unwrap_or_else(|| "SQL".to_owned()),
                parameters: Vec::new(),
                is_deterministic: text(row, 5),
                data_access: text(row, 6),
                security: text(row, 7),
                sql_mode: text(row, 8),
                comment: text(row, 9),
                definer: Account::parse(&text(row, 10)),
                client: text(row, 11),
                collation: text(row, 12),
                database_collation: text(row, 13),
            };
            routines.insert((kind, name.to_lowercase()), (name, routine));
        },
    )?;
    if routines.is_empty() {
        return Ok(routines);
    }
    side.rows(
        "the parameters of its procedures and functions",
        &format!(
            "SELECT SPECIFIC_SCHEMA, SPECIFIC_NAME, ROUTINE_TYPE, PARAMETER_MODE, PARAMETER_NAME, DTD_IDENTIFIER, \
             COLLATION_NAME FROM information_schema.PARAMETERS WHERE SPECIFIC_SCHEMA = {} \
             ORDER BY SPECIFIC_NAME, ROUTINE_TYPE, ORDINAL_POSITION",
            literal(database)
        ),
        |row| {
            let (Some(kind), true) = (kind(&text(row, 2)), text(row, 0) == database.as_str()) else {
                return;
            };
            let parameter = Parameter {
                mode: text(row, 3),
                name: text(row, 4),
                data_type: text(row, 5),
                collation: text(row, 6),
            };
            if let Some((_, routine)) = routines.get_mut(&(kind, text(row, 1).to_lowercase())) {
                routine.parameters.push(parameter);
            }
        },
    )?;
    Ok(routines)
}

impl Routine {
    /// True when the catalogue may not show the body as it is: it has `?` for every character that
    /// `utf8mb3` lacks.
    pub(super) fn may_hide(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.contains('?'))
    }

    /// True when labels of a parameter may be shown as `?`, and nowhere as they are.
    pub(super) fn hides_labels(&self) -> bool {
        let hides = |parameter: &Parameter| {
            let charset = parameter.collation.split('_').next().unwrap_or_default();
            may_hide_labels(&parameter.data_type, charset)
        };
        self.parameters.iter().any(hides)
    }

    /// Reads the body from the definition's text, which shows every character. Where that does not
    /// tell it, it is not seen.
    pub(super) fn show_body(
        &mut self,
        side: &mut Side<'_>,
        kind: ObjectKind,
        name: &TableName,
    ) -> Result<(), ObjectsError> {
        let keyword = match kind {
            ObjectKind::Function => "FUNCTION",
            _ => "PROCEDURE",
        };
        let statement = format!("SHOW CREATE {keyword} {}", sql::table(name));
        let row = side.first("the definition of a procedure or function", &statement)?;
        let text = row
            .and_then(|mut row| some(&mut row, 2))
            .unwrap_or_default();
        self.body = self.body.take().and_then(|body| end_like(&text, &body));
        Ok(())
    }
}

/// The end of a definition that is this body, in which some characters are shown as `?`.
fn end_like(text: &str, body: &str) -> Option<String> {
    let skipped = text.chars().count().checked_sub(body.chars().count())?;
    let end: String = text.chars().skip(skipped).collect();
    let is_like =
        |(shown, known): (char, char)| shown == known || known == '?' && shown > '\u{ffff}';
    end.chars().zip(body.chars()).all(is_like).then_some(end)
}

fn kind(word: &str) -> Option<ObjectKind> {
    match word {
        "PROCEDURE" => Some(ObjectKind::Procedure),
        "FUNCTION" => Some(ObjectKind::Function),
        _ => None,
    }
}

/// Compares two routines whose bodies can be seen.
pub(super) fn compare(
    here: &Routine,
    there: &Routine,
    accounts: &Accounts,
    findings: &mut Findings,
) {
    let what = |what: &'static str| move || what.to_owned();
    let body = |routine: &Routine| routine.body.clone().unwrap_or_default();
    findings.same(what("body"), &body(here), &body(there));
    findings.same(what("language"), &here.language, &there.language);
    compare_parameters(here, there, findings);
    findings.same(
        what("DETERMINISTIC"),
        &here.is_deterministic,
        &there.is_deterministic,
    );
    findings.same(
        what("SQL data access"),
        &here.data_access,
        &there.data_access,
    );
    findings.same(what("SQL SECURITY"), &here.security, &there.security);
    findings.same(what("comment"), &here.comment, &there.comment);
    let modes = (here.sql_mode.as_str(), there.sql_mode.as_str());
    findings.compare(what("sql_mode"), modes, plain_modes, MODES);
    definers::compare(&here.definer, &there.definer, accounts, findings);
    compare_session(
        (&here.client, &here.collation),
        (&there.client, &there.collation),
        body(here).is_ascii(),
        findings,
    );
    findings.compare(
        what("collation of its database when it was made"),
        (&here.database_collation, &there.database_collation),
        plain_charset,
        UTF8,
    );
}

fn compare_parameters(here: &Routine, there: &Routine, findings: &mut Findings) {
    let named = |routine: &Routine| {
        let parameter = |parameter: &Parameter| format!("{} {}", parameter.mode, parameter.name);
        let list: Vec<String> = routine.parameters.iter().map(parameter).collect();
        list.join(", ")
    };
    findings.same(|| "parameters".to_owned(), &named(here), &named(there));
    for (parameter, other) in here.parameters.iter().zip(&there.parameters) {
        let what = match parameter.name.as_str() {
            "" => "what it returns".to_owned(),
            name => format!("parameter {}", sql::identifier(name)),
        };
        let types = (parameter.data_type.as_str(), other.data_type.as_str());
        findings.compare(|| format!("{what}: type"), types, plain_type, TYPES);
        let collations = (parameter.collation.as_str(), other.collation.as_str());
        findings.compare(
            || format!("{what}: collation"),
            collations,
            plain_charset,
            UTF8,
        );
    }
}

/// The modes that both sides can have, in one order.
fn plain_modes(modes: &str) -> String {
    let mut known: Vec<&str> = modes
        .split(',')
        .filter(|mode| !MODES_REMOVED.contains(mode))
        .map(|mode| match mode {
            "INVALID_DATES" => "ALLOW_INVALID_DATES",
            mode => mode,
        })
        .collect();
    known.sort_unstable();
    known.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_found_at_the_end_of_its_definition() {
        for (text, body, found) in [
            (
                "CREATE PROCEDURE `p`()\nSELECT '😀?'",
                "SELECT '??'",
                Some("SELECT '😀?'"),
            ),
            ("CREATE PROCEDURE `p`()\nSELECT 'x?'", "SELECT '??'", None),
            ("", "SELECT '?'", None),
        ] {
            assert_eq!(end_like(text, body).as_deref(), found, "{text}");
        }
    }

    #[test]
    fn removed_modes_do_not_count() {
        assert_eq!(plain_modes("B,NO_AUTO_CREATE_USER,A"), plain_modes("A,B"));
        assert_ne!(plain_modes("ANSI_QUOTES"), plain_modes(""));
    }
}
