use std::fmt;

use crate::{Error, EventType, Result, hidden::Hidden};

/// A cursor over the bytes of one event that cannot read outside them.
///
/// Everything this crate decodes goes through it: each read is checked, and a
/// short buffer is an [`Error::Malformed`] with the offset and the event type.
/// Nothing is copied; slices borrow from the event.
#[derive(Clone, PartialEq, Eq)]
pub struct Reader<'a> {
    /// What was not read yet.
    left: &'a [u8],
    /// Where the readable bytes end, counted from the event's start.
    end: usize,
    event_type: EventType,
}

impl<'a> Reader<'a> {
    /// A reader of `bytes`, which begin `base` bytes into an event of this type.
    #[inline]
    pub fn new(bytes: &'a [u8], base: usize, event_type: EventType) -> Self {
        Self {
            left: bytes,
            end: base.saturating_add(bytes.len()),
            event_type,
        }
    }

    /// The offset of the next byte, from the event's start.
    #[inline]
    pub fn offset(&self) -> usize {
        self.end - self.left.len()
    }

    /// Bytes left.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.left.len()
    }

    /// True when nothing is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// The type of the event being read.
    #[inline]
    pub fn event_type(&self) -> EventType {
        self.event_type
    }

    /// The error for a value at the present offset.
    #[cold]
    pub fn malformed(&self, reason: &'static str) -> Error {
        Error::Malformed {
            event_type: self.event_type,
            offset: self.offset(),
            reason,
        }
    }

    /// The next `len` bytes.
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        match self.left.split_at_checked(len) {
            Some((taken, left)) => {
                self.left = left;
                Ok(taken)
            }
            None => Err(self.too_short()),
        }
    }

    /// The next `N` bytes as an array.
    #[inline]
    pub fn take_array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.left.split_first_chunk() {
            Some((taken, left)) => {
                self.left = left;
                Ok(*taken)
            }
            None => Err(self.too_short()),
        }
    }

    #[cold]
    fn too_short(&self) -> Error {
        self.malformed("the event ends inside a value")
    }

    /// All bytes that are left.
    #[inline]
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.left)
    }

    /// The bytes between this reader's place and that of `later`, a copy of it that has read on.
    #[inline]
    pub(crate) fn taken_until(&self, later: &Self) -> Result<&'a [u8]> {
        let taken = self.remaining().checked_sub(later.remaining());
        taken
            .and_then(|len| self.left.get(..len))
            .ok_or_else(|| self.too_short())
    }

    /// Passes over what `pass` passes over: it gets what is left and gives what is left then.
    #[inline]
    pub(crate) fn pass(&mut self, pass: impl FnOnce(&'a [u8]) -> Option<&'a [u8]>) -> Result<()> {
        match pass(self.left) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(self.too_short()),
        }
    }

    /// A reader of the next `len` bytes alone.
    #[inline]
    pub fn sub(&mut self, len: usize) -> Result<Self> {
        let base = self.offset();
        Ok(Self::new(self.take(len)?, base, self.event_type))
    }

    /// Fails if anything is left.
    #[inline]
    pub fn finish(&self) -> Result<()> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.malformed("bytes are left after the last value"))
        }
    }

    /// One byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.take_array::<1>()?[0])
    }

    /// Two bytes, little-endian.
    #[inline]
    pub fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.take_array()?))
    }

    /// Three bytes, little-endian.
    #[inline]
    pub fn u24(&mut self) -> Result<u32> {
        let [a, b, c] = self.take_array()?;
        Ok(u32::from_le_bytes([a, b, c, 0]))
    }

    /// Four bytes, little-endian.
    #[inline]
    pub fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take_array()?))
    }

    /// Six bytes, little-endian.
    #[inline]
    pub fn u48(&mut self) -> Result<u64> {
        self.uint_le(6)
    }

    /// Eight bytes, little-endian.
    #[inline]
    pub fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take_array()?))
    }

    /// `len` (at most 8) bytes, little-endian.
    pub fn uint_le(&mut self, len: usize) -> Result<u64> {
        if len > 8 {
            return Err(self.malformed("an integer is longer than 8 bytes"));
        }
        Ok(self
            .take(len)?
            .iter()
            .rev()
            .fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    /// `len` (at most 8) bytes, big-endian.
    pub fn uint_be(&mut self, len: usize) -> Result<u64> {
        if len > 8 {
            return Err(self.malformed("an integer is longer than 8 bytes"));
        }
        Ok(self
            .take(len)?
            .iter()
            .fold(0, |n, b| n << 8 | u64::from(*b)))
    }

    /// A length-encoded integer (MySQL's "packed" integer); the NULL marker 251 is refused.
    #[inline]
    pub fn packed_u64(&mut self) -> Result<u64> {
        match self.u8()? {
            n @ 0..=250 => Ok(u64::from(n)),
            252 => self.u16().map(u64::from),
            253 => self.u24().map(u64::from),
            254 => self.u64(),
            _ => Err(self.malformed("not a packed integer")),
        }
    }

    /// A length-encoded integer that must fit what is left of the event.
    #[inline]
    pub fn packed_len(&mut self) -> Result<usize> {
        let n = self.packed_u64()?;
        match usize::try_from(n) {
            Ok(n) if n <= self.remaining() => Ok(n),
            _ => Err(self.malformed("a length is larger than the event")),
        }
    }

    /// Bytes up to a terminating zero, which is consumed and not returned.
    pub fn c_str(&mut self) -> Result<&'a [u8]> {
        let Some(len) = self.left.iter().position(|b| *b == 0) else {
            return Err(self.malformed("a text has no terminating zero"));
        };
        let text = self.take(len)?;
        self.take(1)?;
        Ok(text)
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("event_type", &self.event_type)
            .field("offset", &self.offset())
            .field("left", &Hidden(self.remaining()))
            .finish()
    }
}
