//! The names of databases and tables, and which of them a task works on.

mod mapping;
mod name;
mod name_rule;
mod pattern;
mod selection;

pub use mapping::{Mapping, MappingError};
pub use name::{DatabaseName, NameCase, NameError, TableName};
pub use name_rule::{
    NameRuleError, check_database_name, check_mapped_database, check_mapped_table, check_table_name,
};
pub use pattern::Pattern;
pub use selection::{
    CHECKPOINT_DATABASE, Selection, SelectionEntry, SelectionError, SelectionReason,
};
