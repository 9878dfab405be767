use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use crossbeam_channel::Receiver;
use mysql::{Conn, LocalInfileHandler, Row, prelude::Queryable};

use super::{
    CopyError,
    columns::Columns,
    error::at_destination,
    kept::{Kept, Ledger},
    reader::{Block, Form, Message},
};
use crate::{
    apply::DuplicateEntry,
    error::{is_too_large, server_code, without_values},
    object::TableName,
    schema::UniqueKey,
    session::WARNINGS_MAX,
    sql,
};

/// One LOAD DATA takes at most this many rows, and this many values that are known to warn, so
/// that every warning fits into what the server keeps of them.
const LOAD_ROWS_MAX: u64 = 40_000;
const LOAD_ZERO_ENUMS_MAX: u64 = 5_000;

/// The name in LOAD DATA that asks this program for rows.
const FILE_NAME: &str = "drs";

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// Rows that were sent.
    pub(super) rows: u64,
    /// Their size as it was sent.
    pub(super) bytes: u64,
    /// Rows whose key was taken at the destination: these are kept there as they are.
    pub(super) conflicts: u64,
    /// True when the source has no more rows.
    pub(super) ended: bool,
}

/// Where rows go.
pub(super) struct Target<'a> {
    pub(super) table: &'a TableName,
    pub(super) columns: &'a Columns,
    /// The names of the key's columns, for messages.
    pub(super) key: &'a str,
    /// False for servers that say nothing of the duplicates they ignore (5.6).
    pub(super) names_duplicates: bool,
    pub(super) unique_keys: &'a [UniqueKey],
    pub(super) ledger: Ledger<'a>,
}

/// Why rows were not written.
#[derive(Debug)]
pub(super) enum WriteError {
    /// The channel closed before the end: the reader knows why.
    Reader,
    /// The destination does not take LOAD DATA LOCAL.
    LoadRefused,
    /// Anything else.
    Failed(CopyError),
}

/// Writes rows until the source has no more, or until `bytes_max` are written.
///
/// After an error the transaction must be rolled back; after `Reader` the connection is in
/// the middle of a statement and must be dropped.
pub(super) fn write_rows(
    conn: &mut Conn,
    target: &Target<'_>,
    rows: &Receiver<Message>,
    bytes_max: u64,
) -> Result<Written, WriteError> {
    let mut written = Written::default();
    let mut next = None;
    while written.bytes < bytes_max || next.is_some() {
        let block = match next.take() {
            Some(block) => block,
            None => match rows.recv() {
                Ok(Message::Rows(block)) => block,
                Ok(Message::End) => {
                    written.ended = true;
                    break;
                }
                Err(_) => return Err(WriteError::Reader),
            },
        };
        let sent = match block.form {
            Form::Load => {
                let left = bytes_max.saturating_sub(written.bytes);
                load(conn, target, rows, block, left, &mut next)?
            }
            Form::Insert => insert(conn, target, &block)?,
        };
        written.rows += sent.rows;
        written.bytes += sent.bytes;
        written.conflicts += sent.conflicts;
        if sent.ended {
            written.ended = true;
            break;
        }
    }
    Ok(written)
}

/// What one LOAD DATA has sent so far.
#[derive(Default)]
struct Feed {
    first: Option<Block>,
    rows: u64,
    bytes: u64,
    zero_enums: u64,
    /// A block in the other form, which came in between.
    other: Option<Block>,
    ended: bool,
    cut_off: bool,
}

fn load(
    conn: &mut Conn,
    target: &Target<'_>,
    rows: &Receiver<Message>,
    first: Block,
    bytes_max: u64,
    next: &mut Option<Block>,
) -> Result<Written, WriteError> {
    let feed = Arc::new(Mutex::new(Feed {
        first: Some(first),
        ..Feed::default()
    }));
    let handler = {
        let (feed, rows) = (Arc::clone(&feed), rows.clone());
        LocalInfileHandler::new(move |name, out| {
            if name != FILE_NAME.as_bytes() {
                return Err(io::Error::other(
                    "the server asked for a file of its own choice",
                ));
            }
            let mut feed = feed.lock().unwrap_or_else(PoisonError::into_inner);
            send_blocks(&mut feed, &rows, out, bytes_max)
        })
    };
    conn.set_local_infile_handler(Some(handler));
    let statement = format!(
        "LOAD DATA LOCAL INFILE '{FILE_NAME}' IGNORE INTO TABLE {} CHARACTER SET binary \
         FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' {}",
        sql::table(target.table),
        target.columns.load_list(),
    );
    let done = conn.query_iter(statement).map(|result| {
        (
            result.affected_rows(),
            result.warnings(),
            first_number(result.info_ref()),
        )
    });
    conn.set_local_infile_handler(None);
    let mut feed = feed.lock().unwrap_or_else(PoisonError::into_inner);
    *next = feed.other.take();
    let (taken, warnings, records) = match done {
        Ok(done) => done,
        Err(_) if feed.cut_off => return Err(WriteError::Reader),
        // ER_NOT_ALLOWED_COMMAND, ER_CLIENT_LOCAL_FILES_DISABLED and what the client library
        // of a proxy says, each before a row was asked for.
        Err(error) if feed.rows == 0 && matches!(server_code(&error), Some(1148 | 3948 | 2068)) => {
            return Err(WriteError::LoadRefused);
        }
        Err(error) => {
            return Err(WriteError::Failed(at_destination(format!(
                "loading rows of {}",
                target.table
            ))(error)));
        }
    };
    let conflicts = check(
        conn,
        target,
        feed.rows,
        feed.zero_enums,
        taken,
        u64::from(warnings),
    )
    .map_err(WriteError::Failed)?;
    // The server counts lines by itself: a line that was taken for two would show here.
    if records.is_some_and(|records| records != feed.rows) {
        return Err(WriteError::Failed(CopyError::Counts {
            table: target.table.clone(),
            sent: feed.rows,
            taken,
            conflicts,
        }));
    }
    Ok(Written {
        rows: feed.rows,
        bytes: feed.bytes,
        conflicts,
        ended: feed.ended,
    })
}

fn send_blocks(
    feed: &mut Feed,
    rows: &Receiver<Message>,
    out: &mut impl Write,
    bytes_max: u64,
) -> io::Result<()> {
    let mut next = feed.first.take();
    loop {
        let block = match next.take() {
            Some(block) => block,
            None => match rows.recv() {
                Ok(Message::Rows(block)) if block.form == Form::Insert => {
                    feed.other = Some(block);
                    return Ok(());
                }
                Ok(Message::Rows(block)) => block,
                Ok(Message::End) => {
                    feed.ended = true;
                    return Ok(());
                }
                Err(_) => {
                    feed.cut_off = true;
                    return Err(io::Error::other("the source's rows were cut off"));
                }
            },
        };
        out.write_all(&block.bytes)?;
        feed.rows += block.rows;
        feed.bytes += block.bytes.len() as u64;
        feed.zero_enums += block.zero_enums;
        if feed.rows >= LOAD_ROWS_MAX
            || feed.zero_enums >= LOAD_ZERO_ENUMS_MAX
            || feed.bytes >= bytes_max
        {
            return Ok(());
        }
    }
}

fn insert(conn: &mut Conn, target: &Target<'_>, block: &Block) -> Result<Written, WriteError> {
    let mut statement = format!(
        "INSERT IGNORE INTO {} ({}) VALUES ",
        sql::table(target.table),
        target.columns.insert_list()
    );
    let values = std::str::from_utf8(&block.bytes).map_err(|_| {
        WriteError::Failed(CopyError::Value {
            table: target.table.clone(),
            column: String::new(),
        })
    })?;
    statement.push_str(values);
    let failed = at_destination(format!("inserting rows of {}", target.table));
    let done = conn
        .query_iter(&statement)
        .map(|result| (result.affected_rows(), result.warnings()));
    let (taken, warnings) = match done {
        Ok(done) => done,
        Err(error) if is_too_large(&error) => {
            let bytes_max: Option<u64> = conn
                .query_first("SELECT @@max_allowed_packet")
                .unwrap_or(None);
            return Err(WriteError::Failed(CopyError::RowTooLarge {
                table: target.table.clone(),
                key: target.key.to_owned(),
                bytes: statement.len() as u64,
                bytes_max: bytes_max.unwrap_or(0),
            }));
        }
        Err(error) => return Err(WriteError::Failed(failed(error))),
    };
    let conflicts = check(
        conn,
        target,
        block.rows,
        block.zero_enums,
        taken,
        u64::from(warnings),
    )
    .map_err(WriteError::Failed)?;
    Ok(Written {
        rows: block.rows,
        bytes: block.bytes.len() as u64,
        conflicts,
        ended: false,
    })
}

/// Makes sure that the only thing the destination did to the rows is to leave out duplicates,
/// writes these to the ledger of conflicts, and says how many there are.
fn check(
    conn: &mut Conn,
    target: &Target<'_>,
    sent: u64,
    zero_enums: u64,
    taken: u64,
    announced: u64,
) -> Result<u64, CopyError> {
    let warnings = if announced > 0 {
        read_warnings(conn, target)?
    } else {
        Warnings::default()
    };
    if let Some(first) = warnings.first_foreign {
        return Err(CopyError::Warnings {
            table: target.table.clone(),
            first,
            others: warnings.foreign.saturating_sub(1),
        });
    }
    let named = warnings.duplicates.len() as u64;
    let conflicts = if target.names_duplicates {
        named
    } else {
        sent.saturating_sub(taken)
    };
    let complete = named + warnings.zero_enums == announced
        && announced < WARNINGS_MAX
        && warnings.zero_enums <= zero_enums
        && taken + conflicts == sent;
    if complete {
        let kept = Kept {
            named: warnings.duplicates,
            count: conflicts,
        };
        target.ledger.write(conn, target.table, &kept)?;
        Ok(conflicts)
    } else {
        Err(CopyError::Counts {
            table: target.table.clone(),
            sent,
            taken,
            conflicts,
        })
    }
}

#[derive(Default)]
struct Warnings {
    duplicates: Vec<DuplicateEntry>,
    zero_enums: u64,
    foreign: u64,
    first_foreign: Option<String>,
}

fn read_warnings(conn: &mut Conn, target: &Target<'_>) -> Result<Warnings, CopyError> {
    let failed = at_destination(format!("reading the warnings about {}", target.table));
    let mut warnings = Warnings::default();
    for row in conn.query_iter("SHOW WARNINGS").map_err(&failed)? {
        let mut row: Row = row.map_err(&failed)?;
        let code: u16 = row.take(1).unwrap_or(0);
        let message: Vec<u8> = row.take(2).unwrap_or_default();
        let message = String::from_utf8_lossy(&message);
        match code {
            // ER_DUP_ENTRY, ER_DUP_KEY, ER_DUP_ENTRY_WITH_KEY_NAME.
            1062 | 1022 | 1586 => warnings.duplicates.push(DuplicateEntry::read(
                &message,
                target.table.table.as_str(),
                target.unique_keys,
            )),
            // WARN_DATA_TRUNCATED, which is how an ENUM takes its index 0.
            1265 if target.names_enum(&message) => warnings.zero_enums += 1,
            _ => {
                warnings.foreign += 1;
                warnings
                    .first_foreign
                    .get_or_insert_with(|| format!("warning {code}: {}", without_values(&message)));
            }
        }
    }
    Ok(warnings)
}

impl Target<'_> {
    fn names_enum(&self, message: &str) -> bool {
        self.columns.written().iter().any(|column| {
            column.kind == crate::schema::ColumnKind::Enum
                && message.contains(&format!("'{}'", column.name))
        })
    }
}

/// The first number of a text such as `Records: 3  Deleted: 0`.
fn first_number(info: &[u8]) -> Option<u64> {
    let start = info.iter().position(u8::is_ascii_digit)?;
    let digits = info.get(start..)?;
    let end = digits
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(digits.len());
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_records_is_read() {
        for (info, number) in [
            (
                &b"Records: 3  Deleted: 0  Skipped: 1  Warnings: 1"[..],
                Some(3),
            ),
            (b"Datens\xc3\xa4tze: 12", Some(12)),
            (b"", None),
        ] {
            assert_eq!(first_number(info), number);
        }
    }
}
