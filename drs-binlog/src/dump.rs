use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
};

use mysql::{
    BinlogDumpFlags, BinlogRequest, BinlogStream, Conn, binlog::events, prelude::Queryable,
};
use mysql_common::packets::{GnoInterval, Sid, Tag as SidTag};

use crate::{
    Decoder, Error, EventHeader, EventSource, EventType, GtidSet, LogFile, Position, RawEvent,
    Result, Rotate, SourceEvent, Tag, Uuid,
    offsets::{Mode, Offsets},
};

/// What to ask a server for.
#[derive(Clone, Debug)]
pub struct DumpRequest {
    /// The id to register with. It must be unique among the source's
    /// replicas: the server ends the stream of another one with the same id
    /// (MySQL with error 1236, which says so).
    pub server_id: u32,
    /// Where to begin.
    pub start: DumpStart,
    /// After how long without an event the server sends a heartbeat, in
    /// milliseconds; 0 for never.
    pub heartbeat_ms: u64,
    /// Ends the stream at the log's end, instead of waiting for more.
    pub non_blocking: bool,
}

/// Where a server's stream begins.
#[derive(Clone, Debug)]
pub enum DumpStart {
    /// At the event that begins here.
    Position(Position),
    /// With the first transaction that is not in this set (MySQL with GTIDs).
    Gtid(GtidSet),
}

/// The events of a server's binary log, as a replica gets them.
///
/// The connection's options should allow packets of 1 GiB
/// (`max_allowed_packet`), or large events fail. A read timeout, if there is
/// one, must be longer than the heartbeat. Waiting for an event blocks; the
/// heartbeats are events too, so that the caller comes to its turn.
pub struct DumpSource {
    stream: Option<BinlogStream>,
    decoder: Decoder,
    offsets: Offsets,
    event: Vec<u8>,
    non_blocking: bool,
    /// Events that end here or before were not asked for.
    skip_until: u64,
}

impl DumpSource {
    /// Turns the connection into a stream of events.
    ///
    /// That a position or a GTID is not there any more shows as
    /// [`Error::Server`] with code 1236, from here or from the first events.
    pub fn open(mut conn: Conn, request: &DumpRequest) -> Result<Self> {
        let is_mariadb = prepare_session(&mut conn, request)?;
        let mut flags = BinlogDumpFlags::empty();
        flags.set(BinlogDumpFlags::BINLOG_DUMP_NON_BLOCK, request.non_blocking);
        let dump = BinlogRequest::new(request.server_id);
        let mut skip_until = 0;
        let (dump, start, mode) = match &request.start {
            DumpStart::Position(start) => {
                // The command has 32 bits for the offset. Only the end of a huge transaction
                // lies beyond, so that what was not asked for is one transaction.
                let offset = u32::try_from(start.offset).unwrap_or_else(|_| {
                    skip_until = start.offset;
                    Position::FIRST_OFFSET as u32
                });
                let dump = dump
                    .with_filename(start.file.as_str().as_bytes())
                    .with_pos(offset);
                let mode = if is_mariadb {
                    Mode::DumpWithGaps
                } else {
                    Mode::Dump
                };
                (
                    dump,
                    Position::new(start.file.clone(), u64::from(offset)),
                    mode,
                )
            }
            DumpStart::Gtid(set) => {
                if is_mariadb {
                    return Err(Error::Connection(
                        "the source is MariaDB, which has no COM_BINLOG_DUMP_GTID: start at a position".into(),
                    ));
                }
                // Without this flag's bit the heartbeats have 32-bit positions only.
                flags.insert(BinlogDumpFlags::BINLOG_THROUGH_POSITION);
                let nowhere = Position::new(LogFile::new(""), Position::FIRST_OFFSET);
                (
                    dump.with_use_gtid(true).with_sids(sids(set)?),
                    nowhere,
                    Mode::DumpWithGaps,
                )
            }
        };
        let stream = conn
            .get_binlog_stream(dump.with_flags(flags))
            .map_err(source_error)?;
        Ok(Self {
            stream: Some(stream),
            decoder: Decoder::new(),
            offsets: Offsets::new(start, mode),
            event: Vec::new(),
            non_blocking: request.non_blocking,
            skip_until,
        })
    }

    /// Puts the next event's bytes into `event`; false at the stream's end.
    fn receive(&mut self) -> Result<bool> {
        let Some(stream) = &mut self.stream else {
            return Err(Error::Connection("the stream has ended".into()));
        };
        // The library's framing trusts the packet and panics when it is cut off.
        let next = catch_unwind(AssertUnwindSafe(|| stream.next()));
        let next =
            next.map_err(|_| Error::Connection("a packet from the source is malformed".into()))?;
        match next {
            Some(event) => {
                self.event.clear();
                rebuild(&event.map_err(source_error)?, &mut self.event);
                Ok(true)
            }
            None if self.non_blocking => Ok(false),
            None => Err(Error::Connection("the source ended the stream".into())),
        }
    }

    /// Receives, checks and places the next event that was asked for; `None` at the end.
    fn advance(&mut self) -> Result<Option<Framed>> {
        while self.receive()? {
            let raw = self.decoder.raw(&self.event)?;
            check_fake_rotate(&raw)?;
            let in_file = self.offsets.advance(&raw, self.event.len())?;
            if !in_file || self.skip_until == 0 {
                let body = EventHeader::LEN..EventHeader::LEN + raw.body.len();
                return Ok(Some(Framed {
                    header: raw.header,
                    body,
                    in_file,
                }));
            }
            if self.offsets.offset >= self.skip_until {
                if self.offsets.offset > self.skip_until {
                    return Err(raw
                        .reader()
                        .malformed("the position asked for lies inside the event"));
                }
                self.skip_until = 0;
            }
        }
        Ok(None)
    }
}

impl EventSource for DumpSource {
    fn next_event(&mut self) -> Result<Option<SourceEvent<'_>>> {
        let advanced = self.advance();
        if !matches!(advanced, Ok(Some(_))) {
            // After an error, or the end, the connection is of no use.
            self.stream = None;
        }
        let Some(Framed {
            header,
            body,
            in_file,
        }) = advanced?
        else {
            return Ok(None);
        };
        Ok(Some(SourceEvent {
            raw: RawEvent {
                header,
                body: self.event.get(body).unwrap_or_default(),
            },
            bytes: &self.event,
            file: &self.offsets.file,
            end_offset: self.offsets.offset,
            in_file,
            decoder: &self.decoder,
        }))
    }

    fn position(&self) -> Position {
        self.offsets.position()
    }
}

/// An event in the buffer, checked.
struct Framed {
    header: EventHeader,
    body: Range<usize>,
    in_file: bool,
}

/// Tells the server what kind of replica this is; true if it is MariaDB.
fn prepare_session(conn: &mut Conn, request: &DumpRequest) -> Result<bool> {
    let version: Option<String> = conn.query_first("SELECT VERSION()").map_err(source_error)?;
    let is_mariadb = version.is_some_and(|version| version.contains("MariaDB"));
    let heartbeat_ns = request.heartbeat_ms.saturating_mul(1_000_000);
    // Each server reads the names of its time and ignores the other variables. MySQL tells replicas
    // apart by their UUID: one made of the id lets it end a stale stream of the same replica.
    let uuid = format!("64727300-0000-4000-8000-{:012x}", request.server_id);
    let mut set = format!(
        "SET @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32', \
         @master_heartbeat_period = {heartbeat_ns}, @source_heartbeat_period = {heartbeat_ns}, \
         @slave_uuid = '{uuid}', @replica_uuid = '{uuid}', \
         SESSION net_write_timeout = 3600"
    );
    if is_mariadb {
        // Its own GTID events, in place of a BEGIN made up for older replicas.
        set.push_str(", @mariadb_slave_capability = 4");
    }
    conn.query_drop(set).map_err(source_error)?;
    Ok(is_mariadb)
}

fn sids(set: &GtidSet) -> Result<Vec<Sid<'static>>> {
    let mut sids: Vec<((Uuid, Tag), Vec<GnoInterval>)> = Vec::new();
    for (source, tag, interval) in set.iter() {
        let interval = GnoInterval::new(interval.first, interval.last + 1);
        match sids.last_mut() {
            Some((key, intervals)) if *key == (source, tag) => intervals.push(interval),
            _ => sids.push(((source, tag), vec![interval])),
        }
    }
    sids.into_iter()
        .map(|((source, tag), intervals)| {
            let sid = Sid::new(source.0).with_intervals(intervals);
            if tag.is_empty() {
                return Ok(sid);
            }
            let name = SidTag::new(tag.as_str().to_owned());
            let name = name.map_err(|_| Error::Connection("a GTID tag is not valid".into()))?;
            Ok(sid.with_tag(name))
        })
        .collect()
}

/// The event's bytes as the server sent them: the library has taken the checksum apart.
fn rebuild(event: &events::Event, bytes: &mut Vec<u8>) {
    let header = event.header();
    let header = EventHeader {
        timestamp: header.timestamp(),
        event_type: EventType(header.event_type_raw()),
        server_id: header.server_id(),
        event_size: header.event_size(),
        log_pos: header.log_pos(),
        flags: header.flags_raw(),
    };
    bytes.extend(header.to_bytes());
    bytes.extend_from_slice(event.data());
    if header.event_type == EventType::FORMAT_DESCRIPTION
        && let Ok(Some(algorithm)) = event.footer().get_checksum_alg()
    {
        bytes.push(algorithm as u8);
    }
    if let Some(checksum) = event.checksum() {
        bytes.extend(checksum);
    }
}

/// The first event of a stream comes before it is known whether there are checksums. A name with
/// one still on it, or a damaged one, is none.
fn check_fake_rotate(raw: &RawEvent<'_>) -> Result<()> {
    if raw.header.event_type != EventType::ROTATE {
        return Ok(());
    }
    let name = std::str::from_utf8(Rotate::parse(raw)?.file).ok();
    match name.and_then(|name| name.parse::<LogFile>().ok()) {
        Some(_) => Ok(()),
        None => Err(raw.reader().malformed("not a log file's name")),
    }
}

fn source_error(error: mysql::Error) -> Error {
    match error {
        mysql::Error::MySqlError(error) => Error::Server {
            code: error.code,
            message: error.message,
        },
        error => Error::Connection(error.to_string()),
    }
}
