use std::{hash::BuildHasher, ops::Range};

use super::Image;
use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::row_key::{append_key, key_place};
use crate::schema::UniqueKey;

/// What a batch leaves of all its changes to one row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NetChange<'a> {
    /// The row is new.
    Insert(Image<'a>),
    /// The row was there and stays, with the key it had.
    Update {
        /// The first image the batch saw.
        before: Image<'a>,
        /// The last one.
        after: Image<'a>,
    },
    /// The row was there and is gone.
    Delete(Image<'a>),
    /// The row came and went within the batch: its last image. It was not there before.
    Nothing(Option<Image<'a>>),
}

/// One change to one row, as it is to be applied.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change<'a> {
    /// A new row.
    Insert(Image<'a>),
    /// A changed row.
    Update(Image<'a>, Image<'a>),
    /// A removed row.
    Delete(Image<'a>),
}

impl<'a> Change<'a> {
    /// The row before the change, if it was there.
    pub(crate) fn before(&self) -> Option<&Image<'a>> {
        match self {
            Self::Insert(_) => None,
            Self::Update(before, _) | Self::Delete(before) => Some(before),
        }
    }

    /// The row after the change, if it is there.
    pub(crate) fn after(&self) -> Option<&Image<'a>> {
        match self {
            Self::Insert(after) | Self::Update(_, after) => Some(after),
            Self::Delete(_) => None,
        }
    }
}

/// Why changes could not be folded; the batch is then applied change by change.
#[derive(Debug)]
pub(crate) enum FoldError {
    /// The log inserts a row that is there, or changes one that is not: it and this batch do
    /// not start from the same state, or an image lacks a part of the key.
    Contradiction,
    /// An image is malformed.
    Decode(drs_binlog::Error),
}

impl From<drs_binlog::Error> for FoldError {
    fn from(error: drs_binlog::Error) -> Self {
        Self::Decode(error)
    }
}

/// The net changes of one table, by the row key's stored bytes.
///
/// `insert+update = insert`, `update+update = update`, `insert+delete = nothing`,
/// `delete+insert = update`; a change of the key is a delete and an insert.
///
/// A lenient fold is for a table that is catching up: the copy may already hold any later
/// state of a row, so only the last change to each key counts, and a row that came and
/// went is still deleted.
pub(crate) struct TableNet<'a> {
    key: &'a UniqueKey,
    lenient: bool,
    entries: Vec<Entry<'a>>,
    index: HashTable<usize>,
    key_bytes: Vec<u8>,
    hasher: RandomState,
}

struct Entry<'a> {
    key: Range<usize>,
    hash: u64,
    place: u128,
    net: NetChange<'a>,
}

impl<'a> TableNet<'a> {
    pub(crate) fn new(key: &'a UniqueKey, lenient: bool) -> Self {
        Self {
            key,
            lenient,
            entries: Vec::new(),
            index: HashTable::new(),
            key_bytes: Vec::new(),
            hasher: RandomState::default(),
        }
    }

    /// Takes in the next change of the table.
    pub(crate) fn fold(&mut self, change: Change<'a>) -> Result<(), FoldError> {
        match change {
            Change::Insert(after) => self.insert(after),
            Change::Delete(before) => self.delete(before),
            Change::Update(before, after) => {
                let (old, found) = self.entry(&before)?;
                let (new, _) = self.entry(&after)?;
                if old != new {
                    self.delete_entry(old, found, before)?;
                    return self.insert(after);
                }
                let net = match self.net(old, found) {
                    None => NetChange::Update { before, after },
                    Some(NetChange::Insert(_)) => NetChange::Insert(after),
                    Some(NetChange::Update { before, .. }) => NetChange::Update { before, after },
                    Some(_) if self.lenient => NetChange::Update { before, after },
                    Some(NetChange::Delete(_) | NetChange::Nothing(_)) => {
                        return Err(FoldError::Contradiction);
                    }
                };
                self.set(old, net);
                Ok(())
            }
        }
    }

    /// What is left, about in the key's order: neighbours are on the same pages of the server, and
    /// lanes that lock several rows meet them in one order.
    pub(crate) fn into_changes(mut self) -> impl Iterator<Item = NetChange<'a>> {
        self.entries.sort_by_key(|entry| entry.place);
        self.entries.into_iter().map(|entry| entry.net)
    }

    fn insert(&mut self, after: Image<'a>) -> Result<(), FoldError> {
        let (at, found) = self.entry(&after)?;
        let net = match self.net(at, found) {
            None | Some(NetChange::Nothing(_)) => NetChange::Insert(after),
            Some(NetChange::Delete(before)) => NetChange::Update { before, after },
            Some(_) if self.lenient => NetChange::Insert(after),
            Some(_) => return Err(FoldError::Contradiction),
        };
        self.set(at, net);
        Ok(())
    }

    fn delete(&mut self, before: Image<'a>) -> Result<(), FoldError> {
        let (at, found) = self.entry(&before)?;
        self.delete_entry(at, found, before)
    }

    fn delete_entry(&mut self, at: usize, found: bool, before: Image<'a>) -> Result<(), FoldError> {
        let net = match self.net(at, found) {
            None => NetChange::Delete(before),
            Some(_) if self.lenient => NetChange::Delete(before),
            // A DELETE's own image may be partial.
            Some(NetChange::Insert(after)) => NetChange::Nothing(Some(after)),
            Some(NetChange::Update { before, .. }) => NetChange::Delete(before),
            Some(NetChange::Delete(_) | NetChange::Nothing(_)) => {
                return Err(FoldError::Contradiction);
            }
        };
        self.set(at, net);
        Ok(())
    }

    /// The entry of a row's key, and whether it was there before.
    fn entry(&mut self, image: &Image<'a>) -> Result<(usize, bool), FoldError> {
        let start = self.key_bytes.len();
        if append_key(&mut self.key_bytes, image, self.key)?.is_none() {
            self.key_bytes.truncate(start);
            return Err(FoldError::Contradiction);
        }
        let end = self.key_bytes.len();
        let key = self.key_bytes.get(start..end).unwrap_or_default();
        let hash = self.hasher.hash_one(key);
        let same = |at: &usize| {
            self.entries.get(*at).is_some_and(|entry| {
                entry.hash == hash && self.key_bytes.get(entry.key.clone()) == Some(key)
            })
        };
        if let Some(at) = self.index.find(hash, same).copied() {
            self.key_bytes.truncate(start);
            return Ok((at, true));
        }
        let at = self.entries.len();
        let place = key_place(image, self.key)?;
        self.entries.push(Entry {
            key: start..end,
            hash,
            place,
            net: NetChange::Nothing(None),
        });
        let entries = &self.entries;
        self.index.insert_unique(hash, at, |at| {
            entries.get(*at).map_or(0, |entry| entry.hash)
        });
        Ok((at, false))
    }

    fn net(&self, at: usize, found: bool) -> Option<NetChange<'a>> {
        if found {
            self.entries.get(at).map(|entry| entry.net)
        } else {
            None
        }
    }

    fn set(&mut self, at: usize, net: NetChange<'a>) {
        if let Some(entry) = self.entries.get_mut(at) {
            entry.net = net;
        }
    }
}
