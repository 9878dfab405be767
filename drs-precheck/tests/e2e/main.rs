//! The prechecks on real servers.

mod servers;

mod accounts;
mod binlog;
mod objects;
mod parameters;
mod previous;
mod privileges;
mod replication;
mod settings;
mod structures;
mod versions;
