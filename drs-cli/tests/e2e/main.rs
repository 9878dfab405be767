//! `drs run` on real servers, from a user's side: what it is started with, and what is at the
//! destination afterwards.
//!
//! Every test has a database of its own on a few shared servers; those that stop, restart or purge
//! have servers of their own. Some are small versions of long campaigns, which are run by hand: see
//! `docs/campaigns.md`.

mod bank;
mod compare;
mod conflict;
mod cut;
mod ddl;
mod giant;
mod incremental;
mod interrupt;
mod kill;
mod kill_held;
mod login;
mod many_tables;
mod mapping;
mod program;
mod refused;
mod restart;
mod rules;
mod servers;
mod task;
mod tls;
