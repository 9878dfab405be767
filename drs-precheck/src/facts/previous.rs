//! What tasks have left at a destination, in `drs_meta`.

use drs_core::{Role, TableName, TaskName, status::TaskStatus};
use mysql::{Conn, prelude::Queryable};

use super::{Fact, Unread};

/// What tasks have left at a destination.
#[derive(Clone, Debug)]
pub struct Previous {
    /// What is there of this task; `None` when it has not begun.
    pub own: Fact<Option<TaskStatus>>,
    /// Which tasks write to which tables, this one among them.
    pub writers: Fact<Vec<Writer>>,
}

/// A task that writes to a table of the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The task's name.
    pub task: String,
    /// The `server_uuid` of its source, if it has begun.
    pub source_uuid: Option<String>,
    /// The table there.
    pub source: TableName,
    /// The table here, in small letters where the destination does not tell the case.
    pub destination: TableName,
}

impl Previous {
    /// Without any answer, for this reason.
    pub(super) fn unread(reason: &Unread) -> Self {
        Self {
            own: Err(reason.clone()),
            writers: Err(reason.clone()),
        }
    }

    pub(super) fn gather(conn: &mut Conn, task: &TaskName) -> Self {
        let own = drs_core::status::read(conn, task.as_str());
        Self {
            own: own.map_err(|error| {
                Unread::new(format!("whether the task has begun can't be read: {error}"))
            }),
            writers: writers(conn),
        }
    }
}

fn writers(conn: &mut Conn) -> Fact<Vec<Writer>> {
    const NO_SUCH_DATABASE: u16 = 1049;
    const NO_SUCH_TABLE: u16 = 1146;
    type Columns = (String, String, String, Option<String>, String, String);
    let rows: Result<Vec<Columns>, mysql::Error> = conn.query(
        "SELECT w.db, w.tbl, w.task, t.source_uuid, w.source_db, w.source_tbl FROM drs_meta.writer w \
         LEFT JOIN drs_meta.task t ON t.name = w.task ORDER BY w.db, w.tbl, w.task",
    );
    let rows = match rows {
        Err(mysql::Error::MySqlError(error))
            if matches!(error.code, NO_SUCH_DATABASE | NO_SUCH_TABLE) =>
        {
            return Ok(Vec::new());
        }
        rows => {
            rows.map_err(|error| Unread::of(Role::Destination, "which tasks write to it", &error))?
        }
    };
    let writer = |(database, table, task, source_uuid, source_database, source_table): Columns| {
        Some(Writer {
            task,
            source_uuid,
            source: TableName::new(&source_database, &source_table).ok()?,
            destination: TableName::new(&database, &table).ok()?,
        })
    };
    Ok(rows.into_iter().filter_map(writer).collect())
}

#[cfg(test)]
impl Previous {
    pub(crate) fn sample() -> Self {
        Self {
            own: Ok(None),
            writers: Ok(Vec::new()),
        }
    }
}
