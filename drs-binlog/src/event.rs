use std::fmt;

use crate::{
    Decoder, Error, EventHeader, EventType, ExecuteLoadQuery, FormatDescription, GtidEvent,
    GtidSet, Heartbeat, Incident, IntVar, LoadBlock, MariaDbEvent, PayloadUnpacker, Query, Rand,
    Reader, Result, Rotate, Rows, StatementText, TableMap, TransactionContext, TransactionPayload,
    UserVar, ViewChange, XaPrepare, hidden::Hidden, load_data,
};

/// One event as it lies in the log: its header, and its body without the checksum.
///
/// [`Decoder::raw`] makes it, and has verified the checksum;
/// [`Decoder::decode`] gives the body a meaning.
#[derive(Clone, Copy)]
pub struct RawEvent<'a> {
    /// The header.
    pub header: EventHeader,
    /// The bytes after the header, the checksum cut off.
    pub body: &'a [u8],
}

impl<'a> RawEvent<'a> {
    /// A reader of the body, whose offsets count from the event's start.
    pub fn reader(&self) -> Reader<'a> {
        Reader::new(self.body, EventHeader::LEN, self.header.event_type)
    }
}

impl fmt::Debug for RawEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawEvent")
            .field("header", &self.header)
            .field("body", &Hidden(self.body.len()))
            .finish()
    }
}

/// An event's meaning. Texts and rows borrow from the event's bytes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// How the events after it are laid out.
    FormatDescription(FormatDescription),
    /// The log goes on in another file.
    Rotate(Rotate<'a>),
    /// The server shut down.
    Stop,
    /// All GTIDs in the files before this one.
    PreviousGtids(GtidSet),
    /// A GTID, anonymous or tagged or neither: the transaction that follows.
    Gtid(GtidEvent),
    /// A statement, `BEGIN` and `COMMIT` among them.
    Query(Query<'a>),
    /// The commit of a transaction, by its number in the engine.
    Xid(u64),
    /// The prepare (or one-phase commit) of an XA transaction.
    XaPrepare(XaPrepare<'a>),
    /// The table that the row events after it refer to.
    TableMap(TableMap<'a>),
    /// Row changes, of any version.
    Rows(Rows<'a>),
    /// The text of the statement that the row events after it come from.
    RowsQuery(StatementText<'a>),
    /// A whole transaction, compressed.
    TransactionPayload(TransactionPayload<'a>),
    /// A number that the statement after it uses.
    IntVar(IntVar),
    /// The seeds of `RAND()` for the statement after it.
    Rand(Rand),
    /// A user variable that the statement after it reads.
    UserVar(UserVar<'a>),
    /// The first block of the file of a LOAD DATA.
    BeginLoadQuery(LoadBlock<'a>),
    /// A further block.
    AppendBlock(LoadBlock<'a>),
    /// The LOAD DATA failed; the file with this id is not needed any more.
    DeleteFile(u32),
    /// The LOAD DATA statement whose file came before.
    ExecuteLoadQuery(ExecuteLoadQuery<'a>),
    /// The source is there, and has nothing to send.
    Heartbeat(Heartbeat<'a>),
    /// Something happened at the source that its log does not hold.
    Incident(Incident<'a>),
    /// The members of a replication group changed.
    ViewChange(ViewChange<'a>),
    /// What a replication group certifies a transaction by.
    TransactionContext(TransactionContext<'a>),
    /// An event that only MariaDB writes.
    MariaDb(MariaDbEvent<'a>),
    /// An event of a type that this crate does not know, with the flag that it may be skipped.
    Ignorable(EventType),
}

impl Decoder {
    /// Decodes the body of an event that [`raw`](Self::raw) or
    /// [`raw_nested`](Self::raw_nested) framed.
    ///
    /// Fails when the bytes do not follow the format, when some are left over,
    /// and for an unknown type without the flag that lets a reader skip it.
    pub fn decode<'a>(&self, raw: &RawEvent<'a>) -> Result<Event<'a>> {
        let kind = raw.header.event_type;
        Ok(match kind {
            EventType::FORMAT_DESCRIPTION => {
                Event::FormatDescription(FormatDescription::parse(raw)?)
            }
            EventType::ROTATE => Event::Rotate(Rotate::parse(raw)?),
            EventType::STOP => {
                raw.reader().finish()?;
                Event::Stop
            }
            EventType::PREVIOUS_GTIDS => Event::PreviousGtids(GtidSet::decode(&mut raw.reader())?),
            EventType::GTID | EventType::ANONYMOUS_GTID | EventType::GTID_TAGGED => {
                Event::Gtid(GtidEvent::parse(raw)?)
            }
            EventType::QUERY => Event::Query(Query::parse(raw)?),
            EventType::XID => {
                let mut r = raw.reader();
                let xid = r.u64()?;
                r.finish()?;
                Event::Xid(xid)
            }
            EventType::XA_PREPARE => Event::XaPrepare(XaPrepare::parse(raw)?),
            EventType::TABLE_MAP => Event::TableMap(TableMap::parse(raw, self.format_for(raw)?)?),
            kind if kind.is_rows() => Event::Rows(Rows::parse(raw, self.format_for(raw)?)?),
            EventType::ROWS_QUERY => {
                // The length byte overflows with longer texts: the server ignores it too.
                let mut r = raw.reader();
                r.u8()?;
                Event::RowsQuery(StatementText(r.rest()))
            }
            EventType::TRANSACTION_PAYLOAD => {
                Event::TransactionPayload(TransactionPayload::parse(raw)?)
            }
            EventType::INTVAR => Event::IntVar(IntVar::parse(raw)?),
            EventType::RAND => Event::Rand(Rand::parse(raw)?),
            EventType::USER_VAR => Event::UserVar(UserVar::parse(raw)?),
            EventType::BEGIN_LOAD_QUERY => Event::BeginLoadQuery(LoadBlock::parse(raw)?),
            EventType::APPEND_BLOCK => Event::AppendBlock(LoadBlock::parse(raw)?),
            EventType::DELETE_FILE => Event::DeleteFile(load_data::parse_delete_file(raw)?),
            EventType::EXECUTE_LOAD_QUERY => Event::ExecuteLoadQuery(ExecuteLoadQuery::parse(raw)?),
            EventType::HEARTBEAT | EventType::HEARTBEAT_V2 => {
                Event::Heartbeat(Heartbeat::parse(raw)?)
            }
            EventType::INCIDENT => Event::Incident(Incident::parse(raw)?),
            EventType::VIEW_CHANGE => Event::ViewChange(ViewChange::parse(raw)?),
            EventType::TRANSACTION_CONTEXT => {
                Event::TransactionContext(TransactionContext::parse(raw)?)
            }
            _ => match MariaDbEvent::parse(raw)? {
                Some(event) => Event::MariaDb(event),
                None if raw.header.is_ignorable() || kind == EventType::IGNORABLE => {
                    Event::Ignorable(kind)
                }
                None => return Err(Error::UnknownEvent { event_type: kind }),
            },
        })
    }
}

/// Decodes an event of this type byte, flags (two bytes) and body, and what is compressed in it.
pub fn fuzz_event(data: &[u8]) {
    let Some(([kind, low, high], body)) = data.split_first_chunk() else {
        return;
    };
    let header = EventHeader {
        timestamp: 1,
        event_type: EventType(*kind),
        server_id: 1,
        event_size: 0,
        log_pos: 0,
        flags: u16::from_le_bytes([*low, *high]),
    };
    let decoder = Decoder::for_fuzzing();
    let raw = RawEvent { header, body };
    let decoded = decoder.decode(&raw);
    // Nothing of the body shows.
    let _ = format!("{raw:?} {decoded:?}");
    match decoded {
        Ok(Event::TransactionPayload(payload)) => {
            let mut unpacker = PayloadUnpacker::new();
            let Ok(mut events) = payload.events(&mut unpacker, 1 << 16) else {
                return;
            };
            for _ in 0..1000 {
                let Ok(Some(bytes)) = events.next_event() else {
                    return;
                };
                assert!(bytes.len() <= 1 << 16);
                let _ = decoder
                    .raw_nested(bytes)
                    .and_then(|raw| decoder.decode(&raw).map(drop));
            }
        }
        Ok(Event::MariaDb(MariaDbEvent::QueryCompressed(query))) => {
            let mut text = Vec::new();
            let _ = query.inflate(&mut text, 1 << 16);
        }
        Ok(Event::Query(query)) => {
            if let Some(crate::UpdatedDatabases::Names(names)) = query.status.updated_databases {
                assert!(names.iter().count() <= 255);
            }
        }
        _ => {}
    }
}
