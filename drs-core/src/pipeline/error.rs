use drs_binlog::Position;

use crate::{
    checkpoint::{CheckpointError, StreamPoint},
    copy::CopyError,
    dialect::ServerVersion,
    object::{DatabaseName, MappingError, TableName},
    replicate::FollowError,
    session::SessionError,
};

/// Why a run failed. What is committed stays; run again after the cause is mended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A server could not be reached, or refused the session.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The checkpoint could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The copy stopped.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Following stopped.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The mapping gives one object of this source two names.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The source cannot be used as it is.
    #[error("the source cannot be used: {0}")]
    Source(String),
    /// The task was begun with another source.
    #[error(
        "this task was begun with the source whose server_uuid is {expected}, and the source now has {found}; \
         give another task name to begin anew"
    )]
    OtherSource {
        /// At the first start.
        expected: String,
        /// Now.
        found: String,
    },
    /// The source's log ends before what the destination has of it.
    #[error(
        "the source's binary log ends at {end}, before the point that the destination has reached ({point}), or its \
         gtid_executed lacks a part of that: it was reset, or lost its end in a crash. What is in the log is not what \
         the destination has; begin anew under another task name"
    )]
    ShorterLog {
        /// What the destination has.
        point: StreamPoint,
        /// Where the log ends.
        end: Position,
    },
    /// A GTID set was given and the source has no GTIDs.
    #[error(
        "the start point has a GTID set, and the source's gtid_mode is not ON; give file:position alone"
    )]
    NoGtid,
    /// Cascades that the source does not log, from tables that are not selected.
    #[error(
        "{version} does not write to its binary log what foreign keys with CASCADE or SET NULL change, and such keys tie \
         selected tables to these, which are not selected: {}; select them, exclude what they are tied to, or drop those \
         foreign keys", list(.tables)
    )]
    Cascades {
        /// The source's version.
        version: ServerVersion,
        /// The tables that are not selected.
        tables: Vec<TableName>,
    },
    /// The destination would cascade in another way than the source.
    #[error(
        "the source does not write to its binary log what foreign keys with CASCADE or SET NULL change, and these tables \
         have other foreign keys of that kind at the destination than at the source: {}; make them the same there",
        list(.tables)
    )]
    OtherCascades {
        /// The tables at the destination.
        tables: Vec<TableName>,
    },
    /// A rule for a table that changes unseen, or changes others.
    #[error(
        "{table} has a rule, and foreign keys with CASCADE or SET NULL tie it to others or to itself: the source does not \
         write to its binary log what they change, so the rule can't be kept there; remove the rule, or drop the foreign keys"
    )]
    RuledCascades {
        /// The table.
        table: TableName,
    },
    /// The destination does not cascade as the source does.
    #[error(
        "the source does not write to its binary log what foreign keys with CASCADE or SET NULL change, and the destination \
         can't repeat it: from MySQL 9.6 on a server cascades otherwise than InnoDB did, and not in all cases. Start the \
         destination with innodb_native_foreign_keys = ON while the task runs; or exclude these tables, or drop those \
         foreign keys: {}", list(.tables)
    )]
    DestinationCascades {
        /// The tables, by their names at the source.
        tables: Vec<TableName>,
    },
    /// The source and the destination are one server.
    #[error(
        "the source and the destination are the same server: both have the server_uuid {server_uuid} \
         (a copied data folder brings it along: remove auto.cnf from the copy)"
    )]
    SameServer {
        /// `@@server_uuid` of both.
        server_uuid: String,
    },
    /// The selection has become smaller since the task was begun.
    #[error(
        "this task has copied tables that objects no longer selects, and would miss their changes: {}; \
         select them again, or begin a new task under another name", list(.tables)
    )]
    Deselected {
        /// The tables.
        tables: Vec<TableName>,
    },
    /// The task file says something else than when the task was begun.
    #[error(
        "mode, start_point, objects and rules can't be changed once a task has begun (begun with: {before}; now: {now}): \
         a table selected later would be followed without having been copied; begin a new task under another name"
    )]
    Changed {
        /// What is in the task no longer; may be empty.
        before: String,
        /// What is new in it; may be empty.
        now: String,
    },
    /// Two tables of the source would be one at the destination.
    #[error(
        "{first} and {second} would both be {destination} at the destination: map one of them to another name, exclude it, \
         or give each a task of its own"
    )]
    Merged {
        /// One table.
        first: TableName,
        /// The other.
        second: TableName,
        /// What both would be.
        destination: TableName,
    },
    /// A database that is mapped to another name holds more than tables.
    #[error(
        "{database} is mapped to another name and holds {what}, which name its tables and can't be mapped: exclude or drop \
         them, or select the database without mapping it"
    )]
    Programs {
        /// The database.
        database: DatabaseName,
        /// How many of what.
        what: String,
    },
    /// A rule can't be carried out.
    #[error("the rule of {table} can't be carried out: {reason}")]
    Rule {
        /// The table of the source.
        table: TableName,
        /// What is wrong.
        reason: String,
    },
    /// The destination cannot be used as it is.
    #[error("the destination cannot be used: {0}")]
    Destination(String),
    /// The checkpoint has a task and no lanes.
    #[error("the checkpoint has no lanes for this task; it was changed by hand")]
    NoLanes,
}

pub(super) fn list(tables: &[TableName]) -> String {
    const SHOWN_MAX: usize = 10;
    let mut text = tables
        .iter()
        .take(SHOWN_MAX)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    if tables.len() > SHOWN_MAX {
        text.push_str(&format!(" and {} more", tables.len() - SHOWN_MAX));
    }
    text
}
