//! What goes on at a server: sessions, transactions, replication.

use drs_core::{Role, ServerVersion};
use mysql::Conn;

use super::Unread;

/// What goes on at a server: sessions, transactions, replication.
#[derive(Clone, Debug)]
pub struct Activity {}

impl Activity {
    /// Without any answer, for this reason.
    pub(super) fn unread(_reason: &Unread) -> Self {
        Self {}
    }

    pub(super) fn gather(_conn: &mut Conn, _role: Role, _version: ServerVersion) -> Self {
        Self {}
    }
}

#[cfg(test)]
impl Activity {
    pub(crate) fn sample(_role: Role) -> Self {
        Self {}
    }
}
