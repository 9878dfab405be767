//! The command line of drs.
fn main() {}
