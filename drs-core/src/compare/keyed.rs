//! Single rows of a range, told apart by their key.

use hashbrown::HashMap;
use mysql::{Conn, Row, Value, prelude::Queryable};

use super::{
    CompareError, CompareLevel, RowDifferenceKind,
    error::{has_outgrown_packet, query},
    pair::{Side, TablePair},
};
use crate::{
    copy::{Bound, ChunkKey},
    endpoint::Role,
    schema::ColumnKind,
};

/// A row that is not the same on both sides, as of now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suspect {
    pub(super) kind: RowDifferenceKind,
    /// Its key, as the side has it where the row is; the source's if it is on both.
    pub(super) key: Bound,
}

/// A row's key and digest.
#[derive(Debug)]
pub(super) struct KeyedRow {
    key: Bound,
    /// The key's stored bytes.
    bytes: Vec<u8>,
    digest: Vec<u8>,
}

/// Reads the keys and digests of the rows that a condition takes.
pub(super) fn read_rows(
    conn: &mut Conn,
    (side, role): (&Side, Role),
    key: &ChunkKey,
    condition: &str,
    locks: bool,
) -> Result<Vec<KeyedRow>, CompareError> {
    // The form that every version knows.
    let lock = if locks { " LOCK IN SHARE MODE" } else { "" };
    let statement = format!(
        "SELECT {},{} FROM {}{}{lock}",
        key.select_list(),
        side.digest(),
        side.from(),
        side.narrowed(condition.to_owned()),
    );
    let mut rows = Vec::new();
    let result = conn
        .query_iter(statement)
        .map_err(query(role, format!("reading {}", side.name)))?;
    for row in result {
        let row: Row = row.map_err(query(role, format!("reading {}", side.name)))?;
        rows.push(keyed_row(&row, (side, role), key)?);
    }
    if has_outgrown_packet(conn, role)? {
        return Err(CompareError::RowTooLong {
            table: side.name.clone(),
            role,
        });
    }
    Ok(rows)
}

fn keyed_row(
    row: &Row,
    (side, role): (&Side, Role),
    key: &ChunkKey,
) -> Result<KeyedRow, CompareError> {
    let columns = key.columns().len();
    let mut bytes = Vec::new();
    for (index, column) in key.columns().iter().enumerate() {
        if let Some(Value::Bytes(value)) = row.as_ref(index) {
            let value = match column.kind {
                // The same number, whatever width it is shown with.
                ColumnKind::Int | ColumnKind::Decimal => without_zeros(value),
                _ => value.as_slice(),
            };
            bytes.extend_from_slice(&(value.len() as u64).to_be_bytes());
            bytes.extend_from_slice(value);
        }
    }
    let digest = match row.as_ref(columns) {
        Some(Value::Bytes(digest)) => digest.clone(),
        _ => {
            return Err(CompareError::RowTooLong {
                table: side.name.clone(),
                role,
            });
        }
    };
    Ok(KeyedRow {
        key: key.bound(row, &side.name)?,
        bytes,
        digest,
    })
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|digit| **digit == b'0').count();
    number.get(zeros..).unwrap_or_default()
}

/// What is not the same in both lists, in the order of the source's rows and then the
/// destination's.
pub(super) fn differing(source: &[KeyedRow], destination: &[KeyedRow]) -> Vec<Suspect> {
    // Where no unique key of the destination forbids it, a key may be there more than once.
    let mut there: HashMap<&[u8], (&KeyedRow, usize)> = HashMap::with_capacity(destination.len());
    for row in destination {
        let (_, times) = there.entry(row.bytes.as_slice()).or_insert((row, 0));
        *times += 1;
    }
    let mut suspects = Vec::new();
    for row in source {
        let (other, times) = match there.remove(row.bytes.as_slice()) {
            Some((other, times)) => (Some(other), times),
            None => (None, 1),
        };
        let kind = match other {
            Some(other) if other.digest == row.digest => None,
            Some(_) => Some(RowDifferenceKind::Different),
            None => Some(RowDifferenceKind::Missing),
        };
        let surplus = std::iter::repeat_n(RowDifferenceKind::Extra, times - 1);
        suspects.extend(kind.into_iter().chain(surplus).map(|kind| Suspect {
            kind,
            key: row.key.clone(),
        }));
    }
    let extra = destination
        .iter()
        .filter(|row| there.contains_key(row.bytes.as_slice()));
    suspects.extend(extra.map(|row| Suspect {
        kind: RowDifferenceKind::Extra,
        key: row.key.clone(),
    }));
    suspects
}

/// Looks again at rows that seem to be on one side only, where the key's order or equality may not
/// be the same as that of the bytes: `A` is the key `a` in other letters, and a row may lie in
/// another range at the other server.
pub(super) fn look_up(
    [source, destination]: [&mut Conn; 2],
    pair: &TablePair,
    [key, key_there]: [&ChunkKey; 2],
    suspects: Vec<Suspect>,
) -> Result<Vec<Suspect>, CompareError> {
    let is_text = |column: &crate::Column| column.kind == ColumnKind::Text;
    let one_sided = |suspect: &Suspect| suspect.kind != RowDifferenceKind::Different;
    if !key.columns().iter().any(is_text) || !suspects.iter().any(one_sided) {
        return Ok(suspects);
    }
    let mut kept: Vec<Suspect> = Vec::with_capacity(suspects.len());
    for suspect in suspects {
        if !one_sided(&suspect) {
            kept.push(suspect);
            continue;
        }
        let at_source = format!(" WHERE {}", key.equals(&suspect.key));
        let at_destination = format!(" WHERE {}", key_there.equals(&suspect.key));
        let rows = read_rows(source, (&pair.source, Role::Source), key, &at_source, false)?;
        let there = read_rows(
            destination,
            (&pair.destination, Role::Destination),
            key_there,
            &at_destination,
            false,
        )?;
        let is_surplus = !rows.is_empty() && rows.len() < there.len();
        if suspect.kind == RowDifferenceKind::Extra && is_surplus {
            kept.push(suspect);
            continue;
        }
        let found = match (rows.first(), there.first()) {
            (None, None) => continue,
            (Some(row), Some(other)) if row.bytes == other.bytes && row.digest == other.digest => {
                continue;
            }
            // There is such a row on both sides, which is all that is asked.
            (Some(_), Some(_)) if pair.level == CompareLevel::Count => continue,
            (Some(row), Some(_)) => Suspect {
                kind: RowDifferenceKind::Different,
                key: row.key.clone(),
            },
            (Some(row), None) => Suspect {
                kind: RowDifferenceKind::Missing,
                key: row.key.clone(),
            },
            (None, Some(row)) => Suspect {
                kind: RowDifferenceKind::Extra,
                key: row.key.clone(),
            },
        };
        // Both of `A` and `a` were suspects.
        if !kept.contains(&found) {
            kept.push(found);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    #[test]
    fn rows_are_told_apart_by_key_and_digest() {
        let key = ChunkKey::with(None, vec![Column::text_for_tests("utf8mb4_bin")]);
        let row = |name: &str, digest: &str| KeyedRow {
            key: Bound::parse(name, &key).unwrap(),
            bytes: name.as_bytes().to_vec(),
            digest: digest.as_bytes().to_vec(),
        };
        let source = [row("a", "1"), row("b", "1"), row("c", "1")];
        let destination = [
            row("d", "1"),
            row("b", "2"),
            row("a", "1"),
            row("a", "1"),
            row("d", "1"),
        ];
        let found: Vec<_> = differing(&source, &destination)
            .into_iter()
            .map(|suspect| (suspect.kind, suspect.key.text()))
            .collect();
        assert_eq!(
            found,
            [
                (RowDifferenceKind::Extra, "a".to_owned()),
                (RowDifferenceKind::Different, "b".to_owned()),
                (RowDifferenceKind::Missing, "c".to_owned()),
                (RowDifferenceKind::Extra, "d".to_owned()),
                (RowDifferenceKind::Extra, "d".to_owned()),
            ]
        );
    }
}
