//! The engine of drs: task, copy, replicate, apply, checkpoint, compare.

mod endpoint;
mod object;
mod task;

pub use endpoint::{
    Address, CA_FILE_BYTES_MAX, Endpoint, EndpointError, Password, PasswordSource, Role, Tls,
    TlsError, TlsFailure, TlsMode,
};
pub use object::{
    CHECKPOINT_DATABASE, DatabaseName, NameCase, NameError, Pattern, Selection, SelectionEntry,
    SelectionError, SelectionReason, TableName,
};
pub use task::{
    ChunkBytes, ConflictPolicy, Description, FlowControl, FlowLimit, Lanes, Mode, Sessions, Tags,
    Task, TaskBuilder, TaskError, TaskName, ValueError,
};
