//! A table's definition with fewer columns, more of them, or other names.

use super::definition::{Definition, skip_quoted};
use crate::{rule::TableRule, sql};

impl Definition {
    /// The definition as a rule on columns makes it; the reason when that can't be.
    pub(super) fn with_columns(&self, rule: &TableRule) -> Result<Self, String> {
        if !rule.has_columns() {
            return Ok(self.clone());
        }
        if rule.changes_columns() && self.is_partitioned() {
            return Err("a partitioned table can't have a rule on its columns".to_owned());
        }
        let columns: Vec<String> = self.items().filter_map(column_name).collect();
        let changed = |name: &str| {
            let is_column = columns
                .iter()
                .any(|column| column.eq_ignore_ascii_case(name));
            is_column && rule.column(name) != Some(name)
        };
        let mut items = Vec::new();
        for item in self.items() {
            let Some(name) = column_name(item) else {
                items.push(key_item(item, rule, &changed)?);
                continue;
            };
            let Some(to) = rule.column(&name) else {
                continue;
            };
            let rest = item
                .get(skip_quoted(item.as_bytes(), 0)..)
                .unwrap_or_default();
            if let Some(other) = names_in(rest).into_iter().find(|name| changed(name)) {
                return Err(format!(
                    "column {} is computed from {}, which is left out or renamed",
                    sql::identifier(&name),
                    sql::identifier(&other)
                ));
            }
            items.push(format!("{}{rest}", sql::identifier(to)));
        }
        // Behind the columns, before the keys.
        let end = items
            .iter()
            .position(|item| !item.starts_with('`'))
            .unwrap_or(items.len());
        items.splice(end..end, rule.added_definitions());
        Ok(self.with_items(items))
    }
}

/// A key or a constraint with the destination's names of its columns.
fn key_item(
    item: &str,
    rule: &TableRule,
    changed: &dyn Fn(&str) -> bool,
) -> Result<String, String> {
    let open = super::definition::find_outside(item, 0, b'(').unwrap_or(item.len());
    let (head, list) = item.split_at(open);
    let is_plain_key = [
        "PRIMARY KEY ",
        "UNIQUE KEY ",
        "KEY ",
        "FULLTEXT KEY ",
        "SPATIAL KEY ",
    ]
    .iter()
    .any(|start| item.starts_with(start));
    let mut out = head.to_owned();
    let mut at = 0;
    let bytes = list.as_bytes();
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'\'' | b'"' | b'`' => skip_quoted(bytes, at),
            _ => {
                at + list
                    .get(at..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(1, char::len_utf8)
            }
        };
        let piece = list.get(at..end).unwrap_or_default();
        let name = (*byte == b'`').then(|| unquoted(piece));
        match name {
            Some(name) if changed(&name) => match rule.column(&name) {
                Some(to) if is_plain_key => out.push_str(&sql::identifier(to)),
                _ => {
                    return Err(format!(
                        "column {} can't be left out or renamed, because this needs it: {}",
                        sql::identifier(&name),
                        item.chars().take(200).collect::<String>()
                    ));
                }
            },
            _ => out.push_str(piece),
        }
        at = end;
    }
    Ok(out)
}

/// The name of the column that an item defines.
fn column_name(item: &str) -> Option<String> {
    item.starts_with('`')
        .then(|| item.get(..skip_quoted(item.as_bytes(), 0)))
        .flatten()
        .map(unquoted)
}

/// The names in backquotes in a text.
fn names_in(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let (mut names, mut at) = (Vec::new(), 0);
    while let Some(byte) = bytes.get(at) {
        if !matches!(byte, b'\'' | b'"' | b'`') {
            at += 1;
            continue;
        }
        let end = skip_quoted(bytes, at);
        if *byte == b'`' {
            names.push(unquoted(text.get(at..end).unwrap_or_default()));
        }
        at = end;
    }
    names
}

fn unquoted(quoted: &str) -> String {
    quoted
        .strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'))
        .unwrap_or(quoted)
        .replace("``", "`")
}
