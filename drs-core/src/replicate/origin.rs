//! Which changes a task of drs brought to the source from the very server that they would go to.

use drs_binlog::{EventType, FormatDescription, RawEvent, Rows, TableColumns, TableMap, Value};
use hashbrown::HashMap;
use mysql::prelude::Queryable;

use super::{ConnectToRead, FollowError, route::refused, statement::StatementJob};
use crate::{
    checkpoint::TransactionId,
    ddl::StatementKind,
    error,
    object::CHECKPOINT_DATABASE,
    sql::{ORIGIN_COMMENT_END, ORIGIN_COMMENT_START, ORIGIN_MARK, origin_mark},
};

/// Finds the task that wrote a transaction: drs commits its checkpoint with the data, and the
/// checkpoint's rows begin with the task's name.
#[derive(Debug, Default)]
pub(super) struct OriginFinder {
    checkpoint: Option<(u64, TableColumns)>,
    task: Option<String>,
}

/// The checkpoint's tables that are written together with data; their first column is the task.
const WRITTEN_WITH_DATA: [&[u8]; 3] = [b"lane", b"chunk", b"table_state"];

impl OriginFinder {
    /// Looks at the next event of the transaction.
    pub(super) fn take(
        &mut self,
        raw: &RawEvent<'_>,
        format: &FormatDescription,
    ) -> drs_binlog::Result<()> {
        if self.task.is_some() {
            return Ok(());
        }
        match raw.header.event_type {
            EventType::TABLE_MAP if may_be_checkpoint(raw.body) => {
                let map = TableMap::parse(raw, format)?;
                if map.database == CHECKPOINT_DATABASE.as_bytes()
                    && WRITTEN_WITH_DATA.contains(&map.table)
                {
                    self.checkpoint = Some((map.table_id, map.compile()?));
                }
            }
            kind if kind.is_rows() => {
                let Some((table_id, columns)) = &self.checkpoint else {
                    return Ok(());
                };
                let rows = Rows::parse(raw, format)?;
                if rows.table_id != *table_id {
                    return Ok(());
                }
                for change in rows.changes(columns) {
                    let change = change?;
                    for image in [change.before, change.after].into_iter().flatten() {
                        if let Some(Value::Bytes(name)) = image.value(0)? {
                            self.task = Some(String::from_utf8_lossy(name).into_owned());
                            return Ok(());
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The task, if drs wrote the transaction.
    pub(super) fn task(self) -> Option<String> {
        self.task
    }
}

/// A table map's body is its table's number (6 bytes), flags (2) and the database's name behind
/// its length: enough to pass most by.
fn may_be_checkpoint(body: &[u8]) -> bool {
    let name = CHECKPOINT_DATABASE.as_bytes();
    body.get(8).map(|len| usize::from(*len)) == Some(name.len())
        && body.get(9..9 + name.len()) == Some(name)
}

/// The task that ran a statement, if drs did.
pub(super) fn statement_origin(text: &[u8]) -> Option<&str> {
    let rest = text.strip_prefix(ORIGIN_COMMENT_START.as_bytes())?;
    let end = rest
        .windows(ORIGIN_COMMENT_END.len())
        .position(|window| window == ORIGIN_COMMENT_END.as_bytes())?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

/// Tells changes that came from the destination itself: to send them back would run in circles.
pub(crate) struct Echoes {
    connect_source: ConnectToRead,
    destination_uuid: String,
    /// Whether a task of the source's server reads from the destination, by its name.
    known: HashMap<String, bool>,
}

impl Echoes {
    pub(crate) fn new(connect_source: ConnectToRead, destination_uuid: String) -> Self {
        Self {
            connect_source,
            destination_uuid,
            known: HashMap::new(),
        }
    }

    /// True when a statement came from the destination.
    ///
    /// # Errors
    /// As [`Self::is_from_destination`].
    pub(super) fn is_echo(&mut self, job: &StatementJob) -> Result<bool, FollowError> {
        if let Some(task) = statement_origin(&job.text) {
            return self.is_from_destination(task, &job.id);
        }
        let session = &job.session;
        let mark = (
            session.auto_increment_increment,
            session.auto_increment_offset,
        );
        let drops = StatementKind::DropTable { temporary: false };
        if job.statement.kind != drops || mark.0 != ORIGIN_MARK {
            return Ok(false);
        }
        let mut conn = (self.connect_source)()?;
        let tasks: Vec<String> = match conn.query("SELECT name FROM drs_meta.task") {
            Ok(tasks) => tasks,
            Err(error) if is_missing(&error) => return Ok(false),
            Err(error) => return Err(not_told("a task", &error, &job.id)),
        };
        let (mut is_echo, mut is_new) = (false, false);
        for task in tasks.iter().filter(|task| origin_mark(task) == mark) {
            match self.is_from_destination(task, &job.id)? {
                true => is_echo = true,
                false => is_new = true,
            }
        }
        if is_echo && is_new {
            return Err(refused(
                &job.id,
                "a task of drs ran its DROP TABLE, and the names of several tasks at the source fit: whether it came \
                 from the destination can't be told; do it by hand, if it did not, and begin a new task behind it",
            ));
        }
        Ok(is_echo)
    }

    /// True when this task brings the destination's changes to the source.
    ///
    /// # Errors
    /// When the source does not say: what is taken for new may be an echo, and the reverse.
    pub(super) fn is_from_destination(
        &mut self,
        task: &str,
        id: &TransactionId,
    ) -> Result<bool, FollowError> {
        if let Some(known) = self.known.get(task) {
            return Ok(*known);
        }
        let mut conn = (self.connect_source)()?;
        let uuid: Result<Option<Option<String>>, mysql::Error> = conn.exec_first(
            "SELECT source_uuid FROM drs_meta.task WHERE name = ?",
            (task,),
        );
        let uuid = match uuid {
            Ok(uuid) => uuid.flatten(),
            Err(error) if is_missing(&error) => None,
            Err(error) => return Err(not_told(&format!("the task {task}"), &error, id)),
        };
        let is_echo = uuid.is_some_and(|uuid| uuid == self.destination_uuid);
        self.known.insert(task.to_owned(), is_echo);
        Ok(is_echo)
    }
}

/// ER_BAD_DB_ERROR, ER_NO_SUCH_TABLE: the checkpoint was removed, and the task is of no circle.
fn is_missing(error: &mysql::Error) -> bool {
    matches!(error::server_code(error), Some(1049 | 1146))
}

fn not_told(task: &str, error: &mysql::Error, id: &TransactionId) -> FollowError {
    refused(
        id,
        &format!(
            "{task} of drs wrote it, and whether it came from the destination can't be asked for at the source: {}; \
             grant SELECT ON drs_meta.* there",
            error::redacted(error)
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::origin_comment;

    #[test]
    fn a_statement_of_drs_names_its_task() {
        let text = format!(
            "{}ALTER TABLE t ADD c INT /* drs:other */",
            origin_comment("a-1")
        );
        assert_eq!(statement_origin(text.as_bytes()), Some("a-1"));
        for text in [
            "ALTER TABLE t",
            "/* drs:",
            "/* drs */ x",
            "",
            " /* drs:a */ x",
        ] {
            assert_eq!(statement_origin(text.as_bytes()), None, "{text}");
        }
    }
}
