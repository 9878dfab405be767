//! Every value and every sequence of statements that tools of this kind got wrong, on real servers:
//! through the copy, through following, and through following with kills in between.
//!
//! `cases/` is the table: a new case is a few lines there. `docs/fidelity.md` is rendered from it.
//! `random/` invents tables and transactions beyond the table.
//!
//! `DRS_FIDELITY=12` runs the cases of one trap only.

mod alone;
mod case;
mod cases;
mod docs;
mod elsewhere;
#[allow(dead_code, reason = "it serves the tests in e2e, too")]
#[path = "../e2e/program.rs"]
mod program;
mod random;
mod run;
#[allow(dead_code, reason = "it serves the tests in e2e, too")]
#[path = "../e2e/servers.rs"]
mod servers;
#[allow(dead_code, reason = "it serves the tests in e2e, too")]
#[path = "../e2e/task.rs"]
mod task;
