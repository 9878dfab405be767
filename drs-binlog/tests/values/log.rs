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
            for_each_change(&bytes, self.database.as_bytes(), |name, columns, logged| {
                if name == table.as_bytes() {
                    each(columns, logged);
                }
            });
        }
    }
}

/// Calls `each` with all table maps of a file.
pub(crate) fn for_each_table_map(file: &[u8], mut each: impl FnMut(&TableMap<'_>)) {
    let mut decoder = Decoder::new();
    for event in events(file) {
        let raw = decoder.raw(event).unwrap();
        if let (EventType::TABLE_MAP, Some(format)) = (raw.header.event_type, decoder.format()) {
            each(&TableMap::parse(&raw, format).unwrap());
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
    for ordinal in 0..=image.columns().len() {
        let walked = values.iter().find(|(at, _)| *at == ordinal);
        assert_eq!(
            image.value(ordinal).unwrap(),
            walked.map(|(_, value)| *value)
        );
    }
    values
}

/// Calls `each` with table, columns and change for all row changes that a file has of a database.
fn for_each_change(
    file: &[u8],
    database: &[u8],
    mut each: impl FnMut(&[u8], &TableColumns, &Logged<'_, '_>),
) {
    let mut decoder = Decoder::new();
    let mut tables: HashMap<u64, (Vec<u8>, Arc<TableColumns>)> = HashMap::new();
    let mut buffer = Vec::new();
    for event in events(file) {
        let raw = decoder.raw(event).unwrap();
        let Some(format) = decoder.format() else {
            continue;
        };
        if raw.header.event_type == EventType::TABLE_MAP {
            let map = TableMap::parse(&raw, format).unwrap();
            tables.remove(&map.table_id);
            if map.database == database {
                let columns = Arc::new(map.compile_without_fractions().unwrap());
                tables.insert(map.table_id, (map.table.to_vec(), columns));
            }
        } else if raw.header.event_type.is_rows() {
            let logged = Rows::parse(&raw, format).unwrap();
            let Some((name, columns)) = tables.get(&logged.table_id) else {
                continue;
            };
            let compressed = logged.is_compressed();
            let rows = logged.inflate(&mut buffer, 1 << 24).unwrap();
            for change in rows.changes(columns) {
                let change = change.unwrap();
                let logged = Logged {
                    rows: &rows,
                    compressed,
                    before: change.before,
                    after: change.after,
                };
                each(name, columns, &logged);
            }
        }
    }
}

/// The events of a file, header and checksum included.
///
/// Other tests write to the same file meanwhile: its last event may not be all there.
fn events(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = &file[4..];
    std::iter::from_fn(move || {
        let header = EventHeader::parse(rest.get(..EventHeader::LEN)?).unwrap();
        let (event, tail) = rest.split_at_checked(header.event_size as usize)?;
        rest = tail;
        Some(event)
    })
}
