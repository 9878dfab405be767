//! The definition of one table, as a server tells it.

use mysql::{Conn, Row, prelude::Queryable};

use crate::{object::TableName, rule::Added, session, sql};

/// A table's columns and keys, read from `information_schema`.
#[derive(Clone, Debug)]
pub struct TableSchema {
    /// The table.
    pub name: TableName,
    /// Its storage engine, as the server spells it.
    pub engine: String,
    /// Its columns in their order, generated and invisible ones included.
    pub columns: Vec<Column>,
    /// The primary key and the unique keys, in the server's own order: the primary key first, then
    /// those without NULL as they were made.
    pub unique_keys: Vec<UniqueKey>,
    /// True when a trigger exists on the table.
    pub has_triggers: bool,
    /// True when its rows have columns that the binary log does not carry, so that a row that is
    /// deleted and inserted again would lose their values. Never as it is read from a server.
    pub has_unlogged_columns: bool,
    /// The columns that a rule of the task adds. None as it is read from a server.
    pub(crate) added: Added,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What kind of values it holds.
    pub kind: ColumnKind,
    /// The column's type as `SHOW CREATE TABLE` prints it, for instance `int(10) unsigned`.
    pub column_type: String,
    /// True for numbers without a sign.
    pub unsigned: bool,
    /// True when NULL is allowed.
    pub nullable: bool,
    /// The character set of a text column.
    pub charset: Option<String>,
    /// The collation of a text column.
    pub collation: Option<String>,
    /// The largest size in bytes of text and binary columns.
    pub bytes_max: Option<u64>,
    /// True for virtual and stored generated columns: these are never written.
    pub generated: bool,
    /// True when a row can be inserted without a value for it.
    pub has_default: bool,
}

/// The families of column types that are written or compared in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// TINYINT to BIGINT.
    Int,
    /// DECIMAL.
    Decimal,
    /// FLOAT.
    Float,
    /// DOUBLE.
    Double,
    /// BIT.
    Bit,
    /// YEAR.
    Year,
    /// DATE.
    Date,
    /// TIME.
    Time,
    /// DATETIME.
    DateTime,
    /// TIMESTAMP.
    Timestamp,
    /// CHAR, VARCHAR and the TEXT family.
    Text,
    /// BINARY: padded with zero bytes to its length.
    BinaryFixed,
    /// VARBINARY and the BLOB family.
    Binary,
    /// ENUM.
    Enum,
    /// SET.
    Set,
    /// JSON.
    Json,
    /// GEOMETRY and its subtypes.
    Geometry,
    /// VECTOR.
    Vector,
}

impl ColumnKind {
    /// The kind of a type named as in `information_schema.COLUMNS.DATA_TYPE`; `None` for one that
    /// drs does not know.
    pub fn of(data_type: &str) -> Option<Self> {
        Some(match data_type {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Self::Int,
            "decimal" => Self::Decimal,
            "float" => Self::Float,
            "double" => Self::Double,
            "bit" => Self::Bit,
            "year" => Self::Year,
            "date" => Self::Date,
            "time" => Self::Time,
            "datetime" => Self::DateTime,
            "timestamp" => Self::Timestamp,
            "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Self::Text,
            "binary" => Self::BinaryFixed,
            "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Self::Binary,
            "enum" => Self::Enum,
            "set" => Self::Set,
            "json" => Self::Json,
            "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
            | "multipolygon" | "geometrycollection" | "geomcollection" => Self::Geometry,
            "vector" => Self::Vector,
            _ => return None,
        })
    }
}

/// The primary key or a unique key.
#[derive(Clone, Debug)]
pub struct UniqueKey {
    /// `PRIMARY`, or the key's name.
    pub name: String,
    /// Its parts in order.
    pub parts: Vec<KeyPart>,
}

/// One part of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// The column's index in [`TableSchema::columns`]; `None` for an expression.
    pub column: Option<usize>,
    /// The prefix length in characters (bytes for binary columns), when only a prefix is in the key.
    pub prefix: Option<u64>,
}

/// Why a table's definition could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// The server refused or the connection failed.
    #[error("reading the definition of {table} failed: {}", crate::error::redacted(.source))]
    Query {
        /// The table.
        table: TableName,
        /// The cause.
        #[source]
        source: mysql::Error,
    },
    /// A column has a type that drs does not know.
    #[error("column {column} of {table} has the type {data_type}, which drs does not know")]
    UnknownType {
        /// The table.
        table: TableName,
        /// The column.
        column: String,
        /// The type's name.
        data_type: String,
    },
}

impl TableSchema {
    /// A definition of these columns and unique keys, the primary key first, without triggers.
    pub fn new(
        name: TableName,
        engine: impl Into<String>,
        columns: Vec<Column>,
        unique_keys: Vec<UniqueKey>,
    ) -> Self {
        Self {
            name,
            engine: engine.into(),
            columns,
            unique_keys,
            has_triggers: false,
            has_unlogged_columns: false,
            added: Added::none(),
        }
    }

    /// Reads a table's definition; `None` when there is no such base table.
    pub fn load(conn: &mut Conn, name: &TableName) -> Result<Option<Self>, SchemaError> {
        let failed = |source| SchemaError::Query {
            table: name.clone(),
            source,
        };
        let (mut database, mut table) = (String::new(), String::new());
        sql::write_text(&mut database, name.database.as_str());
        sql::write_text(&mut table, &name.table);
        let queries = [
            format!(
                "SELECT ENGINE, (SELECT COUNT(*) FROM information_schema.TRIGGERS \
                 WHERE EVENT_OBJECT_SCHEMA = {database} AND EVENT_OBJECT_TABLE = {table}) FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = {database} AND TABLE_NAME = {table} AND TABLE_TYPE = 'BASE TABLE'"
            ),
            format!(
                "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, \
                 COLLATION_NAME, CHARACTER_OCTET_LENGTH, EXTRA, COLUMN_DEFAULT IS NOT NULL FROM information_schema.COLUMNS \
                 WHERE TABLE_SCHEMA = {database} AND TABLE_NAME = {table} ORDER BY ORDINAL_POSITION"
            ),
            format!(
                "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS \
                 WHERE TABLE_SCHEMA = {database} AND TABLE_NAME = {table} AND NON_UNIQUE = 0 \
                 ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX"
            ),
        ];
        let [tables, columns, statistics] = session::query_each(conn, queries).map_err(failed)?;
        let Some(mut table) = tables.into_iter().next() else {
            return Ok(None);
        };
        let (engine, triggers) = (text(&mut table, 0), table.take::<u64, _>(1));
        let columns = columns
            .into_iter()
            .map(|row| column(row, name))
            .collect::<Result<Vec<_>, _>>()?;
        let mut unique_keys = unique_keys(statistics, &columns);
        if unique_keys.len() > 1 {
            // Of several keys that could identify a row, the server takes the first one for the images
            // of `binlog_row_image = MINIMAL`: the first in its own order, which only the text has.
            let definition: Option<Row> = conn
                .query_first(format!("SHOW CREATE TABLE {}", sql::table(name)))
                .map_err(failed)?;
            let definition = definition.and_then(|mut row| text(&mut row, 1));
            let order = unique_key_names(&definition.unwrap_or_default());
            let place = |key: &UniqueKey| order.iter().position(|name| *name == key.name);
            unique_keys.sort_by_key(|key| place(key).unwrap_or(usize::MAX));
        }
        Ok(Some(Self {
            name: name.clone(),
            engine: engine.unwrap_or_default(),
            columns,
            unique_keys,
            has_triggers: triggers.is_none_or(|triggers| triggers > 0),
            has_unlogged_columns: false,
            added: Added::none(),
        }))
    }

    /// The key that identifies a row: the primary key, or else the first unique key whose parts
    /// are whole columns that cannot be NULL, in the server's order. `None` makes the table a keyless one.
    pub fn row_key(&self) -> Option<&UniqueKey> {
        self.unique_keys.iter().find(|key| {
            key.parts.iter().all(|part| {
                part.prefix.is_none()
                    && part
                        .column
                        .and_then(|i| self.columns.get(i))
                        .is_some_and(|column| !column.nullable)
            })
        })
    }

    /// The index of a column by its name, whose case does not count.
    pub fn column_index(&self, name: &str) -> Option<usize> {
        let lower = name.to_lowercase();
        self.columns
            .iter()
            .position(|column| column.name == name || column.name.to_lowercase() == lower)
    }

    /// The names of all columns, in their order.
    pub(crate) fn column_names(&self) -> Vec<String> {
        self.columns
            .iter()
            .map(|column| column.name.clone())
            .collect()
    }

    /// The columns that are written, with their indexes: all but the generated ones.
    pub fn written_columns(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns
            .iter()
            .enumerate()
            .filter(|(_, column)| !column.generated)
    }

    /// True when a unique key other than the row key exists.
    pub fn has_other_unique_keys(&self) -> bool {
        self.unique_keys.len() > 1
    }
}

impl Column {
    /// Stands for a column of the source that the destination does not take.
    pub(crate) fn not_written() -> Self {
        Self {
            name: String::new(),
            kind: ColumnKind::Binary,
            column_type: String::new(),
            unsigned: false,
            nullable: true,
            charset: None,
            collation: None,
            bytes_max: None,
            generated: true,
            has_default: true,
        }
    }

    /// True for [`Self::not_written`]: the destination has no such column.
    pub(crate) fn is_absent(&self) -> bool {
        self.name.is_empty()
    }
}

#[cfg(test)]
impl Column {
    pub(crate) fn text_for_tests(collation: &str) -> Self {
        Self {
            name: "c".into(),
            kind: ColumnKind::Text,
            column_type: "varchar(50)".into(),
            unsigned: false,
            nullable: false,
            charset: collation.split('_').next().map(str::to_owned),
            collation: Some(collation.into()),
            bytes_max: Some(200),
            generated: false,
            has_default: false,
        }
    }
}

fn text(row: &mut Row, index: usize) -> Option<String> {
    row.take::<Option<Vec<u8>>, _>(index)
        .flatten()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn column(mut row: Row, table: &TableName) -> Result<Column, SchemaError> {
    let name = text(&mut row, 0).unwrap_or_default();
    let data_type = text(&mut row, 1).unwrap_or_default().to_ascii_lowercase();
    let column_type = text(&mut row, 2).unwrap_or_default();
    let extra = text(&mut row, 7).unwrap_or_default().to_ascii_uppercase();
    let Some(kind) = ColumnKind::of(&data_type) else {
        return Err(SchemaError::UnknownType {
            table: table.clone(),
            column: name,
            data_type,
        });
    };
    let generated = extra.contains("VIRTUAL GENERATED") || extra.contains("STORED GENERATED");
    let nullable = text(&mut row, 3).is_some_and(|nullable| nullable.eq_ignore_ascii_case("YES"));
    Ok(Column {
        has_default: nullable
            || generated
            || row.take::<Option<bool>, _>(8).flatten() == Some(true)
            || extra.contains("AUTO_INCREMENT")
            || extra.contains("DEFAULT_GENERATED"),
        unsigned: column_type.to_ascii_lowercase().contains("unsigned"),
        nullable,
        charset: text(&mut row, 4),
        collation: text(&mut row, 5),
        bytes_max: row.take::<Option<u64>, _>(6).flatten(),
        generated,
        name,
        kind,
        column_type,
    })
}

fn unique_keys(statistics: Vec<Row>, columns: &[Column]) -> Vec<UniqueKey> {
    let mut keys: Vec<UniqueKey> = Vec::new();
    for mut row in statistics {
        let name = text(&mut row, 0).unwrap_or_default();
        let column =
            text(&mut row, 1).and_then(|column| columns.iter().position(|c| c.name == column));
        let part = KeyPart {
            column,
            prefix: row.take::<Option<u64>, _>(2).flatten(),
        };
        match keys.last_mut() {
            Some(key) if key.name == name => key.parts.push(part),
            _ => keys.push(UniqueKey {
                name,
                parts: vec![part],
            }),
        }
    }
    keys
}

/// The names of the primary key and the unique keys, in the order of `SHOW CREATE TABLE`.
fn unique_key_names(definition: &str) -> Vec<String> {
    let names = definition.lines().filter_map(|line| {
        let line = line.trim_start();
        if line.starts_with("PRIMARY KEY ") {
            return Some("PRIMARY".to_owned());
        }
        let mut rest = line.strip_prefix("UNIQUE KEY `")?;
        let mut name = String::new();
        loop {
            let end = rest.find('`')?;
            name.push_str(rest.get(..end)?);
            rest = rest.get(end + 1..)?;
            // A backquote in a name is written twice.
            match rest.strip_prefix('`') {
                Some(more) => {
                    name.push('`');
                    rest = more;
                }
                None => return Some(name),
            }
        }
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unique_keys_are_found_in_a_definition() {
        let definition = "CREATE TABLE `t` (\n  `UNIQUE KEY` int NOT NULL COMMENT 'UNIQUE KEY `x`',\n  \
             PRIMARY KEY (`a`),\n  UNIQUE KEY `z` (`b`,`a`),\n  UNIQUE KEY `a``b` (`c`) USING BTREE,\n  \
             KEY `k` (`c`),\n  UNIQUE KEY `cut";
        assert_eq!(unique_key_names(definition), ["PRIMARY", "z", "a`b"]);
        assert!(unique_key_names("").is_empty());
    }
}
