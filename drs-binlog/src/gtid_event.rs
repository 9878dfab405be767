use crate::{EventType, Gtid, RawEvent, Reader, Result, Tag, Uuid};

/// GTID, ANONYMOUS_GTID and GTID_TAGGED: the transaction that follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GtidEvent {
    /// The transaction's identifier; `None` where the source gives none.
    pub gtid: Option<Gtid>,
    /// Bit 0: the transaction may hold statements, not rows alone.
    pub flags: u8,
    /// The last transaction (by `sequence_number`) that must be committed before this one may begin.
    pub last_committed: u64,
    /// Counts the transactions of a file, from 1 on; 0 before MySQL 5.7.
    pub sequence_number: u64,
    /// When the server that wrote this log committed, in microseconds since 1970.
    pub immediate_commit_timestamp: Option<u64>,
    /// When the first server committed, in microseconds since 1970.
    pub original_commit_timestamp: Option<u64>,
    /// Bytes of the transaction in the log, this event included; 0 if not known.
    pub transaction_length: u64,
    /// The version of the server that wrote this log: 80403 is 8.4.3.
    pub immediate_server_version: Option<u32>,
    /// The version of the first server.
    pub original_server_version: Option<u32>,
    /// Orders groups of commits on a replica that keeps the source's order.
    pub commit_group_ticket: Option<u64>,
}

impl GtidEvent {
    /// Reads a GTID, ANONYMOUS_GTID or tagged GTID event.
    pub fn parse(raw: &RawEvent<'_>) -> Result<Self> {
        let mut r = raw.reader();
        let event = match raw.header.event_type {
            EventType::GTID_TAGGED => Self::parse_tagged(&mut r)?,
            kind => Self::parse_untagged(&mut r, kind)?,
        };
        r.finish()?;
        Ok(event)
    }

    fn parse_untagged(r: &mut Reader<'_>, kind: EventType) -> Result<Self> {
        let flags = r.u8()?;
        let source = Uuid(r.take_array()?);
        let number = r.u64()?;
        let gtid = if kind == EventType::GTID {
            Some(gtid(r, source, Tag::NONE, number)?)
        } else {
            None
        };
        let mut event = Self {
            gtid,
            flags,
            ..Self::default()
        };
        // MySQL 5.6 ends here. Each version since then has added something at the end.
        if r.is_empty() {
            return Ok(event);
        }
        if r.u8()? != 2 {
            return Err(r.malformed("the kind of logical clock is not known"));
        }
        event.last_committed = r.u64()?;
        event.sequence_number = r.u64()?;
        if r.is_empty() {
            return Ok(event);
        }
        // The top bit says that the original's value follows; without it they are the same.
        let immediate = r.uint_le(7)?;
        let original = if immediate >> 55 != 0 {
            r.uint_le(7)?
        } else {
            immediate
        };
        event.immediate_commit_timestamp = Some(immediate & !(1 << 55));
        event.original_commit_timestamp = Some(original);
        if r.is_empty() {
            return Ok(event);
        }
        event.transaction_length = r.packed_u64()?;
        if r.is_empty() {
            return Ok(event);
        }
        let immediate = r.u32()?;
        let original = if immediate >> 31 != 0 {
            r.u32()?
        } else {
            immediate
        };
        event.immediate_server_version = known_version(immediate & !(1 << 31));
        event.original_server_version = known_version(original);
        if !r.is_empty() {
            event.commit_group_ticket = Some(r.u64()?);
        }
        Ok(event)
    }

    /// The tagged form: numbered fields, as MySQL's serialization library writes them.
    fn parse_tagged(r: &mut Reader<'_>) -> Result<Self> {
        let start = r.offset();
        if varlen(r)? != 1 {
            return Err(r.malformed("the form of the event is not known"));
        }
        // The size counts from the event's body; the last field that must be understood follows.
        let size = varlen(r)?;
        let last_needed = varlen(r)?;
        let head = (r.offset() - start) as u64;
        let fields_len = size
            .checked_sub(head)
            .and_then(|len| usize::try_from(len).ok());
        let Some(fields_len) = fields_len.filter(|len| *len == r.remaining()) else {
            return Err(r.malformed("the size in the event differs from the bytes there are"));
        };
        let mut fields = r.sub(fields_len)?;
        let r = &mut fields;
        let mut event = Self::default();
        let (mut source, mut tag, mut number) = (None, None, None);
        let mut previous = None;
        while !r.is_empty() {
            let field = varlen(r)?;
            if previous.is_some_and(|previous| field <= previous) {
                return Err(r.malformed("the fields are not in order"));
            }
            previous = Some(field);
            match field {
                0 => event.flags = narrow(r)?,
                1 => {
                    let mut bytes = [0; 16];
                    for byte in &mut bytes {
                        *byte = narrow(r)?;
                    }
                    source = Some(Uuid(bytes));
                }
                2 => number = Some(varlen_positive(r)?),
                3 => {
                    let len: u8 = narrow(r)?;
                    let text = std::str::from_utf8(r.take(usize::from(len))?).ok();
                    let text = text.and_then(|text| text.parse::<Tag>().ok());
                    tag = Some(text.ok_or_else(|| r.malformed("not a GTID tag"))?);
                }
                4 => event.last_committed = varlen_positive(r)?,
                5 => event.sequence_number = varlen_positive(r)?,
                6 => event.immediate_commit_timestamp = Some(varlen(r)?),
                7 => event.original_commit_timestamp = Some(varlen(r)?),
                8 => event.transaction_length = varlen(r)?,
                9 => event.immediate_server_version = known_version(narrow(r)?),
                10 => event.original_server_version = known_version(narrow(r)?),
                11 => event.commit_group_ticket = Some(varlen(r)?),
                // Of a field not known the length is not known either: what is left is skipped.
                field if field > last_needed => drop(r.rest()),
                _ => return Err(r.malformed("a field that must be understood is not known")),
            }
        }
        let (Some(source), Some(tag), Some(number)) = (source, tag, number) else {
            return Err(r.malformed("the GTID is not complete"));
        };
        event.gtid = Some(gtid(r, source, tag, number)?);
        event.original_commit_timestamp = event
            .original_commit_timestamp
            .or(event.immediate_commit_timestamp);
        event.original_server_version = event
            .original_server_version
            .or(event.immediate_server_version);
        Ok(event)
    }
}

fn gtid(r: &Reader<'_>, source: Uuid, tag: Tag, number: u64) -> Result<Gtid> {
    if (1..=Gtid::NUMBER_MAX).contains(&number) {
        Ok(Gtid {
            source,
            tag,
            number,
        })
    } else {
        Err(r.malformed("the number of a GTID is not in 1 to 2^63-2"))
    }
}

/// 999999 stands for a server that does not say.
fn known_version(version: u32) -> Option<u32> {
    (version != 999_999).then_some(version)
}

/// An integer of 1 to 9 bytes: the ones at the bottom of the first byte count the further bytes.
fn varlen(r: &mut Reader<'_>) -> Result<u64> {
    let more = r.clone().u8()?.trailing_ones();
    if more == 8 {
        r.take(1)?;
        return r.u64();
    }
    Ok(r.uint_le(more as usize + 1)? >> (more + 1))
}

fn narrow<T: TryFrom<u64>>(r: &mut Reader<'_>) -> Result<T> {
    varlen(r)?
        .try_into()
        .map_err(|_| r.malformed("a field's value is too large"))
}

/// A signed integer, its sign in the lowest bit, that must not be negative.
fn varlen_positive(r: &mut Reader<'_>) -> Result<u64> {
    match varlen(r)? {
        n if n & 1 == 0 => Ok(n >> 1),
        _ => Err(r.malformed("a field's value is negative")),
    }
}
