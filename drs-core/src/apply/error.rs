use super::{Conflict, PlanError};
use crate::{
    checkpoint::{CheckpointError, TransactionId},
    object::TableName,
    session::SessionError,
    sql::LiteralError,
};

/// Why a lane stopped. What it had not committed is not at the destination.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// A conflict under the policy `report-error`, or one that the policy cannot resolve.
    #[error("conflict: {conflict}{hint}")]
    Conflict {
        /// What was met, and where.
        conflict: Conflict,
        /// What to do about it.
        hint: &'static str,
    },
    /// The log's columns do not fit the destination's table.
    #[error("{table} at {transaction} cannot be applied: {source}")]
    Plan {
        /// The table.
        table: TableName,
        /// The source transaction.
        transaction: TransactionId,
        /// The difference.
        #[source]
        source: PlanError,
    },
    /// A value cannot be written so that the destination stores it unchanged.
    #[error(
        "a change of {table} in the transaction that ends at {transaction} cannot be written: {source}"
    )]
    Value {
        /// The table.
        table: TableName,
        /// The source transaction, or the first one of its batch.
        transaction: TransactionId,
        /// The cause.
        #[source]
        source: LiteralError,
    },
    /// A batch of another lane that must be committed first has failed; that one's error tells why.
    #[error("a batch before this one has failed")]
    Before,
    /// The source wrote a partial row image, or the changes of a JSON document without the document,
    /// while the table was still catching up with its copy.
    #[error(
        "{table} got a partial row image at {transaction} while it was catching up with its copy, and has more \
         than one unique key, or the image holds changes of a JSON document and not the document: a lost row \
         could not be told from a deleted one, and a change that is in the copy not from one that is not; set \
         binlog_row_image=FULL and binlog_row_value_options='' at the source until the copy is done, \
         and copy the table again"
    )]
    PartialWhileCatchingUp {
        /// The table.
        table: TableName,
        /// The source transaction, or the first one of its batch.
        transaction: TransactionId,
    },
    /// The destination refused a change, or took it with a warning that means changed data.
    #[error(
        "the destination refused a change of {table} in the transaction that ends at {transaction}: {reason}"
    )]
    Refused {
        /// The table.
        table: TableName,
        /// The source transaction.
        transaction: TransactionId,
        /// The server's error, without row values.
        reason: String,
    },
    /// A change does not fit into one statement of the destination.
    #[error(
        "a change of a row of {table} (key: {key}) in the transaction that ends at {transaction} needs a statement of \
         {bytes} bytes, and max_allowed_packet at the destination is {bytes_max}; raise it there (up to 1 GiB) and run again"
    )]
    TooLarge {
        /// The table.
        table: TableName,
        /// The names of its key's columns.
        key: String,
        /// The source transaction.
        transaction: TransactionId,
        /// The statement's size.
        bytes: u64,
        /// What the destination takes.
        bytes_max: u64,
    },
    /// Deadlocks or lock waits did not end.
    #[error(
        "the batch that begins at {transaction} was rolled back {attempts} times by lock conflicts at the destination: {reason}"
    )]
    Locks {
        /// The first transaction.
        transaction: TransactionId,
        /// How often it was tried.
        attempts: u32,
        /// The last error.
        reason: String,
    },
    /// A statement of drs's own failed.
    #[error("the destination failed: {0}")]
    Server(String),
    /// The checkpoint could not be written, or another process took the task over.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The destination could not be reached again.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The spill file could not be read.
    #[error("reading a large transaction back from its temporary file failed: {0}")]
    Spill(#[from] std::io::Error),
}

impl ApplyError {
    /// The table the error is about, when it is about one.
    pub fn table(&self) -> Option<&TableName> {
        match self {
            Self::Conflict { conflict, .. } => Some(&conflict.table),
            Self::Plan { table, .. }
            | Self::Value { table, .. }
            | Self::PartialWhileCatchingUp { table, .. }
            | Self::Refused { table, .. }
            | Self::TooLarge { table, .. } => Some(table),
            _ => None,
        }
    }

    /// True for a conflict.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }
}
