//! Comparison: what a task should have produced at the destination, held against what is there.

mod board;
mod canonical;
mod describe;
mod error;
mod journal;
mod keyed;
mod keyless;
mod objects;
mod observer;
mod outcome;
mod pair;
mod ranges;
mod repair;
mod run;
mod session;
mod settle;

pub use error::CompareError;
pub use objects::{
    DifferenceKind, ObjectCounts, ObjectDifference, ObjectKind, ObjectName, ObjectResult,
    ObjectSummary, ObjectVerdict, ObjectsError, compare_objects,
};
pub use observer::{CompareObserver, CompareProgress};
pub use outcome::{
    ColumnDifference, CompareLevel, RowCounts, RowDifference, RowDifferenceKind, Shown,
    TableResult, TableVerdict,
};
pub use repair::repair_preamble;
pub use run::{CompareOptions, CompareOutcome, ComparedServer, Comparison};
