use super::{
    expression::{ColumnNames, canonical},
    facts::{Column, ColumnDefault, Table},
    findings::Findings,
    spelling::{plain_charset, plain_type},
};
use crate::sql;

pub(super) const TYPES: &str =
    "older versions print the display width of integers and YEAR, and other names of some types";
pub(super) const UTF8: &str = "utf8 is what older versions call utf8mb3";
pub(super) const WORDING: &str = "the same expression, in other words";
const MORE_COLUMNS: &str =
    "the destination may have more columns, if rows can be inserted without them";

/// Compares the columns as they should be with those that are there. The `added` ones come from a
/// rule.
pub(super) fn compare(expected: &Table, there: &Table, added: &[String], findings: &mut Findings) {
    for column in &expected.columns {
        match find(&there.columns, &column.name) {
            Some(other) => compare_column(column, other, findings),
            None => findings.differ(what(column), &column.column_type, "none", None),
        }
    }
    let is_added = |name: &str| added.iter().any(|added| same_name(added, name));
    for column in &there.columns {
        if find(&expected.columns, &column.name).is_none() && !is_added(&column.name) {
            let reason = takes_nothing(column).then_some(MORE_COLUMNS);
            findings.differ(what(column), "none", &column.column_type, reason);
        }
    }
    for name in added {
        if find(&there.columns, name).is_none() {
            let what = format!("column {}", sql::identifier(name));
            findings.differ(what, "added by the rule", "none", None);
        }
    }
    compare_order(expected, there, findings);
}

fn compare_order(expected: &Table, there: &Table, findings: &mut Findings) {
    let order = |columns: &[Column], others: &[Column]| -> Vec<String> {
        let both = columns
            .iter()
            .filter(|column| find(others, &column.name).is_some());
        both.map(|column| sql::identifier(&column.name.to_lowercase()))
            .collect()
    };
    let here = order(&expected.columns, &there.columns).join(", ");
    let there = order(&there.columns, &expected.columns).join(", ");
    findings.same(|| "the order of the columns".to_owned(), &here, &there);
}

fn compare_column(here: &Column, there: &Column, findings: &mut Findings) {
    let part = |part: &'static str| move || format!("{}: {part}", what(here));
    let types = (here.column_type.as_str(), there.column_type.as_str());
    findings.same(part("name"), &here.name, &there.name);
    findings.compare(part("type"), types, plain_type, TYPES);
    findings.compare(
        part("collation"),
        (collation(here), collation(there)),
        plain_charset,
        UTF8,
    );
    let null = |column: &Column| {
        if column.is_nullable {
            "NULL"
        } else {
            "NOT NULL"
        }
    };
    findings.same(part("nullability"), null(here), null(there));
    compare_default(here, there, findings);
    let update = |column: &Column| column.on_update.clone().unwrap_or_else(none);
    findings.same(part("ON UPDATE"), &update(here), &update(there));
    findings.same(
        part("AUTO_INCREMENT"),
        yes(here.is_auto_increment),
        yes(there.is_auto_increment),
    );
    findings.same(
        part("invisible"),
        yes(here.is_invisible),
        yes(there.is_invisible),
    );
    let formula = |column: &Column| {
        column
            .generated
            .as_ref()
            .map_or_else(none, |(formula, _)| formula.clone())
    };
    findings.compare(
        part("generated"),
        (&formula(here), &formula(there)),
        |text| canonical(text, &ColumnNames),
        WORDING,
    );
    let kind = |column: &Column| match column.generated {
        Some((_, true)) => "STORED",
        Some((_, false)) => "VIRTUAL",
        None => "not generated",
    };
    findings.same(part("kind of generated column"), kind(here), kind(there));
    findings.same(part("comment"), &here.comment, &there.comment);
    let srid = |column: &Column| column.srid.clone().unwrap_or_else(none);
    findings.same(part("SRID"), &srid(here), &srid(there));
}

fn compare_default(here: &Column, there: &Column, findings: &mut Findings) {
    if here.default == there.default {
        return;
    }
    let reason = match (&here.default, &there.default) {
        (ColumnDefault::Expression(here), ColumnDefault::Expression(there)) => {
            let same = canonical(here, &ColumnNames) == canonical(there, &ColumnNames);
            same.then_some(WORDING)
        }
        _ => None,
    };
    let text = |default: &ColumnDefault| match default {
        ColumnDefault::None => none(),
        ColumnDefault::Literal(text) => format!("'{text}'"),
        ColumnDefault::Expression(text) => text.clone(),
        ColumnDefault::Bytes(digits) => format!("x'{digits}'"),
    };
    let what = format!("{}: default", what(here));
    findings.differ(what, &text(&here.default), &text(&there.default), reason);
}

/// True when a row can be inserted that does not name the column.
fn takes_nothing(column: &Column) -> bool {
    column.is_nullable
        || column.default != ColumnDefault::None
        || column.generated.is_some()
        || column.is_auto_increment
}

fn collation(column: &Column) -> &str {
    // ENUM and SET of bytes have the collation `binary` at some versions, and none at others.
    let collation = column.collation.as_deref().unwrap_or("none");
    if collation == "binary" {
        "none"
    } else {
        collation
    }
}

pub(super) fn find<'a>(columns: &'a [Column], name: &str) -> Option<&'a Column> {
    columns.iter().find(|column| same_name(&column.name, name))
}

pub(super) fn same_name(left: &str, right: &str) -> bool {
    match left.is_ascii() && right.is_ascii() {
        true => left.eq_ignore_ascii_case(right),
        false => left.to_lowercase() == right.to_lowercase(),
    }
}

fn what(column: &Column) -> String {
    format!("column {}", sql::identifier(&column.name))
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn none() -> String {
    "none".to_owned()
}
