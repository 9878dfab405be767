use super::{TaskBuilder, TaskError, TomlTable};
use crate::{AddedValue, DmlKind, FixedType, Rule, TimeType};

/// Reads `[[rules]]`.
pub(super) fn read(
    root: &TomlTable<'_>,
    mut builder: TaskBuilder,
) -> Result<TaskBuilder, TaskError> {
    let known = ["table", "where", "columns", "add", "dml"];
    for table in root.tables("rules", &known)? {
        let rule = rule(&table)?;
        // Here, since the builder does not know the line.
        rule.check().map_err(|(key, reason)| {
            let key = if table.has(key) { key } else { "table" };
            table.refuse(key, reason)
        })?;
        builder = builder.rule(rule);
    }
    Ok(builder)
}

fn rule(table: &TomlTable<'_>) -> Result<Rule, TaskError> {
    let name = table
        .string("table")?
        .ok_or_else(|| table.missing("table", ": a rule is for one table"))?;
    let mut rule = Rule::new(name);
    if let Some(condition) = table.string("where")? {
        rule = rule.filter(condition);
    }
    if let Some(columns) = table.table("columns")? {
        if columns.has("include") {
            rule.include = Some(columns.strings("include")?);
        }
        rule.exclude = columns.strings("exclude")?;
        rule.rename = columns.labels("rename")?;
    }
    for added in table.tables("add", &["column", "value", "text", "type"])? {
        let column = added
            .string("column")?
            .ok_or_else(|| added.missing("column", ": name the column to add"))?;
        rule = rule.add(column, added_value(&added)?);
    }
    if table.has("dml") {
        let mut kinds = Vec::new();
        for text in table.strings("dml")? {
            let kind = DmlKind::ALL.into_iter().find(|kind| kind.as_str() == text);
            kinds.push(kind.ok_or_else(|| {
                table.refuse(
                    "dml",
                    format!("{text:?} is no kind of change; insert, update and delete are"),
                )
            })?);
        }
        rule.without = DmlKind::ALL
            .into_iter()
            .filter(|kind| !kinds.contains(kind))
            .collect();
    }
    Ok(rule)
}

fn added_value(table: &TomlTable<'_>) -> Result<AddedValue, TaskError> {
    let kind = table.string("value")?.ok_or_else(|| {
        table.missing(
            "value",
            ": fixed, create_time, update_time or database@table",
        )
    })?;
    let type_name = table.string("type")?;
    let text = table.string("text")?;
    if kind != "fixed" && text.is_some() {
        return Err(table.refuse("text", "it is for the value \"fixed\""));
    }
    match kind {
        "fixed" => Ok(AddedValue::Fixed {
            text: text
                .ok_or_else(|| table.missing("text", ": the fixed value"))?
                .to_owned(),
            column_type: match type_name {
                None => FixedType::default(),
                Some(name) => FixedType::named(name).ok_or_else(|| {
                    let known =
                        "it can be varchar(1) to varchar(256), int, bigint, datetime, timestamp";
                    table.refuse("type", known)
                })?,
            },
        }),
        "create_time" => Ok(AddedValue::CreateTime(named(
            table,
            type_name,
            &TimeType::NAMES,
        )?)),
        "update_time" => Ok(AddedValue::UpdateTime(named(
            table,
            type_name,
            &TimeType::NAMES,
        )?)),
        "database@table" if type_name.is_none_or(|name| name == "varchar(256)") => {
            Ok(AddedValue::DatabaseTable)
        }
        "database@table" => Err(table.refuse("type", "it is varchar(256)")),
        other => Err(table.refuse(
            "value",
            format!(
                "{other:?} is no value; fixed, create_time, update_time and database@table are"
            ),
        )),
    }
}

/// A type by its name; the first one without a name.
fn named<T: Copy>(
    table: &TomlTable<'_>,
    name: Option<&str>,
    types: &[(&str, T)],
) -> Result<T, TaskError> {
    let found = match name {
        None => types.first(),
        Some(name) => types
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known)),
    };
    found.map(|(_, known)| *known).ok_or_else(|| {
        let names: Vec<&str> = types.iter().map(|(name, _)| *name).collect();
        table.refuse("type", format!("it can be {}", names.join(", ")))
    })
}
