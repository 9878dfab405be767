//! The full copy, from server to server.

mod keyless;
pub(crate) mod keys;
mod objects;
mod resume;
mod run;
pub(crate) mod types;
mod unlogged;
