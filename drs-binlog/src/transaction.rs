use crate::{
    Error, EventHeader, EventType, MariaDbEvent, MariaDbGtidEvent, Query, RawEvent, Result,
    XaPrepare,
};

/// Finds where the source's transactions begin and end in a stream of events.
///
/// It is fed each event in order and says how the event stands to the
/// transactions ([`Step`]). It keeps no events and needs no decoded bodies,
/// save the texts of statements. The streams of all servers are understood:
/// with GTIDs, anonymous ones, none at all (MySQL 5.6: `BEGIN` comes first),
/// and MariaDB's, whose GTID is the BEGIN too.
#[derive(Clone, Debug, Default)]
pub struct TransactionAssembler {
    state: State,
    unpacking: bool,
}

/// How an event stands to the transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It belongs to none (a heartbeat, a new file's first events); one that is open stays open.
    Outside,
    /// It begins a transaction.
    Starts,
    /// It belongs to the open transaction.
    Inside,
    /// It belongs to the open transaction and ends it.
    Ends(Outcome),
    /// It is a transaction by itself.
    Whole(Outcome),
    /// It is the open transaction's compressed content: feed the events in it
    /// to [`step_nested`](TransactionAssembler::step_nested), or call
    /// [`skip_payload`](TransactionAssembler::skip_payload).
    Unpack,
    /// It belongs to none, and shows that the open transaction has no end: the
    /// server crashed while it wrote. What came of that transaction is to be
    /// dropped; the server itself has rolled it back.
    Abandons,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was committed.
    Commit,
    /// It was rolled back, and logged because a part of it can't be.
    Rollback,
    /// It is a statement that commits by itself: a DDL, XA COMMIT, or a change
    /// of a table without transactions.
    Statement,
    /// It was prepared (XA PREPARE); a later XA COMMIT or XA ROLLBACK decides.
    XaPrepare,
    /// The source lost events.
    Incident,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// No transaction is open.
    #[default]
    Idle,
    /// A GTID came, and nothing else yet.
    Announced,
    /// BEGIN came, or what stands for it.
    Begun,
    /// What belongs to the next statement came; the statement is the end.
    Statement,
}

/// What an event's kind means for transactions.
#[derive(Clone, Copy)]
enum Role {
    /// Announces a transaction of either kind.
    Gtid,
    /// Begins a transaction of several events.
    Begin,
    /// Announces a transaction of one statement.
    BeginStatement,
    /// Row changes and their like.
    Content,
    /// Belongs to the statement after it.
    BeforeStatement,
    /// A statement: content after BEGIN, else a transaction by itself.
    Statement,
    /// Ends what BEGIN began.
    End(Outcome),
    Payload,
    Incident,
    /// Content after BEGIN, of no account otherwise.
    Aside,
    /// Of no account.
    Outside,
    /// The file's first or last event.
    FileBoundary,
}

impl TransactionAssembler {
    /// An assembler at a place between two transactions.
    pub fn new() -> Self {
        Self::default()
    }

    /// True when a transaction is open.
    pub fn is_open(&self) -> bool {
        self.state != State::Idle
    }

    /// Says how the next event stands to the transactions.
    ///
    /// An event that can't stand where it does (a row outside of a
    /// transaction, a BEGIN inside of one) is an error.
    pub fn step(&mut self, raw: &RawEvent<'_>) -> Result<Step> {
        if self.unpacking {
            return Err(raw
                .reader()
                .malformed("the compressed transaction before the event has no end"));
        }
        self.advance(raw, role(raw)?)
    }

    /// The same for an event out of the payload that made [`Step::Unpack`].
    pub fn step_nested(&mut self, raw: &RawEvent<'_>) -> Result<Step> {
        if !self.unpacking {
            return Err(raw
                .reader()
                .malformed("an event lies behind the end of a compressed transaction"));
        }
        let role = role(raw)?;
        if let Role::Gtid | Role::BeginStatement | Role::Payload | Role::FileBoundary = role {
            return Err(raw
                .reader()
                .malformed("such an event cannot lie in a compressed transaction"));
        }
        let step = self.advance(raw, role)?;
        self.unpacking = self.state != State::Idle;
        Ok(step)
    }

    /// Takes the payload that made [`Step::Unpack`] as read: the transaction is closed.
    pub fn skip_payload(&mut self) {
        if self.unpacking {
            *self = Self::default();
        }
    }

    fn advance(&mut self, raw: &RawEvent<'_>, role: Role) -> Result<Step> {
        use State::{Announced, Begun, Idle, Statement};
        let fail = |reason| Err(raw.reader().malformed(reason));
        let (state, step) = match (role, self.state) {
            (Role::Outside, state) => (state, Step::Outside),
            (Role::FileBoundary, Idle) => (Idle, Step::Outside),
            (Role::FileBoundary, _) => (Idle, Step::Abandons),

            (Role::Gtid, Idle) => (Announced, Step::Starts),
            (Role::Begin, Idle) => (Begun, Step::Starts),
            (Role::Begin, Announced) => (Begun, Step::Inside),
            (Role::BeginStatement, Idle) => (Statement, Step::Starts),
            (Role::Gtid | Role::Begin | Role::BeginStatement, _) => {
                return fail("a transaction begins inside another one");
            }

            (Role::Content | Role::Aside, Announced | Begun) => (Begun, Step::Inside),
            (Role::Aside, Idle) => (Idle, Step::Outside),
            (Role::Aside, Statement) => (Statement, Step::Inside),
            (Role::Content, _) => return fail("a row event lies outside of a transaction"),

            (Role::BeforeStatement, Idle) => (Statement, Step::Starts),
            (Role::BeforeStatement, Announced | Statement) => (Statement, Step::Inside),
            (Role::BeforeStatement | Role::Statement, Begun) => (Begun, Step::Inside),
            (Role::Statement, Idle) => (Idle, Step::Whole(Outcome::Statement)),
            (Role::Statement, _) => (Idle, Step::Ends(Outcome::Statement)),

            (Role::End(outcome), Announced | Begun) => (Idle, Step::Ends(outcome)),
            (Role::End(_), _) => return fail("a transaction ends that did not begin"),

            (Role::Payload, Announced) => {
                self.unpacking = true;
                (Announced, Step::Unpack)
            }
            (Role::Payload, _) => {
                return fail("a compressed transaction does not follow a GTID event");
            }

            (Role::Incident, Idle) => (Idle, Step::Whole(Outcome::Incident)),
            (Role::Incident, _) => (Idle, Step::Ends(Outcome::Incident)),
        };
        self.state = state;
        Ok(step)
    }
}

fn role(raw: &RawEvent<'_>) -> Result<Role> {
    let kind = raw.header.event_type;
    Ok(match kind {
        EventType::QUERY => role_of_query(Query::text(raw)?),
        EventType::GTID | EventType::ANONYMOUS_GTID | EventType::GTID_TAGGED => Role::Gtid,
        EventType::XID => Role::End(Outcome::Commit),
        EventType::XA_PREPARE => match XaPrepare::parse(raw)?.one_phase {
            true => Role::End(Outcome::Commit),
            false => Role::End(Outcome::XaPrepare),
        },
        kind if kind.is_rows() => Role::Content,
        EventType::TABLE_MAP | EventType::ROWS_QUERY | EventType::MARIADB_ANNOTATE_ROWS => {
            Role::Content
        }
        EventType::INTVAR
        | EventType::RAND
        | EventType::USER_VAR
        | EventType::BEGIN_LOAD_QUERY
        | EventType::APPEND_BLOCK => Role::BeforeStatement,
        EventType::EXECUTE_LOAD_QUERY
        | EventType::DELETE_FILE
        | EventType::MARIADB_QUERY_COMPRESSED => Role::Statement,
        EventType::TRANSACTION_PAYLOAD => Role::Payload,
        EventType::INCIDENT => Role::Incident,
        EventType::VIEW_CHANGE | EventType::TRANSACTION_CONTEXT | EventType::IGNORABLE => {
            Role::Aside
        }
        EventType::ROTATE | EventType::FORMAT_DESCRIPTION | EventType::STOP => Role::FileBoundary,
        EventType::HEARTBEAT | EventType::HEARTBEAT_V2 | EventType::PREVIOUS_GTIDS => Role::Outside,
        EventType::MARIADB_GTID => match MariaDbEvent::parse(raw)? {
            Some(MariaDbEvent::Gtid(event)) if event.has(MariaDbGtidEvent::STANDALONE) => {
                Role::BeginStatement
            }
            _ => Role::Begin,
        },
        EventType::MARIADB_BINLOG_CHECKPOINT
        | EventType::MARIADB_GTID_LIST
        | EventType::MARIADB_START_ENCRYPTION => Role::Outside,
        _ if raw.header.is_ignorable() => Role::Aside,
        _ => return Err(Error::UnknownEvent { event_type: kind }),
    })
}

/// The server writes the words that bound a transaction itself, in capitals
/// and without comments, whatever the client sent.
fn role_of_query(text: &[u8]) -> Role {
    match text {
        b"BEGIN" => Role::Begin,
        b"COMMIT" => Role::End(Outcome::Commit),
        b"ROLLBACK" => Role::End(Outcome::Rollback),
        _ if text.starts_with(b"XA START") => Role::Begin,
        _ => Role::Statement,
    }
}

/// Feeds events to an assembler: a type byte, a body's length, the body.
pub fn fuzz_transactions(mut data: &[u8]) {
    let mut assembler = TransactionAssembler::new();
    let mut nested = false;
    while let Some(([kind, len], rest)) = data.split_first_chunk() {
        let (body, tail) = rest.split_at(usize::from(*len).min(rest.len()));
        data = tail;
        let header = EventHeader {
            timestamp: 1,
            event_type: EventType(*kind),
            server_id: 1,
            event_size: 0,
            log_pos: 0,
            flags: 0,
        };
        let raw = RawEvent { header, body };
        let step = if nested {
            assembler.step_nested(&raw)
        } else {
            assembler.step(&raw)
        };
        match step {
            Ok(Step::Unpack) => nested = true,
            Ok(Step::Ends(_)) => nested = false,
            Ok(_) => {}
            Err(_) => return,
        }
        let closes = matches!(step, Ok(Step::Ends(_) | Step::Whole(_) | Step::Abandons));
        assert!(!(closes && assembler.is_open()));
    }
}
