use std::{fmt, sync::Arc};

/// The longest name of a database or table, in characters (MySQL manual, "Identifier Length Limits").
const NAME_CHARS_MAX: usize = 64;

/// What the server puts before a name that it read from a folder and could not decode.
const UNDECODED_PREFIX: &str = "#mysql50#";

/// A database's name, unquoted, as the server spells it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseName(Arc<str>);

impl DatabaseName {
    /// Takes a name that MySQL could have given to a database.
    pub fn new(name: &str) -> Result<Self, NameError> {
        check(name)?;
        Ok(Self(name.into()))
    }

    /// The name, unquoted.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as the key of a map, where names that differ only in case may be one.
    pub fn folded(&self, case: NameCase) -> Self {
        match case {
            NameCase::Sensitive => self.clone(),
            NameCase::Insensitive => Self(self.0.to_lowercase().into()),
        }
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_quoted(f, &self.0)
    }
}

impl fmt::Debug for DatabaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A table's name with its database, unquoted, as the server spells them.
///
/// Prints as `` `database`.`table` ``. Cloning is cheap.
///
/// ```
/// let table = drs_core::TableName::new("shop", "order`items")?;
/// assert_eq!(table.to_string(), "`shop`.`order``items`");
/// # Ok::<(), drs_core::NameError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The database.
    pub database: DatabaseName,
    /// The table.
    pub table: String,
}

impl TableName {
    /// Takes two names that MySQL could have given to a database and a table.
    pub fn new(database: &str, table: &str) -> Result<Self, NameError> {
        DatabaseName::new(database)?.table(table)
    }

    /// The name as the key of a map, where names that differ only in case may be one.
    pub fn folded(&self, case: NameCase) -> Self {
        match case {
            NameCase::Sensitive => self.clone(),
            NameCase::Insensitive => Self {
                database: self.database.folded(case),
                table: self.table.to_lowercase(),
            },
        }
    }
}

impl DatabaseName {
    /// The name of a table in this database.
    pub fn table(&self, table: &str) -> Result<TableName, NameError> {
        check(table)?;
        Ok(TableName {
            database: self.clone(),
            table: table.into(),
        })
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_quoted(f, self.database.as_str())?;
        f.write_str(".")?;
        write_quoted(f, &self.table)
    }
}

impl fmt::Debug for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text can't be the name of a database or table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing there.
    #[error("a name is empty")]
    Empty,
    /// More than 64 characters.
    #[error("the name {name:?} has {chars} characters, and MySQL allows {NAME_CHARS_MAX}")]
    TooLong {
        /// The name, cut to what MySQL allows.
        name: String,
        /// Its length.
        chars: usize,
    },
    /// NUL, or a character outside the Basic Multilingual Plane.
    #[error("the name {name:?} has a character that MySQL does not allow in names: {character:?}")]
    Character {
        /// The name.
        name: String,
        /// The first such character.
        character: char,
    },
}

/// Whether a server tells names apart by letter case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NameCase {
    /// `lower_case_table_names = 0`: `Orders` and `orders` are two tables.
    #[default]
    Sensitive,
    /// `lower_case_table_names` is 1 or 2: they are one.
    Insensitive,
}

impl NameCase {
    /// From the value of the server variable `lower_case_table_names`.
    pub fn from_lower_case_table_names(value: u8) -> Self {
        if value == 0 {
            Self::Sensitive
        } else {
            Self::Insensitive
        }
    }

    /// True when a server of this kind takes the two names for one.
    pub fn same(self, left: &str, right: &str) -> bool {
        match self {
            Self::Sensitive => left == right,
            Self::Insensitive => left
                .chars()
                .flat_map(char::to_lowercase)
                .eq(right.chars().flat_map(char::to_lowercase)),
        }
    }
}

pub(super) fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    let chars = name
        .strip_prefix(UNDECODED_PREFIX)
        .unwrap_or(name)
        .chars()
        .count();
    if chars > NAME_CHARS_MAX {
        return Err(NameError::TooLong {
            name: name.chars().take(NAME_CHARS_MAX).collect(),
            chars,
        });
    }
    match name.chars().find(|&c| c == '\0' || c > '\u{FFFF}') {
        Some(character) => Err(NameError::Character {
            name: name.to_owned(),
            character,
        }),
        None => Ok(()),
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    f.write_str("`")?;
    for (index, part) in name.split('`').enumerate() {
        if index > 0 {
            f.write_str("``")?;
        }
        f.write_str(part)?;
    }
    f.write_str("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_quoted() {
        for (database, table, text) in [
            ("shop", "orders", "`shop`.`orders`"),
            ("a.b", "c d", "`a.b`.`c d`"),
            ("a`b", "``", "`a``b`.``````"),
            ("数据库", "táblà", "`数据库`.`táblà`"),
        ] {
            assert_eq!(
                TableName::new(database, table)
                    .map(|name| name.to_string())
                    .as_deref(),
                Ok(text)
            );
        }
    }

    #[test]
    fn takes_what_mysql_takes() {
        let longest = "é".repeat(64);
        for name in [
            "a",
            "select",
            "#sql-ib12",
            "*",
            "tab\tname",
            longest.as_str(),
        ] {
            assert!(DatabaseName::new(name).is_ok(), "{name:?}");
        }
        let undecoded = format!("#mysql50#{longest}");
        assert!(DatabaseName::new(&undecoded).is_ok());
    }

    #[test]
    fn refuses_what_mysql_refuses() {
        let long = "x".repeat(65);
        for (name, message) in [
            ("", "a name is empty".to_owned()),
            (
                long.as_str(),
                format!(
                    "the name {:?} has 65 characters, and MySQL allows 64",
                    "x".repeat(64)
                ),
            ),
            (
                "a\0b",
                r#"the name "a\0b" has a character that MySQL does not allow in names: '\0'"#
                    .to_owned(),
            ),
            (
                "🦀",
                "the name \"🦀\" has a character that MySQL does not allow in names: '🦀'"
                    .to_owned(),
            ),
        ] {
            assert_eq!(DatabaseName::new(name).unwrap_err().to_string(), message);
            assert!(TableName::new("shop", name).is_err());
        }
    }

    #[test]
    fn compares_by_case() {
        assert!(NameCase::from_lower_case_table_names(1).same("Ördérs", "öRDÉRS"));
        assert!(NameCase::from_lower_case_table_names(2).same("A", "a"));
        assert!(!NameCase::from_lower_case_table_names(0).same("A", "a"));
    }
}
