//! Comparison: what a task should have produced at the destination, held against what is there.

mod objects;

pub use objects::{
    DifferenceKind, ObjectCounts, ObjectDifference, ObjectKind, ObjectName, ObjectResult,
    ObjectSummary, ObjectVerdict,
};
