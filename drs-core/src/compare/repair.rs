//! Statements that would make a row of the destination equal to the source's.

use mysql::{Conn, Row, prelude::Queryable};

use super::{CompareError, RowDifferenceKind, error::query, keyed::Suspect, pair::TablePair};
use crate::{
    copy::{ChunkKey, CopiedColumns},
    endpoint::Role,
    sql,
};

/// What a script of repairs begins with, so that its statements store the source's bytes.
pub fn repair_preamble() -> String {
    let mut text = String::new();
    for statement in sql::SESSION_SETUP {
        text.push_str(statement);
        text.push_str(";\n");
    }
    text
}

/// How a table's rows are written at the destination.
#[derive(Debug)]
pub(super) struct Repair {
    pub(super) columns: CopiedColumns,
    /// The destination's table has columns that the source knows nothing of.
    pub(super) has_columns_of_others: bool,
    /// A unique key of the destination keeps a second row with the same key away.
    pub(super) is_unique: bool,
}

impl Repair {
    /// The statements for a row with a key, from the source's row as it is now.
    ///
    /// REPLACE takes away rows that hold the source's values in another unique key: each of these
    /// differs from the source as well, and has a statement of its own, before or behind this one.
    pub(super) fn keyed(
        &self,
        source: &mut Conn,
        pair: &TablePair,
        [key, key_there]: [&ChunkKey; 2],
        suspect: &Suspect,
    ) -> Result<Vec<String>, CompareError> {
        let condition = format!(" WHERE {}", key.equals(&suspect.key));
        let table = sql::table(&pair.destination.name);
        let tuple = self.tuple(source, pair, condition)?;
        let delete = || {
            let condition = format!(" WHERE {}", key_there.equals(&suspect.key));
            format!(
                "DELETE FROM {table}{}",
                pair.destination.narrowed(condition)
            )
        };
        Ok(vec![match tuple {
            None => delete(),
            // REPLACE would add a second row.
            Some(tuple) if !self.is_unique => {
                let list = self.columns.insert_list();
                let insert = format!("INSERT INTO {table} ({list}) VALUES {tuple}");
                return Ok(vec![delete(), insert]);
            }
            Some(tuple) if self.has_columns_of_others => {
                let list = self.columns.insert_list();
                let values: Vec<String> = self
                    .columns
                    .names()
                    .map(|name| {
                        let name = sql::identifier(name);
                        format!("{name} = VALUES({name})")
                    })
                    .collect();
                format!(
                    "INSERT INTO {table} ({list}) VALUES {tuple} ON DUPLICATE KEY UPDATE {}",
                    values.join(", ")
                )
            }
            Some(tuple) => {
                let list = self.columns.insert_list();
                format!("REPLACE INTO {table} ({list}) VALUES {tuple}")
            }
        }])
    }

    /// The statement for a row of a keyless table that is there more often at one side; `None` when
    /// the source's row is gone.
    pub(super) fn keyless(
        &self,
        source: &mut Conn,
        pair: &TablePair,
        (digest, kind, times): (&str, RowDifferenceKind, u64),
    ) -> Result<Option<String>, CompareError> {
        let is = |side: &super::pair::Side| {
            let mut condition = format!(" WHERE {}=", side.digest());
            sql::write_text(&mut condition, digest);
            condition
        };
        let table = sql::table(&pair.destination.name);
        if kind == RowDifferenceKind::Extra {
            let condition = pair.destination.narrowed(is(&pair.destination));
            return Ok(Some(format!(
                "DELETE FROM {table}{condition} LIMIT {times}"
            )));
        }
        let tuple = self.tuple(source, pair, is(&pair.source))?;
        Ok(tuple.map(|tuple| {
            let list = self.columns.insert_list();
            let rows = vec![tuple; usize::try_from(times).unwrap_or(usize::MAX)];
            format!("INSERT INTO {table} ({list}) VALUES {}", rows.join(", "))
        }))
    }

    fn tuple(
        &self,
        source: &mut Conn,
        pair: &TablePair,
        condition: String,
    ) -> Result<Option<String>, CompareError> {
        let side = &pair.source;
        let row: Option<Row> = source
            .query_first(format!(
                "SELECT {} FROM {}{} LIMIT 1",
                self.columns.select_list(),
                side.from(),
                side.narrowed(condition)
            ))
            .map_err(query(
                Role::Source,
                format!("reading a row of {}", side.name),
            ))?;
        let Some(row) = row else { return Ok(None) };
        let mut tuple = String::new();
        self.columns.write_tuple(&mut tuple, &row, &side.name)?;
        Ok(Some(tuple))
    }
}
