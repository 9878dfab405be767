//! The names of databases and tables, and which of them a task works on.

mod mapping;
mod name;
mod pattern;
mod selection;

pub use mapping::{Mapping, MappingError};
pub use name::{DatabaseName, NameCase, NameError, TableName};
pub use pattern::Pattern;
pub use selection::{
    CHECKPOINT_DATABASE, Selection, SelectionEntry, SelectionError, SelectionReason,
};
