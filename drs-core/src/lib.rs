//! The engine of drs: task, copy, replicate, apply, checkpoint, compare.

mod object;

pub use object::{
    CHECKPOINT_DATABASE, DatabaseName, NameCase, NameError, Pattern, Selection, SelectionEntry,
    SelectionError, SelectionReason, TableName,
};
