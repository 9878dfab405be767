use crate::{
    checkpoint::CheckpointError,
    endpoint::{EndpointError, Role},
    error::redacted,
    object::TableName,
    schema::SchemaError,
};

/// Why the full copy stopped. What is done stays done: the next run goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The user asked to stop.
    #[error("the copy was stopped")]
    Stopped,
    /// A table's rule does not go with its definition.
    #[error("the rule of {table} can't be carried out: {source}")]
    Rule {
        /// The table of the source.
        table: TableName,
        /// What is wrong.
        #[source]
        source: crate::rule::BindError,
    },
    /// A rule's columns do not go with the table's definition.
    #[error("the rule of {table} can't be carried out: {reason}")]
    RuleColumns {
        /// The table of the source.
        table: TableName,
        /// Why not.
        reason: String,
    },
    /// No connection.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The session could not be set up.
    #[error(transparent)]
    Session(crate::session::SessionError),
    /// The checkpoint could not be read or written, or another process has taken the task over.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A table's definition could not be read.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The account may not keep the copy out of the destination's log.
    #[error(
        "the destination's account may not set sql_log_bin, as copy.binlog = false wants it: grant it \
         SESSION_VARIABLES_ADMIN (before 8.0.14 SUPER, on MariaDB BINLOG ADMIN), or leave that key out"
    )]
    BinlogDenied,
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
    /// Tables whose storage engine is not supported.
    #[error("{}: only InnoDB and MyISAM tables can be copied; exclude these: {}", count(.tables.len(), "table"), list(.tables.iter().map(|(table, engine)| format!("{table} ({engine})"))))]
    Engines {
        /// The tables and their engines.
        tables: Vec<(TableName, String)>,
    },
    /// The source writes no binary log.
    #[error("the source writes no binary log; start it with log_bin and binlog_format = ROW")]
    NoBinaryLog,
    /// The source answered something that cannot be read.
    #[error("the source's answer to {statement} is not readable: {reason}")]
    Unreadable {
        /// The statement.
        statement: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The table at the destination is not the source's.
    #[error("{table} exists at the destination with another definition: {}; change or drop it there", .differences.join("; "))]
    Different {
        /// The table.
        table: TableName,
        /// What is different, one entry each.
        differences: Vec<String>,
    },
    /// A table without a key exists at the destination already.
    #[error(
        "{table} has no primary key and no unique key without NULL, and exists at the destination already: \
         rows that are there cannot be told from rows that are copied, and would be repeated; \
         drop it at the destination, or give it a primary key at the source"
    )]
    KeylessExists {
        /// The table.
        table: TableName,
    },
    /// A table of a family exists at the destination already, or is partly copied.
    #[error(
        "{table} is tied to others by foreign keys that cascade, which the source does not log: such tables are copied \
         from one snapshot, and must be created by the task; drop it at the destination"
    )]
    FamilyExists {
        /// The table.
        table: TableName,
    },
    /// The table that a former run was creating has rows that the copy did not write.
    #[error(
        "{table} was being created by this task and already holds rows of somebody else; empty or drop it at the destination"
    )]
    CreatedNotEmpty {
        /// The table.
        table: TableName,
    },
    /// The copy has to begin again, which would take away what another task has brought.
    #[error(
        "the copy of {table} has to begin again from an empty table, since its definition changed or nothing tells how far \
         it was, and the task {} writes to it too; remove this task's rows at the destination by hand, and begin a new task", others.join(", ")
    )]
    Shared {
        /// The table.
        table: TableName,
        /// The other tasks.
        others: Vec<String>,
    },
    /// The table is gone, or renamed, while it was being copied.
    #[error(
        "{table} was dropped or renamed at the source while it was being copied; start the task anew without it"
    )]
    Vanished {
        /// The table.
        table: TableName,
    },
    /// The definition changed while the table was being copied.
    #[error(
        "the definition of {table} changed at the source while it was being copied, and its copy cannot begin again because the table was at the destination before; empty and drop it there, and start the task anew"
    )]
    Redefined {
        /// The table.
        table: TableName,
    },
    /// The definition changes again and again.
    #[error(
        "the definition of {table} changed at the source each time its copy was begun; copy it when it is at rest"
    )]
    Restless {
        /// The table.
        table: TableName,
    },
    /// A keyless MyISAM table is too large to be read under a lock.
    #[error(
        "{table} is a MyISAM table without a key and takes more than {seconds} s to read: it has no snapshot and may not be locked for longer; give it a primary key or make it an InnoDB table"
    )]
    KeylessMyIsam {
        /// The table.
        table: TableName,
        /// The longest lock.
        seconds: u64,
    },
    /// JSON at a version that cannot tell the types inside.
    #[error(
        "column {column} of {table} is JSON, and the types inside a document can only be checked at MySQL 8.0.14 or newer; exclude the table"
    )]
    JsonUnchecked {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
    },
    /// A JSON document that cannot be written with the types that its values have.
    #[error(
        "column {column} of {table} holds a JSON document that cannot be copied exactly: {reason}; rewrite such documents at the source (CAST(CAST(doc AS CHAR) AS JSON)) or exclude the table"
    )]
    JsonOpaque {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
        /// What stands in the way.
        reason: &'static str,
    },
    /// Labels that the source shows with characters missing.
    #[error(
        "column {column} of {table} has labels with a '?', which may stand for a character outside of the basic plane: the \
         source shows no such character in definitions; create the table at the destination by hand, with these labels, and run again"
    )]
    Labels {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
    },
    /// The destination allowed LOAD DATA LOCAL and then refused it; the next attempt inserts.
    #[error("the destination refused LOAD DATA LOCAL for {table}")]
    LoadRefused {
        /// The table.
        table: TableName,
    },
    /// A row does not fit into one statement of the destination.
    #[error(
        "a row of {table} (key: {key}) needs a statement of {bytes} bytes, and max_allowed_packet at the destination is {bytes_max}; raise it there, or allow local_infile, and run again"
    )]
    RowTooLarge {
        /// The table.
        table: TableName,
        /// The names of its key's columns.
        key: String,
        /// The statement's size.
        bytes: u64,
        /// What the destination takes.
        bytes_max: u64,
    },
    /// The destination changed or refused values.
    #[error("the destination did not take rows of {table} as they are: {first}{}; nothing of this part was kept", more(*.others))]
    Warnings {
        /// The table.
        table: TableName,
        /// The first warning's code and text, without values.
        first: String,
        /// How many more there were.
        others: u64,
    },
    /// The destination's counts do not add up.
    #[error(
        "the destination says that it took {taken} of {sent} rows of {table}, and names {conflicts} duplicates; nothing of this part was kept. \
         If the table had many of these rows before the copy, let the server name them all: \
         raise max_error_count there to 65535, or grant SESSION_VARIABLES_ADMIN to the account"
    )]
    Counts {
        /// The table.
        table: TableName,
        /// Rows that were sent.
        sent: u64,
        /// Rows inserted.
        taken: u64,
        /// Rows reported as duplicates.
        conflicts: u64,
    },
    /// A value came in a form that it cannot have.
    #[error("column {column} of {table} came from the source in a form that drs does not know")]
    Value {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
    },
    /// A definition that cannot be taken apart.
    #[error("the definition of {table} cannot be read: {reason}")]
    Definition {
        /// The table.
        table: TableName,
        /// What is wrong.
        reason: &'static str,
    },
}

impl CopyError {
    /// True when the same may succeed on a new connection, or in a new transaction.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Endpoint(error) => error.is_transient(),
            Self::Session(error) => error.is_transient(),
            Self::Checkpoint(error) => error.is_transient(),
            Self::Schema(SchemaError::Query { source, .. }) | Self::Query { source, .. } => {
                crate::error::is_transient(source)
            }
            _ => false,
        }
    }

    /// The server's error number, when it is one of a statement.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Query { source, .. } | Self::Schema(SchemaError::Query { source, .. }) => {
                crate::error::server_code(source)
            }
            _ => None,
        }
    }
}

impl From<crate::session::SessionError> for CopyError {
    fn from(error: crate::session::SessionError) -> Self {
        match error {
            crate::session::SessionError::Endpoint(error) => Self::Endpoint(error),
            error => Self::Session(error),
        }
    }
}

/// Makes an error of a source's statement.
pub(super) fn at_source(doing: impl Into<String>) -> impl Fn(mysql::Error) -> CopyError {
    at(Role::Source, doing.into())
}

/// Makes an error of a destination's statement.
pub(super) fn at_destination(doing: impl Into<String>) -> impl Fn(mysql::Error) -> CopyError {
    at(Role::Destination, doing.into())
}

fn at(role: Role, doing: String) -> impl Fn(mysql::Error) -> CopyError {
    move |source| CopyError::Query {
        role,
        doing: doing.clone(),
        source,
    }
}

fn more(others: u64) -> String {
    if others == 0 {
        String::new()
    } else {
        format!(" (and {others} more)")
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

fn list(names: impl Iterator<Item = String>) -> String {
    const SHOWN: usize = 10;
    let names: Vec<String> = names.collect();
    let shown = names
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        format!("{shown} and {} more", names.len() - SHOWN)
    } else {
        shown
    }
}
