//! The destination as the engine sees it.

use mysql::{Conn, consts::CapabilityFlags, prelude::Queryable};

use crate::{
    apply::{Applier, LaneSettings, MySqlApplier},
    checkpoint::LaneRecord,
    dialect::ServerVersion,
    endpoint::{Endpoint, Role},
    session::{self, SessionError},
    task::Task,
};

/// Where rows go: opens sessions, and makes the appliers of the lanes.
///
/// The checkpoint is always at the destination too, so that it can be committed with the
/// data; an implementation may wrap another one's appliers (to watch, delay or fail them),
/// and must keep what [`Applier`] promises. Methods are called from several threads.
pub trait Destination: Send + Sync {
    /// Opens a session set up for writing, and tells the server's version.
    fn open(&self) -> Result<(Conn, ServerVersion), SessionError>;

    /// Opens a session as the account finds it, for statements that bring their own context.
    fn open_plain(&self) -> Result<Conn, SessionError>;

    /// The applier of one lane, for one run.
    fn applier(&self, lane: Lane) -> Box<dyn Applier>;
}

/// A lane of one run: what its applier needs to know.
pub struct Lane {
    pub(crate) settings: LaneSettings,
    pub(crate) record: LaneRecord,
}

impl Lane {
    /// The lane's number, from 0.
    pub fn number(&self) -> u16 {
        self.record.lane
    }
}

/// A MySQL server as destination.
#[derive(Clone, Debug)]
pub struct MySqlDestination {
    endpoint: Endpoint,
}

impl MySqlDestination {
    /// The destination of a task. No connection is opened yet.
    pub fn new(task: &Task) -> Self {
        Self {
            endpoint: task.destination().clone(),
        }
    }
}

impl Destination for MySqlDestination {
    fn open(&self) -> Result<(Conn, ServerVersion), SessionError> {
        session::open_destination(&self.endpoint)
    }

    fn open_plain(&self) -> Result<Conn, SessionError> {
        let role = Role::Destination;
        let mut conn = self.endpoint.connect(role)?;
        session::unrestricted(&mut conn).map_err(|source| SessionError::Setup { role, source })?;
        Ok(conn)
    }

    fn applier(&self, lane: Lane) -> Box<dyn Applier> {
        let endpoint = self.endpoint.clone();
        Box::new(MySqlApplier::new(lane.settings, lane.record, move || {
            open_lane(&endpoint)
        }))
    }
}

/// A session that applies changes.
///
/// `CLIENT_FOUND_ROWS` makes an UPDATE count the rows it found, so that a missing row can be
/// told from one that did not change. `READ COMMITTED` keeps lanes from locking gaps that
/// others insert into; a destination that logs statements does not allow it.
fn open_lane(endpoint: &Endpoint) -> Result<Conn, SessionError> {
    let role = Role::Destination;
    let mut conn = endpoint.connect_with(role, |opts| {
        opts.additional_capabilities(CapabilityFlags::CLIENT_FOUND_ROWS)
    })?;
    let set_up = |conn: &mut Conn| -> Result<(), mysql::Error> {
        let version = ServerVersion::of(conn)?;
        session::destination_session(conn, version)?;
        let format: Option<(bool, String)> =
            conn.query_first("SELECT @@log_bin, @@session.binlog_format")?;
        // A lane that waits for a lock looks up now and then.
        let mut statements = vec!["SET SESSION innodb_lock_wait_timeout = 10"];
        if format
            .is_some_and(|(log_bin, format)| !log_bin || !format.eq_ignore_ascii_case("STATEMENT"))
        {
            statements.push("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
        }
        session::run_all(conn, &statements)
    };
    set_up(&mut conn).map_err(|source| SessionError::Setup { role, source })?;
    Ok(conn)
}
