//! How a session with a source or a destination is opened.

use mysql::{Conn, OptsBuilder, Row, prelude::Queryable};

use crate::{
    dialect::ServerVersion,
    endpoint::{Endpoint, EndpointError, Role},
    sql,
};

/// The largest packet that this program takes from a server: MySQL's own upper limit, since a
/// row may be larger than either server's `max_allowed_packet`.
pub const PACKET_BYTES_MAX: usize = 1 << 30;

/// The most warnings about a statement that a server keeps, and that the protocol counts.
pub(crate) const WARNINGS_MAX: u64 = 65_535;

/// Why a session could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No connection.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The server refused a setting that the engine depends on.
    #[error("the {role} refused to set up the session: {}", crate::error::redacted(.source))]
    Setup {
        /// Which server.
        role: Role,
        /// The cause.
        #[source]
        source: mysql::Error,
    },
    /// The address now leads to another server than the one that the task was begun with.
    #[error(
        "the {role} that answers now has the server_uuid {found}, and the task was begun with {expected}: its rows and \
         its log are not the ones that the task knows; connect to the server it was begun with, or begin a new task"
    )]
    OtherServer {
        /// Which server.
        role: Role,
        /// `@@server_uuid` at the start.
        expected: String,
        /// What it is now.
        found: String,
    },
}

impl SessionError {
    /// True when the server refused the account: trying again would lock it.
    pub fn is_login_refused(&self) -> bool {
        matches!(self, Self::Endpoint(error) if error.is_login_refused())
    }

    /// True when trying again may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Endpoint(error) => error.is_transient(),
            Self::Setup { source, .. } => crate::error::is_transient(source),
            Self::OtherServer { .. } => false,
        }
    }
}

/// Connects to a source and sets the session up for reading.
pub fn open_source(endpoint: &Endpoint) -> Result<(Conn, ServerVersion), SessionError> {
    open(endpoint, Role::Source, source_session)
}

/// Connects to a destination and sets the session up for writing.
pub fn open_destination(endpoint: &Endpoint) -> Result<(Conn, ServerVersion), SessionError> {
    open(endpoint, Role::Destination, destination_session)
}

/// Connects to either side and sets the session up for reading.
pub(crate) fn open_to_read(
    endpoint: &Endpoint,
    role: Role,
) -> Result<(Conn, ServerVersion), SessionError> {
    open(endpoint, role, source_session)
}

/// Fails when the session's server is not the one with this `server_uuid`; an empty one is not known.
pub(crate) fn same_server(conn: &mut Conn, role: Role, expected: &str) -> Result<(), SessionError> {
    if expected.is_empty() {
        return Ok(());
    }
    let found: Option<String> = conn
        .query_first("SELECT @@global.server_uuid")
        .map_err(|source| SessionError::Setup { role, source })?;
    match found {
        Some(found) if found == expected => Ok(()),
        found => Err(SessionError::OtherServer {
            role,
            expected: expected.to_owned(),
            found: found.unwrap_or_default(),
        }),
    }
}

/// Opens a session again and again while the cause may pass: a server that restarts takes a
/// minute or two. A refused login is not tried again.
pub(crate) fn patiently<T>(open: impl Fn() -> Result<T, SessionError>) -> Result<T, SessionError> {
    const ATTEMPTS_MAX: u32 = 40;
    const PAUSE_MAX: std::time::Duration = std::time::Duration::from_secs(5);
    let mut pause = std::time::Duration::from_millis(50);
    for _ in 1..ATTEMPTS_MAX {
        match open() {
            Err(error) if error.is_transient() && !error.is_login_refused() => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(PAUSE_MAX);
            }
            result => return result,
        }
    }
    open()
}

fn open(
    endpoint: &Endpoint,
    role: Role,
    set_up: fn(&mut Conn, ServerVersion) -> Result<(), mysql::Error>,
) -> Result<(Conn, ServerVersion), SessionError> {
    let packets = |opts: OptsBuilder| match role {
        Role::Source => opts.max_allowed_packet(Some(PACKET_BYTES_MAX)),
        Role::Destination => opts,
    };
    let mut conn = endpoint.connect_with(role, packets)?;
    let version = ServerVersion::of(&mut conn)
        .and_then(|version| set_up(&mut conn, version).map(|()| version))
        .map_err(|source| SessionError::Setup { role, source })?;
    Ok((conn, version))
}

/// Sets a session up for reading: text comes as its stored bytes, times in UTC, nothing is cut.
pub fn source_session(conn: &mut Conn, version: ServerVersion) -> Result<(), mysql::Error> {
    let mut statements = vec![
        "SET NAMES utf8mb4",
        // Without a result character set the server converts nothing on the way out.
        "SET SESSION character_set_results = NULL",
        // Lets a key's bound be an invalid date, which the source may hold.
        "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'",
        "SET SESSION time_zone = '+00:00', sql_auto_is_null = 0",
    ];
    statements.extend(UNRESTRICTED);
    statements.push(PATIENCE);
    if version.is_mysql_at_least(5, 7, 8) {
        statements.push("SET SESSION max_execution_time = 0");
    }
    if version.is_mysql_at_least(5, 7, 22) {
        statements.push("SET SESSION show_create_table_verbosity = OFF");
    }
    if version.is_mysql_at_least(8, 0, 3) {
        statements.push("SET SESSION information_schema_stats_expiry = 0");
    }
    if version.is_mysql_at_least(8, 0, 30) {
        statements.push(SHOW_GENERATED_KEYS);
    }
    run_all(conn, &statements)
}

/// Sets a session up for writing.
pub fn destination_session(conn: &mut Conn, version: ServerVersion) -> Result<(), mysql::Error> {
    let mut statements = sql::SESSION_SETUP.to_vec();
    statements.extend(UNRESTRICTED);
    statements.push(PATIENCE);
    if version.is_mysql_at_least(8, 0, 30) {
        statements.push(SHOW_GENERATED_KEYS);
    }
    run_all(conn, &statements)?;
    keep_warnings(conn)?;
    let (mut wants_key, mut adds_key) = (false, false);
    if version.is_mysql_at_least(8, 0, 30) {
        (wants_key, adds_key) = conn
            .query_first("SELECT @@session.sql_require_primary_key, @@session.sql_generate_invisible_primary_key")?
            .unwrap_or_default();
    } else if version.is_mysql_at_least(8, 0, 13) {
        wants_key = conn
            .query_first("SELECT @@session.sql_require_primary_key")?
            .unwrap_or_default();
    }
    // A table without a key at the source has none at the destination. Who may not say so is told by
    // the server when such a table comes.
    if wants_key {
        unless_denied(conn.query_drop("SET SESSION sql_require_primary_key = OFF"))?;
    }
    // A table gets the columns that it has at the source, and no other.
    if adds_key {
        conn.query_drop("SET SESSION sql_generate_invisible_primary_key = OFF")?;
    }
    Ok(())
}

/// Undoes what the server's settings may keep new sessions from, or make them do by themselves.
pub(crate) fn unrestricted(conn: &mut Conn) -> Result<(), mysql::Error> {
    run_all(conn, &UNRESTRICTED)
}

const UNRESTRICTED: [&str; 2] = [
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE",
    // Expressions of a definition are stored with quotes or without them, as they are shown.
    "SET SESSION autocommit = 1, completion_type = 0, sql_select_limit = 18446744073709551615, \
     sql_big_selects = 1, sql_safe_updates = 0, sql_quote_show_create = 1",
];

/// One server may be slow while the other one waits.
const PATIENCE: &str =
    "SET SESSION net_write_timeout = 3600, net_read_timeout = 3600, wait_timeout = 28800";

/// A generated invisible primary key is a column like any other, and must be seen.
const SHOW_GENERATED_KEYS: &str =
    "SET SESSION show_gipk_in_create_table_and_information_schema = ON";

/// Runs statements in one round trip, however many they are; the first that fails ends it.
pub(crate) fn run_all(conn: &mut Conn, statements: &[&str]) -> Result<(), mysql::Error> {
    results(conn, &statements.join("; ")).map(drop)
}

/// The rows of several queries, asked for in one round trip.
pub(crate) fn query_each<const N: usize>(
    conn: &mut Conn,
    queries: [String; N],
) -> Result<[Vec<Row>; N], mysql::Error> {
    results(conn, &queries.join("; "))?
        .try_into()
        .map_err(|_| mysql::DriverError::UnexpectedPacket.into())
}

/// Reads the results of all statements: dropped unread, an error in one would be lost.
fn results(conn: &mut Conn, statements: &str) -> Result<Vec<Vec<Row>>, mysql::Error> {
    let mut result = conn.query_iter(statements)?;
    let mut all = Vec::new();
    while let Some(rows) = result.iter() {
        all.push(rows.collect::<Result<_, _>>()?);
    }
    Ok(all)
}

/// Lets the server keep every warning. Newer servers allow it to few accounts; with others they
/// keep 1,024 by default, so whoever reads warnings must compare their number with the
/// announced one.
fn keep_warnings(conn: &mut Conn) -> Result<(), mysql::Error> {
    unless_denied(conn.query_drop(format!("SET SESSION max_error_count = {WARNINGS_MAX}")))
}

fn unless_denied(result: Result<(), mysql::Error>) -> Result<(), mysql::Error> {
    const ACCESS_DENIED: u16 = 1227;
    match result {
        Err(error) if crate::error::server_code(&error) == Some(ACCESS_DENIED) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use drs_testkit::{Installation, Server, Version};

    use super::*;

    #[test]
    fn statements_in_one_round_trip_tell_each_result_and_the_first_error() {
        let installation = Installation::find_or_fetch(Version::MySql97).unwrap();
        let server = Server::builder(&installation)
            .in_memory(true)
            .start()
            .unwrap();
        let mut conn = server.conn().unwrap();
        let unknown = "SET SESSION no_such_setting = 1";
        for statements in [
            [unknown, "SET @a = 1", "SET @a = 2"],
            ["SET @a = 1", unknown, "SET @a = 2"],
            ["SET @a = 1", "SET @a = 2", unknown],
        ] {
            let error = run_all(&mut conn, &statements).unwrap_err();
            assert_eq!(crate::error::server_code(&error), Some(1193), "{error}");
        }
        let queries = ["SELECT 1", "SELECT 2 UNION SELECT 3", "SELECT 4 LIMIT 0"];
        let rows = query_each(&mut conn, queries.map(str::to_owned)).unwrap();
        let numbers = rows.map(|rows| rows.into_iter().map(mysql::from_row).collect::<Vec<u8>>());
        assert_eq!(numbers, [vec![1], vec![2, 3], vec![]]);
    }
}
