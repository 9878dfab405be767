//! The prechecks on real servers.

mod servers;

mod accounts;
mod binlog;
mod objects;
mod privileges;
mod replication;
mod settings;
mod versions;
