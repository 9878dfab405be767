//! Names that one of the servers takes for one, and the mapping that makes two of them one.

use std::collections::BTreeMap;

use drs_core::{NameCase, TableName};

use crate::{Check, Facts, Finding, Group, Side, Unread, Verdict, facts::Fact};

pub(super) static NAME_CASE: Check = Check {
    id: "name-case",
    group: Group::Both,
    title: "both servers tell names by case, or neither",
    why: "a destination with lower_case_table_names = 1 keeps names in small letters; a source that does not tell the case logs statements whose names are as they were typed, and a destination that does tell it has no such tables",
    remedy: "a destination with the source's lower_case_table_names, which is set when its data folder is made",
    rule: "failed check items, srcDstTableNameCaseSensitiveCheck; what is tested to work is not refused",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: name_case,
};

pub(super) static MERGED_TABLES: Check = Check {
    id: "merged-tables",
    group: Group::Both,
    title: "no two selected tables are one at the destination",
    why: "one task does not merge tables: it is refused at its start",
    remedy: "map one of them to another name, exclude it, or give it a task of its own",
    rule: "refused by the engine; the mapping, and lower_case_table_names at the destination",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: merged_tables,
};

fn setting(side: &Side) -> Fact<u64> {
    let value = side.variables()?.number("lower_case_table_names");
    value.ok_or_else(|| {
        Unread::new(format!(
            "the {} does not tell lower_case_table_names",
            side.role
        ))
    })
}

fn name_case(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let (here, there) = (setting(&facts.source)?, setting(&facts.destination)?);
    if here == there {
        return Ok(vec![Finding::pass(format!(
            "lower_case_table_names is {here} on both"
        ))]);
    }
    let differs =
        format!("lower_case_table_names is {here} at the source and {there} at the destination");
    let remake =
        format!("make the destination's data folder anew with --lower-case-table-names={here}");
    if here == 0 {
        let has_capitals = |name: &TableName| *name != name.folded(NameCase::Insensitive);
        let names: Vec<TableName> = facts
            .mapped()?
            .into_iter()
            .map(|(_, name)| name)
            .filter(has_capitals)
            .collect();
        return Ok(vec![match names.is_empty() {
            true => Finding::pass(format!("{differs}; no selected name has a capital letter")),
            false => Finding::confirm(format!("{differs}, which does not keep capital letters"))
                .about(names)
                .advice("map these to names in small letters, or rename them at the source")
                .advice(remake),
        }]);
    }
    if there == 0 && facts.task.mode().follows() {
        return Ok(vec![
            Finding::confirm(format!(
                "{differs}, where statements of the log that write names in other letters than they were created with \
                 stop the task"
            ))
            .advice("write names in small letters in every DDL statement at the source")
            .advice(remake),
        ]);
    }
    Ok(vec![Finding::pass(differs)])
}

fn merged_tables(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let mapping = facts.task.mapping().clone();
    if let Err(error) = mapping.with_case(facts.source.name_case()) {
        return Ok(vec![
            Finding::fail(error.to_string()).advice("leave one of the two entries"),
        ]);
    }
    let case = facts.destination.name_case();
    let mut by_destination: BTreeMap<TableName, Vec<&TableName>> = BTreeMap::new();
    for (table, name) in facts.mapped()? {
        let sources = by_destination.entry(name.folded(case)).or_default();
        sources.push(&table.name);
    }
    let merged: Vec<String> = by_destination
        .iter()
        .filter(|(_, sources)| sources.len() > 1)
        .map(|(name, sources)| {
            let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
            format!("{name}: {}", sources.join(", "))
        })
        .collect();
    if merged.is_empty() {
        return Ok(vec![Finding::pass("each has a name of its own")]);
    }
    Ok(vec![
        Finding::fail("several selected tables would be one table at the destination")
            .about(merged)
            .advice("map them to different names in [objects] map, or exclude all but one"),
    ])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::sample::task_on};

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("name-case"),
        Case {
            check: "name-case",
            verdict: Verdict::Pass,
            change: |facts| facts.destination.set("lower_case_table_names", "1"),
            says: "no selected name has a capital letter",
        },
        Case {
            check: "name-case",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts.destination.set("lower_case_table_names", "1");
                facts.source.tables.add("shop", "Carts", &[("id", "int")]);
            },
            says: "`shop`.`Carts`",
        },
        Case {
            check: "name-case",
            verdict: Verdict::Confirm,
            change: |facts| facts.source.set("lower_case_table_names", "1"),
            says: "in every DDL statement",
        },
        Case::healthy("merged-tables"),
        Case {
            check: "merged-tables",
            verdict: Verdict::Fail,
            change: |facts| {
                facts.destination.set("lower_case_table_names", "1");
                facts.source.tables.add("shop", "Orders", &[("id", "int")]);
            },
            says: "`shop`.`orders`: `shop`.`orders`, `shop`.`Orders`",
        },
        Case {
            check: "merged-tables",
            verdict: Verdict::Fail,
            change: |facts| {
                facts.task = task_on(
                    "full",
                    "include = [\"shop\", \"dw\"]\nmap = { \"shop.orders\" = \"dw.orders\" }",
                    "",
                );
                facts.source.tables.add("dw", "orders", &[("id", "int")]);
            },
            says: "`dw`.`orders`: `shop`.`orders`, `dw`.`orders`",
        },
        Case {
            check: "merged-tables",
            verdict: Verdict::Fail,
            change: |facts| {
                facts.task = task_on(
                    "full",
                    "include = [\"shop\", \"SHOP\"]\nmap = { shop = \"a\", SHOP = \"b\" }",
                    "",
                );
                facts.source.set("lower_case_table_names", "1");
            },
            says: "is mapped to",
        },
    ];
}
