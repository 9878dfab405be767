use std::collections::BTreeSet;

use super::{
    columns::{self, UTF8, WORDING, same_name},
    expression::{ColumnNames, canonical},
    facts::{CheckConstraint, ForeignKey, Partition, Table},
    findings::Findings,
    keys::{self, KeyRules},
    spelling::plain_charset,
};
use crate::{object::NameCase, sql};

const ROW_FORMAT: &str = "the server's own row format, which is another one by version or setting";
const SAME_FORMAT: &str = "written out on one side only; rows are stored in the same format";
const NO_ACTION: &str = "NO ACTION and RESTRICT are the same to InnoDB";

/// Compares a table as it should be with the one that is there; how many keys differ.
pub(super) fn compare(
    expected: &Table,
    there: &Table,
    rules: &KeyRules<'_>,
    case: NameCase,
    findings: &mut Findings,
) -> u64 {
    columns::compare(expected, there, rules.added, findings);
    let different_keys = keys::compare(expected, there, rules, findings);
    compare_foreign_keys(expected, there, case, findings);
    compare_checks(expected, there, findings);
    compare_partitions(expected, there, findings);
    compare_options(expected, there, findings);
    different_keys
}

fn compare_options(here: &Table, there: &Table, findings: &mut Findings) {
    let what = |what: &'static str| move || what.to_owned();
    findings.same(
        what("engine"),
        &here.engine.to_lowercase(),
        &there.engine.to_lowercase(),
    );
    findings.compare(
        what("default collation"),
        (&here.collation, &there.collation),
        plain_charset,
        UTF8,
    );
    findings.same(what("comment"), &here.comment, &there.comment);
    let format = |table: &Table| {
        let written = table.options.get("row_format");
        written.map_or_else(
            || format!("{} (by default)", table.row_format),
            |_| table.row_format.clone(),
        )
    };
    let (is_written, is_written_there) = (
        here.options.contains_key("row_format"),
        there.options.contains_key("row_format"),
    );
    let is_same = here.row_format.eq_ignore_ascii_case(&there.row_format);
    let reason = match (is_written, is_written_there) {
        (false, false) => Some(ROW_FORMAT),
        _ if is_same => Some(SAME_FORMAT),
        _ => None,
    };
    if here.engine.eq_ignore_ascii_case(&there.engine)
        && !(is_same && is_written == is_written_there)
    {
        findings.differ("row format", &format(here), &format(there), reason);
    }
    let names: BTreeSet<&String> = here.options.keys().chain(there.options.keys()).collect();
    for name in names.into_iter().filter(|name| *name != "row_format") {
        let value = |table: &Table| {
            table
                .options
                .get(name)
                .map_or("none", String::as_str)
                .to_owned()
        };
        let what = || format!("option {}", name.to_uppercase());
        findings.same(what, &value(here), &value(there));
    }
}

fn compare_foreign_keys(here: &Table, there: &Table, case: NameCase, findings: &mut Findings) {
    let named =
        |keys: &[ForeignKey], name: &str| keys.iter().position(|key| same_name(&key.name, name));
    let columns = |key: &ForeignKey| {
        let list = |names: &[String]| {
            let names: Vec<_> = names.iter().map(|name| sql::identifier(name)).collect();
            names.join(", ")
        };
        format!(
            "({}) REFERENCES {} ({})",
            list(&key.columns),
            key.parent,
            list(&key.parent_columns)
        )
    };
    let what = |key: &ForeignKey| format!("foreign key {}", sql::identifier(&key.name));
    for key in &here.foreign_keys {
        let Some(other) =
            named(&there.foreign_keys, &key.name).and_then(|at| there.foreign_keys.get(at))
        else {
            findings.differ(what(key), &columns(key), "none", None);
            continue;
        };
        let lower = |names: &[String]| -> Vec<String> {
            names.iter().map(|name| name.to_lowercase()).collect()
        };
        let is_same = lower(&key.columns) == lower(&other.columns)
            && lower(&key.parent_columns) == lower(&other.parent_columns)
            && key.parent.folded(case) == other.parent.folded(case);
        if !is_same {
            findings.differ(what(key), &columns(key), &columns(other), None);
        }
        let action = |action: &str| match action {
            "NO ACTION" => "RESTRICT".to_owned(),
            action => action.to_owned(),
        };
        for (name, actions) in [
            (
                "ON DELETE",
                (key.on_delete.as_str(), other.on_delete.as_str()),
            ),
            (
                "ON UPDATE",
                (key.on_update.as_str(), other.on_update.as_str()),
            ),
        ] {
            findings.compare(
                || format!("{}: {name}", what(key)),
                actions,
                action,
                NO_ACTION,
            );
        }
    }
    for key in &there.foreign_keys {
        if named(&here.foreign_keys, &key.name).is_none() {
            findings.differ(what(key), "none", &columns(key), None);
        }
    }
}

fn compare_checks(here: &Table, there: &Table, findings: &mut Findings) {
    let named = |checks: &[CheckConstraint], name: &str| {
        checks.iter().position(|check| same_name(&check.name, name))
    };
    let what =
        |check: &CheckConstraint| format!("CHECK constraint {}", sql::identifier(&check.name));
    for check in &here.checks {
        let Some(other) = named(&there.checks, &check.name).and_then(|at| there.checks.get(at))
        else {
            findings.differ(what(check), &check.clause, "none", None);
            continue;
        };
        findings.compare(
            || what(check),
            (&check.clause, &other.clause),
            |text| canonical(text, &ColumnNames),
            WORDING,
        );
        let enforced = |check: &CheckConstraint| {
            if check.is_enforced {
                "ENFORCED"
            } else {
                "NOT ENFORCED"
            }
        };
        let part = || format!("{}: ENFORCED", what(check));
        findings.same(part, enforced(check), enforced(other));
    }
    for check in &there.checks {
        if named(&here.checks, &check.name).is_none() {
            findings.differ(what(check), "none", &check.clause, None);
        }
    }
}

fn compare_partitions(here: &Table, there: &Table, findings: &mut Findings) {
    let method = |table: &Table| {
        let Some(first) = table.partitions.first() else {
            return "none".to_owned();
        };
        let sub = match (&first.submethod, &first.subexpression) {
            (Some(method), expression) => {
                format!(
                    " SUBPARTITION BY {method} ({})",
                    expression.as_deref().unwrap_or_default()
                )
            }
            _ => String::new(),
        };
        let algorithm = if table.has_old_key_hash {
            " ALGORITHM = 1"
        } else {
            ""
        };
        format!("{}{algorithm} ({}){sub}", first.method, first.expression)
    };
    let means = |text: &str| canonical(text, &ColumnNames);
    findings.compare(
        || "partitioning".to_owned(),
        (&method(here), &method(there)),
        means,
        WORDING,
    );
    let names = |table: &Table| {
        let name = |partition: &Partition| {
            let sub = partition.subpartition.as_ref();
            let sub = sub.map(|name| format!(".{}", sql::identifier(name)));
            format!(
                "{}{}",
                sql::identifier(&partition.name),
                sub.unwrap_or_default()
            )
        };
        table
            .partitions
            .iter()
            .map(name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    findings.same(|| "partitions".to_owned(), &names(here), &names(there));
    let mut last = None;
    for (partition, other) in here.partitions.iter().zip(&there.partitions) {
        // Its subpartitions stand under one another.
        let is_told = last == Some(&partition.name);
        last = Some(&partition.name);
        if is_told || partition.name != other.name {
            continue;
        }
        let part = |part: &'static str| {
            move || format!("partition {}: {part}", sql::identifier(&partition.name))
        };
        let values = |partition: &Partition| {
            partition
                .values
                .clone()
                .unwrap_or_else(|| "none".to_owned())
        };
        findings.compare(
            part("values"),
            (&values(partition), &values(other)),
            means,
            WORDING,
        );
        findings.same(part("comment"), &partition.comment, &other.comment);
    }
}

#[cfg(test)]
mod tests;
