//! The session itself, and the server's global variables.

use std::{collections::BTreeMap, time::Duration};

use drs_core::{EndpointError, Role, ServerVersion, TlsFailure};
use mysql::{Conn, prelude::Queryable};

use super::{Fact, Unread};

/// The session that the facts were asked in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The cipher, where it is encrypted.
    pub tls_cipher: Option<String>,
    /// The version of TLS, where it is encrypted: `TLSv1.3`.
    pub tls_version: Option<String>,
    /// Days until the server's certificate ends, less than 0 when it has; `None` where it does not
    /// tell.
    pub certificate_days: Option<i64>,
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of thing is in the way.
    pub kind: RefusalKind,
    /// In words for the user; no password in it.
    pub reason: String,
}

/// What is in the way of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The password can't be had from where the task file says it is.
    Password,
    /// Wrong user or password, or not allowed from this host.
    Login,
    /// Nobody answers at this address.
    Unreachable,
    /// TLS.
    Tls(TlsFailure),
    /// The server refused the session or its settings.
    Server,
}

impl From<&EndpointError> for Refusal {
    fn from(error: &EndpointError) -> Self {
        let kind = match error {
            EndpointError::Password { .. } => RefusalKind::Password,
            EndpointError::LoginRefused { .. } => RefusalKind::Login,
            EndpointError::Unreachable { .. } | EndpointError::Broken { .. } => {
                RefusalKind::Unreachable
            }
            EndpointError::Tls { failure, .. } => RefusalKind::Tls(failure.clone()),
            _ => RefusalKind::Server,
        };
        Self {
            kind,
            reason: error.to_string(),
        }
    }
}

/// A server's global variables, as `SHOW GLOBAL VARIABLES` tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Takes names and values.
    pub fn new<N: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let variables = variables.into_iter();
        Self(
            variables
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// A variable's value; `None` where the server does not have the variable.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A number; `None` also for text.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// A switch; `None` where the server does not have it.
    pub fn is_on(&self, name: &str) -> Option<bool> {
        let value = self.text(name)?;
        Some(value.eq_ignore_ascii_case("ON") || value == "1")
    }

    /// The words of a list that is separated by commas, in capitals; none where there is no such variable.
    pub fn words(&self, name: &str) -> Vec<String> {
        let words = self.text(name).unwrap_or_default().split(',');
        words
            .map(|word| word.trim().to_ascii_uppercase())
            .filter(|word| !word.is_empty())
            .collect()
    }

    /// How long the server keeps its binary log; `None` when it purges nothing by age.
    pub fn log_retention(&self) -> Option<Duration> {
        const DAY: u64 = 24 * 3600;
        if self.is_on("binlog_expire_logs_auto_purge") == Some(false) {
            return None;
        }
        let set = |name: &str| self.number(name).filter(|value| *value > 0);
        let seconds = set("binlog_expire_logs_seconds")
            .or_else(|| Some(set("expire_logs_days")?.saturating_mul(DAY)))?;
        Some(Duration::from_secs(seconds))
    }

    /// Sets a variable, for facts that are made up.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Takes a variable away, as on a server that does not have it.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub(super) fn gather(conn: &mut Conn, role: Role) -> Fact<Self> {
        let rows: Vec<(String, String)> = conn
            .query("SHOW GLOBAL VARIABLES")
            .map_err(|error| Unread::of(role, "its variables", &error))?;
        Ok(Self::new(
            rows.into_iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value)),
        ))
    }
}

impl Connection {
    pub(super) fn gather(conn: &mut Conn, role: Role) -> Fact<Self> {
        let rows: Vec<(String, String)> = conn
            .query("SHOW SESSION STATUS WHERE Variable_name IN ('Ssl_cipher', 'Ssl_version', 'Ssl_server_not_after')")
            .map_err(|error| Unread::of(role, "whether it is encrypted", &error))?;
        let value = |wanted: &str| {
            let row = rows
                .iter()
                .find(|(name, value)| name.eq_ignore_ascii_case(wanted) && !value.is_empty());
            row.map(|(_, value)| value.clone())
        };
        Ok(Self {
            tls_cipher: value("Ssl_cipher"),
            tls_version: value("Ssl_version"),
            certificate_days: match value("Ssl_server_not_after") {
                // Without an answer the certificate's end is not known, and nothing else is lost.
                Some(end) => days_until(conn, &end).ok().flatten(),
                None => None,
            },
        })
    }
}

/// Days until a time such as `Nov  3 23:01:28 2036 GMT`, by the server's clock.
fn days_until(conn: &mut Conn, end: &str) -> Result<Option<i64>, mysql::Error> {
    let seconds: Option<Option<i64>> = conn.exec_first(
        "SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), STR_TO_DATE(?, '%b %e %H:%i:%s %Y GMT'))",
        (end,),
    )?;
    const DAY_SECONDS: i64 = 24 * 3600;
    Ok(seconds
        .flatten()
        .map(|seconds| seconds.div_euclid(DAY_SECONDS)))
}

/// The version that a server tells.
pub(super) fn version(conn: &mut Conn, role: Role) -> Fact<ServerVersion> {
    ServerVersion::of(conn).map_err(|error| Unread::of(role, "its version", &error))
}

/// Whether the account may set session variables that need a privilege since 8.0: one is set to what
/// it is.
pub(super) fn sets_restricted(conn: &mut Conn, version: ServerVersion) -> Fact<bool> {
    const ACCESS_DENIED: u16 = 1227;
    if !version.is_mysql_at_least(8, 0, 13) {
        return Ok(true);
    }
    let statement = "SET SESSION sql_require_primary_key = @@session.sql_require_primary_key";
    match conn.query_drop(statement) {
        Ok(()) => Ok(true),
        Err(mysql::Error::MySqlError(error)) if error.code == ACCESS_DENIED => Ok(false),
        Err(error) => Err(Unread::of(
            Role::Destination,
            "whether the account may set sql_require_primary_key",
            &error,
        )),
    }
}
