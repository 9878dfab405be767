use std::collections::{BTreeMap, BTreeSet};

use mysql::{Conn, Row, prelude::Queryable};

use super::{CopyError, error::at_source};
use crate::object::{DatabaseName, Mapping, Selection, TableName};

/// A table that the selection takes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableToCopy {
    /// The table.
    pub name: TableName,
    /// Its storage engine, as the server spells it.
    pub engine: String,
    /// How many rows the server believes it has.
    pub rows_estimate: u64,
    /// How many bytes of rows the server believes it has.
    pub bytes_estimate: u64,
}

/// What the source's selected databases hold, seen in a few queries whatever the number of tables.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The selected tables, by name.
    pub tables: Vec<TableToCopy>,
    /// What else there is.
    pub left_out: LeftOut,
}

/// Objects in the selected databases beside the tables: triggers and events are not copied, and
/// the others not followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Views that the selection takes in.
    pub views: u64,
    /// Stored procedures and functions.
    pub routines: u64,
    /// Triggers on selected tables.
    pub triggers: u64,
    /// Events.
    pub events: u64,
}

impl LeftOut {
    /// True when there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// True when tables of this storage engine can be copied.
pub fn copies_engine(engine: &str) -> bool {
    matches!(engine.to_ascii_lowercase().as_str(), "innodb" | "myisam")
}

/// Lists what the selection takes in at a source.
///
/// # Errors
/// Also when a selected table has an engine other than InnoDB and MyISAM: all such tables
/// are named at once.
pub fn list_tables(conn: &mut Conn, selection: &Selection) -> Result<Listing, CopyError> {
    let mut listing = Listing::default();
    let mut foreign = Vec::new();
    let mut databases = BTreeSet::new();
    let rows = conn
        .query_iter(
            "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH \
             FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')",
        )
        .map_err(at_source("listing the tables"))?;
    for row in rows {
        let mut row: Row = row.map_err(at_source("listing the tables"))?;
        let (Some(name), kind) = (table_name(&mut row, 0, 1), text(&mut row, 2)) else {
            continue;
        };
        if !selection.matches(&name) {
            continue;
        }
        match kind.as_str() {
            "BASE TABLE" => {
                databases.insert(name.database.clone());
                let engine = text(&mut row, 3);
                if !copies_engine(&engine) {
                    foreign.push((name.clone(), engine.clone()));
                }
                listing.tables.push(TableToCopy {
                    name,
                    engine,
                    rows_estimate: number(&mut row, 4),
                    bytes_estimate: number(&mut row, 5),
                });
            }
            _ => listing.left_out.views += 1,
        }
    }
    if !foreign.is_empty() {
        return Err(CopyError::Engines { tables: foreign });
    }
    listing.tables.sort_by(|a, b| a.name.cmp(&b.name));
    // The routines and events of a database go with the database, not with one table of it.
    let whole = |database: &DatabaseName| selection.is_database_level(database);
    listing.left_out.routines = count_by_database(
        conn,
        "SELECT ROUTINE_SCHEMA, COUNT(*) FROM information_schema.ROUTINES GROUP BY ROUTINE_SCHEMA",
        whole,
    )?;
    listing.left_out.events = count_by_database(
        conn,
        "SELECT EVENT_SCHEMA, COUNT(*) FROM information_schema.EVENTS GROUP BY EVENT_SCHEMA",
        whole,
    )?;
    let triggers = pairs(
        conn,
        "SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS",
    )?;
    listing.left_out.triggers = triggers
        .iter()
        .filter(|table| selection.matches(table))
        .count() as u64;
    Ok(listing)
}

/// Creates at the destination the databases that are selected as a whole and that the source
/// has: one without tables yet gets its first ones from the log.
pub(crate) fn ensure_databases(
    source: &mut Conn,
    destination: &mut Conn,
    selection: &Selection,
    mapping: &Mapping,
    task: &str,
) -> Result<(), CopyError> {
    let names: Vec<Vec<u8>> = source
        .query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")
        .map_err(at_source("listing the databases"))?;
    for name in names {
        let Some(name) = String::from_utf8(name)
            .ok()
            .and_then(|name| DatabaseName::new(&name).ok())
        else {
            continue;
        };
        if selection.is_database_level(&name) {
            let there = mapping.database(&name);
            super::create::ensure_database(source, destination, (&name, &there), task)?;
        }
    }
    Ok(())
}

/// The servers' estimates of all tables' sizes: rows and bytes.
pub(super) fn estimates(conn: &mut Conn) -> Result<BTreeMap<TableName, (u64, u64)>, CopyError> {
    let failed = at_source("reading the tables' sizes");
    let rows: Vec<Row> = conn
        .query(
            "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_ROWS, DATA_LENGTH FROM information_schema.TABLES \
             WHERE TABLE_TYPE = 'BASE TABLE' \
             AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')",
        )
        .map_err(failed)?;
    Ok(rows
        .into_iter()
        .filter_map(|mut row| {
            let name = table_name(&mut row, 0, 1)?;
            Some((name, (number(&mut row, 2), number(&mut row, 3))))
        })
        .collect())
}

fn count_by_database(
    conn: &mut Conn,
    statement: &str,
    selected: impl Fn(&DatabaseName) -> bool,
) -> Result<u64, CopyError> {
    let rows: Vec<Row> = conn
        .query(statement)
        .map_err(at_source("listing the databases' objects"))?;
    let mut sum = 0;
    for mut row in rows {
        if DatabaseName::new(&text(&mut row, 0)).is_ok_and(|database| selected(&database)) {
            sum += number(&mut row, 1);
        }
    }
    Ok(sum)
}

fn pairs(conn: &mut Conn, statement: &str) -> Result<Vec<TableName>, CopyError> {
    let rows: Vec<Row> = conn
        .query(statement)
        .map_err(at_source("listing the tables' objects"))?;
    Ok(rows
        .into_iter()
        .filter_map(|mut row| table_name(&mut row, 0, 1))
        .collect())
}

fn table_name(row: &mut Row, database: usize, table: usize) -> Option<TableName> {
    TableName::new(&text(row, database), &text(row, table)).ok()
}

fn text(row: &mut Row, index: usize) -> String {
    let bytes: Option<Vec<u8>> = row.take::<Option<Vec<u8>>, _>(index).flatten();
    bytes
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

fn number(row: &mut Row, index: usize) -> u64 {
    row.take::<Option<u64>, _>(index).flatten().unwrap_or(0)
}
