//! The prechecks on real servers.

mod servers;

mod accounts;
mod binlog;
mod catch_up;
mod coverage;
mod encryption;
mod foreign_keys;
mod healthy;
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
