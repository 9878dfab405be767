//! The prechecks on real servers.

mod servers;

mod accounts;
mod binlog;
mod foreign_keys;
mod names;
mod objects;
mod parameters;
mod previous;
mod privileges;
mod programs;
mod replication;
mod scale;
mod settings;
mod structures;
mod versions;
