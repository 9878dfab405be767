use std::io::{self, Write};

use drs_binlog::{Event, MariaDbEvent, RowImage, Rows, RowsKind, Value};

use super::{Place, Printer, Stop, Table, printable, utc};

/// For people: a line an event, and under a row event two lines a row at most.
pub(super) struct Text<W> {
    out: W,
}

impl<W: Write> Text<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out }
    }

    fn line(&mut self, place: &Place<'_>, detail: &str) -> io::Result<()> {
        let Place {
            file,
            start,
            header,
            ..
        } = place;
        let inner = if place.in_payload { "  " } else { "" };
        let (time, server, kind) = (utc(header.timestamp), header.server_id, header.event_type);
        let line = format!("{file}:{start} {time} server {server} {inner}{kind} {detail}");
        writeln!(self.out, "{}", line.trim_end())
    }

    fn image(&mut self, sign: char, image: &RowImage<'_, '_>) -> Result<(), Stop> {
        write!(self.out, "    {sign} ")?;
        let mut separator = "";
        for value in image.values() {
            let (ordinal, value) = value?;
            let column = image.columns().columns().get(ordinal);
            write!(self.out, "{separator}")?;
            match column.and_then(|column| column.name.as_deref()) {
                Some(name) => write!(self.out, "{}=", printable(name.as_bytes()))?,
                None => write!(self.out, "@{}=", ordinal + 1)?,
            }
            match value.as_unsigned() {
                Some(n) if column.and_then(|c| c.unsigned) == Some(true) => {
                    write!(self.out, "{n}")?
                }
                _ => self.value(&value)?,
            }
            separator = ", ";
        }
        writeln!(self.out)?;
        Ok(())
    }

    fn value(&mut self, value: &Value<'_>) -> io::Result<()> {
        match value {
            // A document's text may hold anything.
            Value::Json(_) => write!(self.out, "{}", printable(value.to_string().as_bytes())),
            _ => write!(self.out, "{value}"),
        }
    }
}

impl<W: Write> Printer for Text<W> {
    fn event(&mut self, place: &Place<'_>, event: &Event<'_>) -> Result<(), Stop> {
        Ok(self.line(place, &detail(event))?)
    }

    fn rows(&mut self, place: &Place<'_>, table: &Table, rows: &Rows<'_>) -> Result<(), Stop> {
        let name = format!("{}.{}", table.database, table.name);
        let end = if rows.flags & Rows::STATEMENT_END != 0 {
            " statement ends"
        } else {
            ""
        };
        self.line(place, &format!("{}{end}", printable(name.as_bytes())))?;
        for change in rows.changes(&table.columns) {
            let change = change?;
            if let Some(before) = &change.before {
                self.image('-', before)?;
            }
            if let Some(after) = &change.after {
                self.image(
                    if rows.kind == RowsKind::PartialUpdate {
                        '~'
                    } else {
                        '+'
                    },
                    after,
                )?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What an event says, on one line.
fn detail(event: &Event<'_>) -> String {
    match event {
        Event::FormatDescription(format) => {
            format!(
                "server {}, checksum {:?}",
                printable(format.server_version.as_bytes()),
                format.checksum
            )
        }
        Event::Rotate(rotate) => format!("to {}:{}", printable(rotate.file), rotate.offset),
        Event::PreviousGtids(set) => set.to_string(),
        Event::Gtid(event) => match event.gtid {
            Some(gtid) => gtid.to_string(),
            None => "ANONYMOUS".to_owned(),
        },
        Event::Query(query) => {
            let schema = if query.schema.is_empty() {
                String::new()
            } else {
                format!("[{}] ", printable(query.schema))
            };
            format!("{schema}{}", printable(query.query))
        }
        Event::Xid(xid) => xid.to_string(),
        Event::XaPrepare(prepare) => {
            let what = if prepare.one_phase {
                "commit in one phase"
            } else {
                "prepare"
            };
            format!("{what} {}", printable(prepare.xid.gtrid))
        }
        Event::TableMap(map) => {
            format!(
                "{}.{} is table {}",
                printable(map.database),
                printable(map.table),
                map.table_id
            )
        }
        Event::RowsQuery(text) | Event::MariaDb(MariaDbEvent::AnnotateRows(text)) => {
            printable(text.0)
        }
        Event::TransactionPayload(payload) => {
            let unpacked = payload.uncompressed_size.unwrap_or_default();
            format!(
                "{:?}, {} bytes, unpacked {unpacked}",
                payload.compression,
                payload.payload.len()
            )
        }
        Event::IntVar(variable) => format!("{variable:?}"),
        Event::UserVar(variable) => format!("@{}", printable(variable.name)),
        Event::BeginLoadQuery(block) | Event::AppendBlock(block) => {
            format!("file {}, {} bytes", block.file_id, block.data.len())
        }
        Event::DeleteFile(id) => format!("file {id}"),
        Event::ExecuteLoadQuery(load) => {
            format!("file {}: {}", load.file_id, printable(load.query.query))
        }
        Event::Incident(incident) => format!("{} {}", incident.number, printable(incident.message)),
        Event::ViewChange(view) => printable(view.view_id),
        Event::MariaDb(MariaDbEvent::Gtid(event)) => event.gtid.to_string(),
        Event::MariaDb(MariaDbEvent::GtidList(list)) => {
            let gtids: Vec<_> = list.iter().map(|gtid| gtid.to_string()).collect();
            gtids.join(",")
        }
        Event::MariaDb(MariaDbEvent::BinlogCheckpoint(file)) => printable(file),
        Event::Ignorable(_) => "skipped: marked as ignorable".to_owned(),
        _ => String::new(),
    }
}
