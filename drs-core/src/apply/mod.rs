//! Applying whole source transactions at the destination, with their checkpoint, atomically.

mod batch;
mod conflict;
mod error;
mod in_the_way;
mod mysql;
mod net_change;
mod one_by_one;
mod overwrite;
mod packet;
mod plan;
mod row_json;
mod row_key;
mod rule;
mod send;
mod statements;
mod xa;

pub use batch::Batch;
pub(crate) use batch::{RoutedRows, RoutedTransaction, Watermark};
pub(crate) use conflict::DuplicateEntry;
pub use conflict::{Conflict, ConflictKind};
pub use error::ApplyError;
pub(crate) use mysql::{LaneSettings, MySqlApplier};
pub(crate) use one_by_one::ConflictHandling;
pub use plan::PlanError;
pub(crate) use plan::{Projection, TablePlan, project};
pub(crate) use row_json::text_json;
pub(crate) use row_key::append_value;
pub use rule::RuleError;
pub(crate) use rule::{PlanRule, Ruled};
pub(crate) use xa::{XaChange, XaStep, parts_of};

use crate::replicate::LargeTransaction;

/// What the benches measure by itself.
#[cfg(feature = "bench")]
pub(crate) mod bench {
    pub(crate) use super::{
        batch::packets,
        net_change::{NetChange, TableNet},
    };
}

/// A row image whose event and table columns live equally long.
pub(crate) type Image<'a> = drs_binlog::RowImage<'a, 'a>;

/// What a batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Source transactions committed.
    pub transactions: u64,
    /// Row changes of the source, before folding.
    pub row_changes: u64,
    /// Conflicts that the policy let pass: rows of the ledger.
    pub conflicts: u64,
    /// Times the batch was sent again after a deadlock, a lock wait or a lost connection.
    pub retries: u64,
}

/// Applies batches of one lane.
///
/// **Atomicity.** After `Ok` the batch's row changes and the lane's checkpoint row are
/// committed, both; after `Err` neither is, except that a batch which met a conflict may
/// have committed a prefix of whole transactions, each with its checkpoint.
/// **Ordering.** Batches are applied in the order of the calls, and a batch's first statement
/// comes after its turn, which waits for the batches of other lanes that hold some of its rows;
/// transactions inside one take effect as if in their order. **Duplicates.** The caller passes each transaction
/// once; a transaction found in the checkpoint's `done` must not be passed again.
/// **Durability.** That of a commit at the destination. **Shutdown.** Dropping an applier
/// between calls loses nothing; a large transaction in parts is rolled back.
pub trait Applier: Send {
    /// Makes ready for the first batch, while that is still being filled: opens connections, say.
    ///
    /// Called once, by the thread that then applies. What fails here is told by the first batch, if
    /// there is one and it fails again; a shutdown waits for it.
    fn make_ready(&mut self) {}

    /// Applies one batch and its checkpoint.
    fn apply(&mut self, batch: &Batch) -> Result<Applied, ApplyError>;

    /// Applies one transaction that does not fit in memory, part by part, and its checkpoint,
    /// in one transaction of the destination.
    fn apply_large(&mut self, large: &mut LargeTransaction) -> Result<Applied, ApplyError>;
}
