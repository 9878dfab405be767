//! Following the source's binary log: reading, routing, scheduling, applying.

mod arena;
mod budget;
mod column_names;
mod copy_windows;
mod definitions;
mod error;
mod family;
mod followed;
mod judge;
mod lane;
mod meeting;
mod open_batches;
mod origin;
mod progress;
mod reader;
mod route;
mod rules;
mod scheduler;
mod shared_columns;
mod sharing;
mod statement;
mod turn;
mod write_set;
mod xa;

pub(crate) use arena::{EventArena, EventCollector, TransactionEvents};
pub(crate) use budget::{ByteBudget, ByteShare};
pub(crate) use column_names::ColumnNames;
pub(crate) use definitions::ConnectToRead;
pub use error::FollowError;
pub(crate) use followed::is_companion;
pub use lane::LargeTransaction;
pub(crate) use open_batches::BatchLimits;
pub(crate) use origin::Echoes;
pub use progress::{FollowProgress, StatementsLeftOut};
pub(crate) use reader::{OpenError, OpenSource, ReaderSettings};
pub(crate) use route::RouterSettings;
pub(crate) use rules::RuleBook;
pub(crate) use scheduler::{Follow, FollowEnd, FollowSettings};
pub(crate) use sharing::Sharing;
pub(crate) use statement::StatementRunner;
pub(crate) use turn::Turn;

/// What the benches measure by itself.
#[cfg(feature = "bench")]
pub(crate) mod bench {
    pub(crate) use super::{
        definitions::Definitions, open_batches::OpenBatches, route::add_write_set,
        write_set::WriteSet,
    };
}
