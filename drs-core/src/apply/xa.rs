use std::sync::Arc;

use drs_binlog::Position;

use crate::{
    checkpoint::{PREPARED_PART_BYTES_MAX, write_keep_prepared, write_remove_prepared},
    ddl::Xid,
};

/// What a source transaction means for the prepared XA transactions that are kept at the
/// destination: a step of XA, which takes effect in the destination's transaction.
#[derive(Clone, Debug)]
pub(crate) struct XaStep {
    pub(crate) task: Arc<str>,
    pub(crate) xid: Xid,
    pub(crate) change: XaChange,
}

/// The change of what is kept.
#[derive(Clone, Debug)]
pub(crate) enum XaChange {
    /// It is prepared: these bytes of its events are kept until it ends.
    Keep {
        prepared_at: Position,
        /// Parts that hold what came before `events`.
        parts_before: u32,
        events: Vec<u8>,
        /// Nothing follows.
        last: bool,
    },
    /// It is ended: what was kept goes.
    Remove,
}

impl XaStep {
    /// Gives each statement, and the rows that it must affect where that is known.
    pub(crate) fn for_each_statement<E>(
        &self,
        mut each: impl FnMut(&str, Option<u64>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = String::new();
        match &self.change {
            XaChange::Remove => {
                write_remove_prepared(&mut statement, &self.task, &self.xid);
                each(&statement, None)
            }
            XaChange::Keep {
                prepared_at,
                parts_before,
                events,
                last,
            } => {
                // A transaction of which nothing is kept has one empty part.
                let parts = parts_of(events.len());
                for part in 0..parts {
                    let start = part as usize * PREPARED_PART_BYTES_MAX;
                    let end = events.len().min(start + PREPARED_PART_BYTES_MAX);
                    let data = events.get(start..end).unwrap_or_default();
                    let number = (parts_before + part, *last && part + 1 == parts);
                    statement.clear();
                    write_keep_prepared(
                        &mut statement,
                        &self.task,
                        &self.xid,
                        prepared_at,
                        number,
                        data,
                    );
                    each(&statement, Some(1))?;
                }
                Ok(())
            }
        }
    }
}

/// How many parts so many bytes make; at least one.
pub(crate) fn parts_of(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PREPARED_PART_BYTES_MAX).max(1)).unwrap_or(u32::MAX)
}
