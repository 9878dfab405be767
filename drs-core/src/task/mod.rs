//! What to synchronize, from where to where, and how.

mod builder;
mod compare;
mod error;
mod file;
mod flow_control;
mod mode;
mod object_file;
mod toml_table;
mod value;

pub use builder::TaskBuilder;
pub use compare::{COMPARE_EXAMPLES_MAX, CompareSettings, StartAt, StartAtError};
pub use error::TaskError;
pub use flow_control::{FlowControl, FlowLimit};
pub use mode::{ConflictPolicy, Mode};
pub use object_file::write_object_file;
pub use value::{ChunkBytes, Description, Lanes, Sessions, Tags, TaskName, ValueError};

use crate::{Endpoint, Mapping, Password, PasswordSource, Role, Selection, rule::Rules};

/// One synchronization: two servers, the objects, and how changes are applied.
///
/// Comes from a task file ([`Task::load`], [`Task::from_toml`]) or from code
/// ([`Task::builder`]). Every setting of a task that exists is valid, and has an effect:
/// what is not supported is refused.
///
/// ```
/// use drs_core::{ConflictPolicy, Endpoint, Task};
/// let task = Task::builder(Endpoint::tcp("db1", 3306, "drs"), Endpoint::tcp("db2", 3306, "drs"))
///     .name("orders-eu")
///     .select("shop.*")
///     .conflict(ConflictPolicy::Overwrite)
///     .build()?;
/// assert_eq!(task.lanes().get(), 4);
/// # Ok::<(), drs_core::TaskError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    name: TaskName,
    description: Description,
    tags: Tags,
    mode: Mode,
    source: Endpoint,
    destination: Endpoint,
    selection: Selection,
    mapping: Mapping,
    conflict: ConflictPolicy,
    conflict_images: bool,
    filter_drop_database: bool,
    confirmed: Vec<String>,
    indexes: bool,
    lanes: Lanes,
    sessions: Sessions,
    chunk_bytes: ChunkBytes,
    copy_binlog: bool,
    compare: CompareSettings,
    rules: Rules,
}

impl Task {
    /// The name, by which the destination knows the task's checkpoint.
    pub fn name(&self) -> &TaskName {
        &self.name
    }

    /// The user's own words about it.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// The user's own labels.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// Copy, follow, or both.
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// The server that the data comes from.
    pub fn source(&self) -> &Endpoint {
        &self.source
    }

    /// The server that the data goes to.
    pub fn destination(&self) -> &Endpoint {
        &self.destination
    }

    /// One of the two servers.
    pub fn endpoint(&self, role: Role) -> &Endpoint {
        match role {
            Role::Source => &self.source,
            Role::Destination => &self.destination,
        }
    }

    /// The tables to work on. Names compare by case until the engine knows the source's
    /// `lower_case_table_names` ([`Selection::with_case`]).
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The names of the tables at the destination. Like the selection's, they compare by case until
    /// the engine knows better ([`Mapping::with_case`]).
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// What to do when a change meets a row at the destination that it does not fit.
    pub fn conflict(&self) -> ConflictPolicy {
        self.conflict
    }

    /// True when the ledger of conflicts keeps the rows, not their keys alone.
    pub fn conflict_images(&self) -> bool {
        self.conflict_images
    }

    /// True when `DROP DATABASE` at the source is not repeated at the destination.
    pub fn filter_drop_database(&self) -> bool {
        self.filter_drop_database
    }

    /// The prechecks, by their ids, whose findings the user has seen and accepts.
    pub fn confirmed(&self) -> &[String] {
        &self.confirmed
    }

    /// False when the copy builds primary and unique keys only.
    pub fn indexes(&self) -> bool {
        self.indexes
    }

    /// How many connections apply changes.
    pub fn lanes(&self) -> Lanes {
        self.lanes
    }

    /// How many connections to each server copy tables.
    pub fn sessions(&self) -> Sessions {
        self.sessions
    }

    /// About how much is copied in one transaction.
    pub fn chunk_bytes(&self) -> ChunkBytes {
        self.chunk_bytes
    }

    /// False when the destination does not write what the copy does to its own binary log:
    /// whatever reads that log, replicas for one, then gets neither the tables nor their rows.
    pub fn copy_binlog(&self) -> bool {
        self.copy_binlog
    }

    /// How the two sides are compared.
    pub fn compare(&self) -> &CompareSettings {
        &self.compare
    }

    /// What is done to tables' rows and columns on their way.
    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The same task with another number of lanes.
    #[must_use]
    pub fn with_lanes(mut self, lanes: Lanes) -> Self {
        self.lanes = lanes;
        self
    }

    /// The same task with a password that the user was asked for.
    #[must_use]
    pub fn with_password(mut self, role: Role, password: Password) -> Self {
        let endpoint = match role {
            Role::Source => &mut self.source,
            Role::Destination => &mut self.destination,
        };
        *endpoint = endpoint
            .clone()
            .password_source(PasswordSource::Plain(password));
        self
    }
}
