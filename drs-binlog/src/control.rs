use std::fmt;

use crate::{EventHeader, EventType, RawEvent, Result, hidden::Hidden};

/// ROTATE: the log goes on in another file.
///
/// A fake one ([`is_fake`](Self::is_fake)) is in no file: a server sends it
/// first of all, and whenever the stream goes over to another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotate<'a> {
    /// The file's name.
    pub file: &'a [u8],
    /// The offset in it.
    pub offset: u64,
    /// True when the event was made up for the stream.
    pub is_fake: bool,
}

impl<'a> Rotate<'a> {
    pub(crate) fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        let offset = r.u64()?;
        let file = r.rest();
        if file.is_empty() || file.len() > 512 {
            return Err(r.malformed("a log file's name has 1 to 512 bytes"));
        }
        // MySQL 5.6 and MariaDB set the flag too; the time is 0 in all versions.
        let is_fake = raw.header.has(EventHeader::ARTIFICIAL) || raw.header.timestamp == 0;
        Ok(Self {
            file,
            offset,
            is_fake,
        })
    }
}

/// INTVAR: a number that the statement after it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntVar {
    /// What `LAST_INSERT_ID()` returns.
    LastInsertId(u64),
    /// The first value given to an AUTO_INCREMENT column.
    InsertId(u64),
}

impl IntVar {
    pub(crate) fn parse(raw: &RawEvent<'_>) -> Result<Self> {
        let mut r = raw.reader();
        let kind = r.u8()?;
        let value = r.u64()?;
        r.finish()?;
        match kind {
            1 => Ok(Self::LastInsertId(value)),
            2 => Ok(Self::InsertId(value)),
            _ => Err(r.malformed("the variable's kind is not known")),
        }
    }
}

/// RAND: the seeds of `RAND()` for the statement after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rand {
    /// `@@rand_seed1`.
    pub seed1: u64,
    /// `@@rand_seed2`.
    pub seed2: u64,
}

impl Rand {
    pub(crate) fn parse(raw: &RawEvent<'_>) -> Result<Self> {
        let mut r = raw.reader();
        let rand = Self {
            seed1: r.u64()?,
            seed2: r.u64()?,
        };
        r.finish()?;
        Ok(rand)
    }
}

/// USER_VAR: a user variable that the statement after it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserVar<'a> {
    /// The name, without the `@`.
    pub name: &'a [u8],
    /// The value; `None` is NULL.
    pub value: Option<UserVarValue<'a>>,
}

/// The value of a user variable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UserVarValue<'a> {
    /// Its type.
    pub kind: UserVarKind,
    /// True for an unsigned integer.
    pub unsigned: bool,
    /// The collation's id (for a text).
    pub collation: u32,
    /// The value: text as it is, a double or an integer in 8 bytes
    /// little-endian, a decimal as precision, scale and packed digits.
    pub bytes: &'a [u8],
}

impl fmt::Debug for UserVarValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserVarValue")
            .field("kind", &self.kind)
            .field("unsigned", &self.unsigned)
            .field("collation", &self.collation)
            .field("bytes", &Hidden(self.bytes.len()))
            .finish()
    }
}

/// The type of a user variable's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserVarKind {
    /// A text or a binary string.
    String,
    /// A double.
    Real,
    /// A 64-bit integer.
    Int,
    /// A DECIMAL.
    Decimal,
}

impl<'a> UserVar<'a> {
    pub(crate) fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        let name_len = r.u32()? as usize;
        let name = r.take(name_len)?;
        let value = match r.u8()? {
            1 => None,
            0 => {
                let kind = match r.u8()? {
                    0 => UserVarKind::String,
                    1 => UserVarKind::Real,
                    2 => UserVarKind::Int,
                    4 => UserVarKind::Decimal,
                    _ => return Err(r.malformed("the variable's type is not known")),
                };
                let collation = r.u32()?;
                let len = r.u32()? as usize;
                let bytes = r.take(len)?;
                // The flags came in 5.5; before, every integer was signed.
                let unsigned = !r.is_empty() && r.u8()? & 1 != 0;
                Some(UserVarValue {
                    kind,
                    unsigned,
                    collation,
                    bytes,
                })
            }
            _ => return Err(r.malformed("the NULL mark is neither 0 nor 1")),
        };
        r.finish()?;
        Ok(Self { name, value })
    }
}

/// The identifier of an XA transaction, as in `XA START 'gtrid','bqual',format_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XaId<'a> {
    /// The format's number.
    pub format_id: i32,
    /// The global transaction's part, up to 64 bytes.
    pub gtrid: &'a [u8],
    /// The branch's part, up to 64 bytes.
    pub bqual: &'a [u8],
}

/// XA_PREPARE: the end of an XA transaction that was prepared, or committed in one phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XaPrepare<'a> {
    /// True for `XA COMMIT ... ONE PHASE`: the transaction is committed.
    pub one_phase: bool,
    /// Which transaction.
    pub xid: XaId<'a>,
}

impl<'a> XaPrepare<'a> {
    /// Reads an XA_PREPARE event.
    pub fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        let one_phase = match r.u8()? {
            0 => false,
            1 => true,
            _ => return Err(r.malformed("the one-phase mark is neither 0 nor 1")),
        };
        let format_id = r.u32()? as i32;
        let (gtrid_len, bqual_len) = (r.u32()? as usize, r.u32()? as usize);
        if gtrid_len > 64 || bqual_len > 64 {
            return Err(r.malformed("a part of an XA identifier has at most 64 bytes"));
        }
        let xid = XaId {
            format_id,
            gtrid: r.take(gtrid_len)?,
            bqual: r.take(bqual_len)?,
        };
        r.finish()?;
        Ok(Self { one_phase, xid })
    }
}

/// INCIDENT: something happened at the source that its log does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident<'a> {
    /// 1 for lost events.
    pub number: u16,
    /// The server's words.
    pub message: &'a [u8],
}

impl<'a> Incident<'a> {
    pub(crate) fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        let number = r.u16()?;
        let len = usize::from(r.u8()?);
        let message = r.take(len)?;
        r.finish()?;
        Ok(Self { number, message })
    }
}

/// HEARTBEAT and HEARTBEAT_V2: the source is there, and has nothing to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat<'a> {
    /// The file that the source is at.
    pub file: &'a [u8],
    /// The offset that the source is at; modulo 2^32 if
    /// [`offset_is_exact`](Self::offset_is_exact) is false.
    pub offset: u64,
    /// True for version 2, which carries 64 bits.
    pub offset_is_exact: bool,
}

impl<'a> Heartbeat<'a> {
    pub(crate) fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        if raw.header.event_type == EventType::HEARTBEAT {
            let offset = u64::from(raw.header.log_pos);
            return Ok(Self {
                file: r.rest(),
                offset,
                offset_is_exact: false,
            });
        }
        let (mut file, mut offset) = (None, None);
        loop {
            match r.packed_u64()? {
                0 => break,
                kind => {
                    let len = r.packed_len()?;
                    let mut field = r.sub(len)?;
                    match kind {
                        1 => file = Some(field.rest()),
                        2 => offset = Some(field.packed_u64()?),
                        // Fields that a later server adds say nothing that is needed.
                        _ => drop(field.rest()),
                    }
                    field.finish()?;
                }
            }
        }
        r.finish()?;
        match (file, offset) {
            (Some(file), Some(offset)) => Ok(Self {
                file,
                offset,
                offset_is_exact: true,
            }),
            _ => Err(r.malformed("the file or the position is missing")),
        }
    }
}
