use std::mem;

use mysql::{Conn, Row, Value, prelude::Queryable};

use super::{
    CopyError,
    columns::{select_expression, write_bound},
    error::at_source,
};
use crate::{
    checkpoint::ChunkRecord,
    object::TableName,
    schema::{Column, ColumnKind, TableSchema},
    sql,
};

/// More rows than this are never put into one chunk, however small they are.
const ROWS_MAX: u64 = 500_000;

/// The same before a chunk has shown how large the rows are: a server's statistics may be of
/// a time when the table was almost empty.
const FIRST_ROWS_MAX: u64 = 200;

/// A keyed table's key, as the chunks' conditions need it.
#[derive(Clone, Debug)]
pub(crate) struct ChunkKey {
    /// The index that reads follow; `None` leaves it to the server.
    index: Option<String>,
    columns: Vec<Column>,
}

impl ChunkKey {
    /// The key that tells the table's rows apart; `None` for a keyless table.
    pub(crate) fn of(schema: &TableSchema) -> Option<Self> {
        let key = schema.row_key()?;
        let columns = key
            .parts
            .iter()
            .map(|part| {
                part.column
                    .and_then(|index| schema.columns.get(index))
                    .cloned()
            })
            .collect::<Option<Vec<Column>>>()?;
        Some(Self {
            index: Some(key.name.clone()),
            columns,
        })
    }

    /// The key of a table that has the same rows as one with such a key.
    pub(crate) fn with(index: Option<String>, columns: Vec<Column>) -> Self {
        Self { index, columns }
    }

    /// The names of the key's columns, for messages.
    pub(crate) fn column_names(&self) -> String {
        self.columns
            .iter()
            .map(|column| column.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Makes the reads follow the key, whatever the server's statistics say.
    pub(crate) fn index_hint(&self) -> String {
        match &self.index {
            Some(index) => format!("FORCE INDEX ({})", sql::identifier(index)),
            None => String::new(),
        }
    }

    /// The condition that a row is above `lower` and at or below `upper`; the server compares.
    pub(crate) fn condition(&self, lower: Option<&Bound>, upper: Option<&Bound>) -> String {
        let lower = lower.map(|bound| self.beyond(bound, '>', false));
        let upper = upper.map(|bound| self.beyond(bound, '<', true));
        let parts: Vec<String> = lower.into_iter().chain(upper).collect();
        if parts.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", parts.join(" AND "))
        }
    }

    /// `(a > x OR (a = x AND (b > y)))`: the form that every version turns into a range of the key.
    fn beyond(&self, bound: &Bound, operator: char, inclusive: bool) -> String {
        let mut condition = String::new();
        for (column, literal) in self.columns.iter().zip(&bound.literals).rev() {
            let name = sql::comparable(column);
            condition = if condition.is_empty() {
                let equal = if inclusive { "=" } else { "" };
                format!("({name} {operator}{equal} {literal})")
            } else {
                format!("({name} {operator} {literal} OR ({name} = {literal} AND {condition}))")
            };
        }
        condition
    }

    /// Reads the key of the row that is `rows` rows above `lower`; `None` when there are fewer.
    fn boundary(
        &self,
        conn: &mut Conn,
        schema: &TableSchema,
        lower: Option<&Bound>,
        rows: u64,
    ) -> Result<Option<Bound>, CopyError> {
        let condition = self.condition(lower, None);
        self.row_at(conn, schema, &condition, rows.saturating_sub(1))
    }

    /// Reads the least key that is at or above a number; `None` when there is none.
    fn first_from(
        &self,
        conn: &mut Conn,
        schema: &TableSchema,
        number: i64,
    ) -> Result<Option<Bound>, CopyError> {
        let Some(column) = self.columns.first() else {
            return Ok(None);
        };
        let condition = format!(" WHERE {} >= {number}", sql::comparable(column));
        self.row_at(conn, schema, &condition, 0)
    }

    fn row_at(
        &self,
        conn: &mut Conn,
        schema: &TableSchema,
        condition: &str,
        offset: u64,
    ) -> Result<Option<Bound>, CopyError> {
        let (list, order) = (self.select_list(), self.order());
        let statement = format!(
            "SELECT {list} FROM {} {}{condition} ORDER BY {order} LIMIT 1 OFFSET {offset}",
            sql::table(&schema.name),
            self.index_hint(),
        );
        let row: Option<Row> = conn.query_first(statement).map_err(at_source(format!(
            "looking for the end of a part of {}",
            schema.name
        )))?;
        row.map(|row| self.bound(&row, &schema.name)).transpose()
    }

    /// A bound as a number, of a key that is one integer.
    fn number(&self, bound: &str) -> Option<i64> {
        match self.columns.as_slice() {
            [column] if column.kind == ColumnKind::Int => bound.parse().ok(),
            _ => None,
        }
    }

    /// The columns of the key, in its order.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// What a SELECT asks for to get a key that [`Self::bound`] reads.
    pub(crate) fn select_list(&self) -> String {
        self.columns
            .iter()
            .map(select_expression)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The key's columns, for ORDER BY.
    pub(crate) fn order(&self) -> String {
        self.columns
            .iter()
            .map(|column| sql::identifier(&column.name))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The key of a row that begins with the values of [`Self::select_list`].
    pub(crate) fn bound(&self, row: &Row, table: &TableName) -> Result<Bound, CopyError> {
        let mut literals = Vec::with_capacity(self.columns.len());
        for (index, column) in self.columns.iter().enumerate() {
            let bytes = match row.as_ref(index) {
                Some(Value::Bytes(bytes)) => Some(bytes.as_slice()),
                _ => None,
            };
            let mut literal = String::new();
            write_bound(&mut literal, bytes, column).ok_or_else(|| CopyError::Value {
                table: table.clone(),
                column: column.name.clone(),
            })?;
            literals.push(literal);
        }
        Ok(Bound { literals })
    }

    /// The condition that a row has this key; the server compares.
    pub(crate) fn equals(&self, bound: &Bound) -> String {
        let parts: Vec<String> = self
            .columns
            .iter()
            .zip(&bound.literals)
            .map(|(column, literal)| format!("{} = {literal}", sql::comparable(column)))
            .collect();
        format!("({})", parts.join(" AND "))
    }
}

/// One end of a chunk: a literal for each column of the key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Bound {
    literals: Vec<String>,
}

/// Stands between the literals in the checkpoint; no literal that is written here has a comma
/// outside of quotes, and none in quotes: text is in hexadecimal, and times have no commas.
const SEPARATOR: &str = ", ";

impl Bound {
    /// Reads a bound from the checkpoint; `None` when it is not one of this key.
    pub(crate) fn parse(text: &str, key: &ChunkKey) -> Option<Self> {
        let literals: Vec<String> = text.split(SEPARATOR).map(str::to_owned).collect();
        (literals.len() == key.columns.len() && literals.iter().all(|literal| !literal.is_empty()))
            .then_some(Self { literals })
    }

    pub(crate) fn text(&self) -> String {
        self.literals.join(SEPARATOR)
    }
}

/// Divides one table into chunks, from the key's first row on; each chunk is made when a
/// session asks for it.
#[derive(Debug)]
pub(super) struct Planner {
    next_number: u32,
    lower: Option<String>,
    finished: bool,
    bytes_per_row: f64,
    has_seen_rows: bool,
    /// Grows while a rule takes no row.
    first_rows_max: u64,
    /// True when the last chunk had a row for every other number at least.
    is_dense: bool,
}

impl Planner {
    /// Goes on after the chunks that were planned already.
    pub(super) fn after(chunks: &[ChunkRecord], bytes_per_row: u64) -> Self {
        let last = chunks.last();
        Self {
            next_number: last.map_or(0, |chunk| chunk.number.saturating_add(1)),
            lower: last.and_then(|chunk| chunk.upper.clone()),
            finished: last.is_some_and(|chunk| chunk.upper.is_none()),
            bytes_per_row: lossy(bytes_per_row.max(1)),
            has_seen_rows: false,
            first_rows_max: FIRST_ROWS_MAX,
            is_dense: false,
        }
    }

    /// True when the last chunk was made.
    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Takes in how large the rows of a chunk turned out to be.
    pub(super) fn learn(&mut self, rows: u64, bytes: u64) {
        if rows == 0 {
            self.first_rows_max = (self.first_rows_max * 4).min(ROWS_MAX);
        } else {
            let seen = lossy(bytes) / lossy(rows);
            if !mem::replace(&mut self.has_seen_rows, true) {
                self.bytes_per_row = seen;
            }
            // Quick to make chunks smaller, slow to make them larger.
            self.bytes_per_row = if seen > self.bytes_per_row {
                seen
            } else {
                (3.0 * self.bytes_per_row + seen) / 4.0
            };
        }
    }

    /// Makes the next chunk; `None` when there is none. It counts once [`Self::accept`]ed.
    pub(super) fn next(
        &self,
        conn: &mut Conn,
        schema: &TableSchema,
        key: &ChunkKey,
        chunk_bytes: u64,
    ) -> Result<Option<ChunkRecord>, CopyError> {
        if self.finished {
            return Ok(None);
        }
        let lower = parse_bound(self.lower.as_deref(), key, schema)?;
        let rows = self.rows(chunk_bytes);
        let upper = match self.dense_end(key, rows) {
            Some(end) => key.first_from(conn, schema, end)?,
            None => key.boundary(conn, schema, lower.as_ref(), rows)?,
        };
        Ok(Some(ChunkRecord {
            number: self.next_number,
            lower: self.lower.clone(),
            upper: upper.map(|bound| bound.text()),
            done: false,
        }))
    }

    /// The number where a chunk of that many rows ends, if the numbers have few gaps: looking
    /// there costs the server a single row, and counting costs it all of them. There are never
    /// more rows than numbers.
    fn dense_end(&self, key: &ChunkKey, rows: u64) -> Option<i64> {
        let lower = key.number(self.lower.as_deref()?)?;
        self.is_dense
            .then(|| lower.checked_add_unsigned(rows))
            .flatten()
    }

    /// Takes note of how many numbers a chunk's rows are spread over.
    pub(super) fn learn_density(&mut self, chunk: &ChunkRecord, key: &ChunkKey, rows: u64) {
        // Most numbers are counted from 1 on.
        let lower = chunk.lower.as_deref().unwrap_or("0");
        let ends = key
            .number(lower)
            .zip(chunk.upper.as_deref().and_then(|upper| key.number(upper)));
        self.is_dense = ends.is_some_and(|(lower, upper)| {
            let numbers = i128::from(upper) - i128::from(lower);
            (1..=2 * i128::from(rows)).contains(&numbers)
        });
    }

    /// Takes note that the chunk is in the checkpoint.
    pub(super) fn accept(&mut self, chunk: &ChunkRecord) {
        self.next_number = chunk.number.saturating_add(1);
        self.lower = chunk.upper.clone();
        self.finished = chunk.upper.is_none();
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped, and positive"
    )]
    fn rows(&self, chunk_bytes: u64) -> u64 {
        let rows_max = if self.has_seen_rows {
            ROWS_MAX
        } else {
            self.first_rows_max
        };
        ((lossy(chunk_bytes) / self.bytes_per_row.max(1.0)) as u64).clamp(1, rows_max)
    }
}

/// The condition of a chunk's rows.
pub(super) fn chunk_condition(
    chunk: &ChunkRecord,
    key: &ChunkKey,
    schema: &TableSchema,
) -> Result<String, CopyError> {
    let lower = parse_bound(chunk.lower.as_deref(), key, schema)?;
    let upper = parse_bound(chunk.upper.as_deref(), key, schema)?;
    Ok(key.condition(lower.as_ref(), upper.as_ref()))
}

fn parse_bound(
    text: Option<&str>,
    key: &ChunkKey,
    schema: &TableSchema,
) -> Result<Option<Bound>, CopyError> {
    let Some(text) = text else { return Ok(None) };
    Bound::parse(text, key)
        .map(Some)
        .ok_or_else(|| CopyError::Redefined {
            table: schema.name.clone(),
        })
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn lossy(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(names: &[&str]) -> ChunkKey {
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            kind: ColumnKind::Int,
            column_type: "int".to_owned(),
            unsigned: false,
            nullable: false,
            charset: None,
            collation: None,
            bytes_max: None,
            generated: false,
            has_default: false,
        };
        ChunkKey {
            index: Some("PRIMARY".to_owned()),
            columns: names.iter().map(column).collect(),
        }
    }

    #[test]
    fn conditions_of_composite_keys_are_spelled_out() {
        let key = key(&["a", "b", "c"]);
        let lower = Bound::parse("1, 2, 3", &key);
        let upper = Bound::parse("4, 5, 6", &key);
        assert_eq!(
            key.condition(lower.as_ref(), None),
            " WHERE (`a` > 1 OR (`a` = 1 AND (`b` > 2 OR (`b` = 2 AND (`c` > 3)))))"
        );
        assert_eq!(
            key.condition(None, upper.as_ref()),
            " WHERE (`a` < 4 OR (`a` = 4 AND (`b` < 5 OR (`b` = 5 AND (`c` <= 6)))))"
        );
        assert_eq!(key.condition(None, None), "");
        assert_eq!(Bound::parse("1, 2", &key), None);
        assert_eq!(Bound::parse("1, 2, ", &key), None);
    }

    #[test]
    fn planning_goes_on_after_the_last_chunk() {
        let chunk = |number, lower: Option<&str>, upper: Option<&str>| ChunkRecord {
            number,
            lower: lower.map(str::to_owned),
            upper: upper.map(str::to_owned),
            done: true,
        };
        let planner = Planner::after(&[chunk(0, None, Some("7"))], 100);
        assert_eq!(
            (
                planner.next_number,
                planner.lower.as_deref(),
                planner.finished
            ),
            (1, Some("7"), false)
        );
        assert!(Planner::after(&[chunk(0, None, None)], 100).is_finished());
        assert!(!Planner::after(&[], 0).is_finished());
    }

    #[test]
    fn the_end_of_a_dense_chunk_is_reckoned() {
        let chunk = |lower: Option<&str>, upper: Option<&str>| ChunkRecord {
            number: 0,
            lower: lower.map(str::to_owned),
            upper: upper.map(str::to_owned),
            done: true,
        };
        let one = key(&["a"]);
        let mut planner = Planner::after(&[chunk(None, Some("400"))], 100);
        for (lower, upper, rows, end) in [
            (None, Some("400"), 200, Some(500)),
            (None, Some("401"), 200, None),
            (Some("-500"), Some("-300"), 100, Some(500)),
            (None, Some("-300"), 100, None),
            (None, Some("18446744073709551615"), 1 << 63, None),
            (Some("300"), None, 100, None),
        ] {
            planner.learn_density(&chunk(lower, upper), &one, rows);
            assert_eq!(planner.dense_end(&one, 100), end, "{lower:?} {upper:?}");
        }
        planner.learn_density(&chunk(None, Some("400")), &one, 400);
        assert_eq!(planner.dense_end(&one, u64::MAX), None);
        planner.learn_density(&chunk(None, Some("4, 4")), &key(&["a", "b"]), 400);
        assert_eq!(planner.dense_end(&one, 100), None);
    }

    #[test]
    fn chunks_shrink_at_once_when_rows_are_larger() {
        let mut planner = Planner::after(&[], 0);
        assert_eq!(planner.rows(1 << 30), FIRST_ROWS_MAX);
        planner.learn(10, 10_000);
        assert_eq!(planner.rows(10_000), 10);
        planner.learn(0, 0);
        assert_eq!(planner.rows(10_000), 10);
        planner.learn(1, 1 << 40);
        assert_eq!(planner.rows(10_000), 1);
    }
}
