//! Following: what is in the log reaches the destination, or the task stops.

mod cascades;
mod copy_again;
mod ddl;
mod json;
mod large;
mod order;
mod partial_json;
mod programs;
mod renames;
pub(crate) mod run;
mod source;
mod statement_format;
mod statements;
mod types;
mod values;
mod xa;
