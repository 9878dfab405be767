//! The full copy, from server to server.

mod keyless;
mod keys;
mod objects;
mod resume;
mod run;
mod types;
