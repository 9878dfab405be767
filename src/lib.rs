//! MySQL-to-MySQL synchronization, for embedding: a full copy that turns into following the
//! source's binary log, exactly once.
//!
//! This crate holds no logic. It puts the parts together under one name:
//!
//! - [`binlog`]: the binary log's events and rows, decoded without copying;
//! - [`core`]: the engine, and everything a task is made of;
//! - [`precheck`]: facts of both servers and what follows from them.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//! use drs::{Endpoint, MySqlDestination, Pipeline, Task};
//!
//! let source = Endpoint::tcp("old.example", 3306, "drs").password("secret");
//! let destination = Endpoint::tcp("new.example", 3306, "drs").password("secret");
//! let task = Task::builder(source, destination).name("move-shop").select("shop.*").build()?;
//! let stop = AtomicBool::new(false);
//! let outcome = Pipeline::new(&task, MySqlDestination::new(&task))
//!     .until_caught_up(true)
//!     .run(&stop)?;
//! println!("{:?}", outcome.end);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use drs_binlog as binlog;
pub use drs_core as core;
pub use drs_precheck as precheck;

pub use drs_core::{
    ConflictPolicy, Destination, End, Endpoint, Mode, MySqlDestination, Observer, Outcome,
    Pipeline, PipelineError, Task, TaskError, Tls,
};
