use std::sync::Arc;

use drs_binlog::{ColumnType, TableColumns};
use hashbrown::HashMap;

use crate::schema::{Column, ColumnKind, TableSchema};

/// How the row images of one table map are read and written: the log's columns and the
/// destination's schema, proved to go together.
#[derive(Clone, Debug)]
pub(crate) struct TablePlan {
    pub(crate) schema: Arc<TableSchema>,
    pub(crate) columns: TableColumns,
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
    /// A column's names differ, where the log has them (`binlog_row_metadata = FULL`).
    #[error(
        "column number {ordinal} is {destination} at the destination and {log} in the binary log"
    )]
    ColumnName {
        /// Counts from 1.
        ordinal: usize,
        /// Its name at the destination.
        destination: String,
        /// The log's name.
        log: String,
    },
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

impl TablePlan {
    /// Puts the two together, column by column in their order.
    ///
    /// `charsets` gives the character set of each collation's number.
    pub(crate) fn new(
        schema: Arc<TableSchema>,
        columns: TableColumns,
        charsets: &HashMap<u32, String>,
    ) -> Result<Self, PlanError> {
        if columns.len() != schema.columns.len() {
            return Err(PlanError::ColumnCount {
                log: columns.len(),
                destination: schema.columns.len(),
            });
        }
        for (index, (log, column)) in columns.columns().iter().zip(&schema.columns).enumerate() {
            if let Some(name) = &log.name
                && !name.eq_ignore_ascii_case(&column.name)
            {
                return Err(PlanError::ColumnName {
                    ordinal: index + 1,
                    destination: column.name.clone(),
                    log: name.to_string(),
                });
            }
            if let Some(charset) = log.collation.and_then(|id| charsets.get(&id)) {
                same_charset(charset, column)?;
            }
            // Servers before 8.0 do not log the sign; then the destination's definition stands for it.
            let sign_differs = column.kind == ColumnKind::Int
                && log.unsigned.is_some_and(|it| it != column.unsigned);
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
        }
        Ok(Self { schema, columns })
    }

    /// True when changes must be made one by one, in order: no key to fold them by, or
    /// something at the destination that reacts to each change.
    pub(crate) fn is_ordered(&self) -> bool {
        self.schema.row_key().is_none() || self.schema.has_triggers
    }
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
