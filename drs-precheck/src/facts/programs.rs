//! Views, routines, triggers and events: a fixed number of queries, whatever their number.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use drs_core::{DatabaseName, Role, ServerVersion, TableName};
use mysql::Conn;

use super::{
    Fact, Unread,
    ask::{Ask, name, scope, some, text},
    uses::Uses,
};

/// Views, routines, triggers and events in the databases that have to do with the task; those of
/// them that the account may see.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The views.
    pub views: Fact<Vec<View>>,
    /// The stored procedures and functions.
    pub routines: Fact<Vec<Routine>>,
    /// The triggers.
    pub triggers: Fact<Vec<Trigger>>,
    /// The events.
    pub events: Fact<Vec<Event>>,
    /// The server's accounts.
    pub accounts: Fact<BTreeSet<AccountName>>,
    /// Those of them that have SYSTEM_USER; none before 8.0.16.
    pub system_users: Fact<BTreeSet<AccountName>>,
}

/// An account, as it is kept in `mysql.user`. Prints as `` `user`@`host` ``.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountName {
    /// The user.
    pub user: String,
    /// Where the user may come from.
    pub host: String,
}

/// A view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its name.
    pub name: TableName,
    /// By whose rights it reads.
    pub definer: AccountName,
    /// The account may see its definition.
    pub is_readable: bool,
    /// What it reads.
    pub uses: Uses,
}

/// A stored procedure or function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routine {
    /// Its name.
    pub name: TableName,
    /// `procedure` or `function`.
    pub kind: RoutineKind,
    /// By whose rights it runs.
    pub definer: AccountName,
    /// The account may see its definition.
    pub is_readable: bool,
    /// What its text names, as far as that can be told.
    pub uses: Uses,
}

/// What a routine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoutineKind {
    /// A procedure.
    Procedure,
    /// A function.
    Function,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// Its name.
    pub name: TableName,
    /// The table that it is on.
    pub table: TableName,
    /// When it runs: `BEFORE INSERT`.
    pub when: String,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub name: TableName,
    /// It runs at its times.
    pub is_enabled: bool,
}

impl AccountName {
    /// Reads `user@host`, as `information_schema` writes it; the host has no `@`.
    pub fn parse(text: &str) -> Self {
        let (user, host) = text.rsplit_once('@').unwrap_or((text, ""));
        Self {
            user: user.to_owned(),
            host: host.to_owned(),
        }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |part: &str| part.replace('`', "``");
        write!(f, "`{}`@`{}`", quoted(&self.user), quoted(&self.host))
    }
}

impl fmt::Display for RoutineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Procedure => "procedure",
            Self::Function => "function",
        })
    }
}

impl Programs {
    /// Without any answer, for this reason.
    pub(super) fn unread(reason: &Unread) -> Self {
        Self {
            views: Err(reason.clone()),
            routines: Err(reason.clone()),
            triggers: Err(reason.clone()),
            events: Err(reason.clone()),
            accounts: Err(reason.clone()),
            system_users: Err(reason.clone()),
        }
    }

    pub(super) fn gather(
        conn: &mut Conn,
        role: Role,
        version: ServerVersion,
        databases: &[DatabaseName],
    ) -> Self {
        let mut ask = Ask {
            conn,
            role,
            version,
        };
        let names: BTreeSet<&str> = databases.iter().map(DatabaseName::as_str).collect();
        let accounts = ask.accounts();
        let system_users = ask.system_users();
        if names.is_empty() {
            return Self {
                views: Ok(Vec::new()),
                routines: Ok(Vec::new()),
                triggers: Ok(Vec::new()),
                events: Ok(Vec::new()),
                accounts,
                system_users,
            };
        }
        let scope = scope(&names);
        // Where names are compared without case, the server takes other databases in too.
        let is_there = |name: &TableName| names.contains(name.database.as_str());
        Self {
            views: ask.views(&scope, is_there),
            routines: ask.routines(&scope, is_there),
            triggers: ask.triggers(&scope, is_there),
            events: ask.events(&scope, is_there),
            accounts,
            system_users,
        }
    }
}

impl Ask<'_> {
    fn accounts(&mut self) -> Fact<BTreeSet<AccountName>> {
        self.account_names("its accounts", "SELECT User, Host FROM mysql.user")
    }

    fn system_users(&mut self) -> Fact<BTreeSet<AccountName>> {
        if !self.version.is_mysql_at_least(8, 0, 16) {
            return Ok(BTreeSet::new());
        }
        self.account_names(
            "which accounts have SYSTEM_USER",
            "SELECT USER, HOST FROM mysql.global_grants WHERE PRIV = 'SYSTEM_USER'",
        )
    }

    fn account_names(&mut self, what: &str, statement: &str) -> Fact<BTreeSet<AccountName>> {
        let mut accounts = BTreeSet::new();
        self.rows(what, statement, |row| {
            accounts.insert(AccountName {
                user: text(row, 0),
                host: text(row, 1),
            });
        })?;
        Ok(accounts)
    }

    fn views(&mut self, scope: &str, is_there: impl Fn(&TableName) -> bool) -> Fact<Vec<View>> {
        let mut known = self.view_uses(scope)?;
        let version = self.version;
        let mut views = Vec::new();
        self.rows(
            "its views",
            &format!(
                "SELECT TABLE_SCHEMA, TABLE_NAME, DEFINER, VIEW_DEFINITION FROM information_schema.VIEWS \
                 WHERE TABLE_SCHEMA IN {scope} ORDER BY TABLE_SCHEMA, TABLE_NAME"
            ),
            |row| {
                let Some(name) = name(row, 0, 1).filter(&is_there) else {
                    return;
                };
                let definition = text(row, 3);
                let uses = known.remove(&name);
                views.push(View {
                    definer: AccountName::parse(&text(row, 2)),
                    is_readable: !definition.is_empty(),
                    uses: uses.unwrap_or_else(|| Uses::of(&definition, &name.database, version)),
                    name,
                });
            },
        )?;
        Ok(views)
    }

    /// What views use, where the server keeps it.
    fn view_uses(&mut self, scope: &str) -> Fact<BTreeMap<TableName, Uses>> {
        let mut uses: BTreeMap<TableName, Uses> = BTreeMap::new();
        if !self.version.is_mysql_at_least(8, 0, 13) {
            return Ok(uses);
        }
        self.rows(
            "the tables of its views",
            &format!(
                "SELECT VIEW_SCHEMA, VIEW_NAME, TABLE_SCHEMA, TABLE_NAME FROM information_schema.VIEW_TABLE_USAGE \
                 WHERE VIEW_SCHEMA IN {scope}"
            ),
            |row| {
                if let (Some(view), Some(table)) = (name(row, 0, 1), name(row, 2, 3)) {
                    uses.entry(view).or_default().tables.insert(table);
                }
            },
        )?;
        self.rows(
            "the functions of its views",
            &format!(
                "SELECT TABLE_SCHEMA, TABLE_NAME, SPECIFIC_SCHEMA, SPECIFIC_NAME \
                 FROM information_schema.VIEW_ROUTINE_USAGE WHERE TABLE_SCHEMA IN {scope}"
            ),
            |row| {
                if let (Some(view), Some(routine)) = (name(row, 0, 1), name(row, 2, 3)) {
                    uses.entry(view).or_default().routines.insert(routine);
                }
            },
        )?;
        Ok(uses)
    }

    fn routines(
        &mut self,
        scope: &str,
        is_there: impl Fn(&TableName) -> bool,
    ) -> Fact<Vec<Routine>> {
        let version = self.version;
        let mut routines = Vec::new();
        self.rows(
            "its procedures and functions",
            &format!(
                "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, DEFINER, ROUTINE_DEFINITION \
                 FROM information_schema.ROUTINES \
                 WHERE ROUTINE_SCHEMA IN {scope} AND ROUTINE_TYPE IN ('FUNCTION', 'PROCEDURE') \
                 ORDER BY ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE"
            ),
            |row| {
                let Some(name) = name(row, 0, 1).filter(&is_there) else {
                    return;
                };
                let definition = some(row, 4);
                routines.push(Routine {
                    kind: match text(row, 2).as_str() {
                        "FUNCTION" => RoutineKind::Function,
                        _ => RoutineKind::Procedure,
                    },
                    definer: AccountName::parse(&text(row, 3)),
                    is_readable: definition.is_some(),
                    uses: Uses::of(&definition.unwrap_or_default(), &name.database, version),
                    name,
                });
            },
        )?;
        Ok(routines)
    }

    fn triggers(
        &mut self,
        scope: &str,
        is_there: impl Fn(&TableName) -> bool,
    ) -> Fact<Vec<Trigger>> {
        let mut triggers = Vec::new();
        self.rows(
            "its triggers",
            &format!(
                "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, ACTION_TIMING, \
                 EVENT_MANIPULATION FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA IN {scope} \
                 ORDER BY TRIGGER_SCHEMA, TRIGGER_NAME"
            ),
            |row| {
                let trigger = name(row, 0, 1).filter(&is_there);
                if let (Some(name), Some(table)) = (trigger, name(row, 2, 3)) {
                    triggers.push(Trigger {
                        name,
                        table,
                        when: format!("{} {}", text(row, 4), text(row, 5)),
                    });
                }
            },
        )?;
        Ok(triggers)
    }

    fn events(&mut self, scope: &str, is_there: impl Fn(&TableName) -> bool) -> Fact<Vec<Event>> {
        let mut events = Vec::new();
        self.rows(
            "its events",
            &format!(
                "SELECT EVENT_SCHEMA, EVENT_NAME, STATUS FROM information_schema.EVENTS \
                 WHERE EVENT_SCHEMA IN {scope} ORDER BY EVENT_SCHEMA, EVENT_NAME"
            ),
            |row| {
                if let Some(name) = name(row, 0, 1).filter(&is_there) {
                    events.push(Event {
                        name,
                        is_enabled: text(row, 2) == "ENABLED",
                    });
                }
            },
        )?;
        Ok(events)
    }
}

#[cfg(test)]
impl Programs {
    pub(crate) fn sample() -> Self {
        let root = AccountName::parse("root@localhost");
        Self {
            views: Ok(Vec::new()),
            routines: Ok(Vec::new()),
            triggers: Ok(Vec::new()),
            events: Ok(Vec::new()),
            accounts: Ok(BTreeSet::from([root])),
            system_users: Ok(BTreeSet::new()),
        }
    }
}
