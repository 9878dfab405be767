//! The table of cases.

mod columns;
mod ddl;
mod json;
mod keys;
mod numbers;
mod texts;
mod times;
mod transactions;

use crate::case::Case;

/// All cases, in the order of the list of traps.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = [
        numbers::CASES,
        times::CASES,
        texts::CASES,
        json::CASES,
        columns::CASES,
        keys::CASES,
        transactions::CASES,
        ddl::CASES,
    ]
    .concat();
    cases.sort_by_key(Case::id);
    cases
}
