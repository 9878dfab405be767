use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crossbeam_channel::{SendTimeoutError, Sender};
use drs_binlog::{
    Decoder, Error, Event, EventSource, EventType, FormatDescription, Gtid, GtidEvent, Outcome,
    PayloadUnpacker, Position, RawEvent, Step, TransactionAssembler, XaPrepare,
};

use super::{
    ByteBudget, ByteShare, EventCollector, FollowError, TransactionEvents, origin::OriginFinder,
};
use crate::{
    checkpoint::{StreamPoint, TransactionId},
    ddl::Xid,
    session::SessionError,
};

/// Opens the stream behind a point.
pub(crate) type OpenSource =
    Arc<dyn Fn(&StreamPoint) -> Result<Box<dyn EventSource>, OpenError> + Send + Sync>;

/// Why the stream could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// No connection.
    Session(SessionError),
    /// The server refused the dump.
    Stream(Error),
}

/// Limits of the reader.
#[derive(Clone, Debug)]
pub(crate) struct ReaderSettings {
    /// A transaction with more bytes than this goes to a temporary file.
    pub(crate) transaction_memory_bytes_max: usize,
    /// An event inside a compressed transaction must not be larger.
    pub(crate) event_bytes_max: usize,
}

/// What the reader hands on.
#[derive(Debug)]
pub(crate) enum Received {
    Transaction(SourceTransaction),
    /// Nothing but events of no account up to here.
    Position(Position),
    /// The reader was to read up to here only, and has ended.
    End,
    /// The reader has stopped.
    Failed(FollowError),
}

/// A source transaction as it was read.
#[derive(Debug)]
pub(crate) struct SourceTransaction {
    pub(crate) id: TransactionId,
    pub(crate) outcome: Outcome,
    pub(crate) committed_at_us: u64,
    pub(crate) events: TransactionEvents,
    pub(crate) format: Arc<FormatDescription>,
    pub(crate) share: Option<ByteShare>,
    /// Of one that is only prepared.
    pub(crate) xid: Option<Xid>,
    /// The task of drs that wrote it.
    pub(crate) origin: Option<String>,
}

/// Reads the stream until told to stop, opening it again when the connection breaks.
pub(crate) struct StreamReader<'a> {
    pub(crate) open: OpenSource,
    pub(crate) settings: ReaderSettings,
    pub(crate) budget: ByteBudget,
    pub(crate) out: Sender<Received>,
    pub(crate) stop: &'a AtomicBool,
    /// Everything at or before this point has been handed on.
    pub(crate) point: StreamPoint,
    /// Where to end. A source that writes nothing more says so every now and then only, and whoever
    /// waits for this thread would wait for that.
    pub(crate) until: Option<Position>,
}

/// Pauses between attempts to connect grow up to this.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(30);

enum End {
    Stopped,
    Reached,
    Broken(Error),
    Final(FollowError),
}

impl StreamReader<'_> {
    /// Reads until a stop, the position asked for, or a final error; one of the latter two is the
    /// last thing handed on.
    pub(crate) fn run(mut self) {
        let mut attempt = 0_u32;
        loop {
            if self.stopped() {
                return;
            }
            if self.is_at_end() {
                self.hand_on(Received::End);
                return;
            }
            let before = self.point.clone();
            let end = match (self.open)(&self.point) {
                Ok(mut source) => self.read(source.as_mut()),
                Err(OpenError::Stream(error)) => End::Broken(error),
                Err(OpenError::Session(error))
                    if error.is_login_refused()
                        || matches!(error, SessionError::OtherServer { .. }) =>
                {
                    End::Final(error.into())
                }
                Err(OpenError::Session(error)) => End::Broken(Error::Connection(error.to_string())),
            };
            if self.point != before {
                attempt = 0;
            }
            let error = match end {
                End::Stopped => return,
                End::Reached => continue,
                End::Broken(error) if is_transient(&error) => error,
                End::Broken(error) => {
                    let hint = hint(&error, &self.point);
                    let position = self.point.position.clone();
                    self.hand_on(Received::Failed(FollowError::Source {
                        position,
                        source: error,
                        hint,
                    }));
                    return;
                }
                End::Final(error) => {
                    self.hand_on(Received::Failed(error));
                    return;
                }
            };
            attempt += 1;
            let pause = reconnect_pause(attempt);
            tracing::warn!(
                position = %self.point.position, reason = %error, pause_ms = pause.as_millis() as u64,
                "connection to the source lost, connecting again"
            );
            let until = std::time::Instant::now() + pause;
            while std::time::Instant::now() < until && !self.stopped() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn read(&mut self, source: &mut dyn EventSource) -> End {
        let mut assembler = TransactionAssembler::new();
        let mut collector = EventCollector::new(self.settings.transaction_memory_bytes_max);
        let mut open = Opened::default();
        let mut unpacker = PayloadUnpacker::new();
        let mut format: Option<Arc<FormatDescription>> = None;
        loop {
            if self.stopped() {
                return End::Stopped;
            }
            if self.is_at_end() {
                return End::Reached;
            }
            let event = match source.next_event() {
                Ok(Some(event)) => event,
                Ok(None) => {
                    return End::Broken(Error::Connection("the server ended the stream".into()));
                }
                Err(error) => return End::Broken(error),
            };
            let raw = event.raw;
            if raw.header.event_type == EventType::FORMAT_DESCRIPTION || format.is_none() {
                format = event.decoder.format().cloned().map(Arc::new);
            }
            let step = match assembler.step(&raw) {
                Ok(step) => step,
                Err(error) => return self.malformed(error),
            };
            let taken = match step {
                Step::Outside => {
                    // Where nothing is open, the place itself is progress.
                    let idle = raw.header.event_type != EventType::FORMAT_DESCRIPTION
                        && !assembler.is_open();
                    if idle
                        && (event.in_file || is_heartbeat(&raw))
                        && event.end() > self.point.position
                    {
                        self.point.position = event.end();
                        let position = self.point.position.clone();
                        if !self.hand_on(Received::Position(position)) {
                            return End::Stopped;
                        }
                    }
                    continue;
                }
                Step::Abandons => {
                    tracing::warn!(
                        position = %event.end(),
                        "the source's log ends inside a transaction there, which the source itself rolled back \
                         (it was stopped while it wrote); its events are left out"
                    );
                    collector.clear();
                    continue;
                }
                Step::Starts | Step::Inside => {
                    if step == Step::Starts {
                        collector.clear();
                        open = Opened::default();
                    }
                    self.look_for_origin(&mut open, &raw, format.as_deref())
                        .and_then(|()| open.take(&raw))
                        .and_then(|()| Ok(collector.push(&raw)?))
                }
                Step::Ends(outcome) | Step::Whole(outcome) => {
                    if matches!(step, Step::Whole(_)) {
                        collector.clear();
                        open = Opened::default();
                    }
                    let end = event.end();
                    let pushed = open.take(&raw).and_then(|()| Ok(collector.push(&raw)?));
                    let Some(format) = &format else {
                        return End::Broken(no_format());
                    };
                    match pushed {
                        Ok(()) => {
                            match self.emit(end, outcome, &mut open, &mut collector, format) {
                                Ok(true) => Ok(()),
                                Ok(false) => return End::Stopped,
                                Err(error) => Err(error),
                            }
                        }
                        Err(error) => Err(error),
                    }
                }
                Step::Unpack => {
                    let end = event.end();
                    let Some(format) = &format else {
                        return End::Broken(no_format());
                    };
                    match self.unpack(
                        (event.decoder, format),
                        &raw,
                        &mut unpacker,
                        &mut assembler,
                        &mut collector,
                        &mut open,
                    ) {
                        Ok(outcome) => {
                            match self.emit(end, outcome, &mut open, &mut collector, format) {
                                Ok(true) => Ok(()),
                                Ok(false) => return End::Stopped,
                                Err(error) => Err(error),
                            }
                        }
                        Err(error) => Err(error),
                    }
                }
            };
            match taken {
                Ok(()) => {}
                Err(FollowError::Source { source, .. }) => return self.malformed(source),
                Err(error) => return End::Final(error),
            }
        }
    }

    /// Takes the events out of a compressed transaction.
    fn unpack(
        &self,
        (decoder, format): (&Decoder, &FormatDescription),
        raw: &RawEvent<'_>,
        unpacker: &mut PayloadUnpacker,
        assembler: &mut TransactionAssembler,
        collector: &mut EventCollector,
        open: &mut Opened,
    ) -> Result<Outcome, FollowError> {
        let failed = |source| self.source_error(source);
        let Event::TransactionPayload(payload) = decoder.decode(raw).map_err(failed)? else {
            return Err(failed(
                raw.reader().malformed("not a compressed transaction"),
            ));
        };
        let mut events = payload
            .events(unpacker, self.settings.event_bytes_max)
            .map_err(failed)?;
        let mut ended = None;
        while let Some(bytes) = events.next_event().map_err(failed)? {
            let nested = decoder.raw_nested(bytes).map_err(failed)?;
            match assembler.step_nested(&nested).map_err(failed)? {
                Step::Ends(outcome) => ended = Some(outcome),
                Step::Outside | Step::Inside | Step::Starts => {}
                Step::Whole(_) | Step::Abandons | Step::Unpack => {
                    return Err(failed(
                        raw.reader()
                            .malformed("an event that cannot lie in a compressed transaction"),
                    ));
                }
            }
            self.look_for_origin(open, &nested, Some(format))?;
            open.take(&nested)?;
            collector.push(&nested)?;
        }
        ended.ok_or_else(|| {
            failed(
                raw.reader()
                    .malformed("a compressed transaction has no end"),
            )
        })
    }

    fn look_for_origin(
        &self,
        open: &mut Opened,
        raw: &RawEvent<'_>,
        format: Option<&FormatDescription>,
    ) -> Result<(), FollowError> {
        let Some(format) = format else {
            return Ok(());
        };
        open.origin
            .take(raw, format)
            .map_err(|source| self.source_error(source))
    }

    /// Hands a finished transaction on; `Ok(false)` means stop.
    fn emit(
        &mut self,
        end: Position,
        outcome: Outcome,
        open: &mut Opened,
        collector: &mut EventCollector,
        format: &Arc<FormatDescription>,
    ) -> Result<bool, FollowError> {
        let events = collector.finish()?;
        let bytes = match &events {
            TransactionEvents::Memory(arena) => arena.size() as u64,
            TransactionEvents::Spilled(_) => 0,
        };
        let Some(share) = self.budget.take(bytes, || self.stopped()) else {
            return Ok(false);
        };
        let id = TransactionId {
            end: end.clone(),
            gtid: open.gtid,
        };
        self.point.position = end;
        if let (Some(set), Some(gtid)) = (&mut self.point.gtid_set, open.gtid) {
            Arc::make_mut(set).add(gtid);
        }
        let transaction = SourceTransaction {
            id,
            outcome,
            committed_at_us: open.committed_at_us,
            events,
            format: Arc::clone(format),
            share: Some(share),
            xid: open.xid.clone(),
            origin: std::mem::take(&mut open.origin).task(),
        };
        Ok(self.hand_on(Received::Transaction(transaction)))
    }

    /// False when the follower is gone or a stop was asked for.
    fn hand_on(&self, mut received: Received) -> bool {
        loop {
            match self.out.send_timeout(received, Duration::from_millis(100)) {
                Ok(()) => return true,
                Err(SendTimeoutError::Disconnected(_)) => return false,
                Err(SendTimeoutError::Timeout(back)) if !self.stopped() => received = back,
                Err(SendTimeoutError::Timeout(_)) => return false,
            }
        }
    }

    fn is_at_end(&self) -> bool {
        (self.until.as_ref()).is_some_and(|until| self.point.position >= *until)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn malformed(&self, error: Error) -> End {
        End::Final(self.source_error(error))
    }

    fn source_error(&self, source: Error) -> FollowError {
        let hint = hint(&source, &self.point);
        FollowError::Source {
            position: self.point.position.clone(),
            source,
            hint,
        }
    }
}

/// What the first events of a transaction say of it.
#[derive(Debug, Default)]
struct Opened {
    gtid: Option<Gtid>,
    committed_at_us: u64,
    xid: Option<Xid>,
    origin: OriginFinder,
}

impl Opened {
    fn take(&mut self, raw: &RawEvent<'_>) -> Result<(), FollowError> {
        let kind = raw.header.event_type;
        if matches!(
            kind,
            EventType::GTID | EventType::ANONYMOUS_GTID | EventType::GTID_TAGGED
        ) {
            let event = GtidEvent::parse(raw).map_err(|source| FollowError::Source {
                position: Position::new(drs_binlog::LogFile::new(""), 0),
                source,
                hint: String::new(),
            })?;
            self.gtid = event.gtid;
            self.committed_at_us = event.immediate_commit_timestamp.unwrap_or(0);
        }
        if kind == EventType::XA_PREPARE {
            let event = XaPrepare::parse(raw).map_err(|source| FollowError::Source {
                position: Position::new(drs_binlog::LogFile::new(""), 0),
                source,
                hint: String::new(),
            })?;
            self.xid = Some(Xid {
                gtrid: event.xid.gtrid.to_vec(),
                bqual: event.xid.bqual.to_vec(),
                // The event has its lowest 32 bits, as the statements do.
                format_id: event.xid.format_id as u32,
            });
        }
        if self.committed_at_us == 0 {
            self.committed_at_us = u64::from(raw.header.timestamp) * 1_000_000;
        }
        Ok(())
    }
}

fn is_heartbeat(raw: &RawEvent<'_>) -> bool {
    matches!(
        raw.header.event_type,
        EventType::HEARTBEAT | EventType::HEARTBEAT_V2
    )
}

fn no_format() -> Error {
    Error::NotABinlog("the stream does not begin with a format description")
}

/// True when the same request on a new connection may go on.
fn is_transient(error: &Error) -> bool {
    match error {
        Error::Connection(_) | Error::Io(_) => true,
        // Shutdown, too many connections, killed connection or statement, network errors.
        Error::Server { code, .. } => matches!(
            code,
            1040 | 1053 | 1077 | 1158..=1161 | 1317 | 1927 | 3169 | 4031
        ),
        _ => false,
    }
}

/// ER_MASTER_FATAL_ERROR_READING_BINLOG: the server cannot send the log from this point.
const FATAL_READING_BINLOG: u16 = 1236;

fn hint(error: &Error, point: &StreamPoint) -> String {
    match error {
        // The server has no number for this; its words are the same in every version and language.
        Error::Server { message, .. } if message.contains("same server_uuid/server_id") => {
            "; another process has begun to run this task and goes on with it, or another task of the same name \
             reads from this source: then give one of them another name"
                .into()
        }
        Error::Server {
            code: FATAL_READING_BINLOG,
            ..
        } => format!(
            "; the task needs the log from {point}; if the source has purged that (expire_logs_days, \
             binlog_expire_logs_seconds, PURGE, RESET), what is missing is lost to this task: copy again under a new task name"
        ),
        Error::Checksum { .. } => "; nothing of the damaged event was applied".into(),
        _ => String::new(),
    }
}

fn reconnect_pause(attempt: u32) -> Duration {
    let base =
        Duration::from_millis(100 * 2_u64.saturating_pow(attempt.min(10))).min(RECONNECT_PAUSE_MAX);
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.subsec_nanos());
    base.mul_f64(0.5 + f64::from(nanos % 1000) / 2000.0)
}
