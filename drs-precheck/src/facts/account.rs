//! The account that the task uses, and what it may do.

use drs_core::{Role, ServerVersion};
use mysql::Conn;

use super::Unread;

/// The account that the task uses, and what it may do.
#[derive(Clone, Debug)]
pub struct Account {}

impl Account {
    /// Without any answer, for this reason.
    pub(super) fn unread(_reason: &Unread) -> Self {
        Self {}
    }

    pub(super) fn gather(_conn: &mut Conn, _role: Role, _version: ServerVersion) -> Self {
        Self {}
    }
}

#[cfg(test)]
impl Account {
    pub(crate) fn sample(_role: Role) -> Self {
        Self {}
    }
}
