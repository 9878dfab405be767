use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use mysql::{Conn, prelude::Queryable};

use super::{Objects, PipelineError};
use crate::{
    checkpoint::StreamPoint,
    ddl::SourceDefaults,
    dialect::{Flavor, ServerVersion},
    endpoint::Role,
    object::NameCase,
    observe::Observer,
    session::SessionError,
    task::Task,
};

/// What a run must know of the source before it begins.
#[derive(Clone, Debug)]
pub(super) struct SourceFacts {
    pub(super) version: ServerVersion,
    pub(super) server_uuid: String,
    pub(super) name_case: NameCase,
    /// Every transaction has a GTID (`gtid_mode = ON`).
    pub(super) uses_gtid: bool,
    pub(super) defaults: SourceDefaults,
    /// What foreign keys cascade to is in the log: since 9.6, unless InnoDB itself carries it out.
    pub(super) logs_cascades: bool,
    log_bin: bool,
    binlog_format: String,
}

impl SourceFacts {
    pub(super) fn gather(conn: &mut Conn, version: ServerVersion) -> Result<Self, PipelineError> {
        if version.flavor == Flavor::MariaDb {
            return Err(PipelineError::Source(format!(
                "it is {version}, which is not supported as a source yet"
            )));
        }
        let failed = |source| SessionError::Setup {
            role: Role::Source,
            source,
        };
        let mut variable = |name: &str| -> Result<Option<String>, SessionError> {
            let row: Option<(String, String)> = conn
                .exec_first("SHOW GLOBAL VARIABLES WHERE Variable_name = ?", (name,))
                .map_err(failed)?;
            Ok(row.map(|(_, value)| value))
        };
        let is_on = |value: Option<String>| {
            value.is_some_and(|value| value.eq_ignore_ascii_case("ON") || value == "1")
        };
        Ok(Self {
            version,
            server_uuid: variable("server_uuid")?.unwrap_or_default(),
            name_case: match variable("lower_case_table_names")?.as_deref() {
                None | Some("0") => NameCase::Sensitive,
                Some(_) => NameCase::Insensitive,
            },
            uses_gtid: variable("gtid_mode")?.is_some_and(|mode| mode.eq_ignore_ascii_case("ON")),
            logs_cascades: version.logs_cascades()
                && !is_on(variable("innodb_native_foreign_keys")?),
            log_bin: is_on(variable("log_bin")?),
            binlog_format: variable("binlog_format")?.unwrap_or_default(),
            defaults: SourceDefaults {
                version,
                explicit_defaults_for_timestamp: variable("explicit_defaults_for_timestamp")?
                    .map(|v| is_on(Some(v))),
                // Told by its effect, once the destination is known.
                system_time_zone: None,
            },
        })
    }

    /// Fails when the source can't serve this task's mode at all.
    pub(super) fn check(&self, task: &Task) -> Result<(), PipelineError> {
        if !task.mode().follows() {
            return Ok(());
        }
        if !self.log_bin {
            return Err(PipelineError::Source(
                "it writes no binary log; start it with log_bin".into(),
            ));
        }
        if !self.binlog_format.eq_ignore_ascii_case("ROW") {
            return Err(PipelineError::Source(format!(
                "its binlog_format is {}; set it to ROW (sessions that are connected keep the old value)",
                self.binlog_format
            )));
        }
        Ok(())
    }
}

/// Fails when the destination is the source under another name; its `server_uuid`.
pub(super) fn refuse_same_server(
    destination: &mut Conn,
    source: &SourceFacts,
) -> Result<String, PipelineError> {
    let found: Option<(String, String)> = destination
        .query_first("SHOW GLOBAL VARIABLES WHERE Variable_name = 'server_uuid'")
        .map_err(|source| SessionError::Setup {
            role: Role::Destination,
            source,
        })?;
    match found {
        Some((_, server_uuid)) if server_uuid == source.server_uuid => {
            Err(PipelineError::SameServer { server_uuid })
        }
        found => Ok(found
            .map(|(_, server_uuid)| server_uuid)
            .unwrap_or_default()),
    }
}

/// Fails when the source's log does not reach the point that the destination has: it was reset, or
/// the server lost its end in a crash. What the source writes from now on would be taken for done.
pub(super) fn refuse_shorter_log(
    conn: &mut Conn,
    version: ServerVersion,
    point: &StreamPoint,
) -> Result<(), PipelineError> {
    // What reached the destination may be on its way into the source's own set.
    let deadline = Instant::now() + LOG_WAIT_MAX;
    loop {
        let end = crate::copy::end_of_log(conn, version)?;
        let holds_set = match &point.gtid_set {
            None => true,
            Some(set) => conn
                .exec_first(
                    "SELECT GTID_SUBSET(?, @@global.gtid_executed)",
                    (set.to_string(),),
                )
                .map_err(|source| SessionError::Setup {
                    role: Role::Source,
                    source,
                })?
                .unwrap_or(false),
        };
        if point.position <= end && holds_set {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(PipelineError::ShorterLog {
                point: point.clone(),
                end,
            });
        }
        std::thread::sleep(LOG_PERIOD);
    }
}

/// How long the source may take until it says of itself what it has sent.
const LOG_WAIT_MAX: Duration = Duration::from_secs(5);
const LOG_PERIOD: Duration = Duration::from_millis(100);

/// Fails when a database that is mapped to another name holds views, procedures or functions: their
/// texts name its tables.
pub(super) fn refuse_programs(conn: &mut Conn, objects: &Objects) -> Result<(), PipelineError> {
    for (database, mapped) in objects.mapping.databases() {
        if database == mapped {
            continue;
        }
        let counts: Option<(u64, u64)> = conn
            .exec_first(
                "SELECT (SELECT COUNT(*) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?), \
                 (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?)",
                (database.as_str(), database.as_str()),
            )
            .map_err(|source| SessionError::Setup {
                role: Role::Source,
                source,
            })?;
        let (views, routines) = counts.unwrap_or_default();
        if views + routines > 0 {
            return Err(PipelineError::Programs {
                database: database.clone(),
                what: format!("{views} views and {routines} procedures or functions"),
            });
        }
    }
    Ok(())
}

/// Fails when XA transactions stay prepared: their rows are not visible to the copy, and lie
/// before the point where the log is followed from. Those that end soon are waited for.
pub(super) fn wait_for_prepared(
    conn: &mut Conn,
    observer: &dyn Observer,
) -> Result<(), PipelineError> {
    let deadline = Instant::now() + PREPARED_WAIT_MAX;
    let mut first: Option<HashSet<PreparedXid>> = None;
    loop {
        let now: HashSet<PreparedXid> = match conn.query("XA RECOVER") {
            Ok(rows) => rows.into_iter().collect(),
            // MySQL 8.0 wants XA_RECOVER_ADMIN for it, and says no more than that an error occurred.
            Err(mysql::Error::MySqlError(_)) => {
                observer.notice(
                    "whether XA transactions are prepared at the source can't be seen (XA_RECOVER_ADMIN): if one that is \
                     prepared now is committed after the copy has begun, the task will stop there",
                );
                return Ok(());
            }
            Err(source) => {
                let role = Role::Source;
                return Err(SessionError::Setup { role, source }.into());
            }
        };
        // One that was prepared since lies behind the point.
        let left = match &first {
            None => now.len(),
            Some(first) => first.intersection(&now).count(),
        };
        if left == 0 {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(PipelineError::Source(format!(
                "{left} XA transactions are prepared there (XA RECOVER), whose rows the copy would miss; commit them or \
                 roll them back first"
            )));
        }
        first.get_or_insert(now);
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A row of `XA RECOVER`: format, lengths of the two parts, the parts.
type PreparedXid = (i64, u64, u64, Vec<u8>);

/// How long XA transactions that are prepared at the start may take to end.
const PREPARED_WAIT_MAX: Duration = Duration::from_secs(10);
