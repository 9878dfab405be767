use std::sync::{Mutex, PoisonError};

use crate::{
    copy::{CopyEvent, CopyObserver},
    observe::{CopyProgress, Observer},
};

/// Adds up what the copy's sessions tell, for the run's observer.
pub(super) struct CopyTally<'a> {
    observer: &'a dyn Observer,
    progress: Mutex<CopyProgress>,
}

impl<'a> CopyTally<'a> {
    pub(super) fn new(observer: &'a dyn Observer) -> Self {
        Self {
            observer,
            progress: Mutex::new(CopyProgress::default()),
        }
    }
}

impl CopyObserver for CopyTally<'_> {
    fn copy_event(&self, event: &CopyEvent<'_>) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            CopyEvent::Planned {
                tables,
                tables_done,
                rows_estimate,
            } => {
                progress.tables_total = *tables;
                progress.tables_done = *tables_done;
                progress.rows_estimated = *rows_estimate;
            }
            CopyEvent::Opened {
                table,
                rows_estimate,
            } => tracing::debug!(%table, rows_estimate, "copy begins"),
            CopyEvent::Part {
                table,
                rows,
                bytes,
                conflicts,
            } => {
                tracing::trace!(%table, rows, bytes, "part copied");
                progress.rows_copied += rows;
                progress.bytes_copied += bytes;
                progress.rows_kept += conflicts;
            }
            CopyEvent::Keys { table } => tracing::debug!(%table, "adding keys"),
            CopyEvent::Copied { table, rows } => {
                tracing::debug!(%table, rows, "copied");
                progress.tables_done += 1;
            }
            CopyEvent::Restarted { table } => {
                self.observer
                    .notice(&format!("the copy of {table} begins again"));
            }
            CopyEvent::Program {
                kind,
                name,
                finding,
            } => self.observer.notice(&format!("{kind} {name}: {finding}")),
            CopyEvent::Waiting { table, reason } => {
                self.observer.notice(&format!("{table} waits: {reason}"));
            }
        }
        self.observer.copying(&progress);
    }
}
