//! A shop and people who use it: the data and the writes that the demo shows and the tests rely on.
//!
//! A [`Shop`] is a database of eight tables with most column types in them, one without a primary
//! key. [`Writers`] are threads that keep changing it with statements of every kind, in
//! transactions over several tables. Nothing that they do can be done twice or left out without
//! being seen: counters go with rows of a table without a key, transfers keep a sum, and
//! [`Shop::broken_rules`] says what does not add up, at any moment and on either side.
//!
//! The same statements run on MySQL 5.6 (where JSON is text) and on all later versions.

mod actions;
mod load;
mod random;
mod rules;
mod schema;
mod writers;

pub use load::Shop;
pub use random::Random;
pub use writers::{WriteCounts, Writers, WritersBuilder};
