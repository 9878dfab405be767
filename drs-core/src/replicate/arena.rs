use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use drs_binlog::{EventHeader, RawEvent};

/// Events of one transaction, end to end in one buffer, without their checksums.
#[derive(Debug, Default)]
pub(crate) struct EventArena {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl EventArena {
    pub(crate) fn push(&mut self, event: &RawEvent<'_>) {
        self.bytes.extend_from_slice(&event.header.to_bytes());
        self.bytes.extend_from_slice(event.body);
        self.ends.push(self.bytes.len());
    }

    /// The number of events.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes held.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The event at an index.
    pub(crate) fn event(&self, index: usize) -> drs_binlog::Result<Option<RawEvent<'_>>> {
        let start = match index.checked_sub(1) {
            None => 0,
            Some(previous) => match self.ends.get(previous) {
                Some(end) => *end,
                None => return Ok(None),
            },
        };
        let Some(bytes) = self
            .ends
            .get(index)
            .and_then(|end| self.bytes.get(start..*end))
        else {
            return Ok(None);
        };
        let header = EventHeader::parse(bytes)?;
        Ok(Some(RawEvent {
            header,
            body: bytes.get(EventHeader::LEN..).unwrap_or_default(),
        }))
    }
}

impl EventArena {
    /// Adds each event as its length and its bytes; [`FrameReader`] reads them back.
    pub(crate) fn write_frames(&self, out: &mut Vec<u8>) {
        let mut start = 0;
        for end in &self.ends {
            let event = self.bytes.get(start..*end).unwrap_or_default();
            // An arena is far below 4 GiB.
            out.extend((event.len() as u32).to_le_bytes());
            out.extend(event);
            start = *end;
        }
    }
}

/// Takes events out of frames that come cut anywhere.
#[derive(Debug, Default)]
pub(crate) struct FrameReader {
    pending: Vec<u8>,
}

impl FrameReader {
    /// Takes in more bytes, and gives each event that is whole.
    pub(crate) fn push<E>(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(drs_binlog::Result<RawEvent<'_>>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.pending.extend_from_slice(bytes);
        let mut rest = self.pending.as_slice();
        while let Some((len, behind)) = rest.split_first_chunk::<4>()
            && let Some((event, behind)) =
                behind.split_at_checked(u32::from_le_bytes(*len) as usize)
        {
            each(EventHeader::parse(event).map(|header| RawEvent {
                header,
                body: event.get(EventHeader::LEN..).unwrap_or_default(),
            }))?;
            rest = behind;
        }
        let taken = self.pending.len() - rest.len();
        self.pending.drain(..taken);
        Ok(())
    }

    /// True when no event was cut off.
    pub(crate) fn is_at_end(&self) -> bool {
        self.pending.is_empty()
    }
}

/// The events of a transaction that is larger than an arena may be, in a temporary file
/// that is removed with this value.
#[derive(Debug)]
pub(crate) struct SpilledEvents {
    file: std::fs::File,
    bytes: u64,
}

/// Where a transaction's events are.
#[derive(Debug)]
pub(crate) enum TransactionEvents {
    /// In memory.
    Memory(EventArena),
    /// In a temporary file: applied in parts.
    Spilled(SpilledEvents),
}

/// Collects the events of one transaction, in memory up to a limit and then in a file.
#[derive(Debug)]
pub(crate) struct EventCollector {
    arena: EventArena,
    spill: Option<BufWriter<std::fs::File>>,
    spilled_bytes: u64,
    memory_bytes_max: usize,
}

impl EventCollector {
    pub(crate) fn new(memory_bytes_max: usize) -> Self {
        Self {
            arena: EventArena::default(),
            spill: None,
            spilled_bytes: 0,
            memory_bytes_max,
        }
    }

    /// Takes in the next event.
    pub(crate) fn push(&mut self, event: &RawEvent<'_>) -> std::io::Result<()> {
        self.arena.push(event);
        if self.arena.size() > self.memory_bytes_max {
            self.spill_arena()?;
        }
        Ok(())
    }

    /// Everything taken in so far; the collector is empty again.
    pub(crate) fn finish(&mut self) -> std::io::Result<TransactionEvents> {
        if self.spill.is_some() {
            self.spill_arena()?;
        }
        let Some(spill) = self.spill.take() else {
            let mut arena = std::mem::take(&mut self.arena);
            // The budget counts what is in it, not the room it grew to.
            arena.bytes.shrink_to_fit();
            return Ok(TransactionEvents::Memory(arena));
        };
        let file = spill.into_inner().map_err(|e| e.into_error())?;
        let bytes = std::mem::take(&mut self.spilled_bytes);
        Ok(TransactionEvents::Spilled(SpilledEvents { file, bytes }))
    }

    /// Forgets everything taken in.
    pub(crate) fn clear(&mut self) {
        self.arena = EventArena::default();
        self.spill = None;
        self.spilled_bytes = 0;
    }

    /// One part is its number of bytes, then each event as its length and its bytes.
    fn spill_arena(&mut self) -> std::io::Result<()> {
        let spill = match &mut self.spill {
            Some(spill) => spill,
            None => self
                .spill
                .insert(BufWriter::with_capacity(1 << 18, tempfile::tempfile()?)),
        };
        let mut start = 0;
        for end in &self.arena.ends {
            let event = self.arena.bytes.get(start..*end).unwrap_or_default();
            let len = u32::try_from(event.len())
                .map_err(|_| std::io::Error::other("an event over 4 GiB"))?;
            spill.write_all(&len.to_le_bytes())?;
            spill.write_all(event)?;
            self.spilled_bytes += 4 + u64::from(len);
            start = *end;
        }
        self.arena.bytes.clear();
        self.arena.ends.clear();
        Ok(())
    }
}

impl SpilledEvents {
    /// The events from the beginning, in parts of about `part_bytes_max`.
    pub(crate) fn parts(
        &mut self,
        part_bytes_max: usize,
    ) -> std::io::Result<impl Iterator<Item = std::io::Result<EventArena>> + '_> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(1 << 18, &self.file);
        let mut left = self.bytes;
        Ok(std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let mut arena = EventArena::default();
            while left > 0 && arena.size() < part_bytes_max {
                let mut len = [0; 4];
                if let Err(error) = reader.read_exact(&mut len) {
                    return Some(Err(error));
                }
                let len = u32::from_le_bytes(len) as usize;
                let start = arena.bytes.len();
                arena.bytes.resize(start + len, 0);
                let Some(event) = arena.bytes.get_mut(start..) else {
                    break;
                };
                if let Err(error) = reader.read_exact(event) {
                    return Some(Err(error));
                }
                arena.ends.push(start + len);
                left = left.saturating_sub(4 + len as u64);
            }
            Some(Ok(arena))
        }))
    }
}
