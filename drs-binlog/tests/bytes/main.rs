//! Events from bytes: what servers can't easily be made to log, and what they never would.

mod build;
mod damaged;
mod events;
mod gtid_events;
mod payloads;
mod transactions;
