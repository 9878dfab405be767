//! Reads binary log files and prints each row change as the log holds it.
//!
//! `cargo run --example read_binlog -- binlog.000001 binlog.000002`

use std::{collections::HashMap, path::PathBuf};

use drs::binlog::{Event, EventSource, FileSource};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let mut source = FileSource::open(files);
    let mut tables = HashMap::new();
    while let Some(event) = source.next_event()? {
        match event.decoder.decode(&event.raw)? {
            Event::TableMap(map) => {
                let name = format!(
                    "{}.{}",
                    String::from_utf8_lossy(map.database),
                    String::from_utf8_lossy(map.table)
                );
                tables.insert(map.table_id, (name, map.compile()?));
            }
            Event::Rows(rows) => {
                let Some((name, columns)) = tables.get(&rows.table_id) else {
                    continue;
                };
                for change in rows.changes(columns) {
                    let change = change?;
                    let count = |image: Option<drs::binlog::RowImage<'_, '_>>| {
                        image.map_or(0, |image| image.values().count())
                    };
                    println!(
                        "{:?} {name}: {} values before, {} after",
                        rows.kind,
                        count(change.before),
                        count(change.after)
                    );
                }
            }
            _ => {}
        }
    }
    Ok(())
}
