use crate::{RawEvent, Reader, Result};

/// VIEW_CHANGE: the members of a replication group changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewChange<'a> {
    /// The new view's id.
    pub view_id: &'a [u8],
    /// Where in the group's order of transactions the change lies.
    pub sequence_number: u64,
    certification: Reader<'a>,
}

impl<'a> ViewChange<'a> {
    pub(crate) fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        let view_id = r.take(40)?.split(|b| *b == 0).next().unwrap_or_default();
        let sequence_number = r.u64()?;
        let count = r.u32()?;
        let certification = r.clone();
        for _ in 0..count {
            let len = usize::from(r.u16()?);
            r.take(len)?;
            let len = r.u32()? as usize;
            r.take(len)?;
        }
        r.finish()?;
        Ok(Self {
            view_id,
            sequence_number,
            certification,
        })
    }

    /// What the group knows for certifying transactions: keys and their values.
    pub fn certification(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut r = self.certification.clone();
        std::iter::from_fn(move || {
            let len = usize::from(r.u16().ok()?);
            let key = r.take(len).ok()?;
            let len = r.u32().ok()? as usize;
            Some((key, r.take(len).ok()?))
        })
    }
}

/// TRANSACTION_CONTEXT: what a replication group certifies a transaction by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionContext<'a> {
    /// The server that the transaction ran at.
    pub server_uuid: &'a [u8],
    /// The connection's id.
    pub thread_id: u32,
    /// True when the session had set `gtid_next` to a GTID.
    pub gtid_specified: bool,
    /// The encoded GTID set that the transaction saw.
    pub snapshot_version: &'a [u8],
    /// Hashes of the rows that it wrote, by unique key.
    pub write_set: HashList<'a>,
    /// Hashes of the rows that it read.
    pub read_set: HashList<'a>,
}

impl<'a> TransactionContext<'a> {
    pub(crate) fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        let uuid_len = usize::from(r.u8()?);
        let thread_id = r.u32()?;
        let gtid_specified = r.u8()? != 0;
        let snapshot_len = r.u32()? as usize;
        let (written, read) = (r.u32()?, r.u32()?);
        let context = Self {
            server_uuid: r.take(uuid_len)?,
            thread_id,
            gtid_specified,
            snapshot_version: r.take(snapshot_len)?,
            write_set: HashList::parse(&mut r, written)?,
            read_set: HashList::parse(&mut r, read)?,
        };
        r.finish()?;
        Ok(context)
    }
}

/// Texts, as the event has them: each with its length before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashList<'a>(Reader<'a>);

impl<'a> HashList<'a> {
    fn parse(r: &mut Reader<'a>, count: u32) -> Result<Self> {
        let mut ahead = r.clone();
        for _ in 0..count {
            let len = usize::from(ahead.u16()?);
            ahead.take(len)?;
        }
        let len = ahead.offset() - r.offset();
        r.sub(len).map(Self)
    }

    /// The texts.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut r = self.0.clone();
        std::iter::from_fn(move || {
            let len = usize::from(r.u16().ok()?);
            r.take(len).ok()
        })
    }
}
