use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use super::FollowError;
use crate::{
    checkpoint::{CheckpointError, CheckpointStore, TransactionId},
    object::{NameCase, TableName},
};

/// Keeps count of who writes to the destination's tables: two tables of this task's source never
/// do to one, and other tasks may.
pub(crate) struct Sharing {
    store: Arc<Mutex<CheckpointStore>>,
    /// How the destination compares names.
    case: NameCase,
    /// The source's table by the destination's.
    sources: HashMap<TableName, TableName>,
}

impl Sharing {
    pub(crate) fn new(store: Arc<Mutex<CheckpointStore>>, case: NameCase) -> Self {
        Self {
            store,
            case,
            sources: HashMap::new(),
        }
    }

    /// How the destination compares names.
    pub(super) fn case(&self) -> NameCase {
        self.case
    }

    /// Forgets which tables there are: a DDL has run.
    pub(super) fn forget(&mut self) {
        self.sources.clear();
    }

    /// Takes a table of the destination for one of the source; the other tasks that write to it.
    pub(super) fn take(
        &mut self,
        destination: &TableName,
        source: &TableName,
        id: &TransactionId,
    ) -> Result<Vec<String>, FollowError> {
        let folded = destination.folded(self.case);
        match self.sources.get(&folded) {
            Some(other) if other != source => {
                return Err(FollowError::Refused {
                    transaction: id.clone(),
                    reason: format!(
                        "it changes {source}, which is {destination} at the destination, and so is {other}: one task does \
                         not merge tables; give each a task of its own"
                    ),
                });
            }
            Some(_) => {}
            None => _ = self.sources.insert(folded, source.clone()),
        }
        let mut store = self.store();
        let mut writers = table_writers(&mut store, destination, self.case)?;
        if !writers.iter().any(|task| task == store.task()) {
            // Committed before the question is asked again: of two tasks one sees the other.
            store.add_writer(&[(source.clone(), destination.clone())], self.case)?;
            writers = table_writers(&mut store, destination, self.case)?;
        }
        writers.retain(|task| task != store.task());
        Ok(writers)
    }

    fn store(&self) -> MutexGuard<'_, CheckpointStore> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tasks that write to a table of the destination.
pub(super) fn table_writers(
    store: &mut CheckpointStore,
    table: &TableName,
    case: NameCase,
) -> Result<Vec<String>, CheckpointError> {
    store.writers(table.database.as_str(), Some(&table.table), case)
}
