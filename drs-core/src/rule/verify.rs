use mysql::{Conn, prelude::Queryable};

use super::{Asker, BindError, Filter, TableRule};
use crate::{
    endpoint::Role,
    error::redacted,
    object::{NameCase, TableName},
    schema::TableSchema,
    session::{self, SessionError},
    sql,
    task::Task,
};

/// What became of holding one rule against its table at the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFinding {
    /// The rule's table.
    pub table: TableName,
    /// What was found.
    pub verdict: RuleVerdict,
}

/// Whether a rule can be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleVerdict {
    /// It can. The condition as it is put to the server, if there is one.
    Good {
        /// For WHERE.
        condition: Option<String>,
    },
    /// It can, and something about it should be known.
    Note(String),
    /// It can't.
    Refused(String),
}

/// Holds every rule of a task against the tables at the source; changes nothing there.
pub fn check_rules(task: &Task) -> Result<Vec<RuleFinding>, SessionError> {
    if task.rules().is_empty() {
        return Ok(Vec::new());
    }
    let (mut conn, _) = session::open_source(task.source())?;
    verify(task, &mut conn)
}

/// The same on a session that is at hand.
pub(crate) fn verify(task: &Task, conn: &mut Conn) -> Result<Vec<RuleFinding>, SessionError> {
    let endpoint = task.source().clone();
    let asker = Asker::new(move || Ok(session::open_source(&endpoint)?.0));
    let case: Option<u8> = conn
        .query_first("SELECT @@global.lower_case_table_names")
        .map_err(|source| SessionError::Setup {
            role: Role::Source,
            source,
        })?;
    let case = NameCase::from_lower_case_table_names(case.unwrap_or(0));
    let image: Option<String> = conn
        .query_first("SELECT @@global.binlog_row_image")
        .ok()
        .flatten();
    let selection = task.selection().clone().with_case(case);
    let mut findings = Vec::new();
    for rule in task.rules().iter() {
        let verdict = if selection.matches(&rule.table) {
            verify_rule(task, rule, conn, &asker, image.as_deref())?
        } else {
            RuleVerdict::Note(
                "the task does not select this table: the rule has no effect".to_owned(),
            )
        };
        findings.push(RuleFinding {
            table: rule.table.clone(),
            verdict,
        });
    }
    Ok(findings)
}

fn verify_rule(
    task: &Task,
    rule: &TableRule,
    conn: &mut Conn,
    asker: &Asker,
    image: Option<&str>,
) -> Result<RuleVerdict, SessionError> {
    let schema = match TableSchema::load(conn, &rule.table) {
        Ok(Some(schema)) => schema,
        Ok(None) => {
            return Ok(RuleVerdict::Note(
                "there is no such table at the source now: the rule has no effect until there is"
                    .to_owned(),
            ));
        }
        Err(error) => return Ok(RuleVerdict::Refused(error.to_string())),
    };
    if let Err(error) = rule.check_columns_of(&schema) {
        return Ok(RuleVerdict::Refused(format!("columns: {error}")));
    }
    if let Err(reason) = crate::copy::check_columns(conn, rule) {
        return Ok(RuleVerdict::Refused(format!("columns: {reason}")));
    }
    let leaves_out = schema
        .columns
        .iter()
        .any(|column| rule.column(&column.name).is_none());
    if leaves_out
        && task.mode().follows()
        && image.is_some_and(|image| image.eq_ignore_ascii_case("MINIMAL"))
    {
        return Ok(RuleVerdict::Refused(
            "columns: binlog_row_image is MINIMAL at the source, so that its log does not tell whether other columns than \
             those left out have changed; set it to FULL, for sessions that are connected too"
                .to_owned(),
        ));
    }
    let mut condition = None;
    if let Some(expression) = &rule.filter {
        let filter = match Filter::bind(expression, &schema.columns, asker) {
            Ok(filter) => filter,
            Err(BindError::Ask(super::AskError::Session(error))) => return Err(error),
            Err(error) => return Ok(RuleVerdict::Refused(format!("where: {error}"))),
        };
        if task.mode().follows()
            && image.is_some_and(|image| image.eq_ignore_ascii_case("MINIMAL"))
            && let Some(column) = outside_key(&filter, &schema)
        {
            return Ok(RuleVerdict::Refused(format!(
                "where: binlog_row_image is MINIMAL at the source: its log does not carry column {} of a row whose \
                 other columns change; set it to FULL, for sessions that are connected too",
                sql::identifier(column)
            )));
        }
        let text = filter.sql(&schema.columns);
        let statement = format!(
            "SELECT 1 FROM {} WHERE {text} LIMIT 0",
            sql::table(&schema.name)
        );
        if let Err(error) = conn.query_drop(statement) {
            return Ok(RuleVerdict::Refused(format!(
                "where: the source refuses the condition: {}",
                redacted(&error)
            )));
        }
        condition = Some(text);
    }
    if !rule.without.is_empty() {
        let kinds: Vec<&str> = rule.without.iter().map(|kind| kind.as_str()).collect();
        return Ok(RuleVerdict::Note(format!(
            "changes of the kind {} are left out: the two sides will differ, and a later change of such a row may conflict",
            kinds.join(", ")
        )));
    }
    Ok(RuleVerdict::Good { condition })
}

/// A column that the condition needs, and the key that every image carries does not have.
fn outside_key<'s>(filter: &Filter, schema: &'s TableSchema) -> Option<&'s str> {
    // Without a key, every image before a change is complete.
    let key = schema.row_key()?;
    filter
        .columns()
        .into_iter()
        .find(|column| !key.parts.iter().any(|part| part.column == Some(*column)))
        .and_then(|column| schema.columns.get(column))
        .map(|column| column.name.as_str())
}
