//! What a difference looks like: the key, the columns, the values.

use mysql::{Conn, Row, Value, prelude::Queryable};

use super::{
    ColumnDifference, CompareError, RowDifference, RowDifferenceKind, Shown,
    canonical::legible,
    error::query,
    keyed::Suspect,
    pair::{Side, TablePair},
};
use crate::{
    copy::ChunkKey,
    endpoint::Role,
    schema::{Column, ColumnKind},
    sql,
};

/// So much of a value is shown, in characters.
const SHOWN_CHARS: usize = 200;
/// So much of a long value is shown before and behind the first byte that differs.
const AROUND_BYTES: u64 = 30;

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
        &mut *destination,
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
        (Some(values), Some(_))
            if suspect.kind == RowDifferenceKind::Extra
                && is_surplus([source, destination], pair, [key, key_there], suspect)? =>
        {
            (
                RowDifferenceKind::Extra,
                key_of(&values, &pair.source, key),
                Vec::new(),
            )
        }
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
            let conditions = [key.equals(&suspect.key), key_there.equals(&suspect.key)];
            let mut columns = columns;
            for column in &mut columns {
                around([&mut *source, &mut *destination], pair, &conditions, column)?;
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

/// Shows long values that begin alike where they differ.
fn around(
    conns: [&mut Conn; 2],
    pair: &TablePair,
    conditions: &[String; 2],
    column: &mut ColumnDifference,
) -> Result<(), CompareError> {
    let places = [&pair.source, &pair.destination];
    let place = places[0]
        .columns
        .iter()
        .position(|own| own.name == column.column);
    let own = place.and_then(|place| places[0].columns.get(place));
    let is_long = |column: &Column| {
        matches!(column.kind, ColumnKind::Text | ColumnKind::Binary)
            && column
                .bytes_max
                .is_none_or(|bytes| bytes > SHOWN_CHARS as u64)
    };
    let (Some(place), Shown::Hex(_), Shown::Hex(_)) = (place, &column.source, &column.destination)
    else {
        return Ok(());
    };
    if !own.is_some_and(is_long) {
        return Ok(());
    }
    let [source, destination] = conns;
    let mut sides = [
        (source, &pair.source, Role::Source),
        (destination, &pair.destination, Role::Destination),
    ];
    let mut ask = |expression: &dyn Fn(&str) -> String| -> Result<[Vec<u8>; 2], CompareError> {
        let mut answers = [Vec::new(), Vec::new()];
        for ((conn, side, role), (condition, answer)) in
            sides.iter_mut().zip(conditions.iter().zip(&mut answers))
        {
            let name = side
                .columns
                .get(place)
                .map(|column| sql::identifier(&column.name));
            let statement = format!(
                "SELECT {} FROM {}{} LIMIT 1",
                expression(&format!("CAST({} AS BINARY)", name.unwrap_or_default())),
                side.from(),
                side.narrowed(format!(" WHERE {condition}"))
            );
            let found: Option<Option<Vec<u8>>> = conn
                .query_first(statement)
                .map_err(query(*role, format!("reading a row of {}", side.name)))?;
            *answer = found.flatten().unwrap_or_default();
        }
        Ok(answers)
    };
    let lengths = ask(&|bytes| format!("LENGTH({bytes})"))?;
    let length = |text: &[u8]| String::from_utf8_lossy(text).parse::<u64>().unwrap_or(0);
    // The first `same` bytes are alike, the first `other` ones are not.
    let (mut same, mut other) = (
        0,
        lengths.iter().map(|text| length(text)).max().unwrap_or(0),
    );
    while other > same + 1 {
        let middle = same + (other - same) / 2;
        let [here, there] = ask(&|bytes| format!("SHA2(LEFT({bytes},{middle}),256)"))?;
        match here == there {
            true => same = middle,
            false => other = middle,
        }
    }
    let first = same.saturating_sub(AROUND_BYTES);
    let is_text = own.is_some_and(|own| own.kind == ColumnKind::Text);
    let part = |bytes: &str| format!("SUBSTRING({bytes},{},{})", first + 1, 2 * AROUND_BYTES);
    let [here, there] = match is_text {
        true => ask(&part)?,
        false => ask(&|bytes| format!("HEX({})", part(bytes)))?,
    };
    let shown = |bytes: Vec<u8>| Shown::Around(String::from_utf8_lossy(&bytes).into_owned(), same);
    (column.source, column.destination) = (shown(here), shown(there));
    Ok(())
}

/// True when the destination has more rows with a key than the source.
fn is_surplus(
    [source, destination]: [&mut Conn; 2],
    pair: &TablePair,
    [key, key_there]: [&ChunkKey; 2],
    suspect: &Suspect,
) -> Result<bool, CompareError> {
    let count = |conn: &mut Conn, (side, role): (&Side, Role), key: &ChunkKey| {
        let condition = side.narrowed(format!(" WHERE {}", key.equals(&suspect.key)));
        let count: Option<u64> = conn
            .query_first(format!("SELECT COUNT(*) FROM {}{condition}", side.from()))
            .map_err(query(role, format!("counting rows of {}", side.name)))?;
        Ok::<_, CompareError>(count.unwrap_or(0))
    };
    let here = count(source, (&pair.source, Role::Source), key)?;
    let there = count(
        destination,
        (&pair.destination, Role::Destination),
        key_there,
    )?;
    Ok(here < there)
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
                    Some(value) if hex && (value.len() as u64) < length => {
                        Shown::CutHex(text(value), length / 2)
                    }
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
