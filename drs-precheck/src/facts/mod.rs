//! What is known of the two servers, gathered by a fixed list of queries; nothing else here touches
//! the network. One question that a server does not answer costs one fact.

mod account;
mod activity;
mod answer;
mod ask;
mod binlog;
mod collations;
mod disk;
mod grants;
mod pairs;
mod previous;
mod programs;
#[cfg(test)]
pub(crate) mod sample;
mod server;
mod statement;
mod tables;
mod time;
mod uses;
mod write_rate;

use std::{collections::BTreeSet, fmt, time::Instant};

use drs_core::{
    DatabaseName, Mapping, NameCase, Role, RuleFinding, Selection, ServerVersion, TableName, Task,
    check_rules,
};
use mysql::Conn;

pub use account::{Account, Limits, PasswordLifetime};
pub use activity::{Activity, Channel, GroupMember, OpenTransaction, Replica};
pub use binlog::{AtStart, Binlog, LogFileSize};
pub use collations::Collations;
pub use disk::Disk;
pub use grants::{GrantSettings, Grants};
pub use pairs::Pair;
pub use previous::{Previous, Writer};
pub use programs::{AccountName, Event, Programs, Routine, RoutineKind, Trigger, View};
pub use server::{Connection, Refusal, RefusalKind, Variables};
pub use tables::{
    Column, Database, ForeignKey, Generated, Index, IndexPart, Over, Table, TableKind, Tables,
};
pub use time::Time;
pub use uses::Uses;
pub use write_rate::WriteRate;

use crate::Finding;

/// Something that was asked for, or why there is no answer.
pub type Fact<T> = Result<T, Unread>;

/// Why a fact is missing, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What could not be read and why, without passwords and rows.
    pub reason: String,
}

impl Unread {
    /// A reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }

    /// The server's answer to a question about `what`.
    pub(crate) fn of(role: Role, what: &str, error: &mysql::Error) -> Self {
        let reason = match error {
            mysql::Error::MySqlError(error) => format!("error {}: {}", error.code, error.message),
            mysql::Error::FromValueError(_) | mysql::Error::FromRowError(_) => {
                "an unexpected answer".to_owned()
            }
            error => error.to_string(),
        };
        Self::new(format!("the {role} does not tell {what}: {reason}"))
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl From<Unread> for Finding {
    fn from(unread: Unread) -> Self {
        Self::unknown(unread.reason)
    }
}

/// All that the checks look at.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What is to be done.
    pub task: Task,
    /// The source.
    pub source: Side,
    /// The destination.
    pub destination: Side,
    /// What the source makes of the task's rules.
    pub rules: Fact<Vec<RuleFinding>>,
    /// How fast the source's log grows.
    pub write_rate: Fact<WriteRate>,
}

/// What is known of one of the servers.
#[derive(Clone, Debug)]
pub struct Side {
    /// Which.
    pub role: Role,
    /// The session that the facts were asked in, or why there is none.
    pub connection: Result<Connection, Refusal>,
    /// Its version.
    pub version: Fact<ServerVersion>,
    /// Its global variables.
    pub variables: Fact<Variables>,
    /// The account that the task uses, and what it may do.
    pub account: Account,
    /// Its binary log.
    pub binlog: Binlog,
    /// What goes on there.
    pub activity: Activity,
    /// The collations that it has.
    pub collations: Fact<Collations>,
    /// The databases and tables that have to do with the task.
    pub tables: Tables,
    /// Views, routines, triggers and events in the same databases.
    pub programs: Programs,
    /// Its time zones and clock.
    pub time: Time,
    /// What tasks have left in `drs_meta`; of use at the destination only.
    pub previous: Previous,
    /// The room on its disk; at the destination only.
    pub disk: Fact<Disk>,
    /// The account may set, in its own session, the variables that not everyone may set there; at the
    /// destination only.
    pub sets_restricted: Fact<bool>,
}

impl Facts {
    /// Asks both servers, in one session each. Nothing there is changed.
    ///
    /// Never fails: what could not be had is missing in the facts, with the reason.
    pub fn gather(task: &Task) -> Self {
        let (source, mut conn) = Side::gather_source(task);
        let begun = Instant::now();
        let destination = Side::gather_destination(task, &source);
        let rules = match &source.connection {
            Ok(_) => check_rules(task).map_err(|error| Unread::new(error.to_string())),
            Err(_) => Err(Unread::new("there is no connection to the source")),
        };
        let write_rate = match (&mut conn, task.mode().follows()) {
            (Some(conn), true) => WriteRate::measure(conn, &source.binlog, begun),
            (Some(_), false) => Err(Unread::new("the task does not follow the log")),
            (None, _) => Err(Unread::new("there is no connection to the source")),
        };
        Self {
            task: task.clone(),
            source,
            destination,
            rules,
            write_rate,
        }
    }

    /// One of the servers.
    pub fn side(&self, role: Role) -> &Side {
        match role {
            Role::Source => &self.source,
            Role::Destination => &self.destination,
        }
    }

    /// The selection, as the source's case of names makes it.
    pub fn selection(&self) -> Selection {
        selection(&self.task, &self.source)
    }

    /// The mapping, as the source's case of names makes it; as it is where that gives one object
    /// two names.
    pub fn mapping(&self) -> Mapping {
        mapping(&self.task, &self.source)
    }

    /// The selected tables with the names that they get at the destination.
    pub fn mapped(&self) -> Fact<Vec<(&Table, TableName)>> {
        let tables = self.source.tables.tables.as_ref().map_err(Clone::clone)?;
        let mapping = self.mapping();
        Ok(tables
            .iter()
            .filter(|table| table.kind == TableKind::Base)
            .map(|table| (table, mapping.table(&table.name)))
            .collect())
    }
}

impl Side {
    /// With the session, for what is asked later.
    fn gather_source(task: &Task) -> (Self, Option<Conn>) {
        let role = Role::Source;
        let (mut conn, version, connection) = match open(task, role) {
            Ok(opened) => opened,
            Err(refusal) => return (Self::unreached(role, refusal), None),
        };
        let variables = Variables::gather(&mut conn, role);
        let mut side = Self {
            connection: Ok(connection),
            version: Ok(version),
            variables,
            ..Self::unread(role, &Unread::new("it was not asked for"))
        };
        let selection = selection(task, &side);
        side.tables = Tables::gather(
            &mut conn,
            role,
            version,
            |database| selection.may_match_in(database),
            |table| selection.matches(table),
            false,
        );
        side.gather_rest(&mut conn, version, task);
        side.time = Time::gather(&mut conn, role, &side.variables, None);
        (side, Some(conn))
    }

    fn gather_destination(task: &Task, source: &Self) -> Self {
        let role = Role::Destination;
        let (mut conn, version, connection) = match open(task, role) {
            Ok(opened) => opened,
            Err(refusal) => return Self::unreached(role, refusal),
        };
        let variables = Variables::gather(&mut conn, role);
        let mut side = Self {
            connection: Ok(connection),
            version: Ok(version),
            variables,
            ..Self::unread(role, &Unread::new("it was not asked for"))
        };
        side.tables = match (&source.tables.databases, &source.tables.tables) {
            (Ok(databases), Ok(tables)) => {
                let case = side.name_case();
                let key = |name: &str| match case {
                    NameCase::Sensitive => name.to_owned(),
                    NameCase::Insensitive => name.to_lowercase(),
                };
                let both = |name: &TableName| (key(name.database.as_str()), key(&name.table));
                let mapping = mapping(task, source);
                let there: BTreeSet<(String, String)> = tables
                    .iter()
                    .map(|table| both(&mapping.table(&table.name)))
                    .collect();
                let selection = selection(task, source);
                let whole = databases
                    .iter()
                    .filter(|database| selection.is_database_level(&database.name))
                    .map(|database| key(mapping.database(&database.name).as_str()));
                let scope: BTreeSet<String> = there
                    .iter()
                    .map(|(database, _)| database.clone())
                    .chain(whole)
                    .collect();
                Tables::gather(
                    &mut conn,
                    role,
                    version,
                    |database| scope.contains(&key(database.as_str())),
                    |table| there.contains(&both(table)),
                    true,
                )
            }
            (Err(unread), _) | (_, Err(unread)) => Tables::unread(&Unread::new(format!(
                "what to look for at the destination depends on the source: {unread}"
            ))),
        };
        side.gather_rest(&mut conn, version, task);
        side.time = Time::gather(&mut conn, role, &side.variables, Some(source));
        side.previous = Previous::gather(&mut conn, task.name());
        side.disk = Disk::gather(&side.variables);
        side.sets_restricted = server::sets_restricted(&mut conn, version);
        side
    }

    /// What is asked of both servers, for the databases that are known by now.
    fn gather_rest(&mut self, conn: &mut Conn, version: ServerVersion, task: &Task) {
        let role = self.role;
        self.account = Account::gather(conn, role, version, &self.variables);
        self.binlog = Binlog::gather(conn, role, version, task);
        self.activity = Activity::gather(conn, role, version);
        self.collations = Collations::gather(conn, role, version);
        let databases: Fact<Vec<DatabaseName>> = match &self.tables.databases {
            Ok(databases) => Ok(databases.iter().map(|there| there.name.clone()).collect()),
            Err(unread) => Err(unread.clone()),
        };
        self.programs = match databases {
            Ok(databases) => Programs::gather(conn, role, version, &databases),
            Err(unread) => Programs::unread(&unread),
        };
    }

    fn unreached(role: Role, refusal: Refusal) -> Self {
        let reason = Unread::new(format!("there is no connection to the {role}"));
        Self {
            connection: Err(refusal),
            ..Self::unread(role, &reason)
        }
    }

    fn unread(role: Role, reason: &Unread) -> Self {
        Self {
            role,
            connection: Err(Refusal {
                kind: RefusalKind::Server,
                reason: reason.reason.clone(),
            }),
            version: Err(reason.clone()),
            variables: Err(reason.clone()),
            account: Account::unread(reason),
            binlog: Binlog::unread(reason),
            activity: Activity::unread(reason),
            collations: Err(reason.clone()),
            tables: Tables::unread(reason),
            programs: Programs::unread(reason),
            time: Time::unread(reason),
            previous: Previous::unread(reason),
            disk: Err(reason.clone()),
            sets_restricted: Err(reason.clone()),
        }
    }

    /// The session with it; for checks, which take a missing fact as their answer.
    pub fn connection(&self) -> Fact<&Connection> {
        let missing = |_| Unread::new(format!("there is no connection to the {}", self.role));
        self.connection.as_ref().map_err(missing)
    }

    /// Its variables; for checks, which take a missing fact as their answer.
    pub fn variables(&self) -> Fact<&Variables> {
        self.variables.as_ref().map_err(Clone::clone)
    }

    /// Its version; likewise.
    pub fn version(&self) -> Fact<ServerVersion> {
        self.version.clone()
    }

    /// How its table names compare, by `lower_case_table_names`; by case if that is not known.
    pub fn name_case(&self) -> NameCase {
        let setting = self.variables.as_ref().ok();
        let setting = setting.and_then(|variables| variables.number("lower_case_table_names"));
        let setting = setting.and_then(|value| u8::try_from(value).ok());
        NameCase::from_lower_case_table_names(setting.unwrap_or(0))
    }
}

fn selection(task: &Task, source: &Side) -> Selection {
    task.selection().clone().with_case(source.name_case())
}

fn mapping(task: &Task, source: &Side) -> Mapping {
    let mapping = task.mapping().clone();
    let folded = mapping.clone().with_case(source.name_case());
    folded.unwrap_or(mapping)
}

/// A session for reading, at the destination too.
fn open(task: &Task, role: Role) -> Result<(Conn, ServerVersion, Connection), Refusal> {
    let other = |reason: String| Refusal {
        kind: RefusalKind::Server,
        reason,
    };
    let mut conn = task
        .endpoint(role)
        .connect(role)
        .map_err(|error| Refusal::from(&error))?;
    let version = server::version(&mut conn, role).map_err(|unread| other(unread.reason))?;
    drs_core::source_session(&mut conn, version)
        .map_err(|error| other(Unread::of(role, "what its sessions are", &error).reason))?;
    let connection = Connection::gather(&mut conn, role).map_err(|unread| other(unread.reason))?;
    Ok((conn, version, connection))
}
