//! Databases of the same name.

use std::collections::BTreeSet;

use drs_core::{DatabaseName, NameCase, Role};

use super::parameters::plain;
use crate::{Check, Facts, Finding, Group, Unread, Verdict, facts::Database};

pub(super) static DATABASE_CHARACTER_SET: Check = Check {
    id: "database-character-set",
    group: Group::Both,
    title: "databases of the same name have the same character set and collation",
    why: "tables that the log creates without naming a character set get the database's default, and their rows then do not fit",
    remedy: "ALTER DATABASE at the destination; tables that are there stay as they are",
    rule: "DRS manual, Table 2, Destination database: character set",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: database_character_set,
};

fn database_character_set(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let case = facts.destination.name_case();
    let here = facts
        .source
        .tables
        .databases
        .as_ref()
        .map_err(Clone::clone)?;
    let there = facts.destination.tables.databases.as_ref();
    let there = there.map_err(Clone::clone)?;
    let find = |databases: &[Database], name: &DatabaseName, case: NameCase| {
        let mut databases = databases.iter();
        databases
            .find(|database| database.name.folded(case) == name.folded(case))
            .cloned()
    };
    let (selection, mapping) = (facts.selection(), facts.mapping());
    let whole = here
        .iter()
        .filter(|database| selection.is_database_level(&database.name))
        .map(|database| (database.name.clone(), mapping.database(&database.name)));
    let of_tables = facts.mapped()?.into_iter();
    let of_tables = of_tables.map(|(table, name)| (table.name.database.clone(), name.database));
    let pairs: BTreeSet<(DatabaseName, DatabaseName)> = whole.chain(of_tables).collect();
    let differing = pairs.iter().filter_map(|(source, destination)| {
        let database = find(here, source, NameCase::Sensitive)?;
        let other = find(there, destination, case)?;
        let same = plain(&database.charset) == plain(&other.charset)
            && plain(&database.collation) == plain(&other.collation);
        (!same).then_some((database, other))
    });
    let mut differing = differing.peekable();
    if differing.peek().is_none() {
        return Ok(vec![Finding::pass(
            "those that are at the destination are like the source's",
        )]);
    }
    let mut finding = Finding::fail(
        "databases at the destination have another default character set or collation than at the source",
    );
    for (database, other) in differing {
        finding = finding
            .about([format!(
                "{}: {} ({}) at the source, {} ({}) at the destination",
                other.name, database.charset, database.collation, other.charset, other.collation
            )])
            .sql(
                Role::Destination,
                format!(
                    "ALTER DATABASE {} CHARACTER SET {} COLLATE {}",
                    other.name, database.charset, database.collation
                ),
            );
    }
    Ok(vec![finding])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checks::tests::Case;

    fn with(facts: &mut Facts, charset: &str, collation: &str) {
        let mut databases = facts.source.tables.databases.clone().unwrap();
        charset.clone_into(&mut databases[0].charset);
        collation.clone_into(&mut databases[0].collation);
        facts.destination.tables.databases = Ok(databases);
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("database-character-set"),
        Case {
            check: "database-character-set",
            verdict: Verdict::Pass,
            change: |facts| {
                with(facts, "utf8mb3", "utf8mb3_bin");
                let databases = facts.source.tables.databases.as_mut().unwrap();
                databases[0].charset = "utf8".to_owned();
                databases[0].collation = "utf8_bin".to_owned();
            },
            says: "",
        },
        Case {
            check: "database-character-set",
            verdict: Verdict::Fail,
            change: |facts| with(facts, "utf8mb4", "utf8mb4_general_ci"),
            says: "ALTER DATABASE `shop` CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci",
        },
    ];
}
