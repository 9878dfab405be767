//! MySQL-to-MySQL synchronization, for embedding.
pub use drs_binlog as binlog;
pub use drs_core as core;
pub use drs_precheck as precheck;
