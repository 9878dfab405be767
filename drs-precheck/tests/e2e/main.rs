//! The prechecks on real servers.

mod servers;

mod objects;
