use drs_binlog::Position;
use hashbrown::HashMap;

use crate::{
    checkpoint::{StreamPoint, TablePhase, TableRecord, TransactionId},
    object::{NameCase, TableName},
};

/// Where the copies of the tables stand in the stream.
pub(super) struct CopyWindows {
    case: NameCase,
    /// By the table's name, in lower case where the source does not tell cases apart.
    tables: HashMap<TableName, CopyWindow>,
    /// Every table that was copied is in `tables`, with its `from`.
    complete: bool,
}

#[derive(Clone, Debug)]
struct CopyWindow {
    table: TableName,
    from: Option<StreamPoint>,
    until: Option<StreamPoint>,
}

/// How a transaction stands to the copy of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// At or before `from`: the copy holds it.
    InCopy,
    /// Up to `until`: the copy may hold it.
    Lenient,
    /// The copy holds nothing of it, or there is none.
    Strict,
}

impl CopyWindows {
    /// `start` is where the stream begins. A table is noted as live before the checkpoint's own
    /// position has passed its copy: a run that was killed then begins inside the window again.
    pub(super) fn new(tables: &[TableRecord], case: NameCase, start: &Position) -> Self {
        let records = tables.len();
        let is_ahead = |record: &TableRecord| {
            let until = record.until.as_ref();
            until.is_some_and(|until| until.position > *start)
        };
        let tables: HashMap<_, _> = tables
            .iter()
            .filter(|record| record.phase != TablePhase::Live || is_ahead(record))
            .map(|record| {
                let window = CopyWindow {
                    table: record.table.clone(),
                    from: record.from.clone(),
                    until: record.until.clone(),
                };
                (record.table.folded(case), window)
            })
            .collect();
        Self {
            case,
            complete: tables.len() == records && tables.values().all(|it| it.from.is_some()),
            tables,
        }
    }

    /// How a transaction stands to a table's copy.
    pub(super) fn of(&self, table: &TableName, id: &TransactionId) -> Window {
        if self.tables.is_empty() {
            return Window::Strict;
        }
        let Some(window) = self.tables.get(&table.folded(self.case)) else {
            return Window::Strict;
        };
        if window.from.as_ref().is_some_and(|from| from.contains(id)) {
            Window::InCopy
        } else if window
            .until
            .as_ref()
            .is_some_and(|until| id.end <= until.position)
        {
            Window::Lenient
        } else {
            Window::Strict
        }
    }

    /// The point that a table's copy stands for, while it catches up.
    pub(super) fn from(&self, table: &TableName) -> Option<&StreamPoint> {
        let window = self.tables.get(&table.folded(self.case))?;
        window.from.as_ref()
    }

    /// True when the copies of all tables hold everything up to a transaction, also of tables
    /// whose changes are not known. Not so when there is no copy.
    pub(super) fn all_hold(&self, id: &TransactionId) -> bool {
        self.complete
            && !self.tables.is_empty()
            && self
                .tables
                .values()
                .all(|window| window.from.as_ref().is_some_and(|from| from.contains(id)))
    }

    /// True when the copy of a table in this database may hold what comes behind a transaction.
    pub(super) fn any_ahead(&self, database: &str, id: &TransactionId) -> bool {
        self.tables.values().any(|window| {
            let name = window.table.database.as_str();
            self.case.same(name, database) && self.of(&window.table, id) != Window::Strict
        })
    }

    /// The table was dropped: what has its name from now on is not what was copied.
    pub(super) fn forget(&mut self, table: &TableName) {
        self.complete &= self.tables.remove(&table.folded(self.case)).is_none();
    }

    /// Takes out the tables whose copies the stream has passed at this point.
    pub(super) fn take_passed(&mut self, point: &Position) -> Vec<TableName> {
        let mut passed = Vec::new();
        self.tables.retain(|_, window| {
            let catches_up = window
                .until
                .as_ref()
                .is_some_and(|until| until.position > *point);
            if !catches_up {
                passed.push(window.table.clone());
            }
            catches_up
        });
        self.complete &= passed.is_empty();
        passed
    }

    /// Tables that still catch up.
    pub(super) fn len(&self) -> usize {
        self.tables.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_stands_before_in_or_after_a_copy() {
        let point = |at: u64| StreamPoint {
            position: format!("bin.000001:{at}").parse().unwrap(),
            gtid_set: None,
        };
        let id = |at: u64| TransactionId {
            end: point(at).position,
            gtid: None,
        };
        let table = TableName::new("shop", "Orders").unwrap();
        let record = TableRecord {
            phase: TablePhase::CatchingUp,
            from: Some(point(100)),
            until: Some(point(200)),
            ..TableRecord::pending(table.clone())
        };
        let start = point(4).position;
        let live = TableRecord {
            phase: TablePhase::Live,
            ..record.clone()
        };
        for (start, window) in [
            (start.clone(), Window::InCopy),
            (point(199).position, Window::InCopy),
            (point(200).position, Window::Strict),
        ] {
            let windows =
                CopyWindows::new(std::slice::from_ref(&live), NameCase::Insensitive, &start);
            assert_eq!(windows.of(&table, &id(100)), window, "live, from {start}");
        }
        let mut windows = CopyWindows::new(&[record], NameCase::Insensitive, &start);
        for (at, window) in [
            (100, Window::InCopy),
            (101, Window::Lenient),
            (200, Window::Lenient),
            (201, Window::Strict),
        ] {
            assert_eq!(windows.of(&table, &id(at)), window, "{at}");
        }
        let other_case = TableName::new("shop", "orders").unwrap();
        assert_eq!(windows.of(&other_case, &id(50)), Window::InCopy);
        assert!(windows.all_hold(&id(100)) && !windows.all_hold(&id(101)));
        assert!(windows.take_passed(&point(199).position).is_empty());
        assert_eq!(
            windows.take_passed(&point(200).position),
            std::slice::from_ref(&table)
        );
        assert_eq!(windows.len(), 0);
        assert!(!windows.all_hold(&id(100)));
        assert_eq!(windows.of(&table, &id(50)), Window::Strict);
    }
}
