use std::{collections::HashMap, fmt, hash::Hash};

use super::{
    DatabaseName, NameCase, NameError, TableName,
    name_rule::{self, NameRuleError},
    selection,
};

/// Which names the databases and tables of the source have at the destination.
///
/// An entry maps a database (`shop` to `shop_eu`) or a table (`crm.customers` to `dw.customers`);
/// a table's own entry counts more than its database's. What has no entry keeps its name.
/// Backquotes take a part as it is. Two objects of the source never map to one of the destination:
/// for that, each source has a task of its own.
///
/// ```
/// use drs_core::{Mapping, TableName};
/// let mapping = Mapping::new(&[("shop", "shop_eu"), ("shop.carts", "web.carts")])?;
/// let mapped = |table| mapping.table(&TableName::new("shop", table).unwrap()).to_string();
/// assert_eq!(mapped("orders"), "`shop_eu`.`orders`");
/// assert_eq!(mapped("carts"), "`web`.`carts`");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    databases: HashMap<DatabaseName, DatabaseName>,
    tables: HashMap<TableName, TableName>,
    case: NameCase,
}

/// Why names can't be mapped so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MappingError {
    /// A side is not `database` or `database.table`.
    #[error("{entry:?} can't be mapped: {reason}")]
    Entry {
        /// What stands there (cut to 200 characters).
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A database is mapped to a table or the reverse.
    #[error("{from:?} and {to:?} are not both databases or both tables")]
    Kind {
        /// The source's object.
        from: String,
        /// What it is mapped to.
        to: String,
    },
    /// A name that MySQL or this mapping does not allow at the destination.
    #[error("{name:?} can't be a mapped name: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// One object of the source would be two at the destination.
    #[error("{from} is mapped to {first} and to {second}")]
    Twice {
        /// The object.
        from: String,
        /// What the one entry maps it to.
        first: String,
        /// What the other one does.
        second: String,
    },
    /// Two objects of the source would be one at the destination.
    #[error(
        "{first} and {second} are both mapped to {to}: one task does not merge them; give each a task of its own"
    )]
    Merged {
        /// One object.
        first: String,
        /// The other.
        second: String,
        /// What both are mapped to.
        to: String,
    },
}

impl Mapping {
    /// Reads the entries: what an object is at the source, and what it is to be at the destination.
    pub fn new<S: AsRef<str>>(entries: &[(S, S)]) -> Result<Self, MappingError> {
        let mut mapping = Self::default();
        for (from, to) in entries {
            let (from, to) = (from.as_ref(), to.as_ref());
            match (object(from)?, object(to)?) {
                (Object::Database(source), Object::Database(destination)) => {
                    check_database(&source, &destination)?;
                    if let Some((first, _)) = mapping
                        .databases
                        .iter()
                        .find(|(_, other)| **other == destination)
                    {
                        return Err(merged(first, &source, &destination));
                    }
                    insert(&mut mapping.databases, source, destination)?;
                }
                (Object::Table(source), Object::Table(destination)) => {
                    check_database(&source.database, &destination.database)?;
                    check_table(&source, &destination)?;
                    if let Some((first, _)) = mapping
                        .tables
                        .iter()
                        .find(|(_, other)| **other == destination)
                    {
                        return Err(merged(first, &source, &destination));
                    }
                    insert(&mut mapping.tables, source, destination)?;
                }
                _ => {
                    return Err(MappingError::Kind {
                        from: from.to_owned(),
                        to: to.to_owned(),
                    });
                }
            }
        }
        Ok(mapping)
    }

    /// The same mapping of a source that compares names so.
    ///
    /// # Errors
    /// When two entries are for one object there.
    pub fn with_case(self, case: NameCase) -> Result<Self, MappingError> {
        let mut folded = Self {
            case,
            ..Self::default()
        };
        for (from, to) in self.databases {
            insert(&mut folded.databases, from.folded(case), to)?;
        }
        for (from, to) in self.tables {
            insert(&mut folded.tables, from.folded(case), to)?;
        }
        Ok(folded)
    }

    /// True when every object keeps its name.
    pub fn is_empty(&self) -> bool {
        self.databases.is_empty() && self.tables.is_empty()
    }

    /// A database's name at the destination.
    pub fn database(&self, source: &DatabaseName) -> DatabaseName {
        self.databases
            .get(&source.folded(self.case))
            .unwrap_or(source)
            .clone()
    }

    /// A table's name at the destination.
    pub fn table(&self, source: &TableName) -> TableName {
        if self.is_empty() {
            return source.clone();
        }
        match self.tables.get(&source.folded(self.case)) {
            Some(destination) => destination.clone(),
            None => TableName {
                database: self.database(&source.database),
                table: source.table.clone(),
            },
        }
    }

    /// The name at the source of what is this table at the destination; `None` when no name at the
    /// source is mapped to it.
    pub fn source_of(&self, destination: &TableName, case: NameCase) -> Option<TableName> {
        let there = destination.folded(case);
        let by_table = self.tables.iter().find(|(_, to)| to.folded(case) == there);
        let by_database = self
            .databases
            .iter()
            .filter(|(_, to)| to.folded(case) == there.database)
            .map(|(from, _)| TableName {
                database: from.clone(),
                table: destination.table.clone(),
            });
        by_table
            .map(|(from, _)| from.clone())
            .into_iter()
            .chain(by_database)
            .chain([destination.clone()])
            .find(|source| self.table(source).folded(case) == there)
    }

    /// True when a table has an entry of its own.
    pub fn names_table(&self, source: &TableName) -> bool {
        self.tables.contains_key(&source.folded(self.case))
    }

    /// The databases with an entry of their own.
    pub fn databases(&self) -> impl Iterator<Item = (&DatabaseName, &DatabaseName)> {
        self.databases.iter()
    }

    /// The tables with an entry of their own.
    pub fn tables(&self) -> impl Iterator<Item = (&TableName, &TableName)> {
        self.tables.iter()
    }

    /// The entries as lines, in an order of their own: for telling two mappings apart.
    pub(crate) fn lines(&self) -> Vec<String> {
        let databases = self
            .databases
            .iter()
            .map(|(from, to)| format!("map {from} = {to}"));
        let tables = self
            .tables
            .iter()
            .map(|(from, to)| format!("map {from} = {to}"));
        let mut lines: Vec<String> = databases.chain(tables).collect();
        lines.sort();
        lines
    }
}

/// Takes in an entry, if there is no other one for its object.
fn insert<N: Clone + Eq + Hash + fmt::Display>(
    entries: &mut HashMap<N, N>,
    from: N,
    to: N,
) -> Result<(), MappingError> {
    match entries.insert(from.clone(), to.clone()) {
        Some(first) if first != to => Err(MappingError::Twice {
            from: from.to_string(),
            first: first.to_string(),
            second: to.to_string(),
        }),
        _ => Ok(()),
    }
}

fn check_table(source: &TableName, destination: &TableName) -> Result<(), MappingError> {
    name_rule::check_mapped_table(&source.table, &destination.table)
        .map_err(|error| refused(error, &destination.table))
}

fn check_database(source: &DatabaseName, destination: &DatabaseName) -> Result<(), MappingError> {
    let destination = destination.as_str();
    name_rule::check_mapped_database(source.as_str(), destination)
        .map_err(|error| refused(error, destination))
}

fn refused(error: NameRuleError, destination: &str) -> MappingError {
    let name = match &error {
        NameRuleError::Long { name, .. } => name,
        _ => destination,
    };
    MappingError::Name {
        name: name.to_owned(),
        reason: error.to_string(),
    }
}

fn merged(
    first: &impl fmt::Display,
    second: &impl fmt::Display,
    to: &impl fmt::Display,
) -> MappingError {
    MappingError::Merged {
        first: first.to_string(),
        second: second.to_string(),
        to: to.to_string(),
    }
}

enum Object {
    Database(DatabaseName),
    Table(TableName),
}

/// Reads `database` or `database.table`, parts in backquotes or not; a star or a question mark
/// is one only in backquotes.
fn object(text: &str) -> Result<Object, MappingError> {
    let error = |reason| MappingError::Entry {
        entry: text.chars().take(200).collect(),
        reason,
    };
    let entry = selection::SelectionEntry::parse(text).map_err(|e| match e {
        selection::SelectionError::Entry { reason, .. } => error(reason),
        _ => error("it is no name"),
    })?;
    let named = |name: Result<Object, NameError>| {
        name.map_err(|source| MappingError::Name {
            name: text.chars().take(200).collect(),
            reason: source.to_string(),
        })
    };
    match entry.literal() {
        None => Err(error("it must be one name, without * and ?")),
        Some((database, None)) => named(DatabaseName::new(&database).map(Object::Database)),
        Some((database, Some(table))) => {
            named(TableName::new(&database, &table).map(Object::Table))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_its_own_entry_or_its_databases() {
        let mapping = Mapping::new(&[
            ("shop", "shop_eu"),
            ("crm.customers", "dw.customers"),
            ("shop.`a.b`", "web.ab"),
        ])
        .unwrap();
        for (database, table, mapped) in [
            ("shop", "orders", "`shop_eu`.`orders`"),
            ("shop", "a.b", "`web`.`ab`"),
            ("crm", "customers", "`dw`.`customers`"),
            ("crm", "Customers", "`crm`.`Customers`"),
            ("other", "t", "`other`.`t`"),
        ] {
            let table = TableName::new(database, table).unwrap();
            assert_eq!(mapping.table(&table).to_string(), mapped);
        }
        let mapping = mapping.with_case(NameCase::Insensitive).unwrap();
        for (database, table, mapped) in [
            ("Shop", "orders", "`shop_eu`.`orders`"),
            ("crm", "Customers", "`dw`.`customers`"),
        ] {
            let table = TableName::new(database, table).unwrap();
            assert_eq!(mapping.table(&table).to_string(), mapped);
        }
    }

    #[test]
    fn an_object_has_one_name_at_the_destination() {
        for entries in [
            [("a", "b"), ("`a`", "c")],
            [("a.t", "b.t"), ("a.`t`", "b.u")],
        ] {
            let error = Mapping::new(&entries).unwrap_err();
            assert!(matches!(error, MappingError::Twice { .. }), "{error}");
        }
        for entries in [[("a", "b"), ("A", "c")], [("a.t", "b.t"), ("a.T", "b.u")]] {
            let mapping = Mapping::new(&entries).unwrap();
            assert!(mapping.clone().with_case(NameCase::Sensitive).is_ok());
            let error = mapping.with_case(NameCase::Insensitive).unwrap_err();
            assert!(matches!(error, MappingError::Twice { .. }), "{error}");
        }
    }

    #[test]
    fn refuses_what_can_not_be_mapped() {
        let long = "x".repeat(42);
        let cases = [
            (
                "a",
                "b.c",
                "\"a\" and \"b.c\" are not both databases or both tables",
            ),
            (
                "a*",
                "b",
                "\"a*\" can't be mapped: it must be one name, without * and ?",
            ),
            (
                "a",
                "mysql",
                "\"mysql\" can't be a mapped name: it is a system database",
            ),
            (
                "a",
                "drs_meta",
                "\"drs_meta\" can't be a mapped name: drs keeps its own tables there",
            ),
            (
                "a",
                "`b.c`",
                "\"b.c\" can't be a mapped name: the character . can't be in it",
            ),
            (
                "a",
                "b<",
                "\"b<\" can't be a mapped name: the character < can't be in it",
            ),
            (
                "a",
                "b'",
                "\"b'\" can't be a mapped name: the character ' can't be in it",
            ),
            (
                "a.t",
                "a.`t\"`",
                "\"t\\\"\" can't be a mapped name: the character \" can't be in it",
            ),
            (
                "a",
                "my db",
                "\"my db\" can't be mapped: names with spaces can't be selected",
            ),
            (
                "a",
                "ib_logfile7",
                "\"ib_logfile7\" can't be a mapped name: InnoDB has a file of this name",
            ),
            (
                "a",
                "ibdata1",
                "\"ibdata1\" can't be a mapped name: InnoDB has a file of this name",
            ),
        ];
        for (from, to, message) in cases {
            assert_eq!(
                Mapping::new(&[(from, to)]).unwrap_err().to_string(),
                message
            );
        }
        for (from, to, fits) in [
            (format!("a.{long}"), format!("a.{long}y"), true),
            (format!("a.{long}"), format!("a.-{}", &long[1..]), true),
            (format!("a.{long}"), format!("a.-{long}"), false),
            (format!("a.{long}"), format!("a.#{long}"), false),
            (format!("a.é{long}"), "a.b".to_owned(), false),
            (format!("a.é{}", &long[1..]), "a.b".to_owned(), true),
            (format!("a-{long}"), "b".to_owned(), false),
        ] {
            let mapping = Mapping::new(&[(from.clone(), to.clone())]);
            assert_eq!(mapping.is_ok(), fits, "{from} {to}: {mapping:?}");
        }
        for entries in [[("a", "c"), ("b", "c")], [("a.t", "c.t"), ("b.t", "c.t")]] {
            let error = Mapping::new(&entries).unwrap_err();
            assert!(matches!(error, MappingError::Merged { .. }), "{error}");
        }
    }
}
