use crate::{checkpoint::TransactionId, object::TableName, schema::UniqueKey};

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

/// What a server says of a value that is taken: "Duplicate entry '…' for key '…'", in whatever
/// language it speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DuplicateEntry {
    /// The key's name.
    pub(crate) key: String,
    /// The values of the key's columns with `-` between them; long ones are cut by the server.
    pub(crate) value: String,
}

impl DuplicateEntry {
    /// Reads a server's message. Newer servers put the table's name before the key's.
    pub(crate) fn read(message: &str, table: &str, keys: &[UniqueKey]) -> Self {
        let (before, last) = message.rsplit_once(" '").unwrap_or(("", message));
        let quoted = last.trim_end().trim_end_matches('\'');
        let key = keys
            .iter()
            .map(|key| key.name.as_str())
            .find(|name| {
                let with_table = quoted
                    .strip_prefix(table)
                    .and_then(|rest| rest.strip_prefix('.'));
                quoted == *name || with_table == Some(name)
            })
            .unwrap_or(quoted);
        let value = match (before.find('\''), before.rfind('\'')) {
            (Some(open), Some(close)) if open < close => before.get(open + 1..close),
            _ => None,
        };
        Self {
            key: key.to_owned(),
            value: value.unwrap_or_default().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_entries_are_read() {
        let keys = ["PRIMARY", "odd.name"].map(|name| UniqueKey {
            name: name.to_owned(),
            parts: Vec::new(),
        });
        for (message, key, value) in [
            ("Duplicate entry '8-a' for key 'PRIMARY'", "PRIMARY", "8-a"),
            ("Duplicate entry '8' for key 't.PRIMARY'", "PRIMARY", "8"),
            (
                "Duplicate entry 'it's 'so'' for key 't.odd.name'",
                "odd.name",
                "it's 'so'",
            ),
            ("Doppelter Eintrag '8' für Schlüssel 't.u'", "t.u", "8"),
            ("nothing of the kind", "nothing of the kind", ""),
        ] {
            let read = DuplicateEntry::read(message, "t", &keys);
            assert_eq!((read.key.as_str(), read.value.as_str()), (key, value));
        }
    }
}
