//! Row filters, column rules, kinds of change left out.

mod columns;
mod filter;
mod refused;
