//! The engine of drs: task, copy, replicate, apply, checkpoint, compare.

mod apply;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod checkpoint;
pub mod compare;
mod copy;
pub mod ddl;
mod destination;
mod dialect;
mod endpoint;
mod error;
mod foreign_key;
mod object;
mod observe;
mod pipeline;
mod replicate;
mod rule;
mod schema;
mod session;
mod sql;
mod task;

pub use apply::{
    Applied, Applier, ApplyError, Batch, Conflict, ConflictKind, PlanError, RuleError,
};
pub use checkpoint::{
    CheckpointError, CheckpointStore, ChunkRecord, DdlIntent, DoneSet, DoneSetError, Epoch,
    LaneRecord, LaneStates, StreamPoint, TablePhase, TableRecord, TaskRecord, TransactionId,
    conflicts, status,
};
pub use copy::{
    Copy as FullCopy, CopyError, CopyEvent, CopyObserver, CopyOptions, CopyOutcome, LeftOut,
    Listing, OpenSession, TableToCopy, copies_engine, list_tables, may_hide_labels,
};
pub use destination::{Destination, Lane, MySqlDestination};
pub use dialect::{Flavor, ServerVersion};
pub use endpoint::{
    Address, CA_FILE_BYTES_MAX, Endpoint, EndpointError, Password, PasswordSource, Role, Tls,
    TlsError, TlsFailure, TlsMode,
};
pub use foreign_key::cascade_families;
pub use object::{
    CHECKPOINT_DATABASE, DatabaseName, Mapping, MappingError, NameCase, NameError, NameRuleError,
    Pattern, Selection, SelectionEntry, SelectionError, SelectionReason, TableName,
    check_database_name, check_mapped_database, check_mapped_table, check_table_name,
};
pub use observe::{CopyProgress, Observer};
pub use pipeline::{End, Outcome, Pipeline, PipelineError, TimeZoneEffect, replica_server_id};
pub use replicate::{FollowError, FollowProgress, LargeTransaction, StatementsLeftOut};
pub use rule::{
    AddedColumn, AddedValue, AskError, BindError, DmlKind, Expression, FilterError, FixedType,
    Literal, Operator, ParseError, Rule, RuleFinding, RuleVerdict, TimeType, WHERE_CHARS_MAX,
    check_rules,
};
pub use schema::{Column, ColumnKind, KeyPart, SchemaError, TableSchema, UniqueKey};
pub use session::{
    PACKET_BYTES_MAX, SessionError, destination_session, open_destination, open_source,
    source_session,
};
pub use sql::LiteralError;
pub use task::{
    COMPARE_EXAMPLES_MAX, ChunkBytes, CompareSettings, ConflictPolicy, Description, FlowControl,
    FlowLimit, Lanes, Mode, Sessions, StartAt, StartAtError, Tags, Task, TaskBuilder, TaskError,
    TaskName, ValueError, write_object_file,
};
