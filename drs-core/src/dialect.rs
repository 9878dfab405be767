//! What a server of a given version can do, and how it spells it.

use mysql::{Conn, prelude::Queryable};

/// The family a server belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// Oracle's MySQL, or a build of it that calls itself so (Percona Server too).
    MySql,
    /// MariaDB.
    MariaDb,
}

/// A server's version as `SELECT VERSION()` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerVersion {
    /// MySQL or MariaDB.
    pub flavor: Flavor,
    /// `(8, 0, 36)` for `8.0.36-log`.
    pub number: (u16, u16, u16),
}

impl ServerVersion {
    /// Parses the text of `SELECT VERSION()`; `None` when it does not begin with a version number.
    pub fn parse(text: &str) -> Option<Self> {
        let flavor = if text.to_ascii_lowercase().contains("mariadb") {
            Flavor::MariaDb
        } else {
            Flavor::MySql
        };
        // Old MariaDB servers put "5.5.5-" before their own version, for replicas' sake.
        let text = match flavor {
            Flavor::MariaDb => text.strip_prefix("5.5.5-").unwrap_or(text),
            Flavor::MySql => text,
        };
        let digits = text
            .split(|c: char| !c.is_ascii_digit() && c != '.')
            .next()?;
        let mut parts = digits.split('.').map(|part| part.parse::<u16>().ok());
        let major = parts.next()??;
        let minor = parts.next()??;
        let patch = parts.next().flatten().unwrap_or(0);
        Some(Self {
            flavor,
            number: (major, minor, patch),
        })
    }

    /// Asks a server for its version.
    pub fn of(conn: &mut Conn) -> Result<Self, mysql::Error> {
        let text: Option<String> = conn.query_first("SELECT VERSION()")?;
        text.as_deref().and_then(Self::parse).ok_or_else(|| {
            mysql::Error::IoError(std::io::Error::other(
                "the server's version text has no number in it",
            ))
        })
    }

    /// True for MySQL of this version or a newer one.
    pub fn is_mysql_at_least(self, major: u16, minor: u16, patch: u16) -> bool {
        self.flavor == Flavor::MySql && self.number >= (major, minor, patch)
    }

    /// The statement that tells the end of the binary log (8.4 removed `SHOW MASTER STATUS`).
    pub fn binlog_status_statement(self) -> &'static str {
        if self.is_mysql_at_least(8, 2, 0) {
            "SHOW BINARY LOG STATUS"
        } else {
            "SHOW MASTER STATUS"
        }
    }

    /// True when `INSERT … VALUES … AS alias ON DUPLICATE KEY UPDATE` is known (8.0.19).
    pub fn has_insert_row_alias(self) -> bool {
        self.is_mysql_at_least(8, 0, 19)
    }

    /// True when `(a, b) IN ((1, 2), …)` uses the key (5.7.3; older servers scan the table).
    pub fn has_row_constructor_ranges(self) -> bool {
        self.is_mysql_at_least(5, 7, 3)
    }

    /// True when the server tells the types of the values inside of a JSON document (8.0.14).
    pub fn tells_json_types(self) -> bool {
        self.is_mysql_at_least(8, 0, 14)
    }

    /// True when changes made by cascading foreign keys are in the binary log (9.6).
    pub fn logs_cascades(self) -> bool {
        self.is_mysql_at_least(9, 6, 0)
    }
}

impl std::fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self.flavor {
            Flavor::MySql => "MySQL",
            Flavor::MariaDb => "MariaDB",
        };
        let (major, minor, patch) = self.number;
        write!(f, "{name} {major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        let cases = [
            ("9.7.0", Flavor::MySql, (9, 7, 0)),
            ("5.6.24-log", Flavor::MySql, (5, 6, 24)),
            ("8.0.36-28", Flavor::MySql, (8, 0, 36)),
            ("5.5.5-10.11.6-MariaDB-log", Flavor::MariaDb, (10, 11, 6)),
            ("11.8.2-MariaDB-2 from Debian", Flavor::MariaDb, (11, 8, 2)),
        ];
        for (text, flavor, number) in cases {
            assert_eq!(
                ServerVersion::parse(text),
                Some(ServerVersion { flavor, number }),
                "{text}"
            );
        }
        assert_eq!(ServerVersion::parse("unknown"), None);
    }

    #[test]
    fn the_status_statement_follows_the_version() {
        for (text, statement) in [
            ("5.6.24", "SHOW MASTER STATUS"),
            ("8.0.36", "SHOW MASTER STATUS"),
            ("8.4.0", "SHOW BINARY LOG STATUS"),
            ("9.7.0", "SHOW BINARY LOG STATUS"),
        ] {
            assert_eq!(
                ServerVersion::parse(text)
                    .unwrap()
                    .binlog_status_statement(),
                statement
            );
        }
    }
}
