//! Bytes of a stream that are in memory: events are lent out of them, not copied.
use std::io::{ErrorKind, Read, Result};

/// The part of a stream that is in memory: at least the event being read, most often many.
#[derive(Default)]
pub(crate) struct Window {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Window {
    /// What is read at once, and kept between events.
    const LEN: usize = 256 << 10;

    /// Forgets what was read.
    pub(crate) fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// What was read and not consumed.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Passes over `len` bytes.
    pub(crate) fn consume(&mut self, len: usize) {
        self.start = (self.start + len).min(self.end);
    }

    /// The next `len` bytes, if they are there.
    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Option<&[u8]> {
        let start = self.start;
        let end = start.checked_add(len).filter(|end| *end <= self.end)?;
        self.start = end;
        self.buffer.get(start..end)
    }

    /// Reads until `len` bytes are there, or the input's end.
    #[inline]
    pub(crate) fn fill(&mut self, input: &mut impl Read, len: usize) -> Result<()> {
        if self.end - self.start >= len {
            return Ok(());
        }
        self.read(input, len)
    }

    fn read(&mut self, input: &mut impl Read, len: usize) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.buffer.len() > Self::LEN && len <= Self::LEN {
            // A huge event was here.
            self.buffer.truncate(Self::LEN);
            self.buffer.shrink_to_fit();
        }
        while self.end < len {
            // The buffer grows with the bytes that come, not with what a header says.
            if self.end == self.buffer.len() {
                let grown = (self.buffer.len() * 2).min(len).max(Self::LEN);
                self.buffer.reserve_exact(grown - self.buffer.len());
                self.buffer.resize(grown, 0);
            }
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match input.read(free) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}
