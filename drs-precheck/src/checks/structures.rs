//! Tables of the same name, column by column and key by key.

use drs_core::{TableSchema, UniqueKey};

use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{Column, Pair, Table, TableKind},
};

pub(super) static TABLE_STRUCTURES: Check = Check {
    id: "table-structures",
    group: Group::Both,
    title: "tables that the destination has are like the source's",
    why: "a value that another type, character set or key does not take as it is stops the task",
    remedy: "change the table at the destination, or drop it there: the copy then makes it",
    rule: "DRS manual, Table 2, Destination database: consistent table structures; compared as the copy compares them, after mapping and rules",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: table_structures,
};

pub(super) static EXTRA_COLUMNS: Check = Check {
    id: "extra-columns",
    group: Group::Both,
    title: "more columns at the destination do not stand in the way",
    why: "rows come without values for them: they must take NULL or have a default, and a default must not be unique",
    remedy: "let the column be NULL, give it a default, or drop its unique key",
    rule: "DRS manual, Table 2, Precautions: more columns at the destination, both rules",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: extra_columns,
};

pub(super) static MISSING_TABLES: Check = Check {
    id: "missing-tables",
    group: Group::Both,
    title: "the destination has the tables that are followed",
    why: "a task that does not copy needs each table with its rows as of the start point",
    remedy: "create the tables with their rows at the destination, or let the task copy: mode = \"full+incremental\"",
    rule: "DRS manual, Table 2, Synchronization object: for an incremental task the objects must exist",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: missing_tables,
};

fn table_structures(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let mut different = Vec::new();
    let mut compared: usize = 0;
    for pair in facts.pairs_to_begin()? {
        let Some(there) = pair.there else { continue };
        compared += 1;
        if there.kind == TableKind::View {
            different.push(format!("{}: it is a view at the destination", there.name));
            continue;
        }
        let reasons = match Structures::of(facts, &pair, there)? {
            Ok(structures) => structures.differences(facts),
            Err(reason) => vec![reason],
        };
        if !reasons.is_empty() {
            different.push(format!("{}: {}", there.name, reasons.join("; ")));
        }
    }
    if different.is_empty() {
        return Ok(vec![Finding::pass(match compared {
            0 => "the destination has none of them yet".to_owned(),
            compared => format!("{compared} of them are there, and alike"),
        })]);
    }
    Ok(vec![
        Finding::fail("the destination has tables of these names that are not like the source's")
            .about(different)
            .advice(match facts.task.mode().copies() {
                true => "change them at the destination, or drop them there, so that the copy makes them",
                false => "change them at the destination",
            }),
    ])
}

fn extra_columns(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let (mut needed, mut fixed, mut harmless) = (Vec::new(), Vec::new(), 0_usize);
    for pair in facts.pairs_to_begin()? {
        let Some(there) = pair.base() else { continue };
        let Ok(structures) = Structures::of(facts, &pair, there)? else {
            continue;
        };
        harmless += structures.extra.len();
        let name = |column: &str| format!("{}: column {column}", there.name);
        needed.extend(structures.without_default().map(name));
        fixed.extend(
            structures
                .constant_keys()
                .map(|key| format!("{}: key {}", there.name, key.name)),
        );
    }
    let mut findings = Vec::new();
    if !needed.is_empty() {
        findings.push(
            Finding::fail(
                "columns that only the destination has may not be NULL and have no default",
            )
            .about(needed)
            .advice("let them be NULL, or give them a default (ALTER TABLE at the destination)"),
        );
    }
    if !fixed.is_empty() {
        findings.push(
            Finding::fail(
                "unique keys at the destination are over columns that only it has, with a fixed default: the second row \
                 that comes can't be inserted",
            )
            .about(fixed)
            .advice("drop these keys, or let the columns be NULL by default"),
        );
    }
    if findings.is_empty() {
        findings.push(Finding::pass(match harmless {
            0 => "there are none".to_owned(),
            harmless => {
                format!("{harmless} columns are at the destination only, and keep their values")
            }
        }));
    }
    Ok(findings)
}

fn missing_tables(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let pairs = facts.pairs()?;
    if facts.task.mode().copies() {
        return Ok(vec![Finding::pass("the copy makes those that are missing")]);
    }
    if facts.begun().is_some() {
        return Ok(vec![Finding::pass(
            "the task has begun: its tables are as of the point that it has reached",
        )]);
    }
    let missing: Vec<_> = pairs
        .iter()
        .filter(|pair| pair.there.is_none())
        .map(|pair| &pair.name)
        .collect();
    if missing.is_empty() {
        return Ok(vec![Finding::pass("they are there")]);
    }
    Ok(vec![
        Finding::fail("tables that are selected are not at the destination")
            .about(missing)
            .advice(
                "create them there as they are at the source, with the rows as of the start point",
            )
            .advice("or let the task copy them: mode = \"full+incremental\""),
    ])
}

/// A table as the destination is to have it, and as it is.
struct Structures<'a> {
    source: TableSchema,
    there: TableSchema,
    /// The columns that neither the source nor a rule has.
    extra: Vec<&'a Column>,
}

impl<'a> Structures<'a> {
    /// The inner error says why they can't be compared.
    fn of(
        facts: &'a Facts,
        pair: &Pair<'a>,
        there: &Table,
    ) -> Result<Result<Self, String>, Unread> {
        let case = facts.source.name_case();
        let source = match facts.source.schema(pair.source)? {
            Ok(source) => source,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let schema = match facts.destination.schema(there)? {
            Ok(schema) => schema,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let expected = match facts.task.table_at_destination(&source, case) {
            Ok(expected) => expected,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let added = facts.task.added_columns(&source, case);
        let columns = facts.destination.tables.columns.as_ref();
        let columns = columns.map_err(Clone::clone)?.get(&there.name);
        let extra = columns
            .into_iter()
            .flatten()
            .filter(|column| {
                let is_added = added
                    .iter()
                    .any(|name| name.to_lowercase() == column.name.to_lowercase());
                !is_added && expected.column_index(&column.name).is_none()
            })
            .collect();
        Ok(Ok(Self {
            source,
            there: schema,
            extra,
        }))
    }

    fn is_extra(&self, name: &str) -> Option<&'a Column> {
        self.extra
            .iter()
            .copied()
            .find(|column| column.name == name)
    }

    /// The extra columns that no row can be inserted without.
    fn without_default(&self) -> impl Iterator<Item = &str> {
        let without = |column: &&drs_core::Column| {
            !column.has_default && self.is_extra(&column.name).is_some()
        };
        self.there
            .columns
            .iter()
            .filter(without)
            .map(|column| column.name.as_str())
    }

    /// The unique keys over extra columns alone, which every new row has the same value of.
    fn constant_keys(&self) -> impl Iterator<Item = &UniqueKey> {
        let is_constant = |column: &Column| {
            column.default.is_some() && column.generated.is_none() && !column.is_auto_increment
        };
        self.there.unique_keys.iter().filter(move |key| {
            key.parts.iter().all(|part| {
                let column = part.column.and_then(|index| self.there.columns.get(index));
                let extra = column.and_then(|column| self.is_extra(&column.name));
                extra.is_some_and(is_constant)
            })
        })
    }

    /// What the copy would stop for, but for what is said of extra columns elsewhere.
    fn differences(&self, facts: &Facts) -> Vec<String> {
        let mut there = self.there.clone();
        let constant: Vec<String> = self.constant_keys().map(|key| key.name.clone()).collect();
        there
            .unique_keys
            .retain(|key| !constant.contains(&key.name));
        for column in &mut there.columns {
            if self.is_extra(&column.name).is_some() {
                column.has_default = true;
            }
        }
        let case = facts.source.name_case();
        match facts.task.table_differences(&self.source, &there, case) {
            Ok(differences) => differences,
            Err(error) => vec![error.to_string()],
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::sample::task};

    /// The destination has the source's table.
    pub(in crate::checks) fn have_orders(facts: &mut Facts) {
        facts.destination.tables = facts.source.tables.clone();
    }

    /// The same, with one more column there.
    fn have_more(facts: &mut Facts, change: fn(&mut Column)) {
        have_orders(facts);
        let mut column = Column::sample("extra", "int");
        change(&mut column);
        let columns = facts.destination.tables.columns.as_mut().unwrap();
        columns.values_mut().next().unwrap().push(column);
    }

    fn add_key(facts: &mut Facts, columns: &[&str]) {
        let indexes = facts.destination.tables.indexes.as_mut().unwrap();
        let key = crate::facts::Index::sample("extra_key", columns);
        indexes.values_mut().next().unwrap().push(key);
    }

    fn change_note(facts: &mut Facts, change: fn(&mut Column)) {
        have_orders(facts);
        let columns = facts.destination.tables.columns.as_mut().unwrap();
        change(&mut columns.values_mut().next().unwrap()[1]);
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("table-structures"),
        Case {
            check: "table-structures",
            verdict: Verdict::Pass,
            change: have_orders,
            says: "1 of them are there",
        },
        Case {
            check: "table-structures",
            verdict: Verdict::Fail,
            change: |facts| change_note(facts, |note| note.kind = "varchar(50)".to_owned()),
            says: "`shop`.`orders`: column note is varchar(100) at the source and varchar(50)",
        },
        Case {
            check: "table-structures",
            verdict: Verdict::Fail,
            change: |facts| {
                change_note(facts, |note| {
                    note.collation = Some("utf8mb4_bin".to_owned())
                });
            },
            says: "the collation of column note",
        },
        Case {
            check: "table-structures",
            verdict: Verdict::Fail,
            change: |facts| {
                have_orders(facts);
                add_key(facts, &["note"]);
            },
            says: "the unique key (note) is at the destination only",
        },
        Case {
            check: "table-structures",
            verdict: Verdict::Fail,
            change: |facts| {
                have_orders(facts);
                facts.destination.tables.tables.as_mut().unwrap()[0].kind = TableKind::View;
            },
            says: "it is a view",
        },
        Case {
            check: "table-structures",
            verdict: Verdict::Fail,
            change: |facts| {
                have_orders(facts);
                facts.task = task(
                    "full",
                    "[[rules]]\ntable = \"shop.orders\"\ncolumns = { rename = { note = \"remark\" } }",
                );
            },
            says: "column remark is missing",
        },
        Case {
            check: "table-structures",
            verdict: Verdict::Pass,
            change: |facts| {
                change_note(facts, |note| note.name = "remark".to_owned());
                facts.task = task(
                    "full",
                    "[[rules]]\ntable = \"shop.orders\"\ncolumns = { rename = { note = \"remark\" } }",
                );
            },
            says: "alike",
        },
        Case::healthy("extra-columns"),
        Case {
            check: "extra-columns",
            verdict: Verdict::Pass,
            change: |facts| have_more(facts, |column| column.is_nullable = true),
            says: "1 columns",
        },
        Case {
            check: "extra-columns",
            verdict: Verdict::Fail,
            change: |facts| have_more(facts, |_| {}),
            says: "`shop`.`orders`: column extra",
        },
        Case {
            check: "extra-columns",
            verdict: Verdict::Fail,
            change: |facts| {
                have_more(facts, |column| column.default = Some("1".to_owned()));
                add_key(facts, &["extra"]);
            },
            says: "`shop`.`orders`: key extra_key",
        },
        Case {
            check: "table-structures",
            verdict: Verdict::Pass,
            change: |facts| {
                have_more(facts, |column| column.default = Some("1".to_owned()));
                add_key(facts, &["extra"]);
            },
            says: "alike",
        },
        Case::healthy("missing-tables"),
        Case {
            check: "missing-tables",
            verdict: Verdict::Fail,
            change: |facts| facts.task = task("incremental", ""),
            says: "`shop`.`orders`",
        },
        Case {
            check: "missing-tables",
            verdict: Verdict::Pass,
            change: |facts| {
                facts.task = task("incremental", "");
                have_orders(facts);
            },
            says: "they are there",
        },
    ];
}
