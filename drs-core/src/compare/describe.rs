//! What a difference looks like: the key, the columns, the values.

use mysql::{Conn, Row, Value, prelude::Queryable};

use super::{
    ColumnDifference, CompareError, RowDifference, RowDifferenceKind, Shown,
    canonical::legible,
    error::query,
    keyed::Suspect,
    pair::{Side, TablePair},
};
use crate::{copy::ChunkKey, endpoint::Role, schema::ColumnKind, sql};

/// So much of a value is shown, in characters.
const SHOWN_CHARS: usize = 200;

/// Looks at the row on both sides; `None` when it is the same by now.
pub(super) fn describe(
    [source, destination]: [&mut Conn; 2],
    pair: &TablePair,
    [key, key_there]: [&ChunkKey; 2],
    suspect: &Suspect,
) -> Result<Option<RowDifference>, CompareError> {
    let at_source = read(
        source,
        (&pair.source, Role::Source),
        &key.equals(&suspect.key),
    )?;
    let at_destination = read(
        destination,
        (&pair.destination, Role::Destination),
        &key_there.equals(&suspect.key),
    )?;
    let key_of = |values: &[Seen], side: &Side, key: &ChunkKey| -> Vec<(String, Shown)> {
        key.columns()
            .iter()
            .filter_map(|column| {
                let place = side
                    .columns
                    .iter()
                    .position(|own| own.name == column.name)?;
                Some((column.name.clone(), values.get(place)?.shown.clone()))
            })
            .collect()
    };
    let (kind, key, columns) = match (at_source, at_destination) {
        (None, None) => return Ok(None),
        (Some(values), None) => (
            RowDifferenceKind::Missing,
            key_of(&values, &pair.source, key),
            Vec::new(),
        ),
        (None, Some(values)) => (
            RowDifferenceKind::Extra,
            key_of(&values, &pair.destination, key_there),
            Vec::new(),
        ),
        (Some(values), Some(others)) => {
            let columns: Vec<ColumnDifference> = pair
                .source
                .columns
                .iter()
                .zip(values.iter().zip(&others))
                .filter(|(_, (own, other))| own.digest != other.digest)
                .map(|(column, (own, other))| {
                    // What looks the same is shown by its stored bytes.
                    let exact = own.shown == other.shown;
                    let pick = |seen: &Seen| match exact {
                        true => seen.exact.clone(),
                        false => seen.shown.clone(),
                    };
                    ColumnDifference {
                        column: column.name.clone(),
                        source: pick(own),
                        destination: pick(other),
                    }
                })
                .collect();
            if columns.is_empty() {
                return Ok(None);
            }
            (
                RowDifferenceKind::Different,
                key_of(&values, &pair.source, key),
                columns,
            )
        }
    };
    Ok(Some(RowDifference {
        kind,
        key,
        columns,
        times: 1,
    }))
}

/// A value as it was read.
#[derive(Debug)]
pub(super) struct Seen {
    digest: Vec<u8>,
    pub(super) shown: Shown,
    exact: Shown,
}

/// Reads the first row that a condition takes, value by value.
pub(super) fn read(
    conn: &mut Conn,
    (side, role): (&Side, Role),
    condition: &str,
) -> Result<Option<Vec<Seen>>, CompareError> {
    let mut expressions = Vec::new();
    let mut is_hex = Vec::new();
    for (index, column) in side.columns.iter().enumerate() {
        let name = sql::identifier(&column.name);
        let bytes = side.value_bytes(index).unwrap_or_default();
        let (shown, hex) = legible(column);
        let exact = match column.kind {
            ColumnKind::Json => sql::json::typed_list(&name, true),
            _ => format!("HEX({bytes})"),
        };
        let exact = match column.kind == ColumnKind::Json && !side.tells_json_types {
            true => "''".to_owned(),
            false => exact,
        };
        expressions.push(format!(
            "SHA2({bytes},256),IF({name} IS NULL,NULL,LEFT({shown},{SHOWN_CHARS})),LENGTH({shown}),LEFT({exact},{SHOWN_CHARS})"
        ));
        is_hex.push(hex);
    }
    let statement = format!(
        "SELECT {} FROM {}{} LIMIT 1",
        expressions.join(","),
        side.from(),
        side.narrowed(format!(" WHERE {condition}"))
    );
    let row: Option<Row> = conn
        .query_first(statement)
        .map_err(query(role, format!("reading a row of {}", side.name)))?;
    let Some(row) = row else { return Ok(None) };
    let bytes = |index: usize| match row.as_ref(index) {
        Some(Value::Bytes(bytes)) => Some(bytes.as_slice()),
        _ => None,
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Some(
        is_hex
            .into_iter()
            .enumerate()
            .map(|(index, hex)| {
                let place = index * 4;
                let length = bytes(place + 2)
                    .and_then(|length| text(length).parse::<u64>().ok())
                    .unwrap_or(0);
                let shown = match bytes(place + 1) {
                    None => Shown::Null,
                    Some(value) if (value.len() as u64) < length => Shown::Cut(text(value), length),
                    Some(value) if hex => Shown::Hex(text(value)),
                    Some(value) => Shown::Text(text(value)),
                };
                Seen {
                    digest: bytes(place).unwrap_or_default().to_vec(),
                    shown,
                    exact: Shown::Hex(bytes(place + 3).map(text).unwrap_or_default()),
                }
            })
            .collect(),
    ))
}
