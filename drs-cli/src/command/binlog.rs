//! `drs binlog`.

mod json;
mod stats;
mod text;

use std::{
    collections::HashMap,
    io::{self, BufWriter, Write},
};

use drs_binlog::{
    EVENT_BYTES_MAX_DEFAULT, Event, EventHeader, EventSource, FileSource, LogFile, MariaDbEvent,
    Outcome, PayloadUnpacker, RawEvent, Rows, SourceEvent, Step, TableColumns,
    TransactionAssembler,
};

use crate::{
    args::{BinlogArgs, BinlogFormat},
    exit::{CommandError, Exit},
    render::Output,
};

/// Carries the command out.
pub(crate) fn execute(args: BinlogArgs, out: &Output) -> Result<Exit, CommandError> {
    let mut writer = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let json = out.is_json() || args.format == BinlogFormat::Json;
    let printer: &mut dyn Printer = match args.format {
        BinlogFormat::Stats => &mut stats::Stats::new(&mut writer, out.is_json()),
        _ if json => &mut json::Json::new(&mut writer),
        _ => &mut text::Text::new(&mut writer),
    };
    let mut source = FileSource::open(&args.files);
    let mut walk = Walk::new(
        Filter {
            database: args.database,
            table: args.table,
        },
        printer,
    );
    let result = walk.run(&mut source);
    match result.and_then(|()| walk.printer.finish().map_err(Stop::Output)) {
        Ok(()) => Ok(Exit::Done),
        // The reader, `head` for instance, has seen enough.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(Stop::Output(error)) => Err(error.into()),
        Err(Stop::Log(error)) => {
            let _ = writer.flush();
            Err(CommandError::Failed(format!(
                "{}: {error}",
                source.position()
            )))
        }
    }
}

/// How events are printed.
trait Printer {
    /// An event that passes the filter, other than a row event.
    fn event(&mut self, place: &Place<'_>, event: &Event<'_>) -> Result<(), Stop>;
    /// A row event on a table that passes the filter.
    fn rows(&mut self, place: &Place<'_>, table: &Table, rows: &Rows<'_>) -> Result<(), Stop>;
    /// Every event, filtered or not, before it is printed; with the transaction's end if it is one.
    fn passes(&mut self, _place: &Place<'_>, _end: Option<Outcome>) {}
    /// After the last event.
    fn finish(&mut self) -> io::Result<()>;
}

/// Why the command ends early.
enum Stop {
    Output(io::Error),
    Log(drs_binlog::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<drs_binlog::Error> for Stop {
    fn from(error: drs_binlog::Error) -> Self {
        Self::Log(error)
    }
}

/// An event's header, and where the event lies.
struct Place<'a> {
    file: &'a LogFile,
    /// Where it begins; for an event in a compressed transaction, where that one begins.
    start: u64,
    end: u64,
    in_payload: bool,
    header: EventHeader,
}

/// A table that the log has described.
struct Table {
    database: String,
    name: String,
    columns: TableColumns,
}

struct Filter {
    database: Option<String>,
    table: Option<String>,
}

impl Filter {
    fn takes_all(&self) -> bool {
        self.database.is_none() && self.table.is_none()
    }

    fn takes(&self, table: &Table) -> bool {
        self.database
            .as_ref()
            .is_none_or(|name| *name == table.database)
            && self.table.as_ref().is_none_or(|name| *name == table.name)
    }

    /// A statement names no table that could be trusted without a parser: it goes by its default database.
    fn takes_statement(&self, schema: &[u8]) -> bool {
        self.table.is_none()
            && self
                .database
                .as_ref()
                .is_none_or(|name| name.as_bytes() == schema)
    }
}

/// Goes over all events in bounded memory: one event, and the table maps of one transaction.
struct Walk<'a> {
    filter: Filter,
    printer: &'a mut dyn Printer,
    tables: HashMap<u64, Table>,
    transactions: TransactionAssembler,
    unpacker: PayloadUnpacker,
    inflated: Vec<u8>,
}

impl<'a> Walk<'a> {
    fn new(filter: Filter, printer: &'a mut dyn Printer) -> Self {
        Self {
            filter,
            printer,
            tables: HashMap::new(),
            transactions: TransactionAssembler::new(),
            unpacker: PayloadUnpacker::new(),
            inflated: Vec::new(),
        }
    }

    fn run(&mut self, source: &mut dyn EventSource) -> Result<(), Stop> {
        while let Some(event) = source.next_event()? {
            self.source_event(&event)?;
        }
        Ok(())
    }

    fn source_event(&mut self, source: &SourceEvent<'_>) -> Result<(), Stop> {
        let mut place = Place {
            file: source.file,
            start: source.start_offset().unwrap_or(source.end_offset),
            end: source.end_offset,
            in_payload: false,
            header: source.raw.header,
        };
        // A file may begin inside a transaction, a relay log's for instance.
        let step = self.transactions.step(&source.raw).unwrap_or_else(|_| {
            self.transactions = TransactionAssembler::new();
            Step::Outside
        });
        let event = source.decoder.decode(&source.raw)?;
        self.event(&place, step, &source.raw, &event)?;
        if let (Step::Unpack, Event::TransactionPayload(payload)) = (step, &event) {
            place.in_payload = true;
            let mut unpacker = std::mem::take(&mut self.unpacker);
            let mut events = payload.events(&mut unpacker, EVENT_BYTES_MAX_DEFAULT)?;
            while let Some(bytes) = events.next_event()? {
                let raw = source.decoder.raw_nested(bytes)?;
                let step = self.transactions.step_nested(&raw)?;
                place.header = raw.header;
                let event = source.decoder.decode(&raw)?;
                self.event(&place, step, &raw, &event)?;
            }
            drop(events);
            self.unpacker = unpacker;
        }
        Ok(())
    }

    fn event(
        &mut self,
        place: &Place<'_>,
        step: Step,
        raw: &RawEvent<'_>,
        event: &Event<'_>,
    ) -> Result<(), Stop> {
        let end = match step {
            Step::Ends(outcome) | Step::Whole(outcome) => Some(outcome),
            _ => None,
        };
        self.printer.passes(place, end);
        let takes_all = self.filter.takes_all();
        match event {
            Event::Rows(rows) => self.rows(place, raw, rows)?,
            Event::TableMap(map) => {
                let table = Table {
                    database: String::from_utf8_lossy(map.database).into_owned(),
                    name: String::from_utf8_lossy(map.table).into_owned(),
                    columns: map.compile()?,
                };
                if takes_all {
                    self.printer.event(place, event)?;
                }
                self.tables.insert(map.table_id, table);
            }
            Event::Query(query) if self.filter.takes_statement(query.schema) => {
                self.printer.event(place, event)?;
            }
            Event::MariaDb(MariaDbEvent::QueryCompressed(query)) => {
                let mut text = std::mem::take(&mut self.inflated);
                let query = query.inflate(&mut text, EVENT_BYTES_MAX_DEFAULT)?;
                if self.filter.takes_statement(query.schema) {
                    self.printer.event(place, &Event::Query(query))?;
                }
                self.inflated = text;
            }
            _ if takes_all => self.printer.event(place, event)?,
            _ => {}
        }
        if end.is_some() || step == Step::Abandons {
            self.tables.clear();
        }
        Ok(())
    }

    fn rows(&mut self, place: &Place<'_>, raw: &RawEvent<'_>, rows: &Rows<'_>) -> Result<(), Stop> {
        let Some(table) = self.tables.get(&rows.table_id) else {
            if rows.table_id == Rows::DUMMY_TABLE_ID {
                return Ok(());
            }
            return Err(raw
                .reader()
                .malformed("no table map came before the rows")
                .into());
        };
        if !self.filter.takes(table) {
            return Ok(());
        }
        if rows.is_compressed() {
            let rows = rows.inflate(&mut self.inflated, EVENT_BYTES_MAX_DEFAULT)?;
            return self.printer.rows(place, table, &rows);
        }
        self.printer.rows(place, table, rows)
    }
}

/// A text that came from a log, with nothing in it that moves a terminal's cursor.
fn printable(bytes: &[u8]) -> String {
    let mut safe = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        match c.is_control() {
            true => safe.extend(c.escape_default()),
            false => safe.push(c),
        }
    }
    safe
}

/// `2026-11-23 02:36:31` in UTC.
fn utc(seconds: u32) -> String {
    let (days, time) = (i64::from(seconds / 86_400), seconds % 86_400);
    // Days since 0000-03-01, in 400-year cycles, so that leap days come last.
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = year + cycle * 400 + next;
    let (h, m, s) = (time / 3_600, time / 60 % 60, time % 60);
    format!("{year:04}-{month:02}-{day:02} {h:02}:{m:02}:{s:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGS: [&str; 3] = [
        "mysql-9.7.000002",
        "mysql-5.6.000002",
        "mariadb-10.11.000002",
    ];

    fn log(name: &str) -> FileSource {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../drs-binlog/tests/corpus/log/"
        );
        FileSource::open([format!("{path}{name}")])
    }

    fn printed(
        name: &str,
        filter: Filter,
        make: impl Fn(&mut Vec<u8>) -> Box<dyn Printer + '_>,
    ) -> String {
        let mut out = Vec::new();
        let mut printer = make(&mut out);
        let mut walk = Walk::new(filter, printer.as_mut());
        assert!(walk.run(&mut log(name)).is_ok());
        printer.finish().unwrap();
        drop(printer);
        String::from_utf8(out).unwrap()
    }

    fn filter(database: Option<&str>, table: Option<&str>) -> Filter {
        Filter {
            database: database.map(Into::into),
            table: table.map(Into::into),
        }
    }

    #[test]
    fn text_has_every_event_and_row() {
        for name in LOGS {
            let text = printed(name, filter(None, None), |out| {
                Box::new(text::Text::new(out))
            });
            for part in [
                "Format_desc",
                "Xid",
                "CREATE TABLE t",
                "+ @1=1, @2=1, @3='one'",
                "Rotate",
            ] {
                // With names in the log's metadata they stand in the place of @1.
                let named = part
                    .replace("@1", "id")
                    .replace("@2", "n")
                    .replace("@3", "s");
                assert!(
                    text.contains(part) || text.contains(&named),
                    "{name}: no {part:?} in\n{text}"
                );
            }
        }
    }

    #[test]
    fn json_is_one_object_a_line() {
        for name in LOGS {
            let text = printed(name, filter(None, None), |out| {
                Box::new(json::Json::new(out))
            });
            let mut rows = 0;
            let mut last = 0;
            for line in text.lines() {
                let object: serde_json::Value = serde_json::from_str(line).unwrap();
                let start = object["start"].as_u64().unwrap();
                assert!(start >= last, "{line}");
                last = start;
                rows += object["rows"].as_array().map_or(0, Vec::len);
            }
            assert!(rows > 10, "{name}");
        }
    }

    #[test]
    fn stats_count_rows() {
        for name in LOGS {
            let text = printed(name, filter(None, None), |out| {
                Box::new(stats::Stats::new(out, true))
            });
            let object: serde_json::Value = serde_json::from_str(&text).unwrap();
            let table = object["tables"]
                .as_array()
                .unwrap()
                .iter()
                .find(|t| t["table"] == "t")
                .unwrap();
            assert!(table["inserted"].as_u64().unwrap() >= 4, "{table}");
            assert_eq!(
                table["deleted"].as_u64().unwrap(),
                if name.starts_with("maria") { 3 } else { 1 }
            );
            assert!(object["transactions"]["commit"].as_u64().unwrap() > 5);
            let lines = printed(name, filter(None, None), |out| {
                Box::new(stats::Stats::new(out, false))
            });
            assert!(lines.contains("everything.t "), "{lines}");
        }
    }

    #[test]
    fn filters() {
        for name in LOGS {
            let print = |filter| printed(name, filter, |out| Box::new(text::Text::new(out)));
            let one = print(filter(Some("everything"), Some("plain")));
            assert!(
                one.contains("everything.plain") && !one.contains("everything.t "),
                "{one}"
            );
            assert!(!one.contains("Query") && !one.contains("Xid"), "{one}");
            let database = print(filter(Some("everything"), None));
            assert!(database.contains("CREATE TABLE t") && database.contains("everything.t"));
            assert_eq!(print(filter(Some("other"), None)), "");
        }
    }

    #[test]
    fn times() {
        let table = [
            (0, "1970-01-01 00:00:00"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_795_401_391, "2026-11-23 02:36:31"),
            (u32::MAX, "2106-02-07 06:28:15"),
        ];
        for (seconds, expected) in table {
            assert_eq!(utc(seconds), expected);
        }
    }
}
