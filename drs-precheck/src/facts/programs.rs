//! Views, routines, triggers and events.

use drs_core::{DatabaseName, Role, ServerVersion};
use mysql::Conn;

use super::Unread;

/// Views, routines, triggers and events.
#[derive(Clone, Debug)]
pub struct Programs {}

impl Programs {
    /// Without any answer, for this reason.
    pub(super) fn unread(_reason: &Unread) -> Self {
        Self {}
    }

    pub(super) fn gather(
        _conn: &mut Conn,
        _role: Role,
        _version: ServerVersion,
        _databases: &[DatabaseName],
    ) -> Self {
        Self {}
    }
}

#[cfg(test)]
impl Programs {
    pub(crate) fn sample() -> Self {
        Self {}
    }
}
