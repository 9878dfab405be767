//! The engine on real servers.

mod copy;
mod follow;
mod mapping;
mod servers;
