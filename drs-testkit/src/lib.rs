//! Throwaway real MySQL servers for the demo, the tests and the benches.
//!
//! An [`Installation`] is a server's programs: found on the machine, or fetched once into a cache
//! folder by an ordinary user, with nothing installed. A [`Server`] is one running instance in a
//! temporary folder of its own. It never outlives the process that started it, however that process
//! ends, and its folder goes with it.
//!
//! ```no_run
//! use drs_testkit::{Installation, Server, Version};
//! use mysql::prelude::Queryable;
//!
//! # fn main() -> Result<(), drs_testkit::Error> {
//! let mysql = Installation::find_or_fetch(Version::MySql97)?;
//! let source = Server::builder(&mysql).gtid(true).server_id(1).start()?;
//! let mut conn = source.conn()?;
//! conn.query_drop("CREATE DATABASE shop")?;
//!
//! source.kill()?; // As in a power cut of the process.
//! source.restart()?; // The same data, the same port.
//! # Ok(())
//! # }
//! ```
//!
//! # Where things are kept
//! Programs and initialised data folders are in the cache folder: `$DRS_CACHE_DIR`, else
//! `$XDG_CACHE_HOME/drs`, else `~/.cache/drs`. It can be deleted at any time that no server runs.
//! Running servers are in folders named `drs-…` in the system's temporary folder.

mod cache;
mod child;
mod compare;
mod delay_proxy;
mod error;
mod fetch;
mod folder;
mod installation;
mod measured;
mod runtime;
mod server;
mod tools;
mod usage;
mod version;

pub mod deadline;
pub mod workload;

pub use cache::cache_dir;
pub use child::GuardedChild;
pub use compare::{
    TableComparison, TableDifference, TableDigest, compare_all_tables, compare_tables, digest_table,
};
pub use delay_proxy::DelayProxy;
pub use error::Error;
pub use installation::Installation;
pub use measured::Measured;
pub use server::{BinlogFormat, Server, ServerBuilder};
pub use tools::{Tool, Tools};
pub use usage::{cpu_time, peak_memory_bytes};
pub use version::{Release, Version};

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;
