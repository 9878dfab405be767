//! Row filters, column rules, kinds of change left out.

mod filter;
mod refused;
