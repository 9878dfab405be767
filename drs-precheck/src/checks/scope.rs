//! Where the task's accounts need privileges.

use std::fmt;

use drs_core::{DatabaseName, TableName};

use crate::{
    Facts, Unread,
    facts::{Grants, TableKind},
};

/// What privileges are granted on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// The whole server.
    Server,
    /// All tables of a database.
    Database(DatabaseName),
    /// One table.
    Table(TableName),
}

impl Scope {
    /// True when the account has the privilege there.
    pub(super) fn has(&self, grants: &Grants, privilege: &str) -> bool {
        match self {
            Self::Server => grants.has_global(privilege),
            Self::Database(database) => grants.has_on_database(database, privilege),
            Self::Table(table) => grants.has_on_table(table, privilege),
        }
    }

    /// The same as a database at least, for privileges that can't be granted on a table.
    pub(super) fn database_at_least(&self) -> Self {
        match self {
            Self::Table(table) => Self::Database(table.database.clone()),
            scope => scope.clone(),
        }
    }

    /// What a grant of these privileges there must hold: what the account may do by a grant with
    /// wildcards, it would lose by one for the database itself.
    pub(super) fn list_to_grant(&self, grants: &Grants, privileges: &[&str]) -> String {
        let mut list: Vec<&str> = privileges.to_vec();
        if let Self::Database(database) = self {
            let kept = grants.by_wildcard(database);
            list.extend(kept.into_iter().filter(|kept| *kept != "USAGE"));
        }
        list.join(", ")
    }

    /// As a `GRANT` has it.
    pub(super) fn to_grant(&self, grants: &Grants) -> String {
        match self {
            Self::Server => "*.*".to_owned(),
            Self::Database(database) => grants.database_pattern(database),
            Self::Table(table) => table.to_string(),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("*.*"),
            Self::Database(database) => write!(f, "{database}.*"),
            Self::Table(table) => write!(f, "{table}"),
        }
    }
}

/// What is selected at the source: what the account sees of it, and what the task names. Databases
/// that are selected as a whole count as one.
pub(super) fn at_source(facts: &Facts) -> Result<Vec<Scope>, Unread> {
    let selection = facts.selection();
    let databases = facts.source.tables.databases.as_ref();
    let databases = databases.map_err(Clone::clone)?;
    let tables = facts.source.tables.tables.as_ref().map_err(Clone::clone)?;
    let mut scopes: Vec<Scope> = databases
        .iter()
        .filter(|database| selection.is_database_level(&database.name))
        .map(|database| Scope::Database(database.name.clone()))
        .collect();
    scopes.extend(
        tables
            .iter()
            .filter(|table| table.kind == TableKind::Base)
            .filter(|table| !selection.is_database_level(&table.name.database))
            .map(|table| Scope::Table(table.name.clone())),
    );
    // What the account sees nothing of.
    for entry in selection.include() {
        let Some(database) = entry.single_database() else {
            continue;
        };
        if selection.is_database_level(&database) {
            scopes.push(Scope::Database(database));
        } else if let Some(table) = entry.single_table() {
            if selection.matches(&table) {
                scopes.push(Scope::Table(table));
            }
        } else if !tables.iter().any(|table| table.name.database == database) {
            scopes.push(Scope::Database(database));
        }
    }
    scopes.sort();
    scopes.dedup();
    Ok(scopes)
}

/// Where the selected tables go.
pub(super) fn at_destination(facts: &Facts) -> Result<Vec<Scope>, Unread> {
    let mapping = facts.task.mapping();
    let mut scopes: Vec<Scope> = at_source(facts)?
        .into_iter()
        .map(|scope| match scope {
            Scope::Server => Scope::Server,
            Scope::Database(database) => Scope::Database(mapping.database(&database)),
            Scope::Table(table) => Scope::Table(mapping.table(&table)),
        })
        .collect();
    for (table, mapped) in facts.mapped()? {
        if mapped.database != mapping.database(&table.name.database) {
            scopes.push(Scope::Table(mapped));
        }
    }
    scopes.sort();
    scopes.dedup();
    Ok(scopes)
}

/// Entries of the selection with wildcards that match no database that the account sees.
pub(super) fn unseen_patterns(facts: &Facts) -> Result<Vec<String>, Unread> {
    let databases = facts.source.tables.databases.as_ref();
    let databases = databases.map_err(Clone::clone)?;
    let entries = facts.task.selection().include().iter();
    let patterns = entries.filter(|entry| entry.single_database().is_none());
    Ok(match databases.is_empty() {
        true => patterns.map(|entry| entry.as_str().to_owned()).collect(),
        false => Vec::new(),
    })
}
