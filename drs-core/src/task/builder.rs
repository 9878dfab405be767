use super::{
    ChunkBytes, CompareSettings, ConflictPolicy, Description, Lanes, Mode, Sessions, Tags, Task,
    TaskError, TaskName,
};
use crate::{
    Endpoint, Mapping, Rule, Selection,
    rule::{Rules, TableRule},
};

/// The name of a task that was not given one.
const DEFAULT_NAME: &str = "default";

/// Puts a [`Task`] together; everything is checked by [`build`](Self::build).
#[derive(Clone, Debug)]
pub struct TaskBuilder {
    name: String,
    description: String,
    tags: Vec<(String, String)>,
    mode: Mode,
    source: Endpoint,
    destination: Endpoint,
    include: Vec<String>,
    exclude: Vec<String>,
    map: Vec<(String, String)>,
    conflict: ConflictPolicy,
    conflict_images: bool,
    filter_drop_database: bool,
    indexes: bool,
    lanes: u64,
    sessions: u64,
    chunk_bytes: u64,
    copy_binlog: bool,
    compare: CompareSettings,
    rules: Vec<Rule>,
    confirmed: Vec<String>,
}

impl Task {
    /// A task between two servers, to be completed; at least one [`select`](TaskBuilder::select)
    /// is needed.
    pub fn builder(source: Endpoint, destination: Endpoint) -> TaskBuilder {
        TaskBuilder {
            name: DEFAULT_NAME.to_owned(),
            description: String::new(),
            tags: Vec::new(),
            mode: Mode::FullAndIncremental,
            source,
            destination,
            include: Vec::new(),
            exclude: Vec::new(),
            map: Vec::new(),
            conflict: ConflictPolicy::default(),
            conflict_images: false,
            filter_drop_database: true,
            indexes: true,
            lanes: Lanes::default().get() as u64,
            sessions: Sessions::default().get() as u64,
            chunk_bytes: ChunkBytes::default().get(),
            copy_binlog: true,
            compare: CompareSettings::default(),
            rules: Vec::new(),
            confirmed: Vec::new(),
        }
    }
}

impl TaskBuilder {
    /// The name; `default` without one. The destination keeps a task's checkpoint by its name,
    /// so two tasks to one destination need two names.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Some words about the task.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// One more label.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }

    /// Copy, follow, or both (the default).
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// One more `database` or `database.table` to synchronize; `*` and `?` match.
    #[must_use]
    pub fn select(mut self, entry: impl Into<String>) -> Self {
        self.include.push(entry.into());
        self
    }

    /// One more `database` or `database.table` to leave out.
    #[must_use]
    pub fn exclude(mut self, entry: impl Into<String>) -> Self {
        self.exclude.push(entry.into());
        self
    }

    /// One more `database` or `database.table` of the source that has another name at the destination.
    #[must_use]
    pub fn map(mut self, source: impl Into<String>, destination: impl Into<String>) -> Self {
        self.map.push((source.into(), destination.into()));
        self
    }

    /// What to do about a row that a change does not fit; [`ConflictPolicy::ReportError`] by default.
    #[must_use]
    pub fn conflict(mut self, policy: ConflictPolicy) -> Self {
        self.conflict = policy;
        self
    }

    /// Whether the ledger of conflicts keeps the rows; by default it keeps their keys alone.
    #[must_use]
    pub fn conflict_images(mut self, keep: bool) -> Self {
        self.conflict_images = keep;
        self
    }

    /// Whether `DROP DATABASE` is kept from the destination; it is by default.
    #[must_use]
    pub fn filter_drop_database(mut self, filter: bool) -> Self {
        self.filter_drop_database = filter;
        self
    }

    /// Whether the copy builds indexes that are not unique; it does by default.
    #[must_use]
    pub fn indexes(mut self, build: bool) -> Self {
        self.indexes = build;
        self
    }

    /// How many connections apply changes, 1 to 64; 4 by default.
    #[must_use]
    pub fn lanes(mut self, lanes: u64) -> Self {
        self.lanes = lanes;
        self
    }

    /// How many connections copy, 1 to 64; 4 by default.
    #[must_use]
    pub fn sessions(mut self, sessions: u64) -> Self {
        self.sessions = sessions;
        self
    }

    /// About how much is copied in one transaction, in bytes; 16 MiB by default.
    #[must_use]
    pub fn chunk_bytes(mut self, bytes: u64) -> Self {
        self.chunk_bytes = bytes;
        self
    }

    /// Whether the destination writes what the copy does to its own binary log; it does by
    /// default. See [`Task::copy_binlog`].
    #[must_use]
    pub fn copy_binlog(mut self, write: bool) -> Self {
        self.copy_binlog = write;
        self
    }

    /// How the two sides are compared, where whoever compares says nothing else.
    #[must_use]
    pub fn compare(mut self, settings: CompareSettings) -> Self {
        self.compare = settings;
        self
    }

    /// One more rule; a table has at most one.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// One more precheck, by its id, whose findings the user has seen and accepts.
    #[must_use]
    pub fn confirm(mut self, check: impl Into<String>) -> Self {
        self.confirmed.push(check.into());
        self
    }

    /// Checks everything. Errors name the setting as the task file does.
    pub fn build(self) -> Result<Task, TaskError> {
        if self.source.address() == self.destination.address() {
            return Err(TaskError::invalid("destination", "it is the source itself"));
        }
        let selection = Selection::new(&self.include, &[])
            .map_err(|error| TaskError::invalid("objects.include", error))
            .and_then(|_| {
                Selection::new(&self.include, &self.exclude)
                    .map_err(|error| TaskError::invalid("objects.exclude", error))
            })?;
        let mapping =
            Mapping::new(&self.map).map_err(|error| TaskError::invalid("objects.map", error))?;
        let unselected = |what: &dyn std::fmt::Display| {
            TaskError::invalid("objects.map", format!("{what} is mapped and not selected"))
        };
        if let Some((table, _)) = mapping
            .tables()
            .find(|(table, _)| !selection.matches(table))
        {
            return Err(unselected(table));
        }
        if let Some((database, _)) = mapping
            .databases()
            .find(|(database, _)| !selection.may_match_in(database))
        {
            return Err(unselected(database));
        }
        let rules = self
            .rules
            .iter()
            .map(Rule::check)
            .collect::<Result<Vec<TableRule>, _>>()
            .map_err(|(key, reason)| TaskError::invalid(format!("rules.{key}"), reason))?;
        let rules = Rules::new(rules).map_err(|table| {
            TaskError::invalid(
                "rules.table",
                format!("{table} has two rules; make them one"),
            )
        })?;
        Ok(Task {
            rules,
            name: TaskName::new(&self.name)
                .map_err(|error| TaskError::invalid("task.name", error))?,
            description: Description::new(&self.description)
                .map_err(|error| TaskError::invalid("task.description", error))?,
            tags: Tags::new(self.tags).map_err(|error| TaskError::invalid("task.tags", error))?,
            mode: self.mode,
            source: self.source,
            destination: self.destination,
            selection,
            mapping,
            conflict: self.conflict,
            conflict_images: self.conflict_images,
            filter_drop_database: self.filter_drop_database,
            confirmed: self.confirmed,
            compare: self.compare,
            indexes: self.indexes,
            lanes: Lanes::new(self.lanes)
                .map_err(|error| TaskError::invalid("sync.lanes", error))?,
            sessions: Sessions::new(self.sessions)
                .map_err(|error| TaskError::invalid("copy.sessions", error))?,
            chunk_bytes: ChunkBytes::new(self.chunk_bytes)
                .map_err(|error| TaskError::invalid("copy.chunk_bytes", error))?,
            copy_binlog: self.copy_binlog,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> TaskBuilder {
        Task::builder(
            Endpoint::tcp("db1", 3306, "drs"),
            Endpoint::tcp("db2", 3306, "drs"),
        )
        .select("shop")
    }

    #[test]
    fn defaults() {
        let task = builder().build().unwrap();
        assert_eq!(task.name().as_str(), "default");
        assert_eq!(task.mode(), &Mode::FullAndIncremental);
        assert_eq!(task.conflict(), ConflictPolicy::ReportError);
        assert_eq!(
            (
                task.lanes().get(),
                task.sessions().get(),
                task.chunk_bytes().get()
            ),
            (4, 4, 16 << 20)
        );
        assert!(task.filter_drop_database() && task.indexes() && task.copy_binlog());
    }

    #[test]
    fn names_the_setting_that_is_wrong() {
        let same = Endpoint::tcp("db1", 3306, "other");
        for (builder, message) in [
            (builder().name("a"), "task.name: \"a\" is no task name"),
            (
                builder().description("a=b"),
                "task.description: the character = can't be in it",
            ),
            (builder().tag("", "x"), "task.tags: a tag has no name"),
            (
                builder().select("mysql"),
                "objects.include: \"mysql\" selects the system database",
            ),
            (
                builder().exclude("a.b.c"),
                "objects.exclude: \"a.b.c\" selects nothing: more than two parts",
            ),
            (
                builder().lanes(0),
                "sync.lanes: 0 lanes are not possible; 1 to 64 are",
            ),
            (
                builder().sessions(65),
                "copy.sessions: 65 sessions are not possible; 1 to 64 are",
            ),
            (
                builder().chunk_bytes(1),
                "copy.chunk_bytes: a chunk of 1 bytes is not possible; 64KiB to 1GiB are",
            ),
            (
                builder().map("shop", "mysql"),
                "objects.map: \"mysql\" can't be a mapped name",
            ),
            (
                builder().map("crm", "shop2"),
                "objects.map: `crm` is mapped and not selected",
            ),
            (
                builder().map("crm.t", "shop.t"),
                "objects.map: `crm`.`t` is mapped and not selected",
            ),
            (
                Task::builder(same.clone(), same).select("a"),
                "destination: it is the source itself",
            ),
            (
                Task::builder(Endpoint::tcp("db1", 1, "a"), Endpoint::tcp("db2", 1, "a")),
                "objects.include: no object is selected",
            ),
        ] {
            let error = builder.build().unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
