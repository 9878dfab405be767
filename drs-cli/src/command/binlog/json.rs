use std::io::{self, Write};

use drs_binlog::{Event, MariaDbEvent, RowImage, Rows, TableColumn, Value};
use serde_json::{Map, Value as Object, json};

use super::{Place, Printer, Stop, Table};

/// For programs: one object an event, on one line.
///
/// Numbers are numbers, dates and decimals strings; bytes that are no UTF-8 are `{"hex": "..."}`.
pub(super) struct Json<W> {
    out: W,
}

impl<W: Write> Json<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes the object's first fields; it stays open.
    fn open(&mut self, place: &Place<'_>, more: Map<String, Object>) -> io::Result<()> {
        let mut object = Map::new();
        object.insert("file".into(), place.file.as_str().into());
        object.insert("start".into(), place.start.into());
        object.insert("end".into(), place.end.into());
        object.insert("timestamp".into(), place.header.timestamp.into());
        object.insert("server_id".into(), place.header.server_id.into());
        object.insert("type".into(), place.header.event_type.to_string().into());
        object.insert("in_payload".into(), place.in_payload.into());
        object.extend(more);
        let text = serde_json::to_string(&object).map_err(io::Error::other)?;
        // Rows may follow, which are not gathered first.
        self.out
            .write_all(text.strip_suffix('}').unwrap_or(&text).as_bytes())
    }
}

impl<W: Write> Printer for Json<W> {
    fn event(&mut self, place: &Place<'_>, event: &Event<'_>) -> Result<(), Stop> {
        self.open(place, detail(event))?;
        Ok(self.out.write_all(b"}\n")?)
    }

    fn rows(&mut self, place: &Place<'_>, table: &Table, rows: &Rows<'_>) -> Result<(), Stop> {
        let mut more = Map::new();
        more.insert("database".into(), table.database.as_str().into());
        more.insert("table".into(), table.name.as_str().into());
        more.insert(
            "statement_end".into(),
            (rows.flags & Rows::STATEMENT_END != 0).into(),
        );
        self.open(place, more)?;
        self.out.write_all(b",\"rows\":[")?;
        let mut separator: &[u8] = b"";
        for change in rows.changes(&table.columns) {
            let change = change?;
            let mut row = Map::new();
            if let Some(before) = &change.before {
                row.insert("before".into(), image(before)?);
            }
            if let Some(after) = &change.after {
                row.insert("after".into(), image(after)?);
            }
            self.out.write_all(separator)?;
            serde_json::to_writer(&mut self.out, &row).map_err(io::Error::from)?;
            separator = b",";
        }
        Ok(self.out.write_all(b"]}\n")?)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn image(image: &RowImage<'_, '_>) -> Result<Object, Stop> {
    let mut object = Map::new();
    for value in image.values() {
        let (ordinal, value) = value?;
        let column = image.columns().columns().get(ordinal);
        let name = match column.and_then(|column| column.name.as_deref()) {
            Some(name) => name.to_owned(),
            None => format!("@{}", ordinal + 1),
        };
        object.insert(name, scalar(&value, column));
    }
    Ok(object.into())
}

fn scalar(value: &Value<'_>, column: Option<&TableColumn>) -> Object {
    match value {
        Value::Null => Object::Null,
        Value::Int { bits, .. } => match column.and_then(|column| column.unsigned) {
            Some(true) => (*bits).into(),
            _ => value.as_signed().into(),
        },
        // The same decimal digits as the text: a FLOAT as a double would show more of them.
        Value::Float(n) => n.to_string().parse::<f64>().unwrap_or(f64::NAN).into(),
        Value::Double(n) => (*n).into(),
        Value::Year(n) => (*n).into(),
        Value::Enum(n) => (*n).into(),
        Value::Set(bits) => (*bits).into(),
        Value::Bit(_) => value.as_bits().into(),
        Value::Bytes(bytes) => text(bytes),
        Value::Json(_)
        | Value::Decimal(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::DateTime(_)
        | Value::Timestamp(_) => value.to_string().into(),
        // The rest prints as hexadecimal digits.
        _ => json!({ "hex": value.to_string().trim_start_matches("0x") }),
    }
}

fn text(bytes: &[u8]) -> Object {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            json!({ "hex": hex })
        }
    }
}

/// What an event says.
fn detail(event: &Event<'_>) -> Map<String, Object> {
    let object = match event {
        Event::FormatDescription(format) => json!({
            "server_version": format.server_version,
            "checksum": format!("{:?}", format.checksum),
            "in_use": format.in_use,
        }),
        Event::Rotate(rotate) => {
            json!({ "to_file": text(rotate.file), "to_offset": rotate.offset })
        }
        Event::PreviousGtids(set) => json!({ "gtid_set": set.to_string() }),
        Event::Gtid(event) => json!({
            "gtid": event.gtid.map(|gtid| gtid.to_string()),
            "last_committed": event.last_committed,
            "sequence_number": event.sequence_number,
            "immediate_commit_timestamp": event.immediate_commit_timestamp,
            "original_commit_timestamp": event.original_commit_timestamp,
            "transaction_length": event.transaction_length,
            "original_server_version": event.original_server_version,
        }),
        Event::Query(query) => json!({
            "thread_id": query.thread_id,
            "error_code": query.error_code,
            "schema": text(query.schema),
            "query": text(query.query),
        }),
        Event::Xid(xid) => json!({ "xid": xid }),
        Event::XaPrepare(prepare) => json!({
            "one_phase": prepare.one_phase,
            "format_id": prepare.xid.format_id,
            "gtrid": text(prepare.xid.gtrid),
            "bqual": text(prepare.xid.bqual),
        }),
        Event::TableMap(map) => json!({
            "database": text(map.database),
            "table": text(map.table),
            "table_id": map.table_id,
            "columns": map.column_count(),
        }),
        Event::RowsQuery(query) | Event::MariaDb(MariaDbEvent::AnnotateRows(query)) => {
            json!({ "query": text(query.0) })
        }
        Event::TransactionPayload(payload) => json!({
            "compression": format!("{:?}", payload.compression),
            "payload_size": payload.payload.len(),
            "uncompressed_size": payload.uncompressed_size,
        }),
        Event::UserVar(variable) => json!({ "name": text(variable.name) }),
        Event::BeginLoadQuery(block) | Event::AppendBlock(block) => {
            json!({ "file_id": block.file_id, "bytes": block.data.len() })
        }
        Event::DeleteFile(id) => json!({ "file_id": id }),
        Event::ExecuteLoadQuery(load) => json!({
            "file_id": load.file_id,
            "schema": text(load.query.schema),
            "query": text(load.query.query),
        }),
        Event::Incident(incident) => {
            json!({ "number": incident.number, "message": text(incident.message) })
        }
        Event::MariaDb(MariaDbEvent::Gtid(event)) => json!({ "gtid": event.gtid.to_string() }),
        Event::MariaDb(MariaDbEvent::GtidList(list)) => {
            json!({ "gtids": list.iter().map(|gtid| gtid.to_string()).collect::<Vec<_>>() })
        }
        Event::MariaDb(MariaDbEvent::BinlogCheckpoint(file)) => {
            json!({ "oldest_file": text(file) })
        }
        _ => Object::Null,
    };
    match object {
        Object::Object(object) => object,
        _ => Map::new(),
    }
}
