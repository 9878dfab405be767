//! Statements of the binary log: what they do, which objects they name, and the session they ran in.
//!
//! There is no SQL parser here, which would lag behind the servers. A [`Lexer`]
//! that follows the server's finds the words; [`classify`] recognises the kind
//! of statement by its first words and reads object names where the grammar
//! says they stand. What it does not recognise is [`StatementKind::Unknown`],
//! never a guess.
mod alter_columns;
mod change;
mod charset;
mod classify;
mod context;
mod cursor;
mod lexer;
mod names;
mod program;
#[cfg(test)]
mod server_tests;
mod statement;
mod table;
#[cfg(test)]
mod tests;

pub use alter_columns::{added_columns, columns_after};
pub use charset::ClientCharset;
pub use classify::{LexContext, classify};
pub use context::{ContextError, DestinationSession, SessionContext, SourceDefaults, as_prepared};
pub use lexer::{LexRules, Lexer, Span, SqlMode, Token, TokenKind};
pub(crate) use names::with_names;
pub use statement::{
    Action, ColumnSource, DmlKind, Names, ObjectKind, ObjectName, Repeat, Role, Statement,
    StatementKind, XaAction, Xid,
};
