use std::{
    fmt,
    io::{ErrorKind, Read},
};

use crate::{Error, EventHeader, EventType, RawEvent, Result, hidden::Hidden};

/// TRANSACTION_PAYLOAD: the events of a whole transaction save its GTID,
/// compressed (MySQL 8.0.20 and later, `binlog_transaction_compression`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TransactionPayload<'a> {
    /// How the events are compressed.
    pub compression: Compression,
    /// Bytes of the events once they are unpacked, if the event says so.
    pub uncompressed_size: Option<u64>,
    /// The compressed events.
    pub payload: &'a [u8],
}

impl fmt::Debug for TransactionPayload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionPayload")
            .field("compression", &self.compression)
            .field("uncompressed_size", &self.uncompressed_size)
            .field("payload", &Hidden(self.payload.len()))
            .finish()
    }
}

/// How a transaction's events are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As a zstd stream.
    Zstd,
    /// Not at all.
    None,
}

impl<'a> TransactionPayload<'a> {
    pub(crate) fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        let (mut compression, mut uncompressed_size, mut size) = (None, None, None);
        loop {
            let kind = r.packed_u64()?;
            if kind == 0 {
                break;
            }
            let len = r.packed_len()?;
            let mut field = r.sub(len)?;
            match kind {
                1 => size = Some(field.packed_u64()?),
                2 => {
                    compression = Some(match field.packed_u64()? {
                        0 => Compression::Zstd,
                        255 => Compression::None,
                        _ => return Err(field.malformed("the compression is not known")),
                    });
                }
                3 => uncompressed_size = Some(field.packed_u64()?),
                // Fields that a later server adds are made to be skipped.
                _ => drop(field.rest()),
            }
            field.finish()?;
        }
        let payload = r.rest();
        let Some(compression) = compression else {
            return Err(r.malformed("the compression is not given"));
        };
        if size.is_some_and(|size| size != payload.len() as u64) {
            return Err(r.malformed("the payload's size differs from the bytes there are"));
        }
        Ok(Self {
            compression,
            uncompressed_size,
            payload,
        })
    }

    /// The events inside, unpacked one after another; an event of more than
    /// `event_bytes_max` bytes is an error.
    ///
    /// Memory: the largest event, and zstd's window (2 MiB at the server's
    /// default level, 128 MiB at its highest); never the whole payload.
    pub fn events(&self, event_bytes_max: usize) -> Result<PayloadEvents<'a>> {
        let stream = match self.compression {
            Compression::None => Stream::Plain(self.payload),
            Compression::Zstd => {
                let mut stream = zstd::stream::read::Decoder::with_buffer(self.payload)
                    .map_err(Error::Decompress)?;
                stream.window_log_max(27).map_err(Error::Decompress)?;
                Stream::Zstd(stream)
            }
        };
        Ok(PayloadEvents {
            stream,
            event: Vec::new(),
            event_bytes_max,
            bytes_read: 0,
            bytes_expected: self.uncompressed_size,
        })
    }
}

/// The events of a compressed transaction; see [`TransactionPayload::events`].
pub struct PayloadEvents<'a> {
    stream: Stream<'a>,
    event: Vec<u8>,
    event_bytes_max: usize,
    bytes_read: u64,
    bytes_expected: Option<u64>,
}

enum Stream<'a> {
    Plain(&'a [u8]),
    Zstd(zstd::stream::read::Decoder<'a, &'a [u8]>),
}

impl Stream<'_> {
    fn reader(&mut self) -> &mut dyn Read {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Zstd(stream) => stream,
        }
    }
}

impl PayloadEvents<'_> {
    /// The next event's bytes, header included, without a checksum; `None` at the end.
    ///
    /// [`Decoder::raw_nested`](crate::Decoder::raw_nested) frames them. After
    /// an error nothing more can be read.
    pub fn next_event(&mut self) -> Result<Option<&[u8]>> {
        self.event.clear();
        if self.fill(EventHeader::LEN)? == 0 {
            return match self.bytes_expected {
                Some(expected) if expected != self.bytes_read => Err(malformed(
                    0,
                    "the unpacked size differs from the one in the event",
                )),
                _ => Ok(None),
            };
        }
        if self.event.len() < EventHeader::LEN {
            return Err(malformed(
                self.event.len(),
                "the payload ends inside an event",
            ));
        }
        let header = EventHeader::parse(&self.event)?;
        let size = header.event_size as usize;
        if size > self.event_bytes_max {
            return Err(Error::TooLarge {
                event_type: header.event_type,
                bytes: size as u64,
                bytes_max: self.event_bytes_max as u64,
            });
        }
        self.fill(size - EventHeader::LEN)?;
        if self.event.len() != size {
            return Err(malformed(
                self.event.len(),
                "the payload ends inside an event",
            ));
        }
        Ok(Some(&self.event))
    }

    /// Reads up to `len` further bytes, fewer at the end of the stream only.
    /// The buffer grows with the bytes that come, not with what was announced.
    fn fill(&mut self, len: usize) -> Result<usize> {
        let before = self.event.len();
        let mut part = self.stream.reader().take(len as u64);
        match part.read_to_end(&mut self.event) {
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
                return Err(malformed(
                    self.event.len(),
                    "the compressed payload is cut off",
                ));
            }
            Err(e) => return Err(Error::Decompress(e)),
        }
        let read = self.event.len() - before;
        self.bytes_read += read as u64;
        Ok(read)
    }
}

fn malformed(offset: usize, reason: &'static str) -> Error {
    Error::Malformed {
        event_type: EventType::TRANSACTION_PAYLOAD,
        offset,
        reason,
    }
}
