//! The row changes that a server logged, decoded.
use std::{collections::HashMap, fs, sync::Arc};

use drs_binlog::{
    Decoder, EventHeader, EventType, RowImage, Rows, RowsKind, TableColumns, TableMap, Value,
};
use drs_testkit::Server;
use mysql::{Conn, prelude::Queryable};

/// A database of a test's own on a shared server.
pub(crate) struct Scene {
    pub(crate) server: &'static Server,
    pub(crate) conn: Conn,
    pub(crate) database: String,
}

impl Scene {
    /// A new, empty database, and a session that lets every value in.
    pub(crate) fn new(server: &'static Server, database: &str) -> Self {
        let mut conn = server.conn().unwrap();
        conn.query_drop(format!("CREATE DATABASE {database} CHARACTER SET utf8mb4"))
            .unwrap();
        conn.query_drop(format!("USE {database}")).unwrap();
        conn.query_drop("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00'").unwrap();
        Self {
            server,
            conn,
            database: database.to_owned(),
        }
    }

    pub(crate) fn run(&mut self, sql: &str) {
        if let Err(error) = self.conn.query_drop(sql) {
            panic!("{error}\nin {sql}");
        }
    }

    /// The first column of all rows, as text.
    pub(crate) fn column(&mut self, sql: &str) -> Vec<Option<String>> {
        let rows: Vec<Option<Vec<u8>>> = self
            .conn
            .query(sql)
            .unwrap_or_else(|error| panic!("{error}\nin {sql}"));
        rows.into_iter()
            .map(|text| text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
            .collect()
    }

    /// Everything logged for one table of this database; each change goes to `each`.
    pub(crate) fn changes(
        &self,
        table: &str,
        mut each: impl FnMut(&TableColumns, &Logged<'_, '_>),
    ) {
        for path in self.server.binlog_files().unwrap() {
            let bytes = fs::read(path).unwrap();
            for_each_change(&bytes, |database, name, columns, logged| {
                if (database, name) == (self.database.as_bytes(), table.as_bytes()) {
                    each(columns, logged);
                }
            });
        }
    }
}

/// One row's change, with the event that it was in.
pub(crate) struct Logged<'e, 'a> {
    pub(crate) rows: &'e Rows<'a>,
    /// Was the event compressed in the log?
    pub(crate) compressed: bool,
    pub(crate) before: Option<RowImage<'a, 'e>>,
    pub(crate) after: Option<RowImage<'a, 'e>>,
}

impl Logged<'_, '_> {
    pub(crate) fn kind(&self) -> RowsKind {
        self.rows.kind
    }
}

/// All of an image's values, walked.
pub(crate) fn values<'a>(image: &RowImage<'a, '_>) -> Vec<(usize, Value<'a>)> {
    let values: Result<Vec<_>, _> = image.values().collect();
    let values = values.unwrap();
    assert_eq!(
        values
            .iter()
            .map(|(ordinal, _)| *ordinal)
            .collect::<Vec<_>>(),
        image.present().ones().collect::<Vec<_>>()
    );
    values
}

/// Calls `each` with database, table, columns and change for all of a file's row changes.
pub(crate) fn for_each_change(
    file: &[u8],
    mut each: impl FnMut(&[u8], &[u8], &TableColumns, &Logged<'_, '_>),
) {
    let mut decoder = Decoder::new();
    let mut tables: HashMap<u64, Table> = HashMap::new();
    let mut rest = &file[4..];
    let mut buffer = Vec::new();
    while rest.len() >= EventHeader::LEN {
        let header = EventHeader::parse(&rest[..EventHeader::LEN]).unwrap();
        // Other tests write to the same file meanwhile: its last event may not be all there.
        let Some((event, tail)) = rest.split_at_checked(header.event_size as usize) else {
            break;
        };
        rest = tail;
        let raw = decoder.raw(event).unwrap();
        let Some(format) = decoder.format() else {
            continue;
        };
        if header.event_type == EventType::TABLE_MAP {
            let map = TableMap::parse(&raw, format).unwrap();
            let columns = Arc::new(map.compile().unwrap());
            let (database, name) = (map.database.to_vec(), map.table.to_vec());
            tables.insert(
                map.table_id,
                Table {
                    database,
                    name,
                    columns,
                },
            );
        } else if header.event_type.is_rows() {
            let logged = Rows::parse(&raw, format).unwrap();
            let compressed = logged.is_compressed();
            let rows = logged.inflate(&mut buffer, 1 << 24).unwrap();
            let Table {
                database,
                name,
                columns,
            } = &tables[&rows.table_id];
            for change in rows.changes(columns) {
                let change = change.unwrap();
                each(
                    database,
                    name,
                    columns,
                    &Logged {
                        rows: &rows,
                        compressed,
                        before: change.before,
                        after: change.after,
                    },
                );
            }
        }
    }
}

struct Table {
    database: Vec<u8>,
    name: Vec<u8>,
    columns: Arc<TableColumns>,
}
