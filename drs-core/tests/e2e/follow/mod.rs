//! Following: what is in the log reaches the destination, or the task stops.

mod ddl;
mod json;
mod order;
pub(crate) mod run;
mod source;
mod types;
mod values;
mod xa;
