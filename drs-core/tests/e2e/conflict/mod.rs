//! Rows of the destination that a change does not fit: each policy, each kind, and the ledger.

mod cases;
mod images;
mod ledger;
mod parts;
mod policies;
