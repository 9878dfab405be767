//! Logs, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::exit::CommandError;

/// Begins to log. `DRS_LOG` (a filter such as `drs_core=debug`) is stronger than `-v` and `-q`.
pub(crate) fn start(verbose: u8, quiet: bool, json: bool) -> Result<(), CommandError> {
    let filter = match std::env::var("DRS_LOG") {
        Ok(filter) if !filter.is_empty() => EnvFilter::try_new(filter)
            .map_err(|error| CommandError::LogFilter(error.to_string()))?,
        _ => EnvFilter::new(level(verbose, quiet)),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(verbose > 0);
    // A subscriber can already be there only in a test of this very process.
    let _ = if json {
        subscriber.json().try_init()
    } else {
        subscriber.with_ansi(io::stderr().is_terminal()).try_init()
    };
    Ok(())
}

/// Only drs itself logs in detail: `mysql` logs at a level that shows statements.
fn level(verbose: u8, quiet: bool) -> &'static str {
    match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "warn,drs=info,drs_binlog=info,drs_core=info,drs_testkit=info",
        (false, 1) => "warn,drs=debug,drs_binlog=debug,drs_core=debug,drs_testkit=debug",
        (false, _) => "warn,drs=trace,drs_binlog=trace,drs_core=trace,drs_testkit=trace",
    }
}
