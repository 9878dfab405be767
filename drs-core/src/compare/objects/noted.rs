//! Triggers and events, which drs does not copy: they are told of, and not compared.

use super::{
    ObjectsError,
    ask::{Side, literal, text},
    result::ObjectKind,
};
use crate::object::{DatabaseName, TableName};

/// A trigger or an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Noted {
    pub(super) kind: ObjectKind,
    pub(super) name: TableName,
    /// A trigger's table.
    pub(super) table: Option<TableName>,
}

pub(super) fn load(
    side: &mut Side<'_>,
    database: &DatabaseName,
) -> Result<Vec<Noted>, ObjectsError> {
    let mut noted = Vec::new();
    side.rows(
        "its triggers",
        &format!(
            "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS \
             WHERE TRIGGER_SCHEMA = {} ORDER BY TRIGGER_NAME",
            literal(database)
        ),
        |row| {
            let is_here = text(row, 0) == database.as_str();
            let names = (database.table(&text(row, 1)), database.table(&text(row, 2)));
            if let ((Ok(name), Ok(table)), true) = (names, is_here) {
                let kind = ObjectKind::Trigger;
                noted.push(Noted {
                    kind,
                    name,
                    table: Some(table),
                });
            }
        },
    )?;
    side.rows(
        "its events",
        &format!(
            "SELECT EVENT_SCHEMA, EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {} ORDER BY EVENT_NAME",
            literal(database)
        ),
        |row| {
            let is_here = text(row, 0) == database.as_str();
            if let (Ok(name), true) = (database.table(&text(row, 1)), is_here) {
                let kind = ObjectKind::Event;
                noted.push(Noted {
                    kind,
                    name,
                    table: None,
                });
            }
        },
    )?;
    Ok(noted)
}
