//! Foreign keys of the selected tables, and those of others that refer to them.

use std::collections::BTreeSet;

use drs_core::{Role, TableName, cascade_families};

use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{ForeignKey, Index, Over, Side},
};

pub(super) static FOREIGN_KEY_PARENTS: Check = Check {
    id: "foreign-key-parents",
    group: Group::Objects,
    title: "the tables that foreign keys refer to are selected",
    why: "without its parent, a table takes no rows once others than drs write to the destination",
    remedy: "select the parents too, or have them at the destination by other means",
    rule: "DRS manual, Table 2, Precautions: tables referenced by foreign keys must be synchronized at the same time",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: foreign_key_parents,
};

pub(super) static FOREIGN_KEY_CHILDREN: Check = Check {
    id: "foreign-key-children",
    group: Group::Objects,
    title: "what cascades from selected tables is selected",
    why: "drs does not cascade: rows of a table that is not selected stay as they are at the destination",
    remedy: "select the children too, or accept it",
    rule: "DRS manual, Table 2, Precautions: objects that have dependencies",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: foreign_key_children,
};

pub(super) static CASCADES: Check = Check {
    id: "cascades",
    group: Group::Objects,
    title: "what foreign keys cascade can be followed",
    why: "before MySQL 9.6 the log does not hold what CASCADE and SET NULL change, so the destination must repeat it",
    remedy: "select all tables of such a family, and start a destination from 9.6 on with innodb_native_foreign_keys = ON",
    rule: "DRS manual, Table 2, Precautions: cascade operations cannot be performed on tables with foreign keys; docs/limits.md, Objects",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: cascades,
};

pub(super) static FOREIGN_KEY_INDEXES: Check = Check {
    id: "foreign-key-indexes",
    group: Group::Objects,
    title: "foreign keys refer to unique keys",
    why: "from MySQL 8.4 on a server refuses a foreign key to columns that are no unique key",
    remedy: "make the parent's columns a unique key, or turn restrict_fk_on_non_standard_key off at the destination",
    rule: "DRS manual, Table 2, Precautions: if the foreign key index is a common index, the table structure may fail to be created",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: foreign_key_indexes,
};

fn keys(facts: &Facts) -> Result<&Vec<ForeignKey>, Unread> {
    facts
        .source
        .tables
        .foreign_keys
        .as_ref()
        .map_err(Clone::clone)
}

/// `child -> parent`, once for each pair.
fn shown<'a>(keys: impl Iterator<Item = &'a ForeignKey>) -> BTreeSet<String> {
    keys.map(|key| format!("{} -> {}", key.child, key.parent))
        .collect()
}

fn foreign_key_parents(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let selection = facts.selection();
    let is_alone =
        |key: &&ForeignKey| selection.matches(&key.child) && !selection.matches(&key.parent);
    let alone = shown(keys(facts)?.iter().filter(is_alone));
    if alone.is_empty() {
        return Ok(vec![Finding::pass("all of them are selected")]);
    }
    Ok(vec![
        Finding::confirm("these tables refer to tables that are not selected")
            .about(alone)
            .advice(
                "select the parents too, or have them at the destination before others write there",
            ),
    ])
}

fn foreign_key_children(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let selection = facts.selection();
    let is_outside = |key: &&ForeignKey| {
        key.cascades() && selection.matches(&key.parent) && !selection.matches(&key.child)
    };
    let outside = shown(keys(facts)?.iter().filter(is_outside));
    if outside.is_empty() || !facts.task.mode().follows() {
        return Ok(vec![Finding::pass("nothing cascades to other tables")]);
    }
    Ok(vec![
        Finding::confirm(
            "these tables are not selected, and changes of the tables they refer to cascade to them at the source: at the \
             destination they don't",
        )
        .about(outside)
        .advice("select the children too, or accept it where the destination does not have them"),
    ])
}

/// True when a server writes to its log what foreign keys cascade to, and carries it out in SQL.
fn cascades_in_sql(side: &Side) -> Result<bool, Unread> {
    let is_native = side.variables()?.is_on("innodb_native_foreign_keys");
    Ok(side.version()?.logs_cascades() && is_native != Some(true))
}

fn cascades(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    if !facts.task.mode().follows() {
        return Ok(vec![Finding::pass("the task does not follow the log")]);
    }
    if cascades_in_sql(&facts.source)? {
        return Ok(vec![Finding::pass(
            "the source writes to its log what foreign keys cascade to",
        )]);
    }
    let case = facts.source.name_case();
    let selection = facts.selection();
    // Nobody asks for what happens to a child that is not selected.
    let keys: Vec<&ForeignKey> = keys(facts)?
        .iter()
        .filter(|key| selection.matches(&key.child))
        .collect();
    let cascading = shown(keys.iter().copied().filter(|key| key.cascades()));
    let ties = keys
        .iter()
        .map(|key| (key.child.clone(), key.parent.clone(), key.cascades()));
    let families = cascade_families(ties, case);
    let tables: BTreeSet<&TableName> = families.iter().flatten().collect();
    if tables.is_empty() {
        return Ok(vec![Finding::pass("no foreign key cascades")]);
    }
    let mut findings = Vec::new();
    let outside: Vec<_> = tables
        .iter()
        .filter(|table| !selection.matches(table))
        .collect();
    if !outside.is_empty() {
        findings.push(
            Finding::fail(
                "the source does not log what foreign keys with CASCADE or SET NULL change, and such keys tie selected \
                 tables to these, which are not selected",
            )
            .about(outside)
            .advice("select them, exclude what they are tied to, or drop those foreign keys"),
        );
    }
    let rules = facts.rules.as_ref().map_err(Clone::clone)?;
    let is_ruled = |table: &&&TableName| {
        rules.iter().any(|rule| {
            case.same(rule.table.database.as_str(), table.database.as_str())
                && case.same(&rule.table.table, &table.table)
        })
    };
    let ruled: Vec<_> = tables.iter().filter(is_ruled).collect();
    if !ruled.is_empty() {
        findings.push(
            Finding::fail(
                "these tables have a rule, and foreign keys with CASCADE or SET NULL whose changes the source does not log",
            )
            .about(ruled)
            .advice("remove the rules, or drop those foreign keys"),
        );
    }
    if cascades_in_sql(&facts.destination)? {
        findings.push(
            Finding::fail(
                "the source does not log what foreign keys with CASCADE or SET NULL change, and a destination from 9.6 on \
                 repeats it in all cases only with innodb_native_foreign_keys = ON",
            )
            .about(cascading)
            .advice(
                "start the destination with --innodb-native-foreign-keys=ON while the task runs; or exclude the tables, or \
                 drop those foreign keys",
            ),
        );
    }
    if findings.is_empty() {
        findings.push(
            Finding::confirm(
                "the source does not log what foreign keys with CASCADE or SET NULL change: these tables are copied from one \
                 snapshot, locked together for an instant, must not be at the destination yet, and are followed one change \
                 after the other",
            )
            .about(&tables)
            .advice("accept it, or drop those foreign keys"),
        );
    }
    Ok(findings)
}

fn foreign_key_indexes(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.destination.variables()?;
    if !facts.task.mode().copies() {
        return Ok(vec![Finding::pass("the task creates no tables")]);
    }
    if variables.is_on("restrict_fk_on_non_standard_key") != Some(true) {
        return Ok(vec![Finding::pass(
            "the destination takes foreign keys to any key",
        )]);
    }
    let selection = facts.selection();
    let indexes = facts.source.tables.indexes.as_ref().map_err(Clone::clone)?;
    let is_common = |key: &&ForeignKey| {
        let parent = indexes.get(&key.parent);
        selection.matches(&key.child)
            && parent.is_some_and(|parent| !parent.iter().any(|index| is_unique_over(index, key)))
    };
    let common = shown(keys(facts)?.iter().filter(is_common));
    if common.is_empty() {
        return Ok(vec![Finding::pass("all of them do")]);
    }
    Ok(vec![
        Finding::fail(
            "these foreign keys refer to columns that are no unique key as a whole, which the destination refuses",
        )
        .about(common)
        // A variable that can't be persisted.
        .sql(
            Role::Destination,
            "SET GLOBAL restrict_fk_on_non_standard_key = OFF",
        )
        .advice("or make the parents' columns a unique key at the source"),
    ])
}

/// True for a unique index over the columns that a foreign key refers to, and no others.
fn is_unique_over(index: &Index, key: &ForeignKey) -> bool {
    index.is_unique
        && index.parts.len() == key.parent_columns.len()
        && index.parts.iter().all(|part| match &part.over {
            Over::Column(name) => {
                let mut columns = key.parent_columns.iter();
                part.prefix.is_none() && columns.any(|column| column.eq_ignore_ascii_case(name))
            }
            Over::Expression(_) => false,
        })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        checks::tests::Case,
        facts::sample::{task, task_on},
    };

    fn tie(facts: &mut Facts, child: &str, parent: &str, on_delete: &str, column: &str) {
        let tables = &mut facts.source.tables;
        tables.add("shop", child, &[("id", "int"), ("parent", "int")]);
        tables.foreign_keys.as_mut().unwrap().push(ForeignKey {
            name: "fk".to_owned(),
            child: TableName::new("shop", child).unwrap(),
            columns: vec!["parent".to_owned()],
            parent: TableName::new("shop", parent).unwrap(),
            parent_columns: vec![column.to_owned()],
            on_delete: on_delete.to_owned(),
            on_update: "NO ACTION".to_owned(),
        });
    }

    fn from_old(facts: &mut Facts) {
        facts.source.set_version("5.6.24");
        facts.source.remove("innodb_native_foreign_keys");
        tie(facts, "items", "orders", "CASCADE", "id");
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("foreign-key-parents"),
        Case {
            check: "foreign-key-parents",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts.task = task_on("full", "include = [\"shop.items\"]", "");
                tie(facts, "items", "orders", "RESTRICT", "id");
            },
            says: "`shop`.`items` -> `shop`.`orders`",
        },
        Case::healthy("foreign-key-children"),
        Case {
            check: "foreign-key-children",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts.task = task_on("full+incremental", "include = [\"shop.orders\"]", "");
                tie(facts, "items", "orders", "SET NULL", "id");
            },
            says: "`shop`.`items`",
        },
        Case {
            check: "cascades",
            verdict: Verdict::Pass,
            change: |facts| tie(facts, "items", "orders", "CASCADE", "id"),
            says: "writes to its log",
        },
        Case {
            check: "cascades",
            verdict: Verdict::Pass,
            change: |facts| {
                from_old(facts);
                facts.task = task("full", "");
            },
            says: "does not follow",
        },
        Case {
            check: "cascades",
            verdict: Verdict::Confirm,
            change: |facts| {
                from_old(facts);
                facts.destination.set("innodb_native_foreign_keys", "ON");
            },
            says: "one snapshot",
        },
        Case {
            check: "cascades",
            verdict: Verdict::Fail,
            change: from_old,
            says: "--innodb-native-foreign-keys=ON",
        },
        Case {
            check: "cascades",
            verdict: Verdict::Fail,
            change: |facts| {
                from_old(facts);
                facts.destination.set("innodb_native_foreign_keys", "ON");
                facts.task = task_on("full+incremental", "include = [\"shop.items\"]", "");
            },
            says: "which are not selected",
        },
        Case::healthy("foreign-key-indexes"),
        Case {
            check: "foreign-key-indexes",
            verdict: Verdict::Pass,
            change: |facts| tie(facts, "items", "orders", "RESTRICT", "ID"),
            says: "all of them do",
        },
        Case {
            check: "foreign-key-indexes",
            verdict: Verdict::Fail,
            change: |facts| tie(facts, "items", "orders", "RESTRICT", "note"),
            says: "SET GLOBAL restrict_fk_on_non_standard_key = OFF",
        },
    ];
}
