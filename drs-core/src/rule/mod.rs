//! Data processing: which rows and columns of a table are synchronized.

mod added;
mod asker;
mod bind;
mod columns;
mod expression;
mod filter;
mod lexer;
mod like;
mod moment;
mod number;
mod parse;
mod recorded;
mod settings;
mod text;
mod verify;

pub(crate) use added::{Added, AddedRole, AddedSql};
pub use asker::AskError;
pub(crate) use asker::Asker;
pub use bind::BindError;
pub use expression::{Expression, Literal, Operator};
pub use filter::FilterError;
pub(crate) use filter::{Filter, Truth, opaque};
pub use parse::{ParseError, WHERE_CHARS_MAX};
pub(crate) use recorded::{record, recorded};
pub use settings::{AddedColumn, AddedValue, DmlKind, FixedType, Rule, TimeType};
pub(crate) use settings::{Rules, TableRule};
pub(crate) use verify::verify;
pub use verify::{RuleFinding, RuleVerdict, check_rules};

#[cfg(test)]
mod server_tests;
