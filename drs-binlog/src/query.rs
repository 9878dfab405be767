use std::fmt;

use crate::{RawEvent, Reader, Result, hidden::Hidden, inflate::inflate_record};

/// QUERY: a statement, with the session it ran in.
#[derive(Clone, PartialEq, Eq)]
pub struct Query<'a> {
    /// The connection's id.
    pub thread_id: u32,
    /// How long it ran, in seconds.
    pub exec_time_s: u32,
    /// The error it ended with, 0 for none.
    pub error_code: u16,
    /// What the session's variables were.
    pub status: StatusVars<'a>,
    /// The default database; empty for none.
    pub schema: &'a [u8],
    /// The statement's text, in the character set of the client.
    pub query: &'a [u8],
}

impl<'a> Query<'a> {
    /// Reads a QUERY event.
    pub fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        QueryHead::parse(&mut r)?.finish(&mut r)
    }

    /// The statement's text alone, without a look at the variables.
    pub(crate) fn text(raw: &RawEvent<'a>) -> Result<&'a [u8]> {
        let mut r = raw.reader();
        let head = QueryHead::parse(&mut r)?;
        r.take(usize::from(head.status_len) + usize::from(head.schema_len) + 1)?;
        Ok(r.rest())
    }
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("thread_id", &self.thread_id)
            .field("exec_time_s", &self.exec_time_s)
            .field("error_code", &self.error_code)
            .field("status", &self.status)
            .field("schema", &Hidden(self.schema.len()))
            .field("query", &Hidden(self.query.len()))
            .finish()
    }
}

/// A statement's text, in the character set of the client. `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StatementText<'a>(pub &'a [u8]);

impl fmt::Debug for StatementText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hidden(self.0.len()).fmt(f)
    }
}

/// MariaDB's QUERY_COMPRESSED: a statement whose text is to be inflated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressedQuery<'a> {
    query: Query<'a>,
    end: Reader<'a>,
}

impl<'a> CompressedQuery<'a> {
    pub(crate) fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        let query = QueryHead::parse(&mut r)?.finish(&mut r)?;
        Ok(Self { query, end: r })
    }

    /// The statement, its text inflated into `text`; fails when it is longer than `bytes_max`.
    pub fn inflate<'b>(&self, text: &'b mut Vec<u8>, bytes_max: usize) -> Result<Query<'b>>
    where
        'a: 'b,
    {
        text.clear();
        inflate_record(self.query.query, bytes_max, text)
            .map_err(|reason| self.end.malformed(reason))?;
        Ok(Query {
            query: text,
            ..self.query.clone()
        })
    }
}

/// The session's variables that the server writes into a QUERY event.
///
/// Which ones are there depends on the server's version and the statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusVars<'a> {
    /// The `OPTION_*` bits: [`NO_FOREIGN_KEY_CHECKS`](Self::NO_FOREIGN_KEY_CHECKS) and so on.
    pub flags2: Option<u32>,
    /// `@@sql_mode` as bits.
    pub sql_mode: Option<u64>,
    /// The catalog, always `std`.
    pub catalog: Option<&'a [u8]>,
    /// `@@auto_increment_increment` and `@@auto_increment_offset`, when one is not 1.
    pub auto_increment: Option<(u16, u16)>,
    /// The session's character sets.
    pub charset: Option<QueryCharset>,
    /// `@@time_zone`, when the statement depends on it.
    pub time_zone: Option<&'a [u8]>,
    /// The number of `@@lc_time_names`, when it is not 0 (en_US).
    pub lc_time_names: Option<u16>,
    /// The id of `@@collation_database`, when it differs from the server's.
    pub charset_database: Option<u16>,
    /// Which tables of a multi-table update are written.
    pub table_map_for_update: Option<u64>,
    /// The event's size at its first server.
    pub master_data_written: Option<u32>,
    /// Who runs the statement, where that matters (CREATE PROCEDURE and its like).
    pub invoker: Option<Invoker<'a>>,
    /// The databases that the statement may change.
    pub updated_databases: Option<UpdatedDatabases<'a>>,
    /// The fraction of the statement's start time, in microseconds.
    pub microseconds: Option<u32>,
    /// `@@explicit_defaults_for_timestamp`.
    pub explicit_defaults_for_timestamp: Option<bool>,
    /// The transaction's number in the engine, for a DDL that is one.
    pub ddl_xid: Option<u64>,
    /// The id of `@@default_collation_for_utf8mb4`.
    pub default_collation_for_utf8mb4: Option<u16>,
    /// `@@sql_require_primary_key`.
    pub sql_require_primary_key: Option<bool>,
    /// `@@default_table_encryption`.
    pub default_table_encryption: Option<bool>,
    /// MariaDB's number of a DDL for crash recovery.
    pub mariadb_xid: Option<u64>,
    /// What follows the first variable that this crate does not know, its
    /// code included; empty when all were known. Servers write the variables
    /// in the order of their age, so that what was read before stands.
    pub unknown: &'a [u8],
}

/// The ids of a session's collations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryCharset {
    /// `@@character_set_client` (by its default collation).
    pub client: u16,
    /// `@@collation_connection`.
    pub connection: u16,
    /// `@@collation_server`.
    pub server: u16,
}

/// An account: who runs a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invoker<'a> {
    /// The user's name.
    pub user: &'a [u8],
    /// The host's name.
    pub host: &'a [u8],
}

/// The databases that a statement may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdatedDatabases<'a> {
    /// These.
    Names(DatabaseNames<'a>),
    /// More than the server lists (16).
    TooMany,
}

/// Names of databases, as the event has them: each with a zero after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseNames<'a>(&'a [u8]);

impl<'a> DatabaseNames<'a> {
    /// The names.
    pub fn iter(self) -> impl Iterator<Item = &'a [u8]> {
        let names = self.0.strip_suffix(&[0]);
        names.into_iter().flat_map(|names| names.split(|b| *b == 0))
    }
}

impl<'a> StatusVars<'a> {
    /// In `flags2`: `@@sql_auto_is_null` is set.
    pub const AUTO_IS_NULL: u32 = 1 << 14;
    /// In `flags2`: `@@autocommit` is off.
    pub const NOT_AUTOCOMMIT: u32 = 1 << 19;
    /// In `flags2`: `@@foreign_key_checks` is off.
    pub const NO_FOREIGN_KEY_CHECKS: u32 = 1 << 26;
    /// In `flags2`: `@@unique_checks` is off.
    pub const RELAXED_UNIQUE_CHECKS: u32 = 1 << 27;

    fn parse(mut r: Reader<'a>) -> Result<Self> {
        let mut vars = Self::default();
        while !r.is_empty() {
            let before = r.clone();
            match r.u8()? {
                0 => vars.flags2 = Some(r.u32()?),
                1 => vars.sql_mode = Some(r.u64()?),
                // MySQL 5.0 before 5.0.4 wrote a zero after the catalog.
                2 => {
                    vars.catalog = Some(short_text(&mut r)?);
                    r.take(1)?;
                }
                3 => vars.auto_increment = Some((r.u16()?, r.u16()?)),
                4 => {
                    let (client, connection, server) = (r.u16()?, r.u16()?, r.u16()?);
                    vars.charset = Some(QueryCharset {
                        client,
                        connection,
                        server,
                    });
                }
                5 => vars.time_zone = Some(short_text(&mut r)?),
                6 => vars.catalog = Some(short_text(&mut r)?),
                7 => vars.lc_time_names = Some(r.u16()?),
                8 => vars.charset_database = Some(r.u16()?),
                9 => vars.table_map_for_update = Some(r.u64()?),
                10 => vars.master_data_written = Some(r.u32()?),
                11 => {
                    let (user, host) = (short_text(&mut r)?, short_text(&mut r)?);
                    vars.invoker = Some(Invoker { user, host });
                }
                12 => vars.updated_databases = Some(updated_databases(&mut r)?),
                // 128 is MariaDB's own code for the same.
                13 | 128 => vars.microseconds = Some(r.u24()?),
                16 => vars.explicit_defaults_for_timestamp = Some(r.u8()? != 0),
                17 => vars.ddl_xid = Some(r.u64()?),
                18 => vars.default_collation_for_utf8mb4 = Some(r.u16()?),
                19 => vars.sql_require_primary_key = Some(r.u8()? != 0),
                20 => vars.default_table_encryption = Some(r.u8()? != 0),
                129 => vars.mariadb_xid = Some(r.u64()?),
                _ => {
                    r = before;
                    vars.unknown = r.rest();
                }
            }
        }
        Ok(vars)
    }

    /// True when every variable of the event was understood.
    pub fn is_complete(&self) -> bool {
        self.unknown.is_empty()
    }
}

fn short_text<'a>(r: &mut Reader<'a>) -> Result<&'a [u8]> {
    let len = usize::from(r.u8()?);
    r.take(len)
}

fn updated_databases<'a>(r: &mut Reader<'a>) -> Result<UpdatedDatabases<'a>> {
    const TOO_MANY: u8 = 254;
    let count = r.u8()?;
    if count == TOO_MANY {
        return Ok(UpdatedDatabases::TooMany);
    }
    let mut ahead = r.clone();
    for _ in 0..count {
        ahead.c_str()?;
    }
    let names = r.take(ahead.offset() - r.offset())?;
    Ok(UpdatedDatabases::Names(DatabaseNames(names)))
}

/// The fixed part of a QUERY event and of those built like it.
pub(crate) struct QueryHead {
    thread_id: u32,
    exec_time_s: u32,
    error_code: u16,
    schema_len: u8,
    status_len: u16,
}

impl QueryHead {
    pub(crate) fn parse(r: &mut Reader<'_>) -> Result<Self> {
        let (thread_id, exec_time_s, schema_len) = (r.u32()?, r.u32()?, r.u8()?);
        let (error_code, status_len) = (r.u16()?, r.u16()?);
        Ok(Self {
            thread_id,
            exec_time_s,
            error_code,
            schema_len,
            status_len,
        })
    }

    /// Reads the rest, after what the kind of event has in between.
    pub(crate) fn finish<'a>(self, r: &mut Reader<'a>) -> Result<Query<'a>> {
        let status = StatusVars::parse(r.sub(usize::from(self.status_len))?)?;
        let schema = r.take(usize::from(self.schema_len))?;
        if r.u8()? != 0 {
            return Err(r.malformed("no zero after the database's name"));
        }
        Ok(Query {
            thread_id: self.thread_id,
            exec_time_s: self.exec_time_s,
            error_code: self.error_code,
            status,
            schema,
            query: r.rest(),
        })
    }
}
