//! Databases, tables, columns, indexes and foreign keys: five queries, whatever their number.

use std::collections::{BTreeMap, BTreeSet};

use drs_core::{DatabaseName, Role, ServerVersion, TableName};
use mysql::Conn;

use super::{
    Fact, Unread,
    ask::{Ask, name, number, scope, some, text},
};

/// What there is in the databases that have to do with the task.
///
/// At the source these are the selected tables; at the destination all tables in the databases that
/// selected tables are mapped to, with columns and indexes of those only that are mapped to.
#[derive(Clone, Debug)]
pub struct Tables {
    /// The databases.
    pub databases: Fact<Vec<Database>>,
    /// The tables, and at the destination its views, in the order of their names.
    pub tables: Fact<Vec<Table>>,
    /// Their columns, in order.
    pub columns: Fact<BTreeMap<TableName, Vec<Column>>>,
    /// Their indexes, the primary key first.
    pub indexes: Fact<BTreeMap<TableName, Vec<Index>>>,
    /// The foreign keys that they have, and those of other tables that refer to them.
    pub foreign_keys: Fact<Vec<ForeignKey>>,
}

/// A database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Its name.
    pub name: DatabaseName,
    /// Its default character set.
    pub charset: String,
    /// Its default collation.
    pub collation: String,
}

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// What it is.
    pub kind: TableKind,
    /// Its engine; `None` for views, and where the server can't open the table.
    pub engine: Option<String>,
    /// How many rows the server believes it has.
    pub rows_estimate: u64,
    /// Bytes of its rows, by the server's belief.
    pub data_bytes: u64,
    /// Bytes of its secondary indexes, by the server's belief.
    pub index_bytes: u64,
    /// Its default collation.
    pub collation: Option<String>,
    /// `Dynamic`, `Compact` and so on.
    pub row_format: Option<String>,
    /// The options that it was created with, as the server writes them: `row_format=FIXED`.
    pub options: String,
    /// It has partitions.
    pub is_partitioned: bool,
}

/// Whether rows are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// A table.
    Base,
    /// A view.
    View,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type in full, as the server writes it: `int unsigned`, `enum('a','b')`.
    pub kind: String,
    /// The type's bare name, in small letters: `int`, `enum`.
    pub data_type: String,
    /// Its character set, for text.
    pub charset: Option<String>,
    /// Its collation, for text.
    pub collation: Option<String>,
    /// It takes NULL.
    pub is_nullable: bool,
    /// Its default, as the server writes it; `None` for none and for NULL.
    pub default: Option<String>,
    /// It fills itself with the next number.
    pub is_auto_increment: bool,
    /// It is hidden from `SELECT *`.
    pub is_invisible: bool,
    /// Its expression, if it is generated.
    pub generated: Option<Generated>,
}

/// A generated column's expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The expression, as the server writes it.
    pub expression: String,
    /// Its value is stored with the row.
    pub is_stored: bool,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its name; `PRIMARY` for the primary key.
    pub name: String,
    /// No two rows have the same values in it.
    pub is_unique: bool,
    /// `BTREE`, `FULLTEXT`, `SPATIAL`.
    pub kind: String,
    /// What it is over, in order.
    pub parts: Vec<IndexPart>,
}

/// One part of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexPart {
    /// A column's name, or an expression.
    pub over: Over,
    /// The number of characters or bytes that it takes of the column; `None` for all.
    pub prefix: Option<u64>,
}

/// What a part of an index is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// A column.
    Column(String),
    /// An expression, as the server writes it.
    Expression(String),
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// The table that has it.
    pub child: TableName,
    /// Its columns there.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub parent: TableName,
    /// The columns there.
    pub parent_columns: Vec<String>,
    /// `CASCADE`, `RESTRICT` and so on.
    pub on_delete: String,
    /// `CASCADE`, `RESTRICT` and so on.
    pub on_update: String,
}

impl ForeignKey {
    /// True when a change of the parent changes the child.
    pub fn cascades(&self) -> bool {
        let changes = |rule: &str| matches!(rule, "CASCADE" | "SET NULL" | "SET DEFAULT");
        changes(&self.on_delete) || changes(&self.on_update)
    }
}

impl Index {
    /// True for a key that identifies each row: unique, over whole columns, none of which is ever
    /// NULL.
    pub fn identifies_rows(&self, columns: &[Column]) -> bool {
        let is_whole = |part: &IndexPart| part.prefix.is_none();
        self.is_unique
            && self.parts.iter().all(|part| match &part.over {
                _ if !is_whole(part) => false,
                Over::Column(name) => columns
                    .iter()
                    .any(|column| column.name == *name && !column.is_nullable),
                Over::Expression(_) => false,
            })
    }
}

impl Tables {
    /// Without any answer, for this reason.
    pub(super) fn unread(reason: &Unread) -> Self {
        Self {
            databases: Err(reason.clone()),
            tables: Err(reason.clone()),
            columns: Err(reason.clone()),
            indexes: Err(reason.clone()),
            foreign_keys: Err(reason.clone()),
        }
    }

    /// Asks for the databases that `in_scope` takes, and the tables there that `wanted` takes; with
    /// `others`, the other tables there are listed too, without columns and indexes.
    pub(super) fn gather(
        conn: &mut Conn,
        role: Role,
        version: ServerVersion,
        in_scope: impl Fn(&DatabaseName) -> bool,
        wanted: impl Fn(&TableName) -> bool,
        others: bool,
    ) -> Self {
        let mut ask = Ask {
            conn,
            role,
            version,
        };
        let databases = match ask.databases(in_scope) {
            Ok(databases) => databases,
            Err(unread) => return Self::unread(&unread),
        };
        let names: BTreeSet<&str> = databases
            .iter()
            .map(|database| database.name.as_str())
            .collect();
        if names.is_empty() {
            return Self {
                databases: Ok(databases),
                tables: Ok(Vec::new()),
                columns: Ok(BTreeMap::new()),
                indexes: Ok(BTreeMap::new()),
                foreign_keys: Ok(Vec::new()),
            };
        }
        let scope = scope(&names);
        // Asked once for each table, and not for each of its columns: a selection may be long.
        let mut chosen = BTreeSet::new();
        let tables = ask.tables(&scope, |table| {
            let is_wanted = wanted(table);
            if is_wanted {
                chosen.insert(table.clone());
            }
            others || is_wanted
        });
        let chosen = |table: &TableName| chosen.contains(table);
        Self {
            tables,
            columns: ask.columns(&scope, chosen),
            indexes: ask.indexes(&scope, chosen),
            foreign_keys: ask.foreign_keys(&scope, chosen),
            databases: Ok(databases),
        }
    }
}

impl Ask<'_> {
    fn databases(&mut self, in_scope: impl Fn(&DatabaseName) -> bool) -> Fact<Vec<Database>> {
        let mut databases = Vec::new();
        self.rows(
            "its databases",
            "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME \
             FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME",
            |row| {
                if let Ok(name) = DatabaseName::new(&text(row, 0))
                    && in_scope(&name)
                {
                    databases.push(Database {
                        name,
                        charset: text(row, 1),
                        collation: text(row, 2),
                    });
                }
            },
        )?;
        Ok(databases)
    }

    fn tables(
        &mut self,
        scope: &str,
        mut wanted: impl FnMut(&TableName) -> bool,
    ) -> Fact<Vec<Table>> {
        let mut tables = Vec::new();
        self.rows(
            "its tables",
            &format!(
                "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH, INDEX_LENGTH, \
                 TABLE_COLLATION, ROW_FORMAT, CREATE_OPTIONS FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA IN {scope} ORDER BY TABLE_SCHEMA, TABLE_NAME"
            ),
            |row| {
                let kind = match text(row, 2).as_str() {
                    "BASE TABLE" => TableKind::Base,
                    _ => TableKind::View,
                };
                if let Some(name) = name(row, 0, 1)
                    && wanted(&name)
                {
                    let options = text(row, 9);
                    tables.push(Table {
                        name,
                        kind,
                        engine: some(row, 3),
                        rows_estimate: number(row, 4),
                        data_bytes: number(row, 5),
                        index_bytes: number(row, 6),
                        collation: some(row, 7),
                        row_format: some(row, 8),
                        is_partitioned: options.contains("partitioned"),
                        options,
                    });
                }
            },
        )?;
        Ok(tables)
    }

    fn columns(
        &mut self,
        scope: &str,
        wanted: impl Fn(&TableName) -> bool,
    ) -> Fact<BTreeMap<TableName, Vec<Column>>> {
        let generated = match self.version.is_mysql_at_least(5, 7, 6) {
            true => "GENERATION_EXPRESSION",
            false => "NULL",
        };
        let mut columns: BTreeMap<TableName, Vec<Column>> = BTreeMap::new();
        self.rows(
            "the columns of its tables",
            &format!(
                "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, CHARACTER_SET_NAME, \
                 COLLATION_NAME, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, {generated} FROM information_schema.COLUMNS \
                 WHERE TABLE_SCHEMA IN {scope} ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION"
            ),
            |row| {
                let Some(table) = name(row, 0, 1).filter(&wanted) else {
                    return;
                };
                let extra = text(row, 9).to_ascii_uppercase();
                let expression = some(row, 10).filter(|expression| !expression.is_empty());
                columns.entry(table).or_default().push(Column {
                    name: text(row, 2),
                    kind: text(row, 3),
                    data_type: text(row, 4).to_ascii_lowercase(),
                    charset: some(row, 5),
                    collation: some(row, 6),
                    is_nullable: text(row, 7) == "YES",
                    default: some(row, 8),
                    is_auto_increment: extra.contains("AUTO_INCREMENT"),
                    is_invisible: extra.contains("INVISIBLE"),
                    generated: expression.map(|expression| Generated {
                        expression,
                        is_stored: extra.contains("STORED"),
                    }),
                });
            },
        )?;
        Ok(columns)
    }

    fn indexes(
        &mut self,
        scope: &str,
        wanted: impl Fn(&TableName) -> bool,
    ) -> Fact<BTreeMap<TableName, Vec<Index>>> {
        let expression = match self.version.is_mysql_at_least(8, 0, 13) {
            true => "EXPRESSION",
            false => "NULL",
        };
        let mut indexes: BTreeMap<TableName, Vec<Index>> = BTreeMap::new();
        self.rows(
            "the indexes of its tables",
            &format!(
                "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, INDEX_TYPE, COLUMN_NAME, SUB_PART, {expression} \
                 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA IN {scope} \
                 ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX"
            ),
            |row| {
                let Some(table) = name(row, 0, 1).filter(&wanted) else {
                    return;
                };
                let part = IndexPart {
                    over: match some(row, 5) {
                        Some(column) => Over::Column(column),
                        None => Over::Expression(text(row, 7)),
                    },
                    prefix: some(row, 6).and_then(|prefix| prefix.parse().ok()),
                };
                let indexes = indexes.entry(table).or_default();
                let name = text(row, 2);
                match indexes.last_mut() {
                    Some(index) if index.name == name => index.parts.push(part),
                    _ => indexes.push(Index {
                        name,
                        is_unique: number(row, 3) == 0,
                        kind: text(row, 4),
                        parts: vec![part],
                    }),
                }
            },
        )?;
        Ok(indexes)
    }

    fn foreign_keys(
        &mut self,
        scope: &str,
        wanted: impl Fn(&TableName) -> bool,
    ) -> Fact<Vec<ForeignKey>> {
        let mut rules = BTreeMap::new();
        self.rows(
            "the rules of its foreign keys",
            &format!(
                "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE \
                 FROM information_schema.REFERENTIAL_CONSTRAINTS \
                 WHERE CONSTRAINT_SCHEMA IN {scope} OR UNIQUE_CONSTRAINT_SCHEMA IN {scope}"
            ),
            |row| {
                if let Some(child) = name(row, 0, 1) {
                    rules.insert((child, text(row, 2)), (text(row, 3), text(row, 4)));
                }
            },
        )?;
        let mut keys: Vec<ForeignKey> = Vec::new();
        self.rows(
            "its foreign keys",
            &format!(
                "SELECT TABLE_SCHEMA, TABLE_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, CONSTRAINT_NAME, \
                 COLUMN_NAME, REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE \
                 WHERE REFERENCED_TABLE_NAME IS NOT NULL AND (TABLE_SCHEMA IN {scope} OR REFERENCED_TABLE_SCHEMA IN {scope}) \
                 ORDER BY TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION"
            ),
            |row| {
                let (Some(child), Some(parent)) = (name(row, 0, 1), name(row, 2, 3)) else {
                    return;
                };
                if !wanted(&child) && !wanted(&parent) {
                    return;
                }
                let (constraint, column, parent_column) = (text(row, 4), text(row, 5), text(row, 6));
                match keys.last_mut() {
                    Some(key) if key.child == child && key.name == constraint => {
                        key.columns.push(column);
                        key.parent_columns.push(parent_column);
                    }
                    _ => {
                        let rule = rules.get(&(child.clone(), constraint.clone())).cloned();
                        let (on_delete, on_update) = rule.unwrap_or_default();
                        keys.push(ForeignKey {
                            name: constraint,
                            child,
                            columns: vec![column],
                            parent,
                            parent_columns: vec![parent_column],
                            on_delete,
                            on_update,
                        });
                    }
                }
            },
        )?;
        Ok(keys)
    }
}
