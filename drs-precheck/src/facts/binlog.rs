//! The server's binary log.

use drs_binlog::{LogFile, Position};
use drs_core::{Mode, Role, ServerVersion, Task};
use mysql::{Conn, prelude::Queryable};

use super::{
    Fact, Unread,
    answer::{Answer, ask},
};

/// The server's binary log.
#[derive(Clone, Debug)]
pub struct Binlog {
    /// Its files, the oldest first; none where it writes no log.
    pub files: Fact<Vec<LogFileSize>>,
    /// Where it ends; `None` where the server writes no log.
    pub end: Fact<Option<Position>>,
    /// What is at the task's start point, at the source of an incremental task.
    pub at_start: Fact<AtStart>,
}

/// A file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFileSize {
    /// The file.
    pub file: LogFile,
    /// Its size.
    pub bytes: u64,
}

/// What is in the log at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtStart {
    /// Nobody asked.
    NotAsked,
    /// An event of this type begins there, by the name that the server gives it.
    Event(String),
    /// The log's end.
    End,
    /// No event begins there.
    Nothing,
}

impl Binlog {
    /// Without any answer, for this reason.
    pub(super) fn unread(reason: &Unread) -> Self {
        Self {
            files: Err(reason.clone()),
            end: Err(reason.clone()),
            at_start: Err(reason.clone()),
        }
    }

    pub(super) fn gather(conn: &mut Conn, role: Role, version: ServerVersion, task: &Task) -> Self {
        let start = match (role, task.mode()) {
            (Role::Source, Mode::Incremental { start_point }) => Some(&start_point.position),
            _ => None,
        };
        Self {
            files: files(conn, role),
            end: end(conn, role, version),
            at_start: match start {
                Some(position) => at_start(conn, role, position),
                None => Ok(AtStart::NotAsked),
            },
        }
    }
}

impl Binlog {
    /// The size of all files together.
    pub(super) fn bytes(&self) -> Fact<u64> {
        let files = self.files.as_ref().map_err(Clone::clone)?;
        Ok(files.iter().map(|file| file.bytes).sum())
    }

    /// The same, as it is now.
    pub(super) fn size(conn: &mut Conn, role: Role) -> Fact<u64> {
        Ok(files(conn, role)?.iter().map(|file| file.bytes).sum())
    }
}

fn files(conn: &mut Conn, role: Role) -> Fact<Vec<LogFileSize>> {
    const NO_BINARY_LOGGING: u16 = 1381;
    let rows: Vec<mysql::Row> = match conn.query("SHOW BINARY LOGS") {
        Ok(rows) => rows,
        Err(mysql::Error::MySqlError(error)) if error.code == NO_BINARY_LOGGING => Vec::new(),
        Err(error) => return Err(Unread::of(role, "the files of its log", &error)),
    };
    let sizes = rows.into_iter().map(Answer::from).map(|row| LogFileSize {
        file: LogFile::new(&row.text(&["Log_name"])),
        bytes: row.number(&["File_size"]).unwrap_or(0),
    });
    Ok(sizes.collect())
}

fn end(conn: &mut Conn, role: Role, version: ServerVersion) -> Fact<Option<Position>> {
    let statement = version.binlog_status_statement();
    let rows = ask(conn, role, "where its log ends", statement)?;
    Ok(rows.first().and_then(|row| {
        let file = LogFile::new(&row.some(&["File"])?);
        Some(Position::new(file, row.number(&["Position"])?))
    }))
}

fn at_start(conn: &mut Conn, role: Role, position: &Position) -> Fact<AtStart> {
    const BINLOG_EVENTS: u16 = 1220;
    let statement = format!(
        "SHOW BINLOG EVENTS IN '{}' FROM {} LIMIT 1",
        position
            .file
            .as_str()
            .replace('\\', "\\\\")
            .replace('\'', "''"),
        position.offset
    );
    match ask_event(conn, &statement) {
        Ok(None) => Ok(AtStart::End),
        // Newer servers go on to the next event by themselves.
        Ok(Some((at, _))) if at != Some(position.offset) => Ok(AtStart::Nothing),
        Ok(Some((_, kind))) => Ok(AtStart::Event(kind)),
        Err(mysql::Error::MySqlError(error)) if error.code == BINLOG_EVENTS => Ok(AtStart::Nothing),
        Err(error) => Err(Unread::of(role, "what is at the start point", &error)),
    }
}

fn ask_event(
    conn: &mut Conn,
    statement: &str,
) -> Result<Option<(Option<u64>, String)>, mysql::Error> {
    let row: Option<mysql::Row> = conn.query_first(statement)?;
    let row = row.map(Answer::from);
    Ok(row.map(|row| (row.number(&["Pos"]), row.text(&["Event_type"]))))
}

#[cfg(test)]
impl Binlog {
    pub(crate) fn sample(_role: Role) -> Self {
        let file = |name: &str, bytes| LogFileSize {
            file: LogFile::new(name),
            bytes,
        };
        Self {
            files: Ok(vec![
                file("binlog.000001", 1 << 20),
                file("binlog.000002", 1 << 20),
            ]),
            end: Ok(Some(Position::new(LogFile::new("binlog.000002"), 1 << 20))),
            at_start: Ok(AtStart::Event("Gtid".to_owned())),
        }
    }
}
