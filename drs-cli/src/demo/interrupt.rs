//! Ctrl-C in the demo.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use super::Ending;
use crate::exit::{CommandError, Exit};

/// How long an orderly end may take. After that the process just ends: the guardians of servers and
/// programs clean up after it.
const GRACE: Duration = Duration::from_secs(5);

/// Knows whether the user wants the demo to end.
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on.
    pub(super) fn listen() -> Result<Self, CommandError> {
        let asked = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&asked);
        ctrlc::set_handler(move || {
            told.store(true, Ordering::Relaxed);
            // Some steps take a while and know nothing of Ctrl-C, such as fetching a server.
            thread::sleep(GRACE);
            std::process::exit(i32::from(Exit::Interrupted as u8));
        })
        .map_err(|error| CommandError::Failed(format!("cannot listen for Ctrl-C: {error}")))?;
        Ok(Self(asked))
    }

    /// True once the user has asked for the end.
    pub(super) fn asked(&self) -> &AtomicBool {
        &self.0
    }

    /// Fails once the user has asked for the end.
    pub(super) fn check(&self) -> Result<(), Ending> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Ending::Interrupted);
        }
        Ok(())
    }
}
