//! The server's binary log.

use drs_core::{Role, ServerVersion};
use mysql::Conn;

use super::Unread;

/// The server's binary log.
#[derive(Clone, Debug)]
pub struct Binlog {}

impl Binlog {
    /// Without any answer, for this reason.
    pub(super) fn unread(_reason: &Unread) -> Self {
        Self {}
    }

    pub(super) fn gather(_conn: &mut Conn, _role: Role, _version: ServerVersion) -> Self {
        Self {}
    }
}

#[cfg(test)]
impl Binlog {
    pub(crate) fn sample(_role: Role) -> Self {
        Self {}
    }
}
