use std::{fmt, iter::Peekable, str::Chars};

use super::{DatabaseName, NameCase, Pattern, TableName, pattern::Token};

/// The database at the destination that holds the checkpoints. It is never selected.
pub const CHECKPOINT_DATABASE: &str = "drs_meta";

/// Databases that a server keeps for itself, and ours.
const SYSTEM_DATABASES: [&str; 6] = [
    "mysql",
    "sys",
    "information_schema",
    "performance_schema",
    "ndbinfo",
    CHECKPOINT_DATABASE,
];

/// MySQL's limit for a name.
const NAME_CHARS_MAX: usize = 64;

/// Which tables a task works on: those that an include entry matches and no exclude entry does.
///
/// An entry is `database` (all its tables, also later ones) or `database.table`; `*` stands
/// for any characters, `?` for one. Backquotes take a part as it is, so that a name may hold
/// a dot, a star or a question mark: `` `a.b`.`c` ``. System databases and [`CHECKPOINT_DATABASE`]
/// are never selected.
///
/// ```
/// use drs_core::{Selection, TableName};
/// let selection = Selection::new(&["shop", "log_*.events"], &["shop.tmp_*"])?;
/// assert!(selection.matches(&TableName::new("shop", "orders")?));
/// assert!(!selection.matches(&TableName::new("shop", "tmp_1")?));
/// assert!(!selection.matches(&TableName::new("log_eu", "users")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    include: Vec<SelectionEntry>,
    exclude: Vec<SelectionEntry>,
    case: NameCase,
}

/// Why a table is selected, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectionReason<'a> {
    /// This entry includes it and none excludes it.
    Included(&'a SelectionEntry),
    /// This entry excludes it.
    Excluded(&'a SelectionEntry),
    /// No entry includes it.
    NotIncluded,
    /// Its database is the server's own or holds the checkpoints.
    SystemDatabase,
}

impl Selection {
    /// Reads the entries. At least one must include something.
    pub fn new<S: AsRef<str>>(include: &[S], exclude: &[S]) -> Result<Self, SelectionError> {
        if include.is_empty() {
            return Err(SelectionError::NothingIncluded);
        }
        let parse = |entries: &[S]| -> Result<Vec<SelectionEntry>, SelectionError> {
            entries
                .iter()
                .map(|entry| SelectionEntry::parse(entry.as_ref()))
                .collect()
        };
        let include = parse(include)?;
        for entry in &include {
            // `*` quietly leaves the system databases out; naming one is a mistake to be told of.
            if let Some(database) = entry
                .database
                .literal()
                .filter(|name| is_system(name, NameCase::Sensitive))
            {
                return Err(SelectionError::SystemDatabase {
                    entry: entry.text.clone(),
                    database,
                });
            }
        }
        Ok(Self {
            include,
            exclude: parse(exclude)?,
            case: NameCase::default(),
        })
    }

    /// The same selection on a server that compares names so.
    #[must_use]
    pub fn with_case(mut self, case: NameCase) -> Self {
        self.case = case;
        self
    }

    /// How names are compared.
    pub fn case(&self) -> NameCase {
        self.case
    }

    /// True when the task works on this table.
    pub fn matches(&self, table: &TableName) -> bool {
        matches!(self.reason(table), SelectionReason::Included(_))
    }

    /// Why the task works on this table or not.
    pub fn reason(&self, table: &TableName) -> SelectionReason<'_> {
        if self.is_system(&table.database) {
            return SelectionReason::SystemDatabase;
        }
        let find = |entries: &'_ [SelectionEntry]| {
            entries
                .iter()
                .position(|entry| entry.matches(table.database.as_str(), &table.table, self.case))
        };
        if let Some(entry) = find(&self.exclude).and_then(|index| self.exclude.get(index)) {
            return SelectionReason::Excluded(entry);
        }
        match find(&self.include).and_then(|index| self.include.get(index)) {
            Some(entry) => SelectionReason::Included(entry),
            None => SelectionReason::NotIncluded,
        }
    }

    /// True when the whole database is selected, so that its new tables are too, and
    /// statements on the database itself concern the task: an include entry takes all its
    /// tables and no exclude entry does.
    pub fn is_database_level(&self, database: &DatabaseName) -> bool {
        !self.is_system(database)
            && !self.takes_whole(&self.exclude, database)
            && self.takes_whole(&self.include, database)
    }

    /// True when some table of this database could be selected.
    pub fn may_match_in(&self, database: &DatabaseName) -> bool {
        !self.is_system(database)
            && !self.takes_whole(&self.exclude, database)
            && self
                .include
                .iter()
                .any(|entry| entry.database.matches(database.as_str(), self.case))
    }

    /// The include entries that match none of these tables; usually misspelt.
    pub fn entries_without_match<'a>(
        &'a self,
        tables: &'a [TableName],
    ) -> impl Iterator<Item = &'a SelectionEntry> {
        self.include.iter().filter(|entry| {
            !tables
                .iter()
                .any(|table| entry.matches(table.database.as_str(), &table.table, self.case))
        })
    }

    /// The include entries.
    pub fn include(&self) -> &[SelectionEntry] {
        &self.include
    }

    /// The exclude entries.
    pub fn exclude(&self) -> &[SelectionEntry] {
        &self.exclude
    }

    fn takes_whole(&self, entries: &[SelectionEntry], database: &DatabaseName) -> bool {
        entries.iter().any(|entry| {
            entry.is_database_level() && entry.database.matches(database.as_str(), self.case)
        })
    }

    fn is_system(&self, database: &DatabaseName) -> bool {
        is_system(database.as_str(), self.case)
    }
}

/// One entry of a selection.
#[derive(Clone, PartialEq, Eq)]
pub struct SelectionEntry {
    text: String,
    database: Pattern,
    table: Option<Pattern>,
}

impl SelectionEntry {
    /// Reads `database` or `database.table`.
    pub fn parse(text: &str) -> Result<Self, SelectionError> {
        let error = |reason| SelectionError::Entry {
            entry: text.chars().take(200).collect(),
            reason,
        };
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(error("names with spaces can't be selected"));
        }
        let mut chars = text.chars().peekable();
        let database = part(&mut chars).map_err(error)?;
        let table = match chars.next() {
            None => None,
            Some(_) => Some(part(&mut chars).map_err(error)?),
        };
        if chars.next().is_some() {
            return Err(error(
                "more than two parts; put a name that holds a dot in backquotes",
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            database,
            table,
        })
    }

    /// True when the entry takes every table of the databases it names.
    pub fn is_database_level(&self) -> bool {
        self.table.as_ref().is_none_or(Pattern::is_any)
    }

    /// The table, when the entry can name no other.
    pub fn single_table(&self) -> Option<TableName> {
        let table = self.table.as_ref()?.literal()?;
        TableName::new(&self.database.literal()?, &table).ok()
    }

    /// The database, when the entry can name no other.
    pub fn single_database(&self) -> Option<DatabaseName> {
        DatabaseName::new(&self.database.literal()?).ok()
    }

    /// True when the entry names one object, a database or a table, and no other could match it.
    pub fn is_exact(&self) -> bool {
        let table = self.table.as_ref().filter(|table| !table.is_any());
        self.database.literal().is_some() && table.is_none_or(|table| table.literal().is_some())
    }

    /// True when the entry looks for tables in this database, on a server that compares names so.
    pub fn looks_in(&self, database: &DatabaseName, case: NameCase) -> bool {
        self.database.matches(database.as_str(), case)
    }

    /// The entry as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one database, or table of it, that the entry names; `None` when it has wildcards.
    pub(super) fn literal(&self) -> Option<(String, Option<String>)> {
        let table = match &self.table {
            None => None,
            Some(pattern) => Some(pattern.literal()?),
        };
        Some((self.database.literal()?, table))
    }

    fn matches(&self, database: &str, table: &str, case: NameCase) -> bool {
        self.database.matches(database, case)
            && self
                .table
                .as_ref()
                .is_none_or(|pattern| pattern.matches(table, case))
    }
}

impl fmt::Display for SelectionEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for SelectionEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

/// Why a selection can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// There is no include entry.
    #[error("no object is selected: name at least one database or database.table to include")]
    NothingIncluded,
    /// An entry is not `database` or `database.table`.
    #[error("{entry:?} selects nothing: {reason}")]
    Entry {
        /// The entry (cut to 200 characters).
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An entry includes a database that is never copied.
    #[error("{entry:?} selects the system database {database}, which is never synchronized")]
    SystemDatabase {
        /// The entry.
        entry: String,
        /// The database.
        database: String,
    },
}

/// Reads up to the next dot outside backquotes; leaves the dot.
fn part(chars: &mut Peekable<Chars<'_>>) -> Result<Pattern, &'static str> {
    let mut tokens = Vec::new();
    if chars.next_if_eq(&'`').is_some() {
        loop {
            match chars.next() {
                None => return Err("a backquote is not closed"),
                Some('`') if chars.next_if_eq(&'`').is_none() => break,
                Some(c) => tokens.push(Token::Is(c)),
            }
        }
        if chars.peek().is_some_and(|&c| c != '.') {
            return Err("only a dot can follow a closing backquote");
        }
    } else {
        while let Some(c) = chars.next_if(|&c| c != '.') {
            tokens.push(match c {
                '`' => return Err("a backquote within a name; quote the whole name and double it"),
                '*' => Token::Any,
                '?' => Token::One,
                c => Token::Is(c),
            });
        }
    }
    if tokens.is_empty() {
        return Err("a name is empty");
    }
    if tokens.iter().filter(|token| **token != Token::Any).count() > NAME_CHARS_MAX {
        return Err("a name has at most 64 characters");
    }
    Ok(Pattern::new(tokens))
}

pub(super) fn is_system(database: &str, case: NameCase) -> bool {
    // These two are one database in any letter case, whatever lower_case_table_names says.
    database.eq_ignore_ascii_case("information_schema")
        || database.eq_ignore_ascii_case("performance_schema")
        || SYSTEM_DATABASES
            .iter()
            .any(|system| case.same(database, system))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(database: &str, table: &str) -> TableName {
        TableName::new(database, table).unwrap()
    }

    #[test]
    fn include_then_exclude() {
        let selection = Selection::new(
            &[
                "shop",
                "crm.customers",
                "log_*.event?",
                "`a.b`.`c*`",
                "x.`t``q`",
            ],
            &["shop.tmp_*", "log_test", "log_eu.events"],
        )
        .unwrap();
        for (name, expected) in [
            (("shop", "orders"), true),
            (("shop", "tmp_orders"), false),
            (("shop2", "orders"), false),
            (("crm", "customers"), true),
            (("crm", "customers2"), false),
            (("log_us", "events"), true),
            (("log_us", "event"), false),
            (("log_eu", "events"), false),
            (("log_test", "eventx"), false),
            (("a.b", "c*"), true),
            (("a.b", "cd"), false),
            (("x", "t`q"), true),
            (("Shop", "orders"), false),
        ] {
            assert_eq!(
                selection.matches(&table(name.0, name.1)),
                expected,
                "{name:?}"
            );
        }
        assert!(
            selection
                .with_case(NameCase::Insensitive)
                .matches(&table("Shop", "ORDERS"))
        );
    }

    #[test]
    fn says_why() {
        let selection = Selection::new(&["*", "shop.orders"], &["shop.tmp"]).unwrap();
        for (name, expected) in [
            (("shop", "orders"), "Included(\"*\")"),
            (("shop", "tmp"), "Excluded(\"shop.tmp\")"),
            (("mysql", "user"), "SystemDatabase"),
            (("Information_Schema", "TABLES"), "SystemDatabase"),
            (("drs_meta", "task"), "SystemDatabase"),
            (("MySQL", "user"), "Included(\"*\")"),
        ] {
            assert_eq!(
                format!("{:?}", selection.reason(&table(name.0, name.1))),
                expected,
                "{name:?}"
            );
        }
        let selection = Selection::new(&["shop"], &[]).unwrap();
        assert_eq!(
            selection.reason(&table("crm", "a")),
            SelectionReason::NotIncluded
        );
        let selection = Selection::new(&["*"], &[])
            .unwrap()
            .with_case(NameCase::Insensitive);
        assert_eq!(
            selection.reason(&table("MySQL", "user")),
            SelectionReason::SystemDatabase
        );
    }

    #[test]
    fn database_level() {
        let selection = Selection::new(
            &["shop", "crm.*", "log.events", "eu_*"],
            &["eu_test", "crm.tmp"],
        )
        .unwrap();
        for (database, level, may) in [
            ("shop", true, true),
            ("crm", true, true),
            ("log", false, true),
            ("eu_1", true, true),
            ("eu_test", false, false),
            ("other", false, false),
            ("sys", false, false),
        ] {
            let database = DatabaseName::new(database).unwrap();
            assert_eq!(selection.is_database_level(&database), level, "{database}");
            assert_eq!(selection.may_match_in(&database), may, "{database}");
        }
    }

    #[test]
    fn names_the_entries_without_match() {
        let selection = Selection::new(&["shop", "crm.customer"], &[]).unwrap();
        let tables = [table("shop", "a"), table("crm", "customers")];
        let entries: Vec<_> = selection
            .entries_without_match(&tables)
            .map(SelectionEntry::as_str)
            .collect();
        assert_eq!(entries, ["crm.customer"]);
    }

    #[test]
    fn refuses_bad_entries() {
        let long = "x".repeat(65);
        for (entry, message) in [
            ("", "\"\" selects nothing: a name is empty"),
            ("shop.", "\"shop.\" selects nothing: a name is empty"),
            (".t", "\".t\" selects nothing: a name is empty"),
            (
                "a.b.c",
                "\"a.b.c\" selects nothing: more than two parts; put a name that holds a dot in backquotes",
            ),
            (
                "my shop.t",
                "\"my shop.t\" selects nothing: names with spaces can't be selected",
            ),
            (
                "`my shop`",
                "\"`my shop`\" selects nothing: names with spaces can't be selected",
            ),
            ("`a", "\"`a\" selects nothing: a backquote is not closed"),
            (
                "`a`b",
                "\"`a`b\" selects nothing: only a dot can follow a closing backquote",
            ),
            (
                "a`b",
                "\"a`b\" selects nothing: a backquote within a name; quote the whole name and double it",
            ),
            ("``", "\"``\" selects nothing: a name is empty"),
            (
                "mysql.user",
                "\"mysql.user\" selects the system database mysql, which is never synchronized",
            ),
            (
                "drs_meta",
                "\"drs_meta\" selects the system database drs_meta, which is never synchronized",
            ),
        ] {
            assert_eq!(
                Selection::new(&[entry], &[]).unwrap_err().to_string(),
                message
            );
        }
        assert!(Selection::new(&[long.as_str()], &[]).is_err());
        assert_eq!(
            Selection::new::<&str>(&[], &["a"]),
            Err(SelectionError::NothingIncluded)
        );
    }

    proptest! {
        /// Quoting a name selects that table and no other.
        #[test]
        fn a_quoted_name_selects_itself(
            database in "[a-z.*?`é]{1,10}", name in "[a-z.*?`é]{1,10}", other in "[a-z.*?`é]{1,10}",
        ) {
            let table = table(&database, &name);
            let selection = Selection::new(&[table.to_string()], &[]);
            prop_assume!(selection.is_ok());
            let selection = selection.unwrap();
            prop_assert!(selection.matches(&table));
            prop_assert_eq!(selection.matches(&TableName::new(&database, &other).unwrap()), other == name);
        }

        #[test]
        fn never_panics(text in "\\PC{0,20}|[a.`*? ]{0,12}") {
            let _ = SelectionEntry::parse(&text);
        }

        /// What is excluded is never selected, whatever is included.
        #[test]
        fn exclude_wins(include in "[ab*]{1,4}(\\.[ab*]{1,4})?", exclude in "[ab*]{1,4}(\\.[ab*]{1,4})?",
                        database in "[ab]{1,3}", name in "[ab]{1,3}") {
            let table = table(&database, &name);
            let excluded = Selection::new(&[exclude.as_str()], &[]).unwrap().matches(&table);
            let selection = Selection::new(&[include.as_str()], &[exclude.as_str()]).unwrap();
            prop_assert!(!(excluded && selection.matches(&table)));
        }
    }
}
