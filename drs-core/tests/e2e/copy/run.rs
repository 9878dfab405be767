use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use drs_binlog::{LogFile, Position};
use drs_core::{
    CheckpointStore, CopyError, CopyEvent, CopyObserver, CopyOptions, CopyOutcome, Endpoint,
    FullCopy, Listing, Selection, ServerVersion, StreamPoint, TableRecord, TaskRecord, list_tables,
    open_destination, open_source,
};
use drs_testkit::Server;
use mysql::{Conn, Row, Value, prelude::Queryable};

use crate::servers::{run, session};

/// A task that copies one database, of its own name.
pub(crate) struct CopyTest {
    pub(crate) source: &'static Server,
    pub(crate) destination: &'static Server,
    pub(crate) name: String,
    pub(crate) options: CopyOptions,
}

pub(crate) const OPTIONS: CopyOptions = CopyOptions {
    sessions: 3,
    chunk_bytes: 1 << 20,
    indexes: true,
    follow: true,
    binlog: true,
};

impl CopyTest {
    /// Makes the database at the source, and none at the destination.
    pub(crate) fn new(source: &'static Server, destination: &'static Server, name: &str) -> Self {
        let name = format!("{name}_{}_{}", source.server_id(), destination.server_id());
        for server in [source, destination] {
            run(
                &mut session(server),
                &format!("DROP DATABASE IF EXISTS {name}"),
            );
        }
        run(&mut session(source), &format!("CREATE DATABASE {name}"));
        Self {
            source,
            destination,
            name,
            options: OPTIONS,
        }
    }

    /// A session at the source, in the database.
    pub(crate) fn at_source(&self) -> Conn {
        let mut conn = session(self.source);
        run(&mut conn, &format!("USE {}", self.name));
        conn
    }

    /// A session at the destination, in the database, which it makes if it is not there.
    pub(crate) fn at_destination(&self) -> Conn {
        let mut conn = session(self.destination);
        run(
            &mut conn,
            &format!("CREATE DATABASE IF NOT EXISTS {0};\nUSE {0}", self.name),
        );
        conn
    }

    pub(crate) fn list(&self) -> Result<Listing, CopyError> {
        let (mut source, _) = open_source(&endpoint(self.source)).unwrap();
        list_tables(
            &mut source,
            &Selection::new(&[self.name.as_str()], &[]).unwrap(),
        )
    }

    /// Takes the task over; the first time, with every table of the database.
    pub(crate) fn claim(&self) -> CheckpointStore {
        let (conn, _) = open_destination(&endpoint(self.destination)).unwrap();
        let mut store = CheckpointStore::claim(conn, &self.name, 1).unwrap();
        if store.task_record().unwrap().is_none() {
            let tables: Vec<TableRecord> = self
                .list()
                .unwrap()
                .tables
                .into_iter()
                .map(|table| TableRecord::pending(table.name))
                .collect();
            let start = self.present();
            let record = TaskRecord {
                basis: String::new(),
                source_uuid: session(self.source)
                    .query_first("SELECT @@server_uuid")
                    .unwrap()
                    .unwrap(),
                start,
                copied: false,
            };
            store.begin(&record, 1, &tables).unwrap();
        }
        store
    }

    /// Where the source's stream is now.
    fn present(&self) -> StreamPoint {
        let mut conn = session(self.source);
        let statement = ServerVersion::of(&mut conn)
            .unwrap()
            .binlog_status_statement();
        let row: Row = conn.query_first(statement).unwrap().unwrap();
        let (file, offset): (String, u64) = (row.get(0).unwrap(), row.get(1).unwrap());
        let (mode, set): (String, String) = conn
            .query_first("SELECT @@gtid_mode, @@global.gtid_executed")
            .unwrap()
            .unwrap();
        StreamPoint {
            position: Position::new(LogFile::new(&file), offset),
            gtid_set: (mode == "ON").then(|| Arc::new(set.parse().unwrap())),
        }
    }

    pub(crate) fn copy(&self) -> Result<CopyOutcome, CopyError> {
        self.copy_watched(&(), &AtomicBool::new(false))
    }

    pub(crate) fn copy_watched(
        &self,
        observer: &dyn CopyObserver,
        stop: &AtomicBool,
    ) -> Result<CopyOutcome, CopyError> {
        let (from, to) = (endpoint(self.source), endpoint(self.destination));
        let (source, destination) = (|| open_source(&from), || open_destination(&to));
        let mut store = self.claim();
        FullCopy::new(&source, &destination, self.options).run(&mut store, stop, observer)
    }

    /// What the checkpoint says of a table.
    pub(crate) fn record(&self, table: &str) -> TableRecord {
        let (conn, _) = open_destination(&endpoint(self.destination)).unwrap();
        let status = drs_core::status::read(&mut { conn }, &self.name)
            .unwrap()
            .unwrap();
        status
            .tables
            .into_iter()
            .find(|record| record.table.table == table)
            .unwrap()
    }

    /// The number of chunks of a table.
    pub(crate) fn chunks(&self, table: &str) -> u64 {
        session(self.destination)
            .exec_first(
                "SELECT COUNT(*) FROM drs_meta.chunk WHERE task = ? AND tbl = ?",
                (&self.name, table),
            )
            .unwrap()
            .unwrap()
    }

    /// Fails unless every table holds the same bytes on both sides.
    pub(crate) fn assert_equal(&self) {
        let tables: Vec<String> = self
            .at_source()
            .query(
                "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
            )
            .unwrap();
        assert!(!tables.is_empty());
        for table in tables {
            let (here, there) = (
                self.rows(self.source, &table),
                self.rows(self.destination, &table),
            );
            assert_eq!(here.len(), there.len(), "rows of {}.{table}", self.name);
            for (here, there) in here.iter().zip(&there) {
                assert_eq!(here, there, "{}.{table}", self.name);
            }
        }
    }

    /// Makes the database anew after its name was changed.
    pub(crate) fn at_source_fresh(&self) -> Conn {
        for server in [self.source, self.destination] {
            run(
                &mut session(server),
                &format!("DROP DATABASE IF EXISTS {}", self.name),
            );
        }
        run(
            &mut session(self.source),
            &format!("CREATE DATABASE {}", self.name),
        );
        self.at_source()
    }

    /// Every row as text that tells all stored values apart, sorted.
    pub(crate) fn rows(&self, server: &Server, table: &str) -> Vec<Vec<String>> {
        let mut conn = session(server);
        let columns: Vec<(String, String)> = conn
            .exec(
                "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS \
                 WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
                (&self.name, table),
            )
            .unwrap();
        let list: Vec<String> = columns
            .iter()
            .map(|(name, data_type)| (name.replace('`', "``"), data_type))
            .map(|(name, data_type)| match data_type.as_str() {
                // CONCAT would cut digits off at 9.7.
                "float" | "double" => format!("`{name}` * 1e0"),
                "enum" | "set" => {
                    format!("CONCAT_WS(' ', CAST(`{name}` AS UNSIGNED), HEX(`{name}`))")
                }
                "bit" => format!("CONCAT(`{name}` + 0)"),
                "json" => format!("CONCAT(JSON_TYPE(`{name}`), ' ', `{name}`)"),
                "char" | "varchar" | "text" | "tinytext" | "mediumtext" | "longtext" => {
                    format!("HEX(`{name}`)")
                }
                name_of if name_of.contains("blob") || name_of.contains("binary") => {
                    format!("HEX(`{name}`)")
                }
                "point" | "geometry" | "linestring" | "vector" | "geomcollection"
                | "geometrycollection" => {
                    format!("HEX(`{name}`)")
                }
                _ => format!("CONCAT(`{name}`)"),
            })
            .collect();
        let rows: Vec<Row> = conn
            .query(format!(
                "SELECT {} FROM {}.`{table}`",
                list.join(", "),
                self.name
            ))
            .unwrap();
        let mut rows: Vec<Vec<String>> = rows
            .into_iter()
            .map(|row| {
                row.unwrap()
                    .into_iter()
                    .map(|value| match value {
                        Value::NULL => "NULL".to_owned(),
                        Value::Bytes(bytes) => format!("={}", String::from_utf8_lossy(&bytes)),
                        other => format!("{other:?}"),
                    })
                    .collect()
            })
            .collect();
        rows.sort();
        rows
    }
}

pub(crate) fn endpoint(server: &Server) -> Endpoint {
    Endpoint::socket(server.socket(), "root")
}

/// Does something once, when the first part of any table is committed.
pub(crate) struct OnFirstPart<F: Fn() + Sync> {
    act: F,
    done: AtomicBool,
}

impl<F: Fn() + Sync> OnFirstPart<F> {
    pub(crate) fn new(act: F) -> Self {
        Self {
            act,
            done: AtomicBool::new(false),
        }
    }
}

impl<F: Fn() + Sync> CopyObserver for OnFirstPart<F> {
    fn copy_event(&self, event: &CopyEvent<'_>) {
        if matches!(event, CopyEvent::Part { .. }) && !self.done.swap(true, Ordering::Relaxed) {
            (self.act)();
        }
    }
}

/// Keeps every event as text.
#[derive(Default)]
pub(crate) struct Events(pub(crate) Mutex<Vec<String>>);

impl CopyObserver for Events {
    fn copy_event(&self, event: &CopyEvent<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}
