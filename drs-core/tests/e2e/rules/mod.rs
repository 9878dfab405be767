//! Row filters, column rules, added columns, kinds of change left out.

mod added;
mod columns;
mod filter;
mod refused;
