use drs_binlog::Position;

use crate::{
    apply::{ApplyError, PlanError},
    checkpoint::{CheckpointError, TransactionId},
    ddl::ContextError,
    object::TableName,
    schema::SchemaError,
    session::SessionError,
};

/// Why following the source's binary log stopped. The checkpoint is where the last
/// committed batch left it: run again to go on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The log could not be read or decoded.
    #[error("reading the source's binary log at {position} failed: {source}{hint}")]
    Source {
        /// The end of the last event that was read.
        position: Position,
        /// The cause.
        #[source]
        source: drs_binlog::Error,
        /// What to do.
        hint: String,
    },
    /// The source could not be reached, or refused the login.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// An event at the source's log cannot be decoded or does not belong where it is.
    #[error("the source transaction that ends at {transaction} cannot be decoded: {source}")]
    Decode {
        /// The transaction.
        transaction: TransactionId,
        /// The cause.
        #[source]
        source: drs_binlog::Error,
    },
    /// A change of a selected table whose definition at the destination does not fit.
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
    /// A table's rule does not go with its definition.
    #[error("the rule of {table} can't be carried out at {transaction}: {source}")]
    Rule {
        /// The table of the source.
        table: TableName,
        /// The source transaction.
        transaction: TransactionId,
        /// What is wrong.
        #[source]
        source: crate::rule::BindError,
    },
    /// A selected table has changes and does not exist at the destination.
    #[error(
        "{table} has changes at {transaction}, and does not exist at the destination; create it there, or exclude it"
    )]
    MissingTable {
        /// The table.
        table: TableName,
        /// The source transaction.
        transaction: TransactionId,
    },
    /// Something in the log that drs will not guess about.
    #[error("the source transaction that ends at {transaction} cannot be followed: {reason}")]
    Refused {
        /// The transaction.
        transaction: TransactionId,
        /// What it is, and what to do.
        reason: String,
    },
    /// A DDL statement failed at the destination.
    #[error("the statement at {transaction} failed at the destination: {reason}")]
    Statement {
        /// The transaction.
        transaction: TransactionId,
        /// The server's error, or what stands in the way.
        reason: String,
    },
    /// A statement's session can't be put up at the destination.
    #[error("the statement at {transaction} cannot be run at the destination: {source}")]
    Context {
        /// The transaction.
        transaction: TransactionId,
        /// The cause.
        #[source]
        source: ContextError,
    },
    /// A table's definition could not be read.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A lane stopped.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The checkpoint could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A transaction larger than the memory limit could not be put into a temporary file.
    #[error("a large transaction could not be spilled to a temporary file (TMPDIR): {0}")]
    Spill(#[from] std::io::Error),
    /// A thread ended without a reason: a defect of drs.
    #[error("a thread of drs ended unexpectedly; please report this")]
    Thread,
}
