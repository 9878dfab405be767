//! What the benches of the engine's steps share: transactions of real logs.

use drs_core::bench::Transactions;

use crate::binlog::workload::{Log, Workload};

/// Row changes, and the transactions that they are of.
pub(crate) struct Changes {
    pub(crate) transactions: Transactions,
    pub(crate) count: u64,
}

/// So many transactions, written by a throwaway server that has ended when this returns.
pub(crate) fn changes(workload: Workload, transactions: u64) -> Changes {
    let log = Log::write_and_stay(workload, transactions).expect("a log");
    let transactions = Transactions::read(&log.files, &log.server()).expect("its transactions");
    log.stop().expect("a server that ends");
    let count = transactions.row_changes().expect("changes that decode");
    assert!(count > 0, "a log with changes");
    Changes {
        transactions,
        count,
    }
}
