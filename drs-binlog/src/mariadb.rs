use crate::{
    CompressedQuery, EventType, MariaDbGtid, RawEvent, Reader, Result, StatementText, XaId,
};

/// The events that MariaDB alone writes; its row events are [`Rows`](crate::Rows) like any others.
#[derive(Clone, Debug, PartialEq)]
pub enum MariaDbEvent<'a> {
    /// ANNOTATE_ROWS: the text of the statement that the row events after it come from.
    AnnotateRows(StatementText<'a>),
    /// BINLOG_CHECKPOINT: the oldest file that crash recovery needs.
    BinlogCheckpoint(&'a [u8]),
    /// GTID: begins a transaction.
    Gtid(MariaDbGtidEvent<'a>),
    /// GTID_LIST: the last GTID of each server and domain in the files before.
    GtidList(MariaDbGtidList<'a>),
    /// START_ENCRYPTION: the rest of the file is encrypted.
    StartEncryption,
    /// QUERY_COMPRESSED: a statement whose text is compressed.
    QueryCompressed(Box<CompressedQuery<'a>>),
}

impl<'a> MariaDbEvent<'a> {
    /// Decodes one of the types from 160 to 165; `None` for all others.
    pub(crate) fn parse(raw: &RawEvent<'a>) -> Result<Option<Self>> {
        let mut r = raw.reader();
        let event = match raw.header.event_type {
            EventType::MARIADB_ANNOTATE_ROWS => Self::AnnotateRows(StatementText(r.rest())),
            EventType::MARIADB_BINLOG_CHECKPOINT => {
                let len = r.u32()? as usize;
                let file = r.take(len)?;
                r.finish()?;
                Self::BinlogCheckpoint(file)
            }
            EventType::MARIADB_GTID => {
                let server_id = raw.header.server_id;
                Self::Gtid(MariaDbGtidEvent::parse(&mut r, server_id)?)
            }
            EventType::MARIADB_GTID_LIST => Self::GtidList(MariaDbGtidList::parse(&mut r)?),
            EventType::MARIADB_START_ENCRYPTION => {
                // Scheme, key version and nonce: of no use without the key.
                r.take(1 + 4 + 12)?;
                r.finish()?;
                Self::StartEncryption
            }
            EventType::MARIADB_QUERY_COMPRESSED => {
                Self::QueryCompressed(Box::new(CompressedQuery::parse(raw)?))
            }
            _ => return Ok(None),
        };
        Ok(Some(event))
    }
}

/// MariaDB's GTID event: it begins a transaction, and takes the place of BEGIN too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MariaDbGtidEvent<'a> {
    /// The transaction's identifier.
    pub gtid: MariaDbGtid,
    /// The `FL_*` bits.
    pub flags: u8,
    /// Transactions with the same number were committed as one group.
    pub commit_id: Option<u64>,
    /// Of an XA transaction, which one.
    pub xid: Option<XaId<'a>>,
    /// The `FL_EXTRA_*` bits; 0 before MariaDB 10.6.
    pub extra_flags: u8,
}

impl<'a> MariaDbGtidEvent<'a> {
    /// The transaction is one statement; no COMMIT or XID ends it.
    pub const STANDALONE: u8 = 1;
    /// `commit_id` is there.
    pub const GROUP_COMMIT_ID: u8 = 2;
    /// Only transactional engines take part, so that it can be rolled back.
    pub const TRANSACTIONAL: u8 = 4;
    /// May be applied in parallel with others.
    pub const ALLOW_PARALLEL: u8 = 8;
    /// Waited for a row lock at the source.
    pub const WAITED: u8 = 16;
    /// The transaction is a DDL.
    pub const DDL: u8 = 32;
    /// Ends with XA PREPARE.
    pub const PREPARED_XA: u8 = 64;
    /// Is an XA COMMIT or XA ROLLBACK.
    pub const COMPLETED_XA: u8 = 128;

    fn parse(r: &mut Reader<'a>, server_id: u32) -> Result<Self> {
        let (sequence, domain, flags) = (r.u64()?, r.u32()?, r.u8()?);
        let gtid = MariaDbGtid {
            domain,
            server_id,
            sequence,
        };
        let commit_id = (flags & Self::GROUP_COMMIT_ID != 0)
            .then(|| r.u64())
            .transpose()?;
        let xid = if flags & (Self::PREPARED_XA | Self::COMPLETED_XA) != 0 {
            let format_id = r.u32()? as i32;
            let (gtrid_len, bqual_len) = (usize::from(r.u8()?), usize::from(r.u8()?));
            Some(XaId {
                format_id,
                gtrid: r.take(gtrid_len)?,
                bqual: r.take(bqual_len)?,
            })
        } else {
            None
        };
        let extra_flags = if r.is_empty() { 0 } else { r.u8()? };
        // What follows depends on these flags, and each version adds some: an
        // engine count, the number of a split ALTER, the thread. Without any,
        // zeros fill the event up to its least size.
        let rest = r.rest();
        if extra_flags == 0 && rest.iter().any(|b| *b != 0) {
            return Err(r.malformed("bytes are left after the last value"));
        }
        Ok(Self {
            gtid,
            flags,
            commit_id,
            xid,
            extra_flags,
        })
    }

    /// True when all bits of `flag` (one of this type's constants) are set.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag == flag
    }
}

/// MariaDB's GTID_LIST: the last GTID of each server and domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MariaDbGtidList<'a> {
    /// The event's own bits (28 to 31 of its count).
    pub flags: u8,
    entries: &'a [u8],
}

impl<'a> MariaDbGtidList<'a> {
    const ENTRY_LEN: usize = 16;

    fn parse(r: &mut Reader<'a>) -> Result<Self> {
        let head = r.u32()?;
        let count = (head & 0x0fff_ffff) as usize;
        let entries = r.take(count.saturating_mul(Self::ENTRY_LEN))?;
        // The empty list is padded, so that the event can be made a dummy.
        if r.rest().iter().any(|b| *b != 0) {
            return Err(r.malformed("bytes are left after the last value"));
        }
        Ok(Self {
            flags: (head >> 28) as u8,
            entries,
        })
    }

    /// The GTIDs.
    pub fn iter(&self) -> impl Iterator<Item = MariaDbGtid> + 'a {
        self.entries
            .chunks_exact(Self::ENTRY_LEN)
            .filter_map(|entry| {
                let mut r = Reader::new(entry, 0, EventType::MARIADB_GTID_LIST);
                let (domain, server_id) = (r.u32().ok()?, r.u32().ok()?);
                Some(MariaDbGtid {
                    domain,
                    server_id,
                    sequence: r.u64().ok()?,
                })
            })
    }
}
