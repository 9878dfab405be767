use mysql::{Conn, Row, prelude::Queryable};

use crate::{
    checkpoint::CheckpointError,
    copy::CopyError,
    endpoint::Role,
    error::redacted,
    object::{MappingError, TableName},
    schema::SchemaError,
    session::SessionError,
};

/// Why a comparison could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The user asked to stop.
    #[error("the comparison was stopped")]
    Stopped,
    /// No connection.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A table's definition could not be read.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The mapping does not go with how the source compares names.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The task's checkpoint could not be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// What is to be compared could not be listed, or a key not be read.
    #[error(transparent)]
    Listing(#[from] CopyError),
    /// A statement failed.
    #[error("{doing} failed at the {role}: {}", redacted(.source))]
    Query {
        /// Which server.
        role: Role,
        /// What was being done, with the table's name.
        doing: String,
        /// The cause.
        #[source]
        source: mysql::Error,
    },
    /// Both addresses lead to one server, which is equal to itself.
    #[error(
        "source and destination are the same server (server_uuid {server_uuid}): nothing would be proved"
    )]
    SameServer {
        /// `@@server_uuid`.
        server_uuid: String,
    },
    /// The source is not the one that the task was begun with.
    #[error(
        "the task was begun with the source whose server_uuid is {expected}, and this one's is {found}"
    )]
    OtherSource {
        /// `@@server_uuid` in the checkpoint.
        expected: String,
        /// What it is now.
        found: String,
    },
    /// A row has no digest.
    #[error(
        "a row of {table} is too long for the {role}'s max_allowed_packet, so nothing can be said of it; raise the \
         variable there for the comparison"
    )]
    RowTooLong {
        /// The table, by that server's name.
        table: TableName,
        /// Which server.
        role: Role,
    },
    /// The server's answer does not have the form of one.
    #[error("the {role}'s answer about {table} is not readable")]
    Unreadable {
        /// The table, by that server's name.
        table: TableName,
        /// Which server.
        role: Role,
    },
    /// What was done could not be kept for a later run.
    #[error("the journal {} could not be read or written: {source}", path.display())]
    Journal {
        /// The file.
        path: std::path::PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Another process writes to the journal.
    #[error("{} is the journal of a comparison that runs right now", path.display())]
    JournalInUse {
        /// The file.
        path: std::path::PathBuf,
    },
    /// The journal's file holds something else.
    #[error(
        "{} is not the journal of this comparison: the task file, the level, the choice of tables or the servers were \
         others; remove it, or name another file", path.display()
    )]
    OtherJournal {
        /// The file.
        path: std::path::PathBuf,
    },
    /// The task selects nothing.
    #[error("no table of the source is selected")]
    NothingSelected,
}

impl CompareError {
    /// True when the same may succeed with a new connection.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Session(error) => error.is_transient() && !error.is_login_refused(),
            Self::Checkpoint(error) => error.is_transient(),
            Self::Query { source, .. }
            | Self::Schema(SchemaError::Query { source, .. })
            | Self::Listing(CopyError::Query { source, .. }) => crate::error::is_transient(source),
            _ => false,
        }
    }
}

/// Turns what a server says about a statement into an error.
pub(super) fn query(role: Role, doing: impl Into<String>) -> impl Fn(mysql::Error) -> CompareError {
    let doing = doing.into();
    move |source| CompareError::Query {
        role,
        doing: doing.clone(),
        source,
    }
}

/// True when the last statement warned that a value outgrew a packet. Other warnings are about words
/// that a later version may not know, or what a rule's condition compares.
pub(super) fn has_outgrown_packet(conn: &mut Conn, role: Role) -> Result<bool, CompareError> {
    const ALLOWED_PACKET_OVERFLOWED: u16 = 1301;
    if conn.warnings() == 0 {
        return Ok(false);
    }
    let warnings: Vec<Row> = conn
        .query("SHOW WARNINGS")
        .map_err(query(role, "reading warnings"))?;
    let code = |row: &Row| row.get::<u16, _>(1);
    Ok(warnings
        .iter()
        .any(|row| code(row) == Some(ALLOWED_PACKET_OVERFLOWED)))
}
