use std::sync::Arc;

use drs_binlog::{ColumnType, RowChange, Rows, TableColumn, TableColumns};
use hashbrown::HashMap;

use super::{PlanRule, Ruled, net_change::Change};
use crate::{
    object::TableName,
    rule::{Added, AddedRole, AddedSql},
    schema::{Column, ColumnKind, TableSchema, UniqueKey},
    sql::LiteralError,
};

/// How the row images of one table map are read and written: the log's columns and the
/// destination's table, proved to go together.
#[derive(Clone, Debug)]
pub(crate) struct TablePlan {
    /// The table as the log names it.
    pub(crate) source: TableName,
    /// The destination's table in the log's column order: the log's column number `i` is written
    /// to `columns[i]`. Its name is the destination's.
    pub(crate) schema: Arc<TableSchema>,
    pub(crate) columns: TableColumns,
    /// What the task's rule makes of the changes, if the table has one.
    pub(crate) rule: Option<Arc<PlanRule>>,
    /// The family of tables that cascading foreign keys tie it to, where the source does not log
    /// what they change: a hash that stands for it.
    pub(crate) family: Option<u64>,
}

/// Why the log's columns do not fit the destination's table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The numbers of columns differ.
    #[error("the binary log has {log} columns and the destination's table {destination}")]
    ColumnCount {
        /// Columns in the log.
        log: usize,
        /// Columns at the destination.
        destination: usize,
    },
    /// The destination has no column of a name of the source's.
    #[error("the destination's table has no column {column}")]
    MissingColumn {
        /// The column.
        column: String,
    },
    /// The columns are the same in another order, and the log does not tell their names.
    #[error(
        "the source's table has the same columns in another order, and the binary log does not tell their names: give the \
         destination's table the source's order, or set binlog_row_metadata=FULL at the source (8.0.1 and newer) and begin \
         behind that"
    )]
    ColumnOrder,
    /// The source's present definition is not the one that the log's rows were written with.
    #[error(
        "the destination's table has other columns than the binary log's rows, and their names are not known: the log does \
         not tell them, and the source's table was changed since; set binlog_row_metadata=FULL at the source (8.0.1 and \
         newer), or give the destination's table the same columns"
    )]
    NamesUnknown,
    /// A text column's character sets differ: the stored bytes would mean other characters.
    #[error(
        "column {column} has the character set {destination} at the destination and {log} in the binary log"
    )]
    ColumnCharset {
        /// The column's name.
        column: String,
        /// At the destination; `binary` for none.
        destination: String,
        /// In the log.
        log: String,
    },
    /// The table does not take what a rule adds.
    #[error("{}", .reasons.join("; "))]
    Added {
        /// Why.
        reasons: Vec<String>,
    },
    /// A column's types differ.
    #[error("column {column} is {destination} at the destination and {log} in the binary log")]
    ColumnType {
        /// The column's name.
        column: String,
        /// Its type at the destination.
        destination: String,
        /// The log's type.
        log: String,
    },
}

/// For each of the log's columns the index of the destination's column that it is written to;
/// `None` for one that is not written.
pub(crate) type Projection = Vec<Option<usize>>;

impl TablePlan {
    /// Which of the destination's columns the log's ones are, by name where `names` tells the
    /// source's, else by their order; fails when a value would not be stored as it is.
    ///
    /// `charsets` gives the character set of each collation's number.
    pub(crate) fn projection(
        destination: &TableSchema,
        columns: &TableColumns,
        names: Option<&[Option<String>]>,
        charsets: &HashMap<u32, String>,
    ) -> Result<Projection, PlanError> {
        let log = columns.columns();
        let projection: Projection = match names {
            None if log.len() != destination.columns.len() => {
                return Err(PlanError::ColumnCount {
                    log: log.len(),
                    destination: destination.columns.len(),
                });
            }
            None => (0..log.len()).map(Some).collect(),
            Some(names) => names
                .iter()
                .map(|name| {
                    let Some(name) = name else { return Ok(None) };
                    destination.column_index(name).map(Some).ok_or_else(|| {
                        PlanError::MissingColumn {
                            column: name.clone(),
                        }
                    })
                })
                .collect::<Result<_, _>>()?,
        };
        for (log, index) in log.iter().zip(&projection) {
            if let Some(column) = index.and_then(|index| destination.columns.get(index)) {
                fits(log, column, charsets)?;
            }
        }
        Ok(projection)
    }

    /// The names of the source's columns as its present definition has them, if that is the one
    /// that these rows were written with as far as types tell.
    pub(crate) fn names_by_definition(
        source: &[Column],
        columns: &TableColumns,
    ) -> Result<Vec<String>, PlanError> {
        let log = columns.columns();
        let same = log.len() == source.len()
            && log
                .iter()
                .zip(source)
                .all(|(log, column)| fits(log, column, &HashMap::new()).is_ok());
        if !same {
            return Err(PlanError::NamesUnknown);
        }
        Ok(source.iter().map(|column| column.name.clone()).collect())
    }

    /// What a change of the log is for the destination; `None` when it is nothing.
    ///
    /// # Errors
    /// When that can't be told.
    pub(crate) fn change<'a>(
        &self,
        change: &RowChange<'a, 'a>,
    ) -> Result<Option<Change<'a>>, LiteralError> {
        Ok(match self.ruled(change)? {
            Some(Ruled::Applied(change)) => Some(change),
            Some(Ruled::Filtered | Ruled::LeftOut) | None => None,
        })
    }

    /// The same, and why a change is nothing for the destination.
    pub(crate) fn ruled<'a>(
        &self,
        change: &RowChange<'a, 'a>,
    ) -> Result<Option<Ruled<'a>>, LiteralError> {
        let change = match (change.before, change.after) {
            (None, Some(after)) => Change::Insert(after),
            (Some(before), None) => Change::Delete(before),
            (Some(before), Some(after)) => Change::Update(before, after),
            (None, None) => return Ok(None),
        };
        Ok(Some(match &self.rule {
            None => Ruled::Applied(change),
            Some(rule) => rule.of(change)?,
        }))
    }

    /// True when the destination must check foreign keys while it makes these changes, and carry
    /// out what they cascade to, because the source has done so and has not logged it.
    pub(crate) fn cascades(&self, rows: &Rows<'_>) -> bool {
        const DOES_NOTHING: u16 = Rows::NO_FOREIGN_KEY_CHECKS | Rows::SQL_FOREIGN_KEYS;
        self.family.is_some() && rows.flags & DOES_NOTHING == 0
    }

    /// True when changes must be made one by one, in order: no key to fold them by, something at
    /// the destination that reacts to each change, or columns whose values only an update in
    /// place keeps.
    pub(crate) fn is_ordered(&self) -> bool {
        self.schema.row_key().is_none()
            || self.schema.has_triggers
            || self.schema.has_unlogged_columns
            || !self.schema.added.keys_are_own
            || self.family.is_some()
    }
}

/// The destination's table in the log's column order. The columns that the log does not carry
/// are left out, and a key with one of them identifies no row of the log, unless it is a constant
/// that a rule adds: then the key identifies a row among the task's own by its other columns.
pub(crate) fn project(
    destination: &TableSchema,
    projection: &[Option<usize>],
    added: Added,
) -> TableSchema {
    let columns = projection
        .iter()
        .map(
            |index| match index.and_then(|index| destination.columns.get(index)) {
                Some(column) => column.clone(),
                None => Column::not_written(),
            },
        )
        .collect();
    let place = |column: usize| projection.iter().position(|index| *index == Some(column));
    let unique_keys = destination
        .unique_keys
        .iter()
        .map(|key| {
            let mut parts = added.key_parts(destination, &key.parts);
            if parts.is_empty() {
                parts.clone_from(&key.parts);
            }
            for part in &mut parts {
                part.column = part.column.and_then(place);
            }
            UniqueKey {
                name: key.name.clone(),
                parts,
            }
        })
        .collect();
    let has_unlogged_columns = destination
        .columns
        .iter()
        .enumerate()
        .any(|(index, column)| {
            let is_kept = |added: &AddedSql| added.role == AddedRole::OnInsert;
            !column.generated
                && place(index).is_none()
                && added.find(&column.name).is_none_or(is_kept)
        });
    TableSchema {
        name: destination.name.clone(),
        engine: destination.engine.clone(),
        columns,
        unique_keys,
        has_unlogged_columns,
        added,
        has_triggers: destination.has_triggers,
    }
}

/// Fails when some value of the log's column would not be stored as it is.
fn fits(
    log: &TableColumn,
    column: &Column,
    charsets: &HashMap<u32, String>,
) -> Result<(), PlanError> {
    if let Some(charset) = log.collation.and_then(|id| charsets.get(&id)) {
        same_charset(charset, column)?;
    }
    // Servers before 8.0 do not log the sign; then the destination's definition stands for it.
    let sign_differs =
        column.kind == ColumnKind::Int && log.unsigned.is_some_and(|it| it != column.unsigned);
    if sign_differs || !goes_together(&log.column_type, column) {
        let sign = if log.unsigned == Some(true) {
            " unsigned"
        } else {
            ""
        };
        return Err(PlanError::ColumnType {
            column: column.name.clone(),
            destination: column.column_type.clone(),
            log: format!("{:?}{sign}", log.column_type),
        });
    }
    Ok(())
}

/// Fails when the column's text would be taken for another character set's.
fn same_charset(log: &str, column: &Column) -> Result<(), PlanError> {
    if !matches!(
        column.kind,
        ColumnKind::Text | ColumnKind::Binary | ColumnKind::BinaryFixed
    ) {
        return Ok(());
    }
    // One character set under its old and its new name.
    let plain = |name: &str| name.replace("utf8mb3", "utf8");
    let destination = column.charset.as_deref().unwrap_or("binary");
    if plain(log) == plain(destination) {
        return Ok(());
    }
    Err(PlanError::ColumnCharset {
        column: column.name.clone(),
        destination: destination.to_owned(),
        log: log.to_owned(),
    })
}

/// True when every value of the log's type is stored unchanged by the column.
fn goes_together(log: &ColumnType, column: &Column) -> bool {
    let column_type = column.column_type.to_ascii_lowercase();
    let base = column_type.split([' ', '(']).next().unwrap_or_default();
    match log {
        ColumnType::Tiny => base == "tinyint",
        ColumnType::Short => base == "smallint",
        ColumnType::Int24 => base == "mediumint",
        ColumnType::Long => base == "int",
        ColumnType::LongLong => base == "bigint",
        ColumnType::Float => column.kind == ColumnKind::Float,
        ColumnType::Double => column.kind == ColumnKind::Double,
        ColumnType::NewDecimal { precision, scale } => {
            column_type.starts_with(&format!("decimal({precision},{scale})"))
        }
        ColumnType::Bit { bits } => column_type.starts_with(&format!("bit({bits})")),
        ColumnType::Year => column.kind == ColumnKind::Year,
        ColumnType::Date => column.kind == ColumnKind::Date,
        ColumnType::Time { fsp } => column.kind == ColumnKind::Time && same_fsp(&column_type, *fsp),
        ColumnType::TimeOld => column.kind == ColumnKind::Time,
        ColumnType::DateTime { fsp } => {
            column.kind == ColumnKind::DateTime && same_fsp(&column_type, *fsp)
        }
        ColumnType::DateTimeOld => column.kind == ColumnKind::DateTime,
        ColumnType::Timestamp { fsp } => {
            column.kind == ColumnKind::Timestamp && same_fsp(&column_type, *fsp)
        }
        ColumnType::TimestampOld => column.kind == ColumnKind::Timestamp,
        // The log does not tell text from binary; the destination's own definition does.
        ColumnType::VarChar { .. } => matches!(base, "varchar" | "varbinary"),
        ColumnType::String { .. } => matches!(base, "char" | "binary"),
        ColumnType::Blob { length_bytes } => match length_bytes {
            1 => matches!(base, "tinytext" | "tinyblob"),
            2 => matches!(base, "text" | "blob"),
            3 => matches!(base, "mediumtext" | "mediumblob"),
            _ => matches!(base, "longtext" | "longblob"),
        },
        ColumnType::Enum { .. } => column.kind == ColumnKind::Enum,
        ColumnType::Set { .. } => column.kind == ColumnKind::Set,
        ColumnType::Json { .. } => column.kind == ColumnKind::Json,
        ColumnType::Geometry { .. } => column.kind == ColumnKind::Geometry,
        ColumnType::Vector { .. } => column.kind == ColumnKind::Vector,
        _ => false,
    }
}

fn same_fsp(column_type: &str, fsp: u8) -> bool {
    let shown = column_type
        .split_once('(')
        .and_then(|(_, rest)| rest.split_once(')'))
        .map_or(Some(0), |(digits, _)| digits.parse().ok());
    shown == Some(fsp)
}
