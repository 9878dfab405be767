//! The engine on real servers.

mod compare;
mod conflict;
mod copy;
mod follow;
mod mapping;
mod rules;
mod servers;
