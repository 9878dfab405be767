//! Following: what is in the log reaches the destination, or the task stops.

mod ddl;
mod order;
mod run;
mod source;
mod values;
mod xa;
