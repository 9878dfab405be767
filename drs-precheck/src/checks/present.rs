//! What the destination has already: rows, triggers and foreign keys.

use std::collections::BTreeSet;

use drs_core::{ConflictPolicy, NameCase, TableName};

use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{Fact, ForeignKey, Pair},
};

pub(super) static TRIGGERS: Check = Check {
    id: "destination-triggers",
    group: Group::Destination,
    title: "no triggers run for the rows that come",
    why: "triggers at the destination run as for any client; what the source's triggers have changed comes with the log as well, and would be done twice",
    remedy: "drop the triggers at the destination, and create them when the task is over",
    rule: "triggers are not synchronized; limits of this version",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: triggers,
};

pub(super) static FOREIGN_KEYS: Check = Check {
    id: "destination-foreign-keys",
    group: Group::Destination,
    title: "foreign keys at the destination are the source's",
    why: "the task's sessions do not check foreign keys, since the source has; where a source before 9.6 does not log what cascades, the destination must cascade in the same way",
    remedy: "make the foreign keys at the destination the same as at the source",
    rule: "DRS manual, Table 2, Precautions: cascades; refused by the engine where it would go wrong",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: foreign_keys,
};

pub(super) static EXISTING_ROWS: Check = Check {
    id: "existing-rows",
    group: Group::Both,
    title: "tables that are copied hold no rows at the destination",
    why: "a row of the same key stays as it is and is noted as a conflict; other rows stay beside those that come",
    remedy: "empty the tables at the destination, or accept that their rows stay",
    rule: "DRS manual, Table 7, Conflict Policy: conflicts of the full phase are ignored",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: existing_rows,
};

pub(super) static KEYLESS_TABLES: Check = Check {
    id: "keyless-tables-present",
    group: Group::Both,
    title: "no table without a key is at the destination before its copy",
    why: "its rows can't be told from those that are copied, and would be there twice",
    remedy: "drop the table at the destination, or give it a primary key at the source",
    rule: "DRS manual, Table 2, Precautions: full plus incremental, tables without a primary key; refused by the engine",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: keyless_tables,
};

/// Names that the destination has for selected tables, folded.
fn written(facts: &Facts) -> Fact<BTreeSet<TableName>> {
    let case = facts.destination.name_case();
    let mapped = facts.mapped()?.into_iter();
    Ok(mapped.map(|(_, name)| name.folded(case)).collect())
}

fn triggers(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let case = facts.destination.name_case();
    let written = written(facts)?;
    let triggers = facts.destination.programs.triggers.as_ref();
    let found: Vec<String> = triggers
        .map_err(Clone::clone)?
        .iter()
        .filter(|trigger| written.contains(&trigger.table.folded(case)))
        .map(|trigger| format!("{} on {} ({})", trigger.name, trigger.table, trigger.when))
        .collect();
    if found.is_empty() {
        return Ok(vec![Finding::pass("none that the account can see")]);
    }
    Ok(vec![
        Finding::confirm("triggers at the destination will run for each row that comes")
            .about(found)
            .advice("drop them there, and create them again when the task is over"),
    ])
}

fn existing_rows(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    if !facts.task.mode().copies() {
        return Ok(vec![Finding::pass("the task does not copy")]);
    }
    let pairs = facts.pairs_to_begin()?;
    let holding: Vec<_> = pairs
        .iter()
        .filter_map(Pair::base)
        .filter(|there| there.rows_estimate > 0)
        .map(|there| &there.name)
        .collect();
    if holding.is_empty() {
        return Ok(vec![Finding::pass("none that is known")]);
    }
    let policy = match facts.task.conflict() {
        ConflictPolicy::Ignore => "they stay when changes are followed, too",
        ConflictPolicy::ReportError => {
            "a change that meets one of them when changes are followed stops the task"
        }
        ConflictPolicy::Overwrite => {
            "a change that meets one of them when changes are followed overwrites it"
        }
    };
    Ok(vec![
        Finding::confirm(format!(
            "tables at the destination hold rows already: the copy keeps them, and {policy}"
        ))
        .about(holding)
        .advice("empty them at the destination, or accept it"),
    ])
}

fn keyless_tables(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    if !facts.task.mode().copies() {
        return Ok(vec![Finding::pass("the task does not copy")]);
    }
    let mut keyless = Vec::new();
    for pair in facts.pairs_to_begin()? {
        let Some(there) = pair.base() else { continue };
        let here = facts.source.schema(pair.source)?;
        let other = facts.destination.schema(there)?;
        let has_key = [here, other]
            .iter()
            .flatten()
            .all(|schema| schema.row_key().is_some());
        if !has_key {
            keyless.push(&there.name);
        }
    }
    if keyless.is_empty() {
        return Ok(vec![Finding::pass("there is none")]);
    }
    Ok(vec![
        Finding::fail(
            "tables without a primary key, or a unique key without NULL, are at the destination already",
        )
        .about(keyless)
        .advice("drop them at the destination: the copy makes them")
        .advice("or give them a primary key on both sides"),
    ])
}

/// A foreign key by what it does, with the names of the destination.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Tie {
    child: TableName,
    parent: TableName,
    columns: Vec<(String, String)>,
}

impl Tie {
    fn of(key: &ForeignKey, name: impl Fn(&TableName) -> TableName, case: NameCase) -> Self {
        let lower = |columns: &[String]| -> Vec<String> {
            columns.iter().map(|column| column.to_lowercase()).collect()
        };
        let pairs = lower(&key.columns).into_iter();
        Self {
            child: name(&key.child).folded(case),
            parent: name(&key.parent).folded(case),
            columns: pairs.zip(lower(&key.parent_columns)).collect(),
        }
    }
}

/// With its rules, where NO ACTION is RESTRICT under another name.
fn with_rules(key: &ForeignKey, tie: Tie) -> (Tie, String, String) {
    let rule = |rule: &str| match rule {
        "NO ACTION" => "RESTRICT".to_owned(),
        rule => rule.to_owned(),
    };
    (tie, rule(&key.on_update), rule(&key.on_delete))
}

fn foreign_keys(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let case = facts.destination.name_case();
    let (selection, mapping) = (facts.selection(), facts.mapping());
    let here = facts
        .source
        .tables
        .foreign_keys
        .as_ref()
        .map_err(Clone::clone)?;
    let there = facts.destination.tables.foreign_keys.as_ref();
    let there = there.map_err(Clone::clone)?;
    let mut findings = Vec::new();

    let source_ties: BTreeSet<Tie> = here
        .iter()
        .map(|key| Tie::of(key, |name| mapping.table(name), case))
        .collect();
    let others: BTreeSet<String> = there
        .iter()
        .filter(|key| !source_ties.contains(&Tie::of(key, TableName::clone, case)))
        .map(|key| format!("{} of {} to {}", key.name, key.child, key.parent))
        .collect();
    if !others.is_empty() {
        findings.push(
            Finding::confirm(
                "foreign keys at the destination are not at the source: the task's sessions neither check them nor carry \
                 out what they cascade to, so that rows may come to break them",
            )
            .about(others)
            .advice("drop them at the destination while the task runs"),
        );
    }

    let logs_cascades = facts.source.version()?.logs_cascades()
        && facts
            .source
            .variables()?
            .is_on("innodb_native_foreign_keys")
            != Some(true);
    if facts.task.mode().follows() && !logs_cascades && facts.begun().is_none() {
        let copies = facts.task.mode().copies();
        let wanted: BTreeSet<_> = here
            .iter()
            .filter(|key| key.cascades() && selection.matches(&key.child))
            .map(|key| with_rules(key, Tie::of(key, |name| mapping.table(name), case)))
            .collect();
        let found: BTreeSet<_> = there
            .iter()
            .filter(|key| {
                let source = mapping.source_of(&key.child, case);
                key.cascades() && source.is_some_and(|table| selection.matches(&table))
            })
            .map(|key| with_rules(key, Tie::of(key, TableName::clone, case)))
            .collect();
        let missing = wanted.difference(&found).filter(|_| !copies);
        let other: BTreeSet<&TableName> = found
            .difference(&wanted)
            .chain(missing)
            .map(|(tie, _, _)| &tie.child)
            .collect();
        if !other.is_empty() {
            findings.push(
                Finding::fail(
                    "the source does not log what foreign keys with CASCADE or SET NULL change, and these tables have \
                     others of that kind at the destination",
                )
                .about(other)
                .advice("make these foreign keys the same at the destination"),
            );
        }
        let tied = tied_by_cascades(here);
        let pairs = facts.pairs_to_begin()?;
        let present: Vec<&TableName> = pairs
            .iter()
            .filter(|pair| copies && pair.there.is_some() && tied.contains(&pair.source.name))
            .map(|pair| &pair.name)
            .collect();
        if !present.is_empty() {
            findings.push(
                Finding::fail(
                    "tables that are tied by foreign keys with CASCADE or SET NULL are copied from one snapshot, and must \
                     not be at the destination yet",
                )
                .about(present)
                .advice("drop them at the destination: the copy makes them"),
            );
        }
    }
    if findings.is_empty() {
        findings.push(Finding::pass("there are no others"));
    }
    Ok(findings)
}

/// The tables that are connected, by foreign keys of any kind, with one that cascades.
fn tied_by_cascades(keys: &[ForeignKey]) -> BTreeSet<TableName> {
    let cascading = keys.iter().filter(|key| key.cascades());
    let mut tied: BTreeSet<TableName> = cascading
        .flat_map(|key| [key.child.clone(), key.parent.clone()])
        .collect();
    loop {
        let before = tied.len();
        for key in keys {
            if tied.contains(&key.child) || tied.contains(&key.parent) {
                tied.extend([key.child.clone(), key.parent.clone()]);
            }
        }
        if tied.len() == before {
            return tied;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        checks::{structures::tests::have_orders, tests::Case},
        facts::{Trigger, sample::task},
    };

    fn key(on_delete: &str) -> ForeignKey {
        ForeignKey {
            name: "tie".to_owned(),
            child: TableName::new("shop", "items").unwrap(),
            columns: vec!["order_id".to_owned()],
            parent: TableName::new("shop", "orders").unwrap(),
            parent_columns: vec!["id".to_owned()],
            on_delete: on_delete.to_owned(),
            on_update: "NO ACTION".to_owned(),
        }
    }

    /// An old source whose tables `orders` and `items` are tied.
    fn old_family(facts: &mut Facts, on_delete: &str) {
        facts.source.set_version("8.0.36");
        let tables = &mut facts.source.tables;
        tables.add("shop", "items", &[("id", "int"), ("order_id", "int")]);
        tables.foreign_keys = Ok(vec![key(on_delete)]);
    }

    fn remove_key(facts: &mut Facts) {
        let indexes = facts.destination.tables.indexes.as_mut().unwrap();
        indexes.clear();
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("destination-triggers"),
        Case {
            check: "destination-triggers",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts.destination.programs.triggers = Ok(vec![Trigger {
                    name: TableName::new("shop", "audit").unwrap(),
                    table: TableName::new("shop", "orders").unwrap(),
                    when: "AFTER INSERT".to_owned(),
                }]);
            },
            says: "`shop`.`audit` on `shop`.`orders` (AFTER INSERT)",
        },
        Case::healthy("destination-foreign-keys"),
        Case {
            check: "destination-foreign-keys",
            verdict: Verdict::Pass,
            change: |facts| {
                facts.source.tables.foreign_keys = Ok(vec![key("CASCADE")]);
                facts.destination.tables.foreign_keys = Ok(vec![key("CASCADE")]);
            },
            says: "",
        },
        Case {
            check: "destination-foreign-keys",
            verdict: Verdict::Confirm,
            change: |facts| facts.destination.tables.foreign_keys = Ok(vec![key("CASCADE")]),
            says: "tie of `shop`.`items` to `shop`.`orders`",
        },
        Case {
            check: "destination-foreign-keys",
            verdict: Verdict::Fail,
            change: |facts| {
                old_family(facts, "CASCADE");
                facts.destination.tables.foreign_keys = Ok(vec![key("SET NULL")]);
            },
            says: "others of that kind",
        },
        Case {
            check: "destination-foreign-keys",
            verdict: Verdict::Fail,
            change: |facts| {
                old_family(facts, "CASCADE");
                facts.task = task("incremental", "");
            },
            says: "`shop`.`items`",
        },
        Case {
            check: "destination-foreign-keys",
            verdict: Verdict::Fail,
            change: |facts| {
                old_family(facts, "CASCADE");
                have_orders(facts);
            },
            says: "from one snapshot",
        },
        Case {
            check: "destination-foreign-keys",
            verdict: Verdict::Pass,
            change: |facts| {
                old_family(facts, "NO ACTION");
                have_orders(facts);
            },
            says: "",
        },
        Case::healthy("existing-rows"),
        Case {
            check: "existing-rows",
            verdict: Verdict::Confirm,
            change: have_orders,
            says: "stops the task",
        },
        Case {
            check: "existing-rows",
            verdict: Verdict::Pass,
            change: |facts| {
                have_orders(facts);
                facts.destination.tables.tables.as_mut().unwrap()[0].rows_estimate = 0;
            },
            says: "",
        },
        Case::healthy("keyless-tables-present"),
        Case {
            check: "keyless-tables-present",
            verdict: Verdict::Pass,
            change: have_orders,
            says: "",
        },
        Case {
            check: "keyless-tables-present",
            verdict: Verdict::Fail,
            change: |facts| {
                have_orders(facts);
                remove_key(facts);
            },
            says: "`shop`.`orders`",
        },
        Case {
            check: "keyless-tables-present",
            verdict: Verdict::Pass,
            change: |facts| {
                have_orders(facts);
                remove_key(facts);
                facts.task = task("incremental", "");
            },
            says: "",
        },
    ];
}
