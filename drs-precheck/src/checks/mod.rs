//! The checks, by what they look at.

mod connection;
#[cfg(test)]
mod tests;

use crate::Check;

/// All checks, in the order of the report within each group.
pub const CHECKS: &[&Check] = &[
    &connection::SOURCE_CONNECTION,
    &connection::DESTINATION_CONNECTION,
];
