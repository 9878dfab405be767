//! What tasks have left at a destination, in `drs_meta`.

use mysql::Conn;

use super::Unread;

/// What tasks have left at a destination.
#[derive(Clone, Debug)]
pub struct Previous {}

impl Previous {
    /// Without any answer, for this reason.
    pub(super) fn unread(_reason: &Unread) -> Self {
        Self {}
    }

    pub(super) fn gather(_conn: &mut Conn) -> Self {
        Self {}
    }
}

#[cfg(test)]
impl Previous {
    pub(crate) fn sample() -> Self {
        Self {}
    }
}
