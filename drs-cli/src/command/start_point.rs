//! `drs start-point`: where the source's binary log ends now.

use drs_binlog::{GtidSet, LogFile, Position, StartPoint};
use drs_core::Role;
use mysql::{Conn, Row, prelude::Queryable};
use serde::Serialize;

use crate::{
    args::TaskArgs,
    config,
    exit::{CommandError, Exit},
    render::Output,
};

#[derive(Serialize)]
struct Report<'a> {
    start_point: String,
    file: &'a str,
    position: u64,
    gtid_set: Option<String>,
}

/// Prints the point in the form that a task file takes.
pub(crate) fn execute(args: TaskArgs, out: &mut Output) -> Result<Exit, CommandError> {
    let task = config::load(&args.task, &[Role::Source])?;
    let mut conn = task.source().connect(Role::Source)?;
    let start_point = present(&mut conn)?;
    let text = start_point.to_string();
    out.fact(
        &text,
        &Report {
            start_point: text.clone(),
            file: start_point.position.file.as_str(),
            position: start_point.position.offset,
            gtid_set: start_point.gtid_set.as_ref().map(GtidSet::to_string),
        },
    )?;
    Ok(Exit::Done)
}

/// Asks the source for the end of its binary log, and for its GTIDs when every transaction has one.
fn present(conn: &mut Conn) -> Result<StartPoint, CommandError> {
    let failed = |error: mysql::Error| {
        CommandError::query("read the binary log's end", Role::Source, &error)
    };
    let row = status(conn).map_err(failed)?.ok_or_else(|| {
        CommandError::Failed(
            "the source keeps no binary log; start it with log_bin, binlog_format = ROW and a server_id".to_owned(),
        )
    })?;
    let unexpected = || {
        CommandError::Failed(
            "the source's answer about its binary log is not understood".to_owned(),
        )
    };
    let file: String = column(&row, "File").ok_or_else(unexpected)?;
    let offset: u64 = column(&row, "Position").ok_or_else(unexpected)?;
    let file: LogFile = file
        .parse()
        .map_err(|error: drs_binlog::Error| CommandError::Failed(error.to_string()))?;
    // With any other mode the set does not hold all that was committed, and a stream by GTID
    // from it would bring changes twice.
    let gtid_set = if gtid_mode(conn).map_err(failed)?.as_deref() == Some("ON") {
        let text: String = column(&row, "Executed_Gtid_Set").ok_or_else(unexpected)?;
        Some(
            text.parse()
                .map_err(|error: drs_binlog::Error| CommandError::Failed(error.to_string()))?,
        )
    } else {
        None
    };
    Ok(StartPoint {
        position: Position::new(file, offset),
        gtid_set,
    })
}

/// The status row, by the statement's new name (8.2) or its old one (gone since 8.4).
fn status(conn: &mut Conn) -> Result<Option<Row>, mysql::Error> {
    const PARSE_ERROR: u16 = 1064;
    match conn.query_first("SHOW BINARY LOG STATUS") {
        Err(mysql::Error::MySqlError(error)) if error.code == PARSE_ERROR => {
            conn.query_first("SHOW MASTER STATUS")
        }
        result => result,
    }
}

/// The GTID mode; `None` where the server knows none (MySQL 5.5, MariaDB).
fn gtid_mode(conn: &mut Conn) -> Result<Option<String>, mysql::Error> {
    const UNKNOWN_VARIABLE: u16 = 1193;
    match conn.query_first("SELECT @@GLOBAL.gtid_mode") {
        Err(mysql::Error::MySqlError(error)) if error.code == UNKNOWN_VARIABLE => Ok(None),
        result => result,
    }
}

fn column<T: mysql::prelude::FromValue>(row: &Row, name: &str) -> Option<T> {
    row.get_opt(name)?.ok()
}
