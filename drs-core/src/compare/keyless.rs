//! Tables without a key: as multisets of rows, told apart by their digests alone.

use hashbrown::HashMap;
use mysql::{Conn, prelude::Queryable};

use super::{
    CompareError, CompareLevel, RowCounts, RowDifference, RowDifferenceKind,
    describe::read,
    error::{has_outgrown_packet, query},
    pair::{Side, TablePair},
    run::both,
};
use crate::{endpoint::Role, sql};

/// Digests of so many rows are held in memory at a time.
const ROWS_HELD_MAX: u64 = 200_000;

/// Rows of a table, and the sum of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TableSum {
    pub(super) rows: u64,
    sum: Vec<u8>,
}

/// Rows that are there more often at one side.
#[derive(Clone, Debug)]
pub(super) struct Surplus {
    pub(super) digest: String,
    pub(super) kind: RowDifferenceKind,
    pub(super) times: u64,
}

/// What a look at both tables gave.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) source: TableSum,
    pub(super) destination: TableSum,
}

impl Look {
    pub(super) fn is_equal(&self) -> bool {
        self.source == self.destination
    }
}

/// Sums both tables up.
pub(super) fn look(
    [source, destination]: [&mut Conn; 2],
    pair: &TablePair,
) -> Result<Look, CompareError> {
    let (source, destination) = both(
        || sum(source, (&pair.source, Role::Source)),
        || sum(destination, (&pair.destination, Role::Destination)),
    )?;
    Ok(Look {
        source,
        destination,
    })
}

/// Sums one table up.
pub(super) fn sum(conn: &mut Conn, (side, role): (&Side, Role)) -> Result<TableSum, CompareError> {
    let statement = format!(
        "SELECT COUNT(*), {} FROM {}{}",
        side.sum(),
        side.from(),
        side.narrowed(String::new())
    );
    let row: Option<(u64, Option<Vec<u8>>)> = conn
        .query_first(statement)
        .map_err(query(role, format!("summing up {}", side.name)))?;
    if has_outgrown_packet(conn, role)? {
        return Err(CompareError::RowTooLong {
            table: side.name.clone(),
            role,
        });
    }
    let (rows, sum) = row.unwrap_or_default();
    Ok(TableSum {
        rows,
        sum: sum.unwrap_or_default(),
    })
}

/// The rows that are there more often at one side, and how many these are. A part of the rows is
/// looked at in each pass over the tables, so that memory does not grow with them.
pub(super) fn differing(
    [source, destination]: [&mut Conn; 2],
    pair: &TablePair,
    rows: u64,
    mut each: impl FnMut(Surplus),
) -> Result<RowCounts, CompareError> {
    let mut counts = RowCounts::default();
    if pair.level == CompareLevel::Count {
        let look = look([&mut *source, &mut *destination], pair)?;
        counts.missing = look.source.rows.saturating_sub(look.destination.rows);
        counts.extra = look.destination.rows.saturating_sub(look.source.rows);
        return Ok(counts);
    }
    let passes = rows / ROWS_HELD_MAX + 1;
    for pass in 0..passes {
        let digests = |conn: &mut Conn, side: &Side, role: Role| {
            let digest = side.digest();
            let part = format!(" WHERE CONV(LEFT({digest},8),16,10)%{passes}={pass}");
            let mut times: HashMap<Box<str>, u64> = HashMap::new();
            let statement = format!(
                "SELECT {digest} FROM {}{}",
                side.from(),
                side.narrowed(part)
            );
            let failed = query(role, format!("reading {}", side.name));
            for row in conn.query_iter(statement).map_err(&failed)? {
                let digest: (String,) = mysql::from_row(row.map_err(&failed)?);
                *times.entry(digest.0.into_boxed_str()).or_default() += 1;
            }
            Ok(times)
        };
        let (here, mut there) = both(
            || digests(source, &pair.source, Role::Source),
            || digests(destination, &pair.destination, Role::Destination),
        )?;
        for (digest, times) in here {
            let others = there.remove(&digest).unwrap_or(0);
            if times > others {
                counts.missing += times - others;
                each(surplus(&digest, RowDifferenceKind::Missing, times - others));
            } else if others > times {
                counts.extra += others - times;
                each(surplus(&digest, RowDifferenceKind::Extra, others - times));
            }
        }
        for (digest, times) in there {
            counts.extra += times;
            each(surplus(&digest, RowDifferenceKind::Extra, times));
        }
    }
    Ok(counts)
}

fn surplus(digest: &str, kind: RowDifferenceKind, times: u64) -> Surplus {
    Surplus {
        digest: digest.to_owned(),
        kind,
        times,
    }
}

/// Looks such a row up where it is.
pub(super) fn describe(
    [source, destination]: [&mut Conn; 2],
    pair: &TablePair,
    surplus: &Surplus,
) -> Result<Option<RowDifference>, CompareError> {
    let (conn, side, role) = match surplus.kind {
        RowDifferenceKind::Missing => (source, &pair.source, Role::Source),
        _ => (destination, &pair.destination, Role::Destination),
    };
    let mut condition = format!("{}=", side.digest());
    sql::write_text(&mut condition, &surplus.digest);
    let seen = read(conn, (side, role), &condition)?;
    Ok(seen.map(|seen| RowDifference {
        kind: surplus.kind,
        key: side
            .columns
            .iter()
            .zip(seen)
            .map(|(column, seen)| (column.name.clone(), seen.shown))
            .collect(),
        columns: Vec::new(),
        times: surplus.times,
    }))
}
