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

/// The kinds of conflicts. A duplicate comes with the name of the key whose value is taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictKind {
    /// An insert took a unique value that another row holds.
    DuplicateOnInsert(String),
    /// An update took a unique value that another row holds.
    DuplicateOnUpdate(String),
    /// The full copy met a row at the destination; that row is always kept.
    DuplicateInCopy(String),
    /// The row to update does not exist.
    MissingOnUpdate,
    /// The row to delete does not exist.
    MissingOnDelete,
}

impl ConflictKind {
    /// The kind's name in the ledger.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::DuplicateOnInsert(_) => "duplicate_on_insert",
            Self::DuplicateOnUpdate(_) => "duplicate_on_update",
            Self::DuplicateInCopy(_) => "duplicate_in_copy",
            Self::MissingOnUpdate => "missing_on_update",
            Self::MissingOnDelete => "missing_on_delete",
        }
    }

    /// The key whose value is taken; empty where the server did not tell.
    pub fn key_name(&self) -> Option<&str> {
        match self {
            Self::DuplicateOnInsert(key)
            | Self::DuplicateOnUpdate(key)
            | Self::DuplicateInCopy(key) => Some(key),
            Self::MissingOnUpdate | Self::MissingOnDelete => None,
        }
    }

    pub(crate) fn parse(kind: &str, key_name: Option<String>) -> Option<Self> {
        let key = key_name.unwrap_or_default();
        [
            Self::DuplicateOnInsert(key.clone()),
            Self::DuplicateOnUpdate(key.clone()),
            Self::DuplicateInCopy(key),
            Self::MissingOnUpdate,
            Self::MissingOnDelete,
        ]
        .into_iter()
        .find(|known| known.as_str() == kind)
    }
}

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            table,
            kind,
            transaction,
        } = self;
        match kind {
            ConflictKind::DuplicateOnInsert(key)
            | ConflictKind::DuplicateOnUpdate(key)
            | ConflictKind::DuplicateInCopy(key) => {
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
