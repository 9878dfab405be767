use mysql::{Conn, prelude::Queryable};

use super::{CopyError, CopyEvent, error::at_destination, session::Session};
use crate::object::TableName;

/// How long the server is asked to wait at a time.
const WAIT_SECS: u32 = 1;

impl Session<'_, '_> {
    /// Makes this the only session of the task that makes, changes or drops a table.
    ///
    /// A server goes on with a statement when its client is killed: a table that the last run
    /// was creating comes into being after this run has looked for it. The lock is the session's
    /// own, so it is free only when that statement has ended; whatever fails before
    /// [`Self::end_turn`], the session ends with it.
    pub(super) fn take_turn(&mut self, table: &TableName) -> Result<(), CopyError> {
        let lock = lock_name(&self.shared.task, table);
        loop {
            if self.shared.halted() {
                return Err(CopyError::Stopped);
            }
            let held = ask(
                self.destination()?,
                &format!("SELECT GET_LOCK('{lock}', {WAIT_SECS})"),
                table,
            )?;
            if held == Some(true) {
                return Ok(());
            }
            self.shared.tell(&CopyEvent::Waiting {
                table,
                reason: "the destination still executes a statement of an earlier run",
            });
        }
    }

    /// Lets others have their turn.
    pub(super) fn end_turn(&mut self, table: &TableName) -> Result<(), CopyError> {
        let lock = lock_name(&self.shared.task, table);
        ask(
            self.destination()?,
            &format!("SELECT RELEASE_LOCK('{lock}')"),
            table,
        )?;
        Ok(())
    }
}

fn ask(conn: &mut Conn, query: &str, table: &TableName) -> Result<Option<bool>, CopyError> {
    let answer: Option<Option<bool>> = conn
        .query_first(query)
        .map_err(at_destination(format!("waiting for the turn on {table}")))?;
    Ok(answer.flatten())
}

/// A server takes 64 characters.
fn lock_name(task: &str, table: &TableName) -> String {
    let names = [task, table.database.as_str(), table.table.as_str()];
    let bytes = names
        .iter()
        .flat_map(|name| name.bytes().chain(std::iter::once(0)));
    format!("drs_copy_{:016x}", super::definition::fnv(bytes))
}
