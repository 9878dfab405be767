use crate::{checkpoint::TransactionId, object::TableName};

/// A row of the destination that is not what the source's change takes it to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The table.
    pub table: TableName,
    /// What was met.
    pub kind: ConflictKind,
    /// The source transaction.
    pub transaction: TransactionId,
}

/// The kinds of conflicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConflictKind {
    /// An insert or update took a unique value that another row holds; the key's name.
    DuplicateKey(String),
    /// The row to update does not exist.
    MissingOnUpdate,
    /// The row to delete does not exist.
    MissingOnDelete,
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            table,
            kind,
            transaction,
        } = self;
        match kind {
            ConflictKind::DuplicateKey(key) => {
                write!(
                    f,
                    "a row of {table} already holds the value of the source's row in key {key}"
                )?;
            }
            ConflictKind::MissingOnUpdate => {
                write!(f, "the row of {table} to update does not exist")?
            }
            ConflictKind::MissingOnDelete => {
                write!(f, "the row of {table} to delete does not exist")?
            }
        }
        write!(f, ", in the source transaction that ends at {transaction}")
    }
}
