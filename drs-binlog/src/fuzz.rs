//! What the fuzz targets call, one function a parser; not part of the API.
use crate::{EventHeader, EventType, FormatDescription, RawEvent, RowImage, Rows, TableMap};

pub use crate::{
    decimal::fuzz_decimal, event::fuzz_event, file::fuzz_file, gtid_set::fuzz_gtid_set,
    inflate::fuzz_inflate, json::fuzz_json, json_diff::fuzz_json_diff, position::fuzz_start_point,
    temporal::fuzz_temporal, transaction::fuzz_transactions,
};

/// A table map's body.
pub fn fuzz_table_map(data: &[u8]) {
    if let Some(format) = format()
        && let Ok(map) = TableMap::parse(&raw(EventType::TABLE_MAP, data), &format)
    {
        let _ = map.compile();
    }
}

/// A row event's type, the length of a table map's body (two bytes), that body, and the row event's body.
pub fn fuzz_rows(data: &[u8]) {
    let Some(([event_type, low, high], rest)) = data.split_first_chunk() else {
        return;
    };
    let len = usize::from(u16::from_le_bytes([*low, *high]));
    let Some((map, rows)) = rest.split_at_checked(len) else {
        return;
    };
    let Some(format) = format() else {
        return;
    };
    let map = TableMap::parse(&raw(EventType::TABLE_MAP, map), &format);
    let Some(columns) = map.ok().and_then(|map| map.compile().ok()) else {
        return;
    };
    let Ok(rows) = Rows::parse(&raw(EventType(*event_type), rows), &format) else {
        return;
    };
    let mut buffer = Vec::new();
    let Ok(rows) = rows.inflate(&mut buffer, 1 << 16) else {
        return;
    };
    for change in rows.changes(&columns).flatten() {
        change.before.iter().chain(&change.after).for_each(walk);
    }
}

fn walk(image: &RowImage<'_, '_>) {
    let mut walked = 0;
    for (ordinal, value) in image.values().flatten() {
        walked += 1;
        // By itself it is the same. As texts: NaN is not equal to itself.
        let alone = image.value(ordinal).ok().flatten();
        assert_eq!(alone.map(|it| it.to_string()), Some(value.to_string()));
    }
    assert!(walked <= image.present().count());
}

pub(crate) fn raw(event_type: EventType, body: &[u8]) -> RawEvent<'_> {
    let header = EventHeader {
        timestamp: 0,
        event_type,
        server_id: 1,
        event_size: 0,
        log_pos: 0,
        flags: 0,
    };
    RawEvent { header, body }
}

/// A format description with the fixed lengths of MySQL's and MariaDB's row events.
pub(crate) fn format() -> Option<FormatDescription> {
    let mut body = vec![4, 0];
    let mut version = b"8.4.0".to_vec();
    version.resize(50, 0);
    body.extend(version);
    body.extend([0, 0, 0, 0, 19]);
    body.extend((1..=171).map(|event_type: u8| match event_type {
        19 | 23..=25 | 166..=168 => 8,
        30..=32 | 39 | 169..=171 => 10,
        _ => 0,
    }));
    body.push(0);
    FormatDescription::parse(&raw(EventType::FORMAT_DESCRIPTION, &body)).ok()
}
