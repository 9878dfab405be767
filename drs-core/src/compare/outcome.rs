use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::object::TableName;

/// How deep tables are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CompareLevel {
    /// Which rows there are, by their keys; in tables without a key, how many.
    Count,
    /// Every column of every row.
    #[default]
    Values,
}

/// What a comparison found out about one table.
#[derive(Clone, Debug)]
pub struct TableResult {
    /// The table at the source.
    pub source: TableName,
    /// The table at the destination.
    pub destination: TableName,
    /// The result in a word.
    pub verdict: TableVerdict,
    /// How often each kind of difference was found.
    pub counts: RowCounts,
    /// Differences of the definitions that keep columns from being compared.
    pub structure: Vec<String>,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// The first differences, as many as the options say.
    pub examples: Vec<RowDifference>,
    /// From the first to the last query.
    pub duration: Duration,
}

/// The result for one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableVerdict {
    /// Every row is on both sides, and the same.
    Equal,
    /// At least one row is not, or a column can't be compared.
    Different,
    /// Rows that differ were still being written to when the comparison gave up on them; no other
    /// row differs.
    Unsettled,
    /// Nothing can be said, and why.
    NotCompared(String),
}

/// Rows of a table, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows read at the source.
    pub source: u64,
    /// Rows read at the destination.
    pub destination: u64,
    /// Rows that are at the source only.
    pub missing: u64,
    /// Rows that are at the destination only.
    pub extra: u64,
    /// Rows with the same key on both sides, and another value.
    pub different: u64,
    /// Rows that differed each time they were looked at, and changed in between.
    pub unsettled: u64,
    /// Differences that the task's rule brings about, since it leaves kinds of changes out.
    pub by_rule: u64,
}

impl RowCounts {
    /// Rows that are not as they should be.
    pub fn differences(&self) -> u64 {
        self.missing + self.extra + self.different
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.source += other.source;
        self.destination += other.destination;
        self.missing += other.missing;
        self.extra += other.extra;
        self.different += other.different;
        self.unsettled += other.unsettled;
        self.by_rule += other.by_rule;
    }
}

/// One row that is not the same on both sides. It holds values of the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowDifference {
    /// What is the matter with it.
    pub kind: RowDifferenceKind,
    /// The key's columns with their values; all columns of a keyless table.
    pub key: Vec<(String, Shown)>,
    /// The columns that differ; none where the row is on one side only.
    pub columns: Vec<ColumnDifference>,
    /// How many such rows: more than one only in a keyless table.
    pub times: u64,
}

/// What is the matter with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowDifferenceKind {
    /// It is at the source only.
    Missing,
    /// It is at the destination only.
    Extra,
    /// Its values differ.
    Different,
}

impl RowDifferenceKind {
    /// One word for reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Different => "different",
        }
    }
}

/// A column whose value differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDifference {
    /// Its name at the source.
    pub column: String,
    /// The value at the source.
    pub source: Shown,
    /// The value at the destination.
    pub destination: Shown,
}

/// A value as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shown {
    /// NULL.
    Null,
    /// Text, a number or a time.
    Text(String),
    /// Bytes in hexadecimal.
    Hex(String),
    /// The beginning of a longer value, and the length of the whole in bytes.
    Cut(String, u64),
    /// The same in hexadecimal.
    CutHex(String, u64),
    /// What stands around the first byte that differs in long values, and that byte's place, from 0.
    Around(String, u64),
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Hex(digits) => write!(f, "0x{digits}"),
            Self::CutHex(start, bytes) => write!(f, "0x{start}… ({bytes} bytes)"),
            Self::Around(part, place) => write!(f, "…'{part}'… (from byte {place})"),
            Self::Cut(start, bytes) => write!(f, "'{start}…' ({bytes} bytes)"),
        }
    }
}
