use std::collections::BTreeSet;

use crate::{
    object::{NameCase, SelectionEntry, TableName},
    rule::Expression,
};

/// The longest name of a column, in characters.
const COLUMN_CHARS_MAX: usize = 64;

/// The longest fixed text of an added column, in characters.
const FIXED_CHARS_MAX: u16 = 256;

/// What a task does to one table's rows and columns on their way: part of a task, checked by
/// [`TaskBuilder::build`](crate::TaskBuilder::build).
///
/// ```
/// use drs_core::Rule;
/// let rule = Rule::new("shop.orders").filter("region = 'EU'").without(drs_core::DmlKind::Delete);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(crate) table: String,
    pub(crate) filter: Option<String>,
    pub(crate) include: Option<Vec<String>>,
    pub(crate) exclude: Vec<String>,
    pub(crate) rename: Vec<(String, String)>,
    pub(crate) add: Vec<AddedColumn>,
    pub(crate) without: Vec<DmlKind>,
}

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DmlKind {
    /// A new row.
    Insert,
    /// A changed row.
    Update,
    /// A removed row.
    Delete,
}

/// A column that the destination has and the source has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedColumn {
    /// Its name.
    pub column: String,
    /// What it holds.
    pub value: AddedValue,
}

/// What an added column holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddedValue {
    /// The same in every row.
    Fixed {
        /// Its text.
        text: String,
        /// Its type.
        column_type: FixedType,
    },
    /// When drs inserted the row: UTC, by the destination's clock.
    CreateTime(TimeType),
    /// When drs last inserted or updated the row: UTC, by the destination's clock.
    UpdateTime(TimeType),
    /// `database@table` of the row's origin.
    DatabaseTable,
}

/// The type of a column with a fixed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FixedType {
    /// INT.
    Int,
    /// BIGINT.
    BigInt,
    /// VARCHAR of so many characters, 1 to 256.
    VarChar(u16),
    /// DATETIME(6).
    DateTime,
    /// TIMESTAMP(6).
    Timestamp,
}

/// The type of a column with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeType {
    /// BIGINT: milliseconds since 1970.
    BigInt,
    /// DATETIME(6).
    DateTime,
    /// TIMESTAMP(6).
    Timestamp,
}

impl Rule {
    /// A rule for one `database.table`, that does nothing yet. Backquotes take a name as it is.
    pub fn new(table: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            filter: None,
            include: None,
            exclude: Vec::new(),
            rename: Vec::new(),
            add: Vec::new(),
            without: Vec::new(),
        }
    }

    /// Takes only the rows for which this condition is true.
    #[must_use]
    pub fn filter(mut self, condition: impl Into<String>) -> Self {
        self.filter = Some(condition.into());
        self
    }

    /// Takes this column; those that are not named so are then left out.
    #[must_use]
    pub fn include(mut self, column: impl Into<String>) -> Self {
        self.include.get_or_insert_default().push(column.into());
        self
    }

    /// Leaves this column out.
    #[must_use]
    pub fn exclude(mut self, column: impl Into<String>) -> Self {
        self.exclude.push(column.into());
        self
    }

    /// Gives this column another name at the destination.
    #[must_use]
    pub fn rename(mut self, column: impl Into<String>, to: impl Into<String>) -> Self {
        self.rename.push((column.into(), to.into()));
        self
    }

    /// Adds a column at the destination.
    #[must_use]
    pub fn add(mut self, column: impl Into<String>, value: AddedValue) -> Self {
        self.add.push(AddedColumn {
            column: column.into(),
            value,
        });
        self
    }

    /// Leaves out this kind of change while the log is followed. The two sides then differ.
    #[must_use]
    pub fn without(mut self, kind: DmlKind) -> Self {
        self.without.push(kind);
        self
    }

    /// Checks what can be without the table; an error comes with the setting's name.
    pub(crate) fn check(&self) -> Result<TableRule, (&'static str, String)> {
        let table = SelectionEntry::parse(&self.table)
            .ok()
            .and_then(|entry| entry.single_table())
            .ok_or_else(|| {
                let reason = format!(
                    "{:?} is not one database.table; * and ? can't be used in a rule",
                    self.table
                );
                ("table", reason)
            })?;
        let filter = self
            .filter
            .as_deref()
            .map(str::parse::<Expression>)
            .transpose()
            .map_err(|error| ("where", error.to_string()))?;
        self.check_columns().map_err(|reason| ("columns", reason))?;
        self.check_added().map_err(|reason| ("add", reason))?;
        let without: BTreeSet<DmlKind> = self.without.iter().copied().collect();
        if without.len() == DmlKind::ALL.len() {
            return Err(("dml", "no kind of change is left".to_owned()));
        }
        Ok(TableRule {
            table,
            filter,
            settings: self.clone(),
            without,
        })
    }

    fn check_columns(&self) -> Result<(), String> {
        if self.include.is_some() && !self.exclude.is_empty() {
            return Err("give include or exclude".to_owned());
        }
        if self.include.as_ref().is_some_and(Vec::is_empty) {
            return Err("include names no column".to_owned());
        }
        let mut from = BTreeSet::new();
        let mut to = BTreeSet::new();
        for (column, name) in &self.rename {
            check_name(name)?;
            if !from.insert(column.to_lowercase()) || !to.insert(name.to_lowercase()) {
                return Err(format!("{column:?} or {name:?} is in rename twice"));
            }
        }
        Ok(())
    }

    fn check_added(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for added in &self.add {
            check_name(&added.column)?;
            if !names.insert(added.column.to_lowercase()) {
                return Err(format!("{:?} is added twice", added.column));
            }
            if let AddedValue::Fixed { text, column_type } = &added.value {
                column_type.check(text)?;
            }
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let chars = name.chars().count();
    if chars == 0 || chars > COLUMN_CHARS_MAX || name.ends_with(' ') || name.contains('\0') {
        return Err(format!("{name:?} can't be a column's name"));
    }
    Ok(())
}

impl DmlKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Insert, Self::Update, Self::Delete];

    /// As the task file writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl FixedType {
    /// The type of a name in a task file.
    pub fn named(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let chars = lower
            .strip_prefix("varchar(")
            .and_then(|rest| rest.strip_suffix(')'));
        match (lower.as_str(), chars) {
            ("int", _) => Some(Self::Int),
            ("bigint", _) => Some(Self::BigInt),
            ("datetime", _) => Some(Self::DateTime),
            ("timestamp", _) => Some(Self::Timestamp),
            (_, Some(digits)) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits
                .parse()
                .ok()
                .map(Self::VarChar)
                .filter(|named| named.is_valid()),
            _ => None,
        }
    }

    fn is_valid(self) -> bool {
        match self {
            Self::VarChar(chars) => (1..=FIXED_CHARS_MAX).contains(&chars),
            _ => true,
        }
    }

    fn check(self, text: &str) -> Result<(), String> {
        let good = match self {
            // A space at the end is not told from none by keys.
            Self::VarChar(chars) => {
                self.is_valid()
                    && text.chars().count() <= usize::from(chars)
                    && !text.ends_with(' ')
            }
            Self::Int => text.parse::<i32>().is_ok(),
            Self::BigInt => text.parse::<i64>().is_ok(),
            Self::DateTime => super::moment::parse_date_time(text).is_some(),
            Self::Timestamp => super::moment::parse_date_time(text)
                .is_some_and(|at| (1971..2038).contains(&at.date.year)),
        };
        if good {
            return Ok(());
        }
        Err(format!("{text:?} is no value of the type {self}"))
    }
}

impl Default for FixedType {
    fn default() -> Self {
        Self::VarChar(FIXED_CHARS_MAX)
    }
}

impl std::fmt::Display for FixedType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::VarChar(chars) => write!(f, "varchar({chars})"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::DateTime => f.write_str("datetime"),
            Self::Timestamp => f.write_str("timestamp"),
        }
    }
}

impl TimeType {
    /// The types by their names in a task file.
    pub const NAMES: [(&str, Self); 3] = [
        ("datetime", Self::DateTime),
        ("timestamp", Self::Timestamp),
        ("bigint", Self::BigInt),
    ];
}

/// A rule of which everything is checked that can be without the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableRule {
    pub(crate) table: TableName,
    pub(crate) filter: Option<Expression>,
    pub(crate) settings: Rule,
    pub(crate) without: BTreeSet<DmlKind>,
}

impl TableRule {
    /// What a task can't change once it has begun, in one line.
    pub(crate) fn basis(&self) -> String {
        let settings = &self.settings;
        let mut line = format!("rule {}", self.table);
        if let Some(filter) = &self.filter {
            line.push_str(&format!(" where {filter:?}"));
        }
        if let Some(include) = &settings.include {
            line.push_str(&format!(" include {include:?}"));
        }
        if !settings.exclude.is_empty() {
            line.push_str(&format!(" exclude {:?}", settings.exclude));
        }
        if !settings.rename.is_empty() {
            line.push_str(&format!(" rename {:?}", settings.rename));
        }
        if !settings.add.is_empty() {
            line.push_str(&format!(" add {:?}", settings.add));
        }
        if !self.without.is_empty() {
            line.push_str(&format!(" without {:?}", self.without));
        }
        line
    }
}

/// The rules of a task: at most one for a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules(Vec<TableRule>);

impl Rules {
    /// Fails with the table that has two.
    pub(crate) fn new(rules: Vec<TableRule>) -> Result<Self, TableName> {
        let mut seen = BTreeSet::new();
        for rule in &rules {
            if !seen.insert(rule.table.clone()) {
                return Err(rule.table.clone());
            }
        }
        Ok(Self(rules))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &TableRule> {
        self.0.iter()
    }

    /// The rule of a table of the source.
    pub(crate) fn of(&self, table: &TableName, case: NameCase) -> Option<&TableRule> {
        self.0.iter().find(|rule| {
            case.same(rule.table.database.as_str(), table.database.as_str())
                && case.same(&rule.table.table, &table.table)
        })
    }
}
