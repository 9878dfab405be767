//! The engine on real servers.

mod copy;
mod servers;
