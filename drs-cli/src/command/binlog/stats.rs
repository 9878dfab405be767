use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use drs_binlog::{Event, EventType, Outcome, Rows, RowsKind};
use serde_json::json;

use super::{Place, Printer, Stop, Table, printable, utc};

/// Counts and sizes. Memory: the tables' names, however long the log.
pub(super) struct Stats<W> {
    out: W,
    json: bool,
    files: BTreeSet<String>,
    /// By type, and whether it lay in a compressed transaction.
    types: BTreeMap<(bool, EventType), Count>,
    tables: BTreeMap<(String, String), Changes>,
    outcomes: BTreeMap<&'static str, u64>,
    compressed: Compressed,
    first_second: Option<u32>,
    last_second: u32,
    largest: Option<Largest>,
}

#[derive(Default)]
struct Count {
    events: u64,
    bytes: u64,
}

#[derive(Default)]
struct Changes {
    inserted: u64,
    updated: u64,
    deleted: u64,
    bytes: u64,
}

#[derive(Default)]
struct Compressed {
    transactions: u64,
    packed_bytes: u64,
    unpacked_bytes: u64,
}

struct Largest {
    place: String,
    kind: EventType,
    bytes: u64,
}

impl<W: Write> Stats<W> {
    pub(super) fn new(out: W, json: bool) -> Self {
        Self {
            out,
            json,
            files: BTreeSet::new(),
            types: BTreeMap::new(),
            tables: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            compressed: Compressed::default(),
            first_second: None,
            last_second: 0,
            largest: None,
        }
    }

    fn object(&self) -> serde_json::Value {
        let types: Vec<_> = self
            .types
            .iter()
            .map(|((in_payload, kind), count)| {
                json!({
                    "type": kind.to_string(),
                    "in_payload": in_payload,
                    "events": count.events,
                    "bytes": count.bytes,
                })
            })
            .collect();
        let tables: Vec<_> = self
            .tables
            .iter()
            .map(|((database, table), changes)| {
                json!({
                    "database": database,
                    "table": table,
                    "inserted": changes.inserted,
                    "updated": changes.updated,
                    "deleted": changes.deleted,
                    "bytes": changes.bytes,
                })
            })
            .collect();
        json!({
            "files": self.files,
            "first_timestamp": self.first_second,
            "last_timestamp": self.last_second,
            "transactions": self.outcomes,
            "compressed_transactions": self.compressed.transactions,
            "packed_bytes": self.compressed.packed_bytes,
            "unpacked_bytes": self.compressed.unpacked_bytes,
            "types": types,
            "tables": tables,
        })
    }

    fn lines(&mut self) -> io::Result<()> {
        let out = &mut self.out;
        writeln!(out, "files: {}", self.files.len())?;
        if let Some(first) = self.first_second {
            writeln!(
                out,
                "from {} to {} (UTC)",
                utc(first),
                utc(self.last_second)
            )?;
        }
        for (outcome, count) in &self.outcomes {
            writeln!(out, "transactions, {outcome}: {count}")?;
        }
        let Compressed {
            transactions,
            packed_bytes,
            unpacked_bytes,
        } = self.compressed;
        if transactions > 0 {
            writeln!(
                out,
                "compressed transactions: {transactions}, {packed_bytes} bytes for {unpacked_bytes}"
            )?;
        }
        if let Some(Largest { place, kind, bytes }) = &self.largest {
            writeln!(out, "largest event: {kind} at {place}, {bytes} bytes")?;
        }
        writeln!(out, "\n{:<36} {:>14} {:>18}", "event", "count", "bytes")?;
        for ((in_payload, kind), count) in &self.types {
            let name = format!("{kind}{}", if *in_payload { " (compressed)" } else { "" });
            writeln!(out, "{name:<36} {:>14} {:>18}", count.events, count.bytes)?;
        }
        if !self.tables.is_empty() {
            writeln!(
                out,
                "\n{:<36} {:>14} {:>14} {:>14} {:>18}",
                "table", "inserted", "updated", "deleted", "bytes"
            )?;
        }
        for ((database, table), changes) in &self.tables {
            let name = printable(format!("{database}.{table}").as_bytes());
            let Changes {
                inserted,
                updated,
                deleted,
                bytes,
            } = changes;
            writeln!(
                out,
                "{name:<36} {inserted:>14} {updated:>14} {deleted:>14} {bytes:>18}"
            )?;
        }
        Ok(())
    }
}

impl<W: Write> Printer for Stats<W> {
    fn passes(&mut self, place: &Place<'_>, end: Option<Outcome>) {
        if !self.files.contains(place.file.as_str()) {
            self.files.insert(place.file.as_str().to_owned());
        }
        let (kind, bytes) = (place.header.event_type, u64::from(place.header.event_size));
        let count = self.types.entry((place.in_payload, kind)).or_default();
        count.events += 1;
        count.bytes += bytes;
        if !place.in_payload {
            self.first_second.get_or_insert(place.header.timestamp);
            self.last_second = place.header.timestamp;
            if self
                .largest
                .as_ref()
                .is_none_or(|largest| largest.bytes < bytes)
            {
                let place = format!("{}:{}", place.file, place.start);
                self.largest = Some(Largest { place, kind, bytes });
            }
        }
        let outcome = match end {
            None => return,
            Some(Outcome::Commit) => "commit",
            Some(Outcome::Rollback) => "rollback",
            Some(Outcome::Statement) => "statement",
            Some(Outcome::XaPrepare) => "xa_prepare",
            Some(Outcome::Incident) => "incident",
        };
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    fn event(&mut self, _place: &Place<'_>, event: &Event<'_>) -> Result<(), Stop> {
        if let Event::TransactionPayload(payload) = event {
            self.compressed.transactions += 1;
            self.compressed.packed_bytes += payload.payload.len() as u64;
            self.compressed.unpacked_bytes += payload.uncompressed_size.unwrap_or_default();
        }
        Ok(())
    }

    fn rows(&mut self, place: &Place<'_>, table: &Table, rows: &Rows<'_>) -> Result<(), Stop> {
        let mut count = 0;
        for change in rows.changes(&table.columns) {
            change?;
            count += 1;
        }
        let key = (table.database.clone(), table.name.clone());
        let changes = self.tables.entry(key).or_default();
        changes.bytes += u64::from(place.header.event_size);
        match rows.kind {
            RowsKind::Insert => changes.inserted += count,
            RowsKind::Update | RowsKind::PartialUpdate => changes.updated += count,
            RowsKind::Delete => changes.deleted += count,
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.json {
            let object = self.object();
            writeln!(self.out, "{object}")?;
        } else {
            self.lines()?;
        }
        self.out.flush()
    }
}
