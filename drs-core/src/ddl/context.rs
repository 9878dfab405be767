//! The session a statement ran in, put up again at the destination.
use drs_binlog::{Query, StatusVars};

use super::charset::ClientCharset;
use super::classify::LexContext;
use super::lexer::SqlMode;
use crate::dialect::{Flavor, ServerVersion};

/// A session whose statement cannot be run as it was at the source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The destination does not know a variable, or not this value of it.
    #[error("the destination cannot be given the source session's {variable} = {value}")]
    CannotReproduce {
        /// The variable.
        variable: &'static str,
        /// Its value at the source.
        value: String,
    },
    /// The statement depends on the source's own time zone, and the destination has none that does the same.
    #[error(
        "the destination cannot be given the source session's time_zone = SYSTEM: no time zone there has the \
         local times of the source; start the destination in the source's time zone, or load its time zone tables"
    )]
    NoSuchTimeZone,
    /// The source wrote the statement without something that is needed to run it.
    #[error("the source's log does not say what {variable} was")]
    Missing {
        /// The variable.
        variable: &'static str,
    },
}

/// What a source does not write in its log, or not every version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceDefaults {
    /// Its version.
    pub version: ServerVersion,
    /// `@@global.explicit_defaults_for_timestamp`; `None` where the server does not have it.
    ///
    /// Counts for statements whose event does not carry it.
    pub explicit_defaults_for_timestamp: Option<bool>,
    /// What `SYSTEM` means there, as a name or an offset that the destination knows.
    pub system_time_zone: Option<String>,
}

/// The session that a statement of the log ran in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionContext {
    /// The default database, in UTF-8; `None` for none.
    pub default_database: Option<String>,
    /// When the statement began, in seconds since 1970; 0 if unknown.
    pub timestamp_s: u32,
    /// The microseconds to it.
    pub timestamp_us: u32,
    /// `sql_mode`.
    pub sql_mode: SqlMode,
    /// `foreign_key_checks`.
    pub foreign_key_checks: bool,
    /// `unique_checks`.
    pub unique_checks: bool,
    /// `sql_auto_is_null`.
    pub sql_auto_is_null: bool,
    /// `autocommit`. Not put up again: DDL commits anyway, and the session that
    /// runs it must not be left in a transaction.
    pub autocommit: bool,
    /// `auto_increment_increment`.
    pub auto_increment_increment: u16,
    /// `auto_increment_offset`.
    pub auto_increment_offset: u16,
    /// The collation id that stands for `character_set_client`.
    pub character_set_client: u16,
    /// The id of `collation_connection`.
    pub collation_connection: u16,
    /// The id of `collation_server`.
    pub collation_server: u16,
    /// The id of `collation_database`, or `None` for that of the default database.
    pub collation_database: Option<u16>,
    /// `time_zone`, if the statement depends on it.
    pub time_zone: Option<String>,
    /// What `SYSTEM` means at the source, if that is known.
    pub system_time_zone: Option<String>,
    /// The number of `lc_time_names`, 0 for `en_US`.
    pub lc_time_names: u16,
    /// `explicit_defaults_for_timestamp`; `None` if the statement does not depend on it.
    pub explicit_defaults_for_timestamp: Option<bool>,
    /// The id of `default_collation_for_utf8mb4`; `None` if the statement does not depend on it.
    pub default_collation_for_utf8mb4: Option<u16>,
    /// `default_table_encryption`; `None` if the statement does not depend on it.
    pub default_table_encryption: Option<bool>,
    /// The code of a status variable in the event that this crate does not know: the session cannot be put up again.
    pub unknown_status: Option<u8>,
    /// The source's version.
    pub source: ServerVersion,
}

impl SessionContext {
    /// The context of a QUERY event, whose header has this timestamp.
    pub fn of_query(
        query: &Query<'_>,
        timestamp_s: u32,
        source: &SourceDefaults,
    ) -> Result<Self, ContextError> {
        let status = &query.status;
        let flags = status.flags2.ok_or(ContextError::Missing {
            variable: "foreign_key_checks",
        })?;
        let charset = status.charset.ok_or(ContextError::Missing {
            variable: "character_set_client",
        })?;
        let sql_mode = status.sql_mode.ok_or(ContextError::Missing {
            variable: "sql_mode",
        })?;
        let (increment, offset) = status.auto_increment.unwrap_or((1, 1));
        // The database of an event is in UTF-8, whatever the client spoke.
        let database = std::str::from_utf8(query.schema).map_err(|_| {
            cannot(
                "default database",
                String::from_utf8_lossy(query.schema).into_owned(),
            )
        })?;
        Ok(Self {
            default_database: Some(database)
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            timestamp_s,
            timestamp_us: status.microseconds.unwrap_or(0),
            sql_mode: SqlMode(sql_mode),
            foreign_key_checks: flags & StatusVars::NO_FOREIGN_KEY_CHECKS == 0,
            unique_checks: flags & StatusVars::RELAXED_UNIQUE_CHECKS == 0,
            sql_auto_is_null: flags & StatusVars::AUTO_IS_NULL != 0,
            autocommit: flags & StatusVars::NOT_AUTOCOMMIT == 0,
            auto_increment_increment: increment,
            auto_increment_offset: offset,
            character_set_client: charset.client,
            collation_connection: charset.connection,
            collation_server: charset.server,
            collation_database: status.charset_database.filter(|id| *id != 0),
            time_zone: status
                .time_zone
                .map(|zone| String::from_utf8_lossy(zone).into_owned()),
            system_time_zone: source.system_time_zone.clone(),
            lc_time_names: status.lc_time_names.unwrap_or(0),
            explicit_defaults_for_timestamp: status
                .explicit_defaults_for_timestamp
                .or(source.explicit_defaults_for_timestamp),
            default_collation_for_utf8mb4: status
                .default_collation_for_utf8mb4
                .or_else(|| implied_utf8mb4(source)),
            default_table_encryption: status.default_table_encryption,
            unknown_status: status.unknown.first().copied(),
            source: source.version,
        })
    }

    /// How the session's statements are read, and what runs them.
    pub fn lex_context(&self, destination: ServerVersion) -> LexContext<'_> {
        let database = self.default_database.as_deref();
        LexContext::new(
            self.character_set_client,
            self.sql_mode,
            self.source,
            destination,
            database,
        )
    }

    /// The statement that puts a session of the destination into this context.
    ///
    /// It must be a fresh session, or one just reset (`COM_RESET_CONNECTION`,
    /// which servers have from 5.7.3 on); afterwards reset it or close it. The
    /// default database is left to the caller
    /// ([`default_database`](Self::default_database)): it may be mapped, and a
    /// statement on a database as a whole must not need it. It has to be
    /// chosen before this statement, after which the session reads text in the
    /// source client's character set.
    pub fn set_statement(&self, destination: &DestinationSession) -> Result<String, ContextError> {
        let version = destination.version;
        if let Some(code) = self.unknown_status {
            return Err(cannot("status variable", format!("number {code}")));
        }
        let mut set = Assignments::default();
        if self.timestamp_s > 0 {
            set.push(
                "timestamp",
                format_args!("{}.{:06}", self.timestamp_s, self.timestamp_us),
            );
        }
        set.push("sql_mode", self.sql_mode_at(version)?.0);
        set.push("foreign_key_checks", u8::from(self.foreign_key_checks));
        set.push("unique_checks", u8::from(self.unique_checks));
        set.push("sql_auto_is_null", u8::from(self.sql_auto_is_null));
        set.push(
            "auto_increment_increment",
            self.auto_increment_increment.max(1),
        );
        set.push("auto_increment_offset", self.auto_increment_offset.max(1));
        set.push("lc_time_names", self.lc_time_names);
        if let Some(zone) = &self.time_zone {
            let zone = time_zone(zone, self.system_time_zone.as_deref())?;
            set.push("time_zone", format_args!("'{zone}'"));
        }
        destination.restricted(self, &mut set)?;
        for (variable, id) in [
            ("collation_server", Some(self.collation_server)),
            ("collation_database", self.collation_database),
            ("collation_connection", Some(self.collation_connection)),
            ("character_set_client", Some(self.character_set_client)),
        ] {
            let Some(id) = id else { continue };
            if !has_collation(version, id) {
                return Err(cannot(variable, format!("collation {id}")));
            }
            set.push(variable, id);
        }
        if ClientCharset::of_collation(self.character_set_client) == ClientCharset::Unsupported {
            return Err(cannot(
                "character_set_client",
                format!("collation {}", self.character_set_client),
            ));
        }
        Ok(set.0)
    }

    /// The bits of `sql_mode` that a destination knows; those that newer servers ignore are left out, as their replicas do.
    fn sql_mode_at(&self, version: ServerVersion) -> Result<SqlMode, ContextError> {
        /// `TIME_TRUNCATE_FRACTIONAL` and `INTERPRET_UTF8_AS_UTF8MB4`; a server that is older than the second refuses it.
        const SINCE_8_0: u64 = 1 << 32 | 1 << 33;
        /// Bits 0 to 31 but the ones that 8.0 removed and the unused 16.
        const SINCE_5_6: u64 = 0xffff_ffff & !REMOVED_IN_8_0 & !0x10;
        /// `POSTGRESQL` to `NO_FIELD_OPTIONS`, `MYSQL323`, `MYSQL40`, `NO_AUTO_CREATE_USER`.
        const REMOVED_IN_8_0: u64 = 0x1003_ff00;
        /// MariaDB's `ORACLE`: another grammar.
        const ORACLE: u64 = 0x200;
        let mode = self.sql_mode.0 & !0x10;
        let is_8_0 = version.is_mysql_at_least(8, 0, 0);
        let known = SINCE_5_6 | REMOVED_IN_8_0 | if is_8_0 { SINCE_8_0 } else { 0 };
        // The bits above the first 32 mean other things in MariaDB.
        let from_mariadb = self.source.flavor == Flavor::MariaDb && version.flavor == Flavor::MySql;
        let refused = if from_mariadb {
            mode & (ORACLE | !0xffff_ffff)
        } else {
            mode & !known
        };
        if refused != 0 {
            return Err(cannot("sql_mode", format!("bits {refused:#x}")));
        }
        Ok(SqlMode(if is_8_0 { mode & !REMOVED_IN_8_0 } else { mode }))
    }
}

/// The statements that run `sql`, whose bytes may be of any character set, over a client that sends UTF-8 only.
///
/// They run in a session that [`SessionContext::set_statement`] has put up. Servers prepare all statements on
/// tables, indexes and databases, but not `CREATE PROCEDURE`, `CREATE TRIGGER` and their like.
pub fn as_prepared(sql: &[u8]) -> [String; 3] {
    let hex: String = sql.iter().map(|byte| format!("{byte:02x}")).collect();
    [
        format!("SET @drs_statement = X'{hex}'"),
        "PREPARE drs_statement FROM @drs_statement".to_owned(),
        "EXECUTE drs_statement".to_owned(),
    ]
}

/// What a fresh session of the destination has, of the variables that not every server has or lets everyone set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationSession {
    /// The destination's version.
    pub version: ServerVersion,
    /// `explicit_defaults_for_timestamp`.
    pub explicit_defaults_for_timestamp: Option<bool>,
    /// The id of `default_collation_for_utf8mb4`.
    pub default_collation_for_utf8mb4: Option<u16>,
    /// `sql_require_primary_key`.
    pub sql_require_primary_key: Option<bool>,
    /// `sql_generate_invisible_primary_key`.
    pub sql_generate_invisible_primary_key: Option<bool>,
    /// `default_table_encryption`.
    pub default_table_encryption: Option<bool>,
}

impl DestinationSession {
    /// The statement whose rows [`from_variables`](Self::from_variables) takes; every version answers it.
    pub const VARIABLES: &'static str = "SHOW SESSION VARIABLES WHERE Variable_name IN \
        ('explicit_defaults_for_timestamp', 'default_collation_for_utf8mb4', 'sql_require_primary_key', \
        'sql_generate_invisible_primary_key', 'default_table_encryption')";

    /// Takes the answer of [`VARIABLES`](Self::VARIABLES): names and values.
    pub fn from_variables<'a>(
        version: ServerVersion,
        variables: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut session = Self {
            version,
            explicit_defaults_for_timestamp: None,
            default_collation_for_utf8mb4: None,
            sql_require_primary_key: None,
            sql_generate_invisible_primary_key: None,
            default_table_encryption: None,
        };
        for (name, value) in variables {
            let switch = Some(value.eq_ignore_ascii_case("ON") || value == "1");
            match name {
                "explicit_defaults_for_timestamp" => {
                    session.explicit_defaults_for_timestamp = switch
                }
                "sql_require_primary_key" => session.sql_require_primary_key = switch,
                "sql_generate_invisible_primary_key" => {
                    session.sql_generate_invisible_primary_key = switch
                }
                "default_table_encryption" => session.default_table_encryption = switch,
                "default_collation_for_utf8mb4" => {
                    let is_0900 = value.eq_ignore_ascii_case("utf8mb4_0900_ai_ci");
                    session.default_collation_for_utf8mb4 = Some(if is_0900 {
                        UTF8MB4_0900_AI_CI
                    } else {
                        UTF8MB4_GENERAL_CI
                    });
                }
                _ => {}
            }
        }
        session
    }

    /// Variables that need a privilege to be set, therefore only where they differ.
    fn restricted(
        &self,
        source: &SessionContext,
        set: &mut Assignments,
    ) -> Result<(), ContextError> {
        if let Some(wanted) = source.explicit_defaults_for_timestamp
            && self.explicit_defaults_for_timestamp != Some(wanted)
        {
            // Before 5.7 it can be set at the server's start only; MariaDB has had it for sessions since 10.8.
            let is_settable =
                self.version.flavor == Flavor::MariaDb || self.version.is_mysql_at_least(5, 7, 0);
            if !is_settable || self.explicit_defaults_for_timestamp.is_none() {
                return Err(cannot(
                    "explicit_defaults_for_timestamp",
                    u8::from(wanted).to_string(),
                ));
            }
            set.push("explicit_defaults_for_timestamp", u8::from(wanted));
        }
        if let Some(wanted) = source.default_collation_for_utf8mb4 {
            match self.default_collation_for_utf8mb4 {
                Some(has) if has == wanted => {}
                Some(_) => set.push("default_collation_for_utf8mb4", wanted),
                // Servers without the variable have one default.
                None if wanted == UTF8MB4_GENERAL_CI => {}
                None => {
                    return Err(cannot(
                        "default_collation_for_utf8mb4",
                        format!("collation {wanted}"),
                    ));
                }
            }
        }
        match (
            source.default_table_encryption,
            self.default_table_encryption,
        ) {
            (Some(wanted), Some(has)) if wanted != has => {
                set.push("default_table_encryption", u8::from(wanted))
            }
            (Some(true), None) => return Err(cannot("default_table_encryption", "1".to_owned())),
            _ => {}
        }
        // What the source let pass must pass here, and the source's text has the generated key if it made one.
        if self.sql_require_primary_key == Some(true) {
            set.push("sql_require_primary_key", 0);
        }
        if self.sql_generate_invisible_primary_key == Some(true) {
            set.push("sql_generate_invisible_primary_key", 0);
        }
        Ok(())
    }
}

const UTF8MB4_GENERAL_CI: u16 = 45;
const UTF8MB4_0900_AI_CI: u16 = 255;

#[derive(Default)]
struct Assignments(String);

impl Assignments {
    fn push(&mut self, variable: &str, value: impl std::fmt::Display) {
        let before = if self.0.is_empty() { "SET " } else { ", " };
        self.0
            .push_str(&format!("{before}@@session.{variable} = {value}"));
    }
}

fn cannot(variable: &'static str, value: String) -> ContextError {
    ContextError::CannotReproduce { variable, value }
}

/// The default of `utf8mb4` where the log does not tell it: servers before 8.0 had one.
fn implied_utf8mb4(source: &SourceDefaults) -> Option<u16> {
    (!source.version.is_mysql_at_least(8, 0, 0)).then_some(UTF8MB4_GENERAL_CI)
}

fn time_zone<'a>(zone: &'a str, system: Option<&'a str>) -> Result<&'a str, ContextError> {
    let refused = || cannot("time_zone", zone.to_owned());
    let zone = if zone.eq_ignore_ascii_case("SYSTEM") {
        system.ok_or(ContextError::NoSuchTimeZone)?
    } else {
        zone
    };
    let is_plain =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b':' | b'/' | b'_');
    if zone.is_empty() || !zone.bytes().all(is_plain) {
        return Err(refused());
    }
    Ok(zone)
}

/// Whether a server can have the collation of this id; what it was built with is for itself to say.
fn has_collation(version: ServerVersion, id: u16) -> bool {
    match version.flavor {
        Flavor::MySql => match id {
            255.. => version.is_mysql_at_least(8, 0, 0),
            248..=250 => version.is_mysql_at_least(5, 7, 4),
            _ => true,
        },
        Flavor::MariaDb => !(248..=323).contains(&id),
    }
}

#[cfg(test)]
#[path = "context_tests.rs"]
mod tests;
