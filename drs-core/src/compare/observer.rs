use std::time::Duration;

use super::{RowDifference, TableResult};
use crate::object::TableName;

/// Is told how a comparison goes. Calls come from several threads at a time, and must be quick.
pub trait CompareObserver: Sync {
    /// The comparison goes on; a few times a second.
    fn progress(&self, progress: &CompareProgress) {
        let _ = progress;
    }

    /// A table is done. Each table is told once, in no certain order.
    fn table(&self, result: &TableResult) {
        let _ = result;
    }

    /// A row certainly differs. Not more of them than the options say are told of a table.
    fn difference(&self, table: &TableName, difference: &RowDifference) {
        let _ = (table, difference);
    }

    /// A statement that would make a row of the destination's table equal to the source's, when the
    /// options ask for such. It holds values of the row.
    fn repair(&self, table: &TableName, statement: &str) {
        let _ = (table, statement);
    }

    /// Something worth telling that is no result.
    fn notice(&self, text: &str) {
        let _ = text;
    }
}

impl CompareObserver for () {}

/// How far a comparison is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CompareProgress {
    /// Tables to compare.
    pub tables_total: u64,
    /// Tables that are done.
    pub tables_done: u64,
    /// Rows of the source that are compared.
    pub rows_done: u64,
    /// Rows to compare, as the source estimates them.
    pub rows_estimated: u64,
    /// Rows that differ so far.
    pub differences: u64,
    /// How long it takes from now on, if it goes on like this.
    pub time_left: Option<Duration>,
}
