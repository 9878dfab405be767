//! Sessions whose work the destination does not write to its own binary log.
//!
//! Only the copy's own sessions are so. The checkpoint's connection never is: a replica that takes
//! the destination's place must know how far the task is, or it would get changes twice.

use mysql::{Conn, prelude::Queryable};

use super::{CopyError, OpenSession, error::at_destination};
use crate::{dialect::ServerVersion, error::server_code};

/// ER_SPECIFIC_ACCESS_DENIED_ERROR.
const ACCESS_DENIED: u16 = 1227;

/// Opens a session that writes for the copy.
pub(super) fn open(
    destination: &OpenSession<'_>,
    binlog: bool,
) -> Result<(Conn, ServerVersion), CopyError> {
    let (mut conn, version) = destination()?;
    if !binlog {
        leave_out(&mut conn)?;
    }
    Ok((conn, version))
}

fn leave_out(conn: &mut Conn) -> Result<(), CopyError> {
    let doing = "keeping the copy out of the binary log";
    let logs: Option<bool> = conn
        .query_first("SELECT @@global.log_bin")
        .map_err(at_destination(doing))?;
    if logs == Some(false) {
        return Ok(());
    }
    match conn.query_drop("SET SESSION sql_log_bin = 0") {
        Err(error) if server_code(&error) == Some(ACCESS_DENIED) => Err(CopyError::BinlogDenied),
        result => result.map_err(at_destination(doing)),
    }
}
