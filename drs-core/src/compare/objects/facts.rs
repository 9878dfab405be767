//! What a server says of the tables of one database.

use std::collections::BTreeMap;

use mysql::Row;

use super::{
    ObjectsError,
    ask::{Block, Side, some, text},
};
use crate::{
    copy::may_hide_labels,
    object::{DatabaseName, TableName},
    sql,
};

/// A table's definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) engine: String,
    /// What its rows are stored in.
    pub(super) row_format: String,
    pub(super) collation: String,
    /// The options that it was created with, as `name=value` in small letters.
    pub(super) options: BTreeMap<String, String>,
    pub(super) comment: String,
    pub(super) columns: Vec<Column>,
    pub(super) keys: Vec<Key>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    pub(super) checks: Vec<CheckConstraint>,
    pub(super) partitions: Vec<Partition>,
    /// `PARTITION BY KEY ALGORITHM = 1`: rows lie elsewhere than by the present way.
    pub(super) has_old_key_hash: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) column_type: String,
    pub(super) data_type: String,
    pub(super) collation: Option<String>,
    pub(super) is_nullable: bool,
    pub(super) default: ColumnDefault,
    pub(super) on_update: Option<String>,
    pub(super) is_auto_increment: bool,
    pub(super) is_invisible: bool,
    /// The expression, and whether the value is stored.
    pub(super) generated: Option<(String, bool)>,
    pub(super) comment: String,
    pub(super) srid: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ColumnDefault {
    /// None, or NULL.
    None,
    Literal(String),
    Expression(String),
    /// The bytes, in hexadecimal digits, where the text does not tell them.
    Bytes(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) is_unique: bool,
    pub(super) kind: KeyKind,
    pub(super) is_visible: bool,
    pub(super) comment: String,
    pub(super) parts: Vec<KeyPart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Plain,
    /// With its parser, if it is not the server's own.
    FullText(Option<String>),
    Spatial,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyPart {
    pub(super) over: Over,
    pub(super) is_descending: bool,
    pub(super) prefix: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Column(String),
    Expression(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ForeignKey {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) parent: TableName,
    pub(super) parent_columns: Vec<String>,
    pub(super) on_delete: String,
    pub(super) on_update: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CheckConstraint {
    pub(super) name: String,
    pub(super) clause: String,
    pub(super) is_enforced: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) name: String,
    pub(super) subpartition: Option<String>,
    pub(super) method: String,
    pub(super) expression: String,
    pub(super) submethod: Option<String>,
    pub(super) subexpression: Option<String>,
    pub(super) values: Option<String>,
    pub(super) comment: String,
}

impl Column {
    /// True when labels may be shown as `?`, and nowhere as they are.
    pub(super) fn hides_labels(&self) -> bool {
        let collation = self.collation.as_deref().unwrap_or_default();
        let charset = collation.split('_').next().unwrap_or_default();
        may_hide_labels(&self.column_type, charset)
    }
}

/// The tables of a database that are wanted, by name.
pub(super) type Tables = BTreeMap<String, Table>;

/// Asks for these tables: seven queries, and one more for a table whose facts leave something open.
pub(super) fn tables(side: &mut Side<'_>, block: &Block<'_>) -> Result<Tables, ObjectsError> {
    let mut tables = Tables::new();
    if block.tables.is_empty() {
        return Ok(tables);
    }
    side.rows(
        "its tables",
        &format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, ROW_FORMAT, TABLE_COLLATION, CREATE_OPTIONS, TABLE_COMMENT \
             FROM information_schema.TABLES WHERE {} AND TABLE_TYPE = 'BASE TABLE'",
            block.condition("TABLE_SCHEMA")
        ),
        |row| {
            let name = text(row, 1);
            // The server may take a database of other letters for the same.
            if text(row, 0) == block.database.as_str() && block.tables.contains(name.as_str()) {
                let table = Table {
                    engine: text(row, 2),
                    row_format: text(row, 3),
                    collation: text(row, 4),
                    options: options(&text(row, 5)),
                    comment: text(row, 6),
                    columns: Vec::new(),
                    keys: Vec::new(),
                    foreign_keys: Vec::new(),
                    checks: Vec::new(),
                    partitions: Vec::new(),
                    has_old_key_hash: false,
                };
                tables.insert(name, table);
            }
        },
    )?;
    if tables.is_empty() {
        return Ok(tables);
    }
    columns(side, block, &mut tables)?;
    super::key_facts::keys(side, block, &mut tables)?;
    super::key_facts::foreign_keys(side, block, &mut tables)?;
    super::constraints::checks(side, block, &mut tables)?;
    super::constraints::partitions(side, block, &mut tables)?;
    for (name, table) in &mut tables {
        let name = TableName {
            database: block.database.clone(),
            table: name.clone(),
        };
        open_defaults(side, &name, table)?;
        super::constraints::open_definition(side, &name, table)?;
    }
    Ok(tables)
}

/// The table that a row is about; its database and name are the first two columns.
pub(super) fn table_of<'t>(
    tables: &'t mut Tables,
    database: &DatabaseName,
    row: &mut Row,
) -> Option<&'t mut Table> {
    let is_here = text(row, 0) == database.as_str();
    tables.get_mut(&text(row, 1)).filter(|_| is_here)
}

fn options(text: &str) -> BTreeMap<String, String> {
    let pairs = text
        .split_whitespace()
        .filter_map(|option| option.split_once('='));
    pairs
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_ascii_lowercase()))
        .collect()
}

fn columns(
    side: &mut Side<'_>,
    block: &Block<'_>,
    tables: &mut Tables,
) -> Result<(), ObjectsError> {
    let generated = side.since((5, 7, 6), "GENERATION_EXPRESSION");
    let srid = side.since((8, 0, 3), "SRS_ID");
    let version = side.version;
    let expression = |printed: &str| match version.is_mysql_at_least(8, 0, 0) {
        true => super::spelling::unescaped(printed),
        false => printed.to_owned(),
    };
    side.rows(
        "the columns of its tables",
        &format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, COLLATION_NAME, IS_NULLABLE, \
             COLUMN_DEFAULT, EXTRA, {generated}, COLUMN_COMMENT, {srid} FROM information_schema.COLUMNS \
             WHERE {} ORDER BY TABLE_NAME, ORDINAL_POSITION",
            block.condition("TABLE_SCHEMA")
        ),
        |row| {
            let Some(table) = table_of(tables, block.database, row) else {
                return;
            };
            let extra = text(row, 8);
            let upper = extra.to_ascii_uppercase();
            let data_type = text(row, 4).to_ascii_lowercase();
            let is_expression = upper.contains("DEFAULT_GENERATED");
            let default = match some(row, 7) {
                None => ColumnDefault::None,
                Some(text) if is_expression || is_now(&data_type, &text) => {
                    ColumnDefault::Expression(expression(&text))
                }
                Some(text) => ColumnDefault::Literal(text),
            };
            const ON_UPDATE: &str = "ON UPDATE ";
            let on_update = upper.find(ON_UPDATE).and_then(|at| {
                let rest = upper.get(at + ON_UPDATE.len()..)?;
                rest.split_whitespace().next().map(str::to_owned)
            });
            let formula = some(row, 9).filter(|formula| !formula.is_empty());
            table.columns.push(Column {
                name: text(row, 2),
                column_type: text(row, 3),
                data_type,
                collation: some(row, 5),
                is_nullable: text(row, 6) == "YES",
                default,
                on_update,
                is_auto_increment: upper.contains("AUTO_INCREMENT"),
                is_invisible: upper.contains("INVISIBLE"),
                generated: formula
                    .map(|formula| (expression(&formula), upper.contains("STORED"))),
                comment: text(row, 10),
                srid: some(row, 11),
            });
        },
    )
}

/// True of the present time as a default, which older versions do not mark as an expression.
fn is_now(data_type: &str, default: &str) -> bool {
    let upper = default.to_ascii_uppercase();
    matches!(data_type, "timestamp" | "datetime") && upper.starts_with("CURRENT_TIMESTAMP")
}

/// Reads the defaults that the catalogue does not show as they are: bytes, and characters that
/// servers print as `?`.
fn open_defaults(
    side: &mut Side<'_>,
    name: &TableName,
    table: &mut Table,
) -> Result<(), ObjectsError> {
    let is_open = |column: &Column| {
        let ColumnDefault::Literal(text) = &column.default else {
            return false;
        };
        let is_binary = matches!(column.data_type.as_str(), "binary" | "varbinary");
        is_binary || text.contains('?')
    };
    let open: Vec<&mut Column> = table
        .columns
        .iter_mut()
        .filter(|column| is_open(column))
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = open
        .iter()
        .map(|column| format!("HEX(DEFAULT(t.{}))", sql::identifier(&column.name)))
        .collect();
    // A row of the table is not needed for it.
    let statement = format!(
        "SELECT {} FROM (SELECT 1 AS one) AS o LEFT JOIN {} AS t ON FALSE",
        list.join(", "),
        sql::table(name)
    );
    let row = side.first("the defaults of a table", &statement)?;
    let Some(mut row) = row else { return Ok(()) };
    for (at, column) in open.into_iter().enumerate() {
        if let Some(bytes) = some(&mut row, at) {
            column.default = ColumnDefault::Bytes(bytes);
        }
    }
    Ok(())
}
