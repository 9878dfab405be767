//! The level "objects": databases, tables, views, procedures and functions, by what they mean and
//! not by how a server prints them.

mod ask;
mod columns;
mod constraints;
mod database;
mod definers;
mod error;
mod expected;
mod expression;
mod facts;
mod findings;
mod key_facts;
mod keys;
mod noted;
mod programs;
mod result;
mod routines;
mod spelling;
mod tables;
mod tokens;
mod views;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
};

use mysql::Conn;

use ask::{Side, text};
use definers::Accounts;
pub use error::ObjectsError;
use findings::Findings;
pub use result::{
    DifferenceKind, ObjectCounts, ObjectDifference, ObjectKind, ObjectName, ObjectResult,
    ObjectSummary, ObjectVerdict,
};
use spelling::plain_charset;

use crate::{
    dialect::ServerVersion,
    endpoint::Role,
    object::{CHECKPOINT_DATABASE, DatabaseName, Mapping, Selection, TableName},
    task::Task,
};

/// Compares the definitions of what a task takes with what is at the destination, and gives each
/// object's result to `result`, database by database.
///
/// The sessions are as [`open_source`](crate::open_source) and
/// [`open_destination`](crate::open_destination) open them; nothing is written, and their character
/// set is `utf8mb4` afterwards. Memory holds the definitions of a few hundred tables at a time,
/// and the names of one database's objects. What the
/// accounts may not see is not there for the comparison, but for procedures and functions without
/// a visible body, which are said to be not compared.
///
/// Not seen: a column that may be NULL and had its default dropped (`ALTER … DROP DEFAULT`), and
/// engine attributes.
///
/// # Errors
/// When a server does not answer, or `stop` is set meanwhile. Results that were given stand.
pub fn compare_objects(
    task: &Task,
    source: (&mut Conn, ServerVersion),
    destination: (&mut Conn, ServerVersion),
    stop: &AtomicBool,
    result: &mut dyn FnMut(ObjectResult),
) -> Result<ObjectSummary, ObjectsError> {
    let source = Side::new(source.0, source.1, Role::Source)?;
    let mut destination = Side::new(destination.0, destination.1, Role::Destination)?;
    let mut comparison = Comparison {
        selection: task.selection().clone().with_case(source.case),
        mapping: task.mapping().clone().with_case(source.case)?,
        accounts: Accounts::load(&mut destination)?,
        others: written_by_others(&mut destination, task)?,
        task,
        source,
        destination,
        summary: ObjectSummary::default(),
        result,
    };
    comparison.run(stop)?;
    Ok(comparison.summary)
}

/// One comparison while it goes on.
struct Comparison<'a> {
    task: &'a Task,
    selection: Selection,
    mapping: Mapping,
    source: Side<'a>,
    destination: Side<'a>,
    accounts: Accounts,
    /// The destination's tables that other tasks write to, by their folded names.
    others: BTreeSet<TableName>,
    summary: ObjectSummary,
    result: &'a mut dyn FnMut(ObjectResult),
}

/// A database's default character set and collation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Defaults {
    charset: String,
    collation: String,
}

type Databases = BTreeMap<DatabaseName, Defaults>;

/// Servers show definitions in `utf8mb3`, with `?` for every character that it lacks.
const LABELS: &str = "labels of ENUM or SET in it may hold characters that the servers show as ?";

const LATER_DATABASE: &str = "only some of its tables are selected";

impl Comparison<'_> {
    fn run(&mut self, stop: &AtomicBool) -> Result<(), ObjectsError> {
        let here = databases(&mut self.source)?;
        let there = databases(&mut self.destination)?;
        let selected: Vec<DatabaseName> = here
            .keys()
            .filter(|name| self.selection.may_match_in(name))
            .cloned()
            .collect();
        for name in &selected {
            if stop.load(Ordering::Relaxed) {
                return Err(ObjectsError::Stopped);
            }
            let is_alone = expected::is_alone(&self.mapping, name, &selected);
            let took = self.database(name, is_alone, &there)?;
            let whole = self.selection.is_database_level(name);
            if let Some(defaults) = here.get(name).filter(|_| whole || took) {
                self.compare_database(name, defaults, &there, whole && is_alone);
            }
        }
        self.gone_databases(&here, &there);
        Ok(())
    }

    fn compare_database(
        &mut self,
        name: &DatabaseName,
        here: &Defaults,
        there: &Databases,
        whole: bool,
    ) {
        let mapped = self.mapping.database(name);
        let mut findings = Findings::default();
        let Some((name_there, defaults)) = self.find_database(there, &mapped) else {
            self.report(
                ObjectKind::Database,
                Some(ObjectName::Database(name.clone())),
                None,
                ObjectVerdict::OnlyAtSource,
                findings,
            );
            return;
        };
        for (what, texts) in [
            ("default character set", (&here.charset, &defaults.charset)),
            ("default collation", (&here.collation, &defaults.collation)),
        ] {
            if texts.0 != texts.1 {
                let same = plain_charset(texts.0) == plain_charset(texts.1);
                let reason = match whole {
                    true => same.then_some(columns::UTF8),
                    false => Some(LATER_DATABASE),
                };
                findings.differ(what, texts.0, texts.1, reason);
            }
        }
        let name_there = name_there.clone();
        self.report(
            ObjectKind::Database,
            Some(ObjectName::Database(name.clone())),
            Some(ObjectName::Database(name_there)),
            findings.verdict(),
            findings,
        );
    }

    /// Databases that the task names, and that only the destination still has.
    fn gone_databases(&mut self, here: &Databases, there: &Databases) {
        let named = self
            .selection
            .include()
            .iter()
            .filter(|entry| entry.is_database_level());
        let gone: BTreeSet<DatabaseName> = named
            .filter_map(|entry| entry.single_database())
            .filter(|name| self.selection.is_database_level(name))
            .filter(|name| {
                !here
                    .keys()
                    .any(|other| self.source.case.same(other.as_str(), name.as_str()))
            })
            .map(|name| self.mapping.database(&name))
            .collect();
        for name in gone {
            if let Some((name, _)) = self.find_database(there, &name) {
                let name = ObjectName::Database(name.clone());
                let verdict = ObjectVerdict::OnlyAtDestination;
                self.report(
                    ObjectKind::Database,
                    None,
                    Some(name),
                    verdict,
                    Findings::default(),
                );
            }
        }
    }

    fn find_database<'d>(
        &self,
        there: &'d Databases,
        name: &DatabaseName,
    ) -> Option<(&'d DatabaseName, &'d Defaults)> {
        let case = self.destination.case;
        there
            .iter()
            .find(|(other, _)| case.same(other.as_str(), name.as_str()))
    }

    /// Counts a result and hands it out.
    fn report(
        &mut self,
        kind: ObjectKind,
        source: Option<ObjectName>,
        destination: Option<ObjectName>,
        verdict: ObjectVerdict,
        findings: Findings,
    ) {
        let counts = self.summary.counts.entry(kind).or_default();
        counts.source += u64::from(source.is_some());
        counts.destination += u64::from(destination.is_some());
        match verdict {
            ObjectVerdict::Equal => {}
            ObjectVerdict::NotCompared(_) => counts.not_compared += 1,
            _ => counts.different += 1,
        }
        (self.result)(ObjectResult {
            kind,
            source,
            destination,
            verdict,
            differences: findings.into_differences(),
        });
    }
}

fn databases(side: &mut Side<'_>) -> Result<Databases, ObjectsError> {
    let mut databases = Databases::new();
    side.rows(
        "its databases",
        "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA",
        |row| {
            if let Ok(name) = DatabaseName::new(&text(row, 0)) {
                let defaults = Defaults {
                    charset: text(row, 1),
                    collation: text(row, 2),
                };
                databases.insert(name, defaults);
            }
        },
    )?;
    Ok(databases)
}

/// The tables that other tasks write to; none where no task has a checkpoint.
fn written_by_others(
    destination: &mut Side<'_>,
    task: &Task,
) -> Result<BTreeSet<TableName>, ObjectsError> {
    let mut name = String::new();
    crate::sql::write_text(&mut name, task.name().as_str());
    let mut others = BTreeSet::new();
    let case = destination.case;
    let asked = destination.rows(
        "the tables that other tasks write to",
        &format!("SELECT db, tbl FROM {CHECKPOINT_DATABASE}.writer WHERE task <> {name}"),
        |row| {
            if let Ok(table) = TableName::new(&text(row, 0), &text(row, 1)) {
                others.insert(table.folded(case));
            }
        },
    );
    match asked {
        // No such table or database, or not for this account.
        Err(ObjectsError::Query {
            source: mysql::Error::MySqlError(_),
            ..
        }) => Ok(BTreeSet::new()),
        asked => asked.map(|()| others),
    }
}
