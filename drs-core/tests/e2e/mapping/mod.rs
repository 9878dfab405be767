//! Other names at the destination, several tasks into one table, tables with more columns.

mod circle;
mod columns;
mod many_to_one;
mod names;
pub(crate) mod run;
mod selection;
mod statements;
