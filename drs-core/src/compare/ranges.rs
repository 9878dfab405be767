//! Ranges of a key, and what each server sums up over them.

use mysql::{Conn, Row, prelude::Queryable};

use super::{
    CompareError,
    error::{has_outgrown_packet, query},
    pair::Side,
};
use crate::{
    copy::{Bound, ChunkKey},
    endpoint::Role,
    schema::ColumnKind,
    sql,
};

/// Rows of a range whose sums differ are fetched, so a range is small.
pub(super) const ROWS_MAX: u64 = 500;
const BYTES: u64 = 128 << 10;

/// Ranges that one statement sums up.
const RANGES_MAX: usize = 64;
const STATEMENT_BYTES: usize = 256 << 10;

/// The rows above a key and up to another one, both of the source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) lower: Option<Bound>,
    pub(super) upper: Option<Bound>,
}

/// What a server sums up over a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RangeSum {
    pub(super) rows: u64,
    /// The sum of the rows' numbers, as the server prints it.
    sum: Vec<u8>,
    /// A row may be missing in the sum.
    has_warned: bool,
}

impl RangeSum {
    /// True when the same rows are certain to be in both sums.
    pub(super) fn equals(&self, other: &Self) -> bool {
        !self.has_warned && !other.has_warned && self.rows == other.rows && self.sum == other.sum
    }
}

/// How many rows of a table make a range, and how many ranges a statement takes.
pub(super) fn sizes(side: &Side, bytes_per_row: u64) -> (u64, usize) {
    let rows = (BYTES / bytes_per_row.max(1)).clamp(1, ROWS_MAX);
    let columns = side.columns.len().max(1);
    // A guess at the text of the sum of one range.
    let ranges = (STATEMENT_BYTES / (200 + columns * 60)).clamp(1, RANGES_MAX);
    (rows, ranges)
}

/// Ranges of a key that is one number, made without looking at the rows between.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    next: i128,
    last: i128,
    step: i128,
}

/// So many numbers to a row, and more, make ranges of a number too uneven.
const NUMBERS_PER_ROW_MAX: i128 = 64;

impl Steps {
    /// `None` for other keys, and for numbers with wide gaps.
    pub(super) fn of(
        conn: &mut Conn,
        side: &Side,
        key: &ChunkKey,
        lower: Option<&Bound>,
        (rows_per_range, rows_estimate): (u64, u64),
    ) -> Result<Option<Self>, CompareError> {
        let [column] = key.columns() else {
            return Ok(None);
        };
        if column.kind != ColumnKind::Int || rows_estimate <= rows_per_range {
            return Ok(None);
        }
        let name = sql::identifier(&column.name);
        let ends: Option<(Option<String>, Option<String>)> = conn
            .query_first(format!(
                "SELECT MIN({name}+0),MAX({name}+0) FROM {}",
                side.from()
            ))
            .map_err(query(
                Role::Source,
                format!("reading the ends of {}", side.name),
            ))?;
        let number = |text: Option<String>| text.and_then(|text| text.parse::<i128>().ok());
        let ends = ends.map(|(first, last)| (number(first), number(last)));
        let Some((Some(first), Some(last))) = ends else {
            return Ok(None);
        };
        let (rows, per_range) = (i128::from(rows_estimate), i128::from(rows_per_range));
        let span = last - first + 1;
        let is_even = span / rows < NUMBERS_PER_ROW_MAX;
        let lower = lower.and_then(|bound| bound.text().parse().ok());
        Ok(is_even.then(|| Self {
            next: lower.unwrap_or(first - 1),
            last,
            step: (per_range * span / rows).max(per_range),
        }))
    }

    /// The next ranges, as [`next_ranges`] gives them.
    pub(super) fn next_ranges(
        &mut self,
        key: &ChunkKey,
        within: &Range,
        ranges: usize,
    ) -> (Vec<Range>, bool) {
        let mut lower = within.lower.clone();
        let mut all = Vec::with_capacity(ranges);
        while all.len() < ranges {
            self.next += self.step;
            let upper = Bound::parse(&self.next.to_string(), key);
            match upper.filter(|_| self.next < self.last) {
                Some(upper) => all.push(Range {
                    lower: lower.replace(upper.clone()),
                    upper: Some(upper),
                }),
                None => {
                    all.push(Range { lower, upper: None });
                    return (all, true);
                }
            }
        }
        (all, false)
    }
}

/// The next ranges above a key, as the rows of one side lie, and whether these are the last ones.
pub(super) fn next_ranges(
    conn: &mut Conn,
    (side, role): (&Side, Role),
    key: &ChunkKey,
    within: &Range,
    (rows, ranges): (u64, usize),
) -> Result<(Vec<Range>, bool), CompareError> {
    let failed = query(role, format!("dividing {} into ranges", side.name));
    conn.query_drop("SET @drs_row = 0").map_err(&failed)?;
    let condition = key.condition(within.lower.as_ref(), within.upper.as_ref());
    let word = if condition.is_empty() { "WHERE" } else { "AND" };
    // The server counts the rows as it walks along the key. Whatever it makes of it: any keys in
    // their order divide the table.
    let statement = format!(
        "SELECT {} FROM {}{condition} {word} (@drs_row := @drs_row + 1) % {rows} = 0 ORDER BY {} LIMIT {ranges}",
        key.select_list(),
        side.from(),
        key.order(),
    );
    let found: Vec<Row> = conn.query(statement).map_err(&failed)?;
    let is_last = found.len() < ranges;
    let mut lower = within.lower.clone();
    let mut all = Vec::with_capacity(found.len() + 1);
    for row in found {
        let upper = key.bound(&row, &side.name)?;
        // A key may be there more often where no unique key forbids it.
        if lower.as_ref() == Some(&upper) {
            continue;
        }
        all.push(Range {
            lower: lower.replace(upper.clone()),
            upper: Some(upper),
        });
    }
    if is_last {
        all.push(Range {
            lower,
            upper: within.upper.clone(),
        });
    }
    Ok((all, is_last))
}

/// Sums each range up, in one statement.
pub(super) fn sums(
    conn: &mut Conn,
    (side, role): (&Side, Role),
    key: &ChunkKey,
    ranges: &[Range],
) -> Result<Vec<RangeSum>, CompareError> {
    let sum = side.sum();
    let from = side.from();
    let selects: Vec<String> = ranges
        .iter()
        .enumerate()
        .map(|(index, range)| {
            let condition = key.condition(range.lower.as_ref(), range.upper.as_ref());
            format!(
                "(SELECT {index},COUNT(*),{sum} FROM {from}{})",
                side.narrowed(condition)
            )
        })
        .collect();
    let rows: Vec<(usize, u64, Option<Vec<u8>>)> = conn
        .query(selects.join(" UNION ALL "))
        .map_err(query(role, format!("summing up {}", side.name)))?;
    let has_warned = has_outgrown_packet(conn, role)?;
    let mut sums = vec![None; ranges.len()];
    for (index, rows, sum) in rows {
        if let Some(place) = sums.get_mut(index) {
            *place = Some(RangeSum {
                rows,
                sum: sum.unwrap_or_default(),
                has_warned,
            });
        }
    }
    let unreadable = || CompareError::Unreadable {
        table: side.name.clone(),
        role,
    };
    sums.into_iter()
        .collect::<Option<Vec<_>>>()
        .ok_or_else(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    #[test]
    fn steps_cover_every_number() {
        let column = Column {
            kind: ColumnKind::Int,
            ..Column::text_for_tests("utf8mb4_bin")
        };
        let key = ChunkKey::with(None, vec![column]);
        let mut steps = Steps {
            next: -1,
            last: 2_500,
            step: 1_000,
        };
        let mut within = Range::default();
        let mut seen = Vec::new();
        loop {
            let (ranges, is_last) = steps.next_ranges(&key, &within, 2);
            for range in &ranges {
                let text = |bound: &Option<Bound>| bound.as_ref().map(Bound::text);
                seen.push((text(&range.lower), text(&range.upper)));
            }
            within.lower = ranges.last().and_then(|range| range.upper.clone());
            if is_last {
                break;
            }
        }
        let some = |number: &str| Some(number.to_owned());
        assert_eq!(
            seen,
            [
                (None, some("999")),
                (some("999"), some("1999")),
                (some("1999"), None),
            ]
        );
    }
}
