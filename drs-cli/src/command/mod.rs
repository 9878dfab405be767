//! The commands, one a file.

pub(crate) mod binlog;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod conflicts;
pub(crate) mod demo;
pub(crate) mod objects;
pub(crate) mod run;
pub(crate) mod start_point;
pub(crate) mod status;
