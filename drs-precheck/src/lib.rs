//! Prechecks: what can be known of both servers before a task starts, and what follows from it.
//!
//! [`Facts`] are gathered once, by a fixed list of queries. Each of the [`CHECKS`] is a pure function
//! from them to [`Finding`]s, so they can be run on facts that are made up, without a server.
//!
//! ```no_run
//! use drs_precheck::{Facts, Report};
//!
//! let task = drs_core::Task::load("task.toml".as_ref())?;
//! let report = Report::of(&Facts::gather(&task));
//! for checked in &report.checked {
//!     println!("{:<8} {}", checked.verdict(), checked.check.title);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod check;
mod checks;
pub mod facts;
mod finding;
mod plan;
mod report;

pub use check::{Check, Checked, Group};
pub use checks::CHECKS;
pub use facts::{Fact, Facts, Side, Unread};
pub use finding::{Finding, Remedy, Verdict};
pub use plan::{CatchUp, Plan, Rates};
pub use report::Report;
