use std::{sync::Arc, time::Duration};

use drs_binlog::{GtidSet, LogFile, Position};
use mysql::{Conn, Row, prelude::Queryable};

use super::{CopyError, error::at_source};
use crate::{checkpoint::StreamPoint, dialect::ServerVersion, object::TableName, sql};

/// The longest time that a table stays locked, or that its lock is waited for.
pub(super) const LOCK_SECS_MAX: u64 = 3;

/// True when every transaction of the source has a GTID, so that it is followed by them.
pub(crate) fn uses_gtid(conn: &mut Conn) -> Result<bool, CopyError> {
    let mode: Option<String> = conn
        .query_first("SELECT @@global.gtid_mode")
        .map_err(at_source("reading gtid_mode"))?;
    Ok(mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ON")))
}

/// The end of the source's binary log. Without regard to visibility: transactions before it
/// may still be on their way into the tables.
pub(crate) fn end_of_log(conn: &mut Conn, version: ServerVersion) -> Result<Position, CopyError> {
    let statement = version.binlog_status_statement();
    let row: Option<Row> = conn
        .query_first(statement)
        .map_err(at_source("reading the binary log's end"))?;
    let Some(mut row) = row else {
        return Err(CopyError::NoBinaryLog);
    };
    let file: Option<Vec<u8>> = row.take(0);
    let offset: Option<u64> = row.take(1);
    match (file.and_then(|file| String::from_utf8(file).ok()), offset) {
        (Some(file), Some(offset)) => Ok(Position::new(LogFile::new(&file), offset)),
        _ => Err(CopyError::Unreadable {
            statement,
            reason: "no file and position in it".to_owned(),
        }),
    }
}

/// A point such that whatever is at or before it is visible to the reads that follow, of a
/// source that is followed by GTID: the executed set grows after the engine's commit.
pub(crate) fn visible_gtid_point(
    conn: &mut Conn,
    version: ServerVersion,
) -> Result<StreamPoint, CopyError> {
    const STATEMENT: &str = "SELECT @@global.gtid_executed";
    // Before the set, so that the position is never ahead of it.
    let position = end_of_log(conn, version)?;
    let text: Option<String> = conn
        .query_first(STATEMENT)
        .map_err(at_source("reading gtid_executed"))?;
    let set: GtidSet = text
        .unwrap_or_default()
        .parse()
        .map_err(|e: drs_binlog::Error| CopyError::Unreadable {
            statement: STATEMENT,
            reason: e.to_string(),
        })?;
    Ok(StreamPoint {
        position,
        gtid_set: Some(Arc::new(set)),
    })
}

/// A held `LOCK TABLES … READ`: nobody writes to the table, and all that was written is
/// committed and visible. [`Self::release`] ends it; so does dropping the connection.
pub(super) struct TableLock<'c> {
    conn: &'c mut Conn,
}

impl<'c> TableLock<'c> {
    /// Locks the table, or gives up after three seconds: `None`.
    pub(super) fn acquire(
        conn: &'c mut Conn,
        table: &TableName,
    ) -> Result<Option<Self>, CopyError> {
        Self::acquire_all(conn, &[table])
    }

    /// Locks several tables at once.
    pub(super) fn acquire_all(
        conn: &'c mut Conn,
        tables: &[&TableName],
    ) -> Result<Option<Self>, CopyError> {
        let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
        let names = names.join(", ");
        let failed = at_source(format!("locking {names} for an instant"));
        // Up to 5.7.4, LOCK TABLES waits for open transactions only when InnoDB takes its own
        // lock as well, which it does not while every statement commits by itself.
        conn.query_drop(format!(
            "SET SESSION lock_wait_timeout = {LOCK_SECS_MAX}, innodb_lock_wait_timeout = {LOCK_SECS_MAX}, \
             innodb_table_locks = 1, autocommit = 0"
        ))
        .map_err(&failed)?;
        let locks: Vec<String> = tables
            .iter()
            .map(|table| format!("{} READ", sql::table(table)))
            .collect();
        match conn.query_drop(format!("LOCK TABLES {}", locks.join(", "))) {
            Ok(()) => Ok(Some(Self { conn })),
            Err(error) if crate::error::is_lock_conflict(&error) => {
                Self { conn }.release_all(&names)?;
                Ok(None)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// The session that holds the lock.
    pub(super) fn conn(&mut self) -> &mut Conn {
        self.conn
    }

    /// Unlocks the table.
    pub(super) fn release(self, table: &TableName) -> Result<(), CopyError> {
        self.release_all(&table.to_string())
    }

    /// Unlocks several tables, which `names` tells in an error.
    pub(super) fn release_all(self, names: &str) -> Result<(), CopyError> {
        for statement in ["COMMIT", "UNLOCK TABLES", "SET SESSION autocommit = 1"] {
            self.conn
                .query_drop(statement)
                .map_err(at_source(format!("unlocking {names}")))?;
        }
        Ok(())
    }
}

/// A pause that grows with each attempt up to `ceiling`, between half and all of it, so that
/// several sessions do not come back together.
pub(super) fn back_off(attempt: u32, ceiling: Duration) -> Duration {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let base = Duration::from_millis(50)
        .saturating_mul(1 << attempt.min(10))
        .min(ceiling);
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(attempt);
    let part = u32::try_from(hasher.finish() % 1024).unwrap_or(0);
    base / 2 + base / 2 * part / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_ceiling() {
        let ceiling = Duration::from_secs(5);
        for attempt in 0..40 {
            let pause = back_off(attempt, ceiling);
            assert!(
                pause >= Duration::from_millis(25) && pause <= ceiling,
                "{attempt}: {pause:?}"
            );
        }
    }
}
