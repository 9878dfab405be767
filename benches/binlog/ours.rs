//! This project's decoder over a log: framing alone, and every value.

use std::{collections::HashMap, hint::black_box, path::PathBuf};

use drs_binlog::{
    Decoder, EVENT_BYTES_MAX_DEFAULT, Event, EventSource, EventType, FileSource, JsonValue,
    PayloadUnpacker, RawEvent, Result, RowImage, Rows, TableColumns, Value,
};

use super::Found;

/// Events of the files, framed and their CRC32 verified.
pub(crate) fn frame(files: &[PathBuf]) -> Result<u64> {
    let mut source = FileSource::open(files);
    let mut events = 0;
    while let Some(event) = source.next_event()? {
        black_box(event.raw.body);
        events += 1;
    }
    Ok(events)
}

/// Every value of the files, through [`FileSource`].
pub(crate) fn from_files(files: &[PathBuf]) -> Result<Found> {
    let mut source = FileSource::open(files);
    let mut log = Walk::default();
    while let Some(event) = source.next_event()? {
        log.event(event.decoder, &event.raw)?;
    }
    Ok(log.state.found)
}

/// Every value of files that are in memory: without reading them.
pub(crate) fn from_memory(files: &[Vec<u8>]) -> Result<Found> {
    let mut log = Walk::default();
    for file in files {
        let mut decoder = Decoder::new();
        let mut rest = file.get(FileSource::MAGIC.len()..).unwrap_or_default();
        while let Some((event, after)) = split_event(rest) {
            let raw = decoder.raw(event)?;
            log.event(&decoder, &raw)?;
            rest = after;
        }
    }
    Ok(log.state.found)
}

fn split_event(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let size = bytes.get(9..13)?.first_chunk()?;
    bytes.split_at_checked(u32::from_le_bytes(*size) as usize)
}

#[derive(Default)]
struct Walk {
    unpacker: PayloadUnpacker,
    state: State,
}

/// What is known of the tables, and what was found.
#[derive(Default)]
struct State {
    tables: HashMap<u64, (Vec<u8>, TableColumns)>,
    found: Found,
}

impl Walk {
    fn event(&mut self, decoder: &Decoder, raw: &RawEvent<'_>) -> Result<()> {
        if raw.header.event_type != EventType::TRANSACTION_PAYLOAD {
            return self.state.event(decoder, raw);
        }
        if let Event::TransactionPayload(payload) = decoder.decode(raw)? {
            let mut events = payload.events(&mut self.unpacker, EVENT_BYTES_MAX_DEFAULT)?;
            while let Some(bytes) = events.next_event()? {
                self.state.event(decoder, &decoder.raw_nested(bytes)?)?;
            }
        }
        Ok(())
    }
}

impl State {
    fn event(&mut self, decoder: &Decoder, raw: &RawEvent<'_>) -> Result<()> {
        match decoder.decode(raw)? {
            Event::TableMap(map) => {
                // The map of a table is the same until the table changes.
                match self.tables.get(&map.table_id) {
                    Some((body, _)) if body == raw.body => {}
                    _ => {
                        let compiled = (raw.body.to_vec(), map.compile()?);
                        self.tables.insert(map.table_id, compiled);
                    }
                }
            }
            Event::Rows(rows) => self.rows(&rows)?,
            other => drop(black_box(other)),
        }
        Ok(())
    }

    fn rows(&mut self, rows: &Rows<'_>) -> Result<()> {
        let Some((_, columns)) = self.tables.get(&rows.table_id) else {
            return Ok(());
        };
        for change in rows.changes(columns) {
            let change = change?;
            for image in [change.before, change.after].into_iter().flatten() {
                walk_image(&image, &mut self.found)?;
            }
        }
        Ok(())
    }
}

fn walk_image(image: &RowImage<'_, '_>, found: &mut Found) -> Result<()> {
    found.images += 1;
    let mut values = image.values();
    while let Some((_, value)) = values.next_value()? {
        found.values += 1;
        if let Value::Json(json) = black_box(value) {
            found.json_scalars += walk_json(&json.root()?)?;
        }
    }
    Ok(())
}

/// The document's scalars, each typed.
fn walk_json(value: &JsonValue<'_>) -> Result<u64> {
    let mut scalars = 0;
    match black_box(value) {
        JsonValue::Object(object) => {
            for member in object.members() {
                let (key, value) = member?;
                black_box(key);
                scalars += walk_json(&value)?;
            }
        }
        JsonValue::Array(array) => {
            for element in array.elements() {
                scalars += walk_json(&element?)?;
            }
        }
        JsonValue::Opaque(opaque) => {
            black_box(opaque.value()?);
            scalars += 1;
        }
        _ => scalars += 1,
    }
    Ok(scalars)
}
