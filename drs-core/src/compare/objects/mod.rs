//! The level "objects": databases, tables, views, procedures and functions, by what they mean and
//! not by how a server prints them.

mod result;

pub use result::{
    DifferenceKind, ObjectCounts, ObjectDifference, ObjectKind, ObjectName, ObjectResult,
    ObjectSummary, ObjectVerdict,
};
