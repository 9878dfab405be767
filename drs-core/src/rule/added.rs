use super::{AddedValue, BindError, FixedType, TableRule, TimeType, bind};
use crate::{
    schema::{Column, ColumnKind, KeyPart, TableSchema},
    sql,
};

/// The columns of a destination's table that a rule adds.
#[derive(Clone, Debug)]
pub(crate) struct Added {
    pub(crate) columns: Vec<AddedSql>,
    /// The condition that tells the task's own rows from those of others: each constant column has
    /// its constant.
    pub(crate) own_rows: Option<String>,
    /// True when each unique key has all constant columns in it, so that rows of others never have
    /// a value of it that an own row has.
    pub(crate) keys_are_own: bool,
}

/// A column that a rule adds, as statements write it.
#[derive(Clone, Debug)]
pub(crate) struct AddedSql {
    pub(crate) name: String,
    pub(crate) expression: String,
    pub(crate) role: AddedRole,
}

/// When an added column is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddedRole {
    /// With every new row, to the same value.
    Constant,
    /// With every new row.
    OnInsert,
    /// With every new row and every update.
    OnChange,
}

impl Added {
    pub(crate) fn none() -> Self {
        Self {
            columns: Vec::new(),
            own_rows: None,
            keys_are_own: true,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The columns that an update writes.
    pub(crate) fn on_update(&self) -> impl Iterator<Item = &AddedSql> {
        self.columns
            .iter()
            .filter(|column| column.role == AddedRole::OnChange)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&AddedSql> {
        let lower = name.to_lowercase();
        self.columns
            .iter()
            .find(|column| column.name.to_lowercase() == lower)
    }

    /// The parts of a key that tell own rows apart: without the constant columns. None is left of
    /// a key of constants alone, which tells nothing apart.
    pub(crate) fn key_parts(&self, schema: &TableSchema, parts: &[KeyPart]) -> Vec<KeyPart> {
        parts
            .iter()
            .filter(|part| self.constant_of(schema, part).is_none())
            .cloned()
            .collect()
    }

    fn constant_of(&self, schema: &TableSchema, part: &KeyPart) -> Option<&AddedSql> {
        let column = schema.columns.get(part.column?)?;
        self.find(&column.name)
            .filter(|added| added.role == AddedRole::Constant && part.prefix.is_none())
    }
}

impl TableRule {
    /// The columns that the rule adds, in its order.
    pub(crate) fn added(&self) -> Vec<AddedSql> {
        self.settings
            .add
            .iter()
            .map(|added| {
                let (expression, role) = match &added.value {
                    AddedValue::Fixed { text, column_type } => {
                        (column_type.literal(text), AddedRole::Constant)
                    }
                    AddedValue::DatabaseTable => {
                        (text_literal(&self.origin()), AddedRole::Constant)
                    }
                    AddedValue::CreateTime(kind) => (kind.now().to_owned(), AddedRole::OnInsert),
                    AddedValue::UpdateTime(kind) => (kind.now().to_owned(), AddedRole::OnChange),
                };
                AddedSql {
                    name: added.column.clone(),
                    expression,
                    role,
                }
            })
            .collect()
    }

    /// The same for the destination's table as it is; the reasons when it does not take them.
    pub(crate) fn added_to(&self, destination: &TableSchema) -> Result<Added, Vec<String>> {
        let mut added = Added {
            columns: self.added(),
            ..Added::none()
        };
        let (mut conditions, mut reasons) = (Vec::new(), Vec::new());
        for (setting, column) in self.settings.add.iter().zip(&added.columns) {
            let name = &setting.column;
            let there = destination.column_index(name);
            let Some(there) = there.and_then(|index| destination.columns.get(index)) else {
                reasons.push(format!("column {name}, which the rule adds, is missing"));
                continue;
            };
            if !self.fits(&setting.value, there) {
                reasons.push(format!(
                    "column {name}, which the rule adds, is {} at the destination, and {} is needed there",
                    there.column_type,
                    self.type_of(&setting.value)
                ));
            }
            if column.role == AddedRole::Constant {
                conditions.push(equal(there, &column.expression));
            }
        }
        if !reasons.is_empty() {
            return Err(reasons);
        }
        if !conditions.is_empty() {
            added.own_rows = Some(conditions.join(" AND "));
            added.keys_are_own = destination.unique_keys.iter().all(|key| {
                let constants = key
                    .parts
                    .iter()
                    .filter(|part| added.constant_of(destination, part).is_some());
                constants.count() == conditions.len()
            });
        }
        Ok(added)
    }

    /// The definitions of the added columns, as CREATE TABLE takes them.
    ///
    /// All may be NULL: a TIMESTAMP that may not gets a default of its own from older servers.
    pub(crate) fn added_definitions(&self) -> impl Iterator<Item = String> {
        self.settings.add.iter().map(|added| {
            format!(
                "{} {} NULL DEFAULT NULL",
                sql::identifier(&added.column),
                self.type_of(&added.value)
            )
        })
    }

    /// Fails when an added column's name is taken.
    pub(super) fn check_added_names(&self, schema: &TableSchema) -> Result<(), BindError> {
        let settings = &self.settings;
        for added in &settings.add {
            let lower = added.column.to_lowercase();
            let is_target = settings
                .rename
                .iter()
                .any(|(_, to)| to.to_lowercase() == lower);
            if is_target || bind::position(&schema.columns, &added.column).is_ok() {
                return Err(bind::refused(
                    &added.column,
                    "it can't be added, because the table has a column of this name already",
                ));
            }
        }
        Ok(())
    }

    /// `database@table`, as the rule names its table.
    fn origin(&self) -> String {
        format!("{}@{}", self.table.database.as_str(), self.table.table)
    }

    fn type_of(&self, value: &AddedValue) -> String {
        let text =
            |chars: u16| format!("varchar({chars}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
        match value {
            AddedValue::Fixed { column_type, .. } => match column_type {
                FixedType::VarChar(chars) => text(*chars),
                FixedType::Int => "int".to_owned(),
                FixedType::BigInt => "bigint".to_owned(),
                FixedType::DateTime => "datetime(6)".to_owned(),
                FixedType::Timestamp => "timestamp(6)".to_owned(),
            },
            AddedValue::DatabaseTable => text(256),
            AddedValue::CreateTime(kind) | AddedValue::UpdateTime(kind) => match kind {
                TimeType::BigInt => "bigint".to_owned(),
                TimeType::DateTime => "datetime(6)".to_owned(),
                TimeType::Timestamp => "timestamp(6)".to_owned(),
            },
        }
    }

    /// True when the destination's column stores the value as it is.
    fn fits(&self, value: &AddedValue, column: &Column) -> bool {
        let column_type = column.column_type.to_ascii_lowercase();
        let base = column_type.split([' ', '(']).next().unwrap_or_default();
        let holds = |text: &str| {
            let size = column_type
                .split_once('(')
                .and_then(|(_, rest)| rest.split_once(')'))
                .and_then(|(digits, _)| digits.parse::<usize>().ok());
            let charset = match column.charset.as_deref() {
                Some("utf8mb4") => true,
                Some("utf8" | "utf8mb3" | "latin1" | "ascii") => text.is_ascii(),
                _ => false,
            };
            base == "varchar" && charset && size.is_some_and(|size| text.chars().count() <= size)
        };
        let is_time =
            |name: &str, exact: bool| base == name && (!exact || column_type.contains("(6)"));
        let fits = match value {
            AddedValue::Fixed { text, column_type } => match column_type {
                FixedType::VarChar(_) => holds(text),
                FixedType::Int => (base == "int" || base == "bigint") && !column.unsigned,
                FixedType::BigInt => base == "bigint" && !column.unsigned,
                FixedType::DateTime => is_time("datetime", text.contains('.')),
                FixedType::Timestamp => is_time("timestamp", text.contains('.')),
            },
            AddedValue::DatabaseTable => holds(&self.origin()),
            AddedValue::CreateTime(kind) | AddedValue::UpdateTime(kind) => match kind {
                TimeType::BigInt => base == "bigint",
                TimeType::DateTime => is_time("datetime", true),
                TimeType::Timestamp => is_time("timestamp", true),
            },
        };
        fits && !column.generated
    }
}

impl FixedType {
    fn literal(self, text: &str) -> String {
        match self {
            // Both were read as such when the task was made.
            Self::Int | Self::BigInt => text.parse::<i64>().unwrap_or_default().to_string(),
            Self::DateTime | Self::Timestamp => text_literal(&text.replacen('T', " ", 1)),
            Self::VarChar(_) => text_literal(text),
        }
    }
}

impl TimeType {
    /// The present time in a session in UTC.
    fn now(self) -> &'static str {
        match self {
            Self::DateTime | Self::Timestamp => "UTC_TIMESTAMP(6)",
            Self::BigInt => "FLOOR(UNIX_TIMESTAMP(CURRENT_TIMESTAMP(6)) * 1000)",
        }
    }
}

fn text_literal(text: &str) -> String {
    let mut literal = String::new();
    sql::write_text(&mut literal, text);
    literal
}

/// True of the constant alone, not of what a collation takes for equal to it.
fn equal(column: &Column, expression: &str) -> String {
    let name = sql::identifier(&column.name);
    let exact = column.kind != ColumnKind::Text
        || column
            .collation
            .as_deref()
            .is_some_and(|collation| collation.ends_with("_bin"));
    if exact {
        format!("{name} = {expression}")
    } else {
        format!("{name} = {expression} AND CAST({name} AS BINARY) = CAST({expression} AS BINARY)")
    }
}
