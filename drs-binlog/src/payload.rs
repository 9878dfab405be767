use std::{
    fmt,
    io::{ErrorKind, Read},
};

use zstd::zstd_safe::{DCtx, DParameter};

use crate::{Error, EventHeader, EventType, RawEvent, Result, hidden::Hidden, window::Window};

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
    /// Memory, kept in `unpacker`: the largest event (256 KiB at least), and
    /// zstd's window for larger payloads (2 MiB at the server's default level,
    /// 128 MiB at its highest); never the whole payload.
    pub fn events<'u>(
        &self,
        unpacker: &'u mut PayloadUnpacker,
        event_bytes_max: usize,
    ) -> Result<PayloadEvents<'u>>
    where
        'a: 'u,
    {
        let PayloadUnpacker { zstd, window } = unpacker;
        window.clear();
        let stream = match self.compression {
            Compression::None => Stream::Plain(self.payload),
            Compression::Zstd => {
                let context = match zstd {
                    Some(context) => context,
                    None => zstd.insert(new_context()?),
                };
                Stream::Zstd(Box::new(Zstd::with_context(self.payload, context)))
            }
        };
        Ok(PayloadEvents {
            stream,
            window,
            event_bytes_max,
            bytes_read: 0,
            bytes_expected: self.uncompressed_size,
        })
    }
}

/// What unpacks compressed transactions, kept from one to the next: making zstd's state anew takes
/// longer than to unpack a small transaction.
#[derive(Default)]
pub struct PayloadUnpacker {
    zstd: Option<DCtx<'static>>,
    window: Window,
}

impl PayloadUnpacker {
    /// One that has not unpacked anything; it allocates when it does.
    pub fn new() -> Self {
        Self::default()
    }
}

impl fmt::Debug for PayloadUnpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayloadUnpacker").finish_non_exhaustive()
    }
}

fn new_context() -> Result<DCtx<'static>> {
    let failed = |reason: &str| Error::Decompress(std::io::Error::other(reason.to_owned()));
    let mut context = DCtx::try_create().ok_or_else(|| failed("there is no memory for it"))?;
    context
        .set_parameter(DParameter::WindowLogMax(27))
        .map_err(|code| failed(zstd::zstd_safe::get_error_name(code)))?;
    Ok(context)
}

/// The events of a compressed transaction; see [`TransactionPayload::events`].
pub struct PayloadEvents<'a> {
    stream: Stream<'a>,
    window: &'a mut Window,
    event_bytes_max: usize,
    bytes_read: u64,
    bytes_expected: Option<u64>,
}

type Zstd<'a> = zstd::stream::read::Decoder<'a, &'a [u8]>;

enum Stream<'a> {
    Plain(&'a [u8]),
    Zstd(Box<Zstd<'a>>),
}

impl Read for Stream<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(bytes) => bytes.read(out),
            Self::Zstd(stream) => stream.read(out),
        }
    }
}

impl PayloadEvents<'_> {
    /// The next event's bytes, header included, without a checksum; `None` at the end.
    ///
    /// [`Decoder::raw_nested`](crate::Decoder::raw_nested) frames them. After
    /// an error nothing more can be read.
    pub fn next_event(&mut self) -> Result<Option<&[u8]>> {
        self.fill(EventHeader::LEN)?;
        let bytes = self.window.bytes();
        if bytes.is_empty() {
            return match self.bytes_expected {
                Some(expected) if expected != self.bytes_read => Err(malformed(
                    0,
                    "the unpacked size differs from the one in the event",
                )),
                _ => Ok(None),
            };
        }
        if bytes.len() < EventHeader::LEN {
            return Err(malformed(bytes.len(), ENDS_INSIDE));
        }
        let header = EventHeader::parse(bytes)?;
        let size = header.event_size as usize;
        if size > self.event_bytes_max {
            return Err(Error::TooLarge {
                event_type: header.event_type,
                bytes: size as u64,
                bytes_max: self.event_bytes_max as u64,
            });
        }
        self.fill(size)?;
        self.bytes_read += size as u64;
        let there = self.window.bytes().len();
        match self.window.take(size) {
            Some(event) => Ok(Some(event)),
            None => Err(malformed(there, ENDS_INSIDE)),
        }
    }

    /// Reads until `len` bytes are there, or the stream's end.
    fn fill(&mut self, len: usize) -> Result<()> {
        match self.window.fill(&mut self.stream, len) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => Err(malformed(
                self.window.bytes().len(),
                "the compressed payload is cut off",
            )),
            Err(e) => Err(Error::Decompress(e)),
        }
    }
}

const ENDS_INSIDE: &str = "the payload ends inside an event";

fn malformed(offset: usize, reason: &'static str) -> Error {
    Error::Malformed {
        event_type: EventType::TRANSACTION_PAYLOAD,
        offset,
        reason,
    }
}
