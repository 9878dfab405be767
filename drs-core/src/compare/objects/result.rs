use std::{collections::BTreeMap, fmt};

use crate::object::{DatabaseName, TableName};

/// What the comparison says of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectResult {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name at the source; `None` when the source does not have it.
    pub source: Option<ObjectName>,
    /// Its name at the destination, by the mapping; `None` when the destination does not have it.
    pub destination: Option<ObjectName>,
    /// How the two go together.
    pub verdict: ObjectVerdict,
    /// Where they are not the same; also of equal ones, where the difference is explained.
    pub differences: Vec<ObjectDifference>,
}

/// How an object at the source and one at the destination go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectVerdict {
    /// They mean the same.
    Equal,
    /// At least one difference is real.
    Different,
    /// The task takes it, and the destination does not have it.
    OnlyAtSource,
    /// It is in a database that the task takes as a whole, and the source does not have it.
    OnlyAtDestination,
    /// The comparison says nothing of it, for this reason.
    NotCompared(String),
}

/// One property that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectDifference {
    /// The property, with the name of the part that has it: ``column `total`: type``.
    pub what: String,
    /// What it is at the source, by the source's words; long texts are cut.
    pub source: String,
    /// The same for the destination.
    pub destination: String,
    /// Whether it counts.
    pub kind: DifferenceKind,
}

/// Whether a difference counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The objects are not the same.
    Real,
    /// The versions print the same thing in other words, or the task wants it so: the reason.
    Explained(&'static str),
}

/// What kind of object it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// A database.
    Database,
    /// A table.
    Table,
    /// A key of a table, the primary one included. Keys are counted, and stand in no result of their
    /// own: their differences are with the table's.
    Index,
    /// A view.
    View,
    /// A procedure.
    Procedure,
    /// A function.
    Function,
    /// A trigger, which drs does not copy.
    Trigger,
    /// An event, which drs does not copy.
    Event,
}

/// The name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectName {
    /// A database.
    Database(DatabaseName),
    /// What is in a database.
    In(TableName),
}

/// How many objects of a kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObjectCounts {
    /// At the source, of those that the task takes.
    pub source: u64,
    /// At the destination, of those that stand beside them, and of those that only it has.
    pub destination: u64,
    /// Those that differ, or that only one side has.
    pub different: u64,
    /// Those that nothing is said of.
    pub not_compared: u64,
}

/// The numbers of all objects, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectSummary {
    /// The kinds that there is at least one of.
    pub counts: BTreeMap<ObjectKind, ObjectCounts>,
}

impl ObjectSummary {
    /// True when no object differs. Objects that were not compared may.
    pub fn is_equal(&self) -> bool {
        self.counts.values().all(|counts| counts.different == 0)
    }
}

impl ObjectResult {
    /// The real differences.
    pub fn real(&self) -> impl Iterator<Item = &ObjectDifference> {
        self.differences
            .iter()
            .filter(|difference| difference.kind == DifferenceKind::Real)
    }
}

impl ObjectKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Table => "table",
            Self::Index => "index",
            Self::View => "view",
            Self::Procedure => "procedure",
            Self::Function => "function",
            Self::Trigger => "trigger",
            Self::Event => "event",
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(name) => name.fmt(f),
            Self::In(name) => name.fmt(f),
        }
    }
}
