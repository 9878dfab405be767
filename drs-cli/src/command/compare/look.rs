//! A look at both servers before a comparison: can they be reached, and is there anything to
//! compare?

use drs_core::{
    NameCase, PACKET_BYTES_MAX, Role, ServerVersion, TableName, Task, compare::CompareError,
    list_tables, source_session,
};
use mysql::{Conn, prelude::Queryable};

use super::plan::Plan;
use crate::exit::CommandError;

/// A server as a report names it.
pub(super) struct ServerFacts {
    pub(super) address: String,
    /// What `SELECT VERSION()` says.
    pub(super) version: String,
    pub(super) server_uuid: String,
}

/// Fails when a server is not to be reached, both are one, or an entry selects nothing: what is
/// misspelt must not pass for compared.
pub(super) fn around(task: &Task, plan: &Plan) -> Result<[ServerFacts; 2], CommandError> {
    let (mut source, _) = open(task, Role::Source)?;
    let (mut destination, _) = open(task, Role::Destination)?;
    let servers = [
        facts(task, &mut source, Role::Source)?,
        facts(task, &mut destination, Role::Destination)?,
    ];
    if servers[0].server_uuid == servers[1].server_uuid {
        let server_uuid = servers[0].server_uuid.clone();
        let error = CompareError::SameServer { server_uuid };
        return Err(CommandError::Failed(error.to_string()));
    }
    let case = source
        .query_first::<u8, _>("SELECT @@global.lower_case_table_names")
        .map_err(|error| CommandError::query("ask how names compare", Role::Source, &error))?;
    let case = NameCase::from_lower_case_table_names(case.unwrap_or(0));
    let selection = task.selection().clone().with_case(case);
    let listing = list_tables(&mut source, &selection)
        .map_err(|error| CommandError::Failed(error.to_string()))?;
    let names: Vec<TableName> = listing.tables.into_iter().map(|table| table.name).collect();
    for entry in selection.entries_without_match(&names) {
        tracing::warn!("the entry {entry:?} of objects.include selects no table that there is now");
    }
    if let Some(tables) = &plan.tables {
        let tables = tables.clone().with_case(case);
        if let Some(entry) = tables.entries_without_match(&names).next() {
            return Err(CommandError::Usage(format!(
                "{:?} is none of the task's tables at the source",
                entry.as_str()
            )));
        }
    }
    Ok(servers)
}

/// Opens a session for reading.
pub(super) fn open(task: &Task, role: Role) -> Result<(Conn, ServerVersion), CommandError> {
    let endpoint = task.endpoint(role);
    let mut conn =
        endpoint.connect_with(role, |opts| opts.max_allowed_packet(Some(PACKET_BYTES_MAX)))?;
    let version = ServerVersion::of(&mut conn)
        .and_then(|version| source_session(&mut conn, version).map(|()| version))
        .map_err(|error| CommandError::query("set up a session", role, &error))?;
    Ok((conn, version))
}

fn facts(task: &Task, conn: &mut Conn, role: Role) -> Result<ServerFacts, CommandError> {
    let row: Option<(String, String)> = conn
        .query_first("SELECT @@global.server_uuid, VERSION()")
        .map_err(|error| CommandError::query("ask for the server's name", role, &error))?;
    let (server_uuid, version) = row.unwrap_or_default();
    Ok(ServerFacts {
        address: task.endpoint(role).address().to_string(),
        version,
        server_uuid,
    })
}
