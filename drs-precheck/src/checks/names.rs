//! Names of what is selected, and of what it becomes.

use std::collections::BTreeMap;

use drs_core::{
    DatabaseName, NameRuleError, check_database_name, check_mapped_database, check_mapped_table,
    check_table_name,
};

use crate::{Check, Facts, Finding, Group, Unread, Verdict};

pub(super) static DATABASE_NAMES: Check = Check {
    id: "database-names",
    group: Group::Objects,
    title: "names of databases have plain characters, and are none of InnoDB's files",
    why: "other names are a trap for tools and file systems, and the service that this program takes the place of refuses them",
    remedy: "rename the database, or exclude it",
    rule: "DRS manual, Table 2, Source database: names of databases",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: database_names,
};

pub(super) static TABLE_NAMES: Check = Check {
    id: "table-names",
    group: Group::Objects,
    title: "names of tables and views have plain characters",
    why: "other names are a trap for tools and file systems, and the service that this program takes the place of refuses them",
    remedy: "rename the table, or exclude it",
    rule: "DRS manual, Table 2, Source database: names of tables and views; Table 7: no spaces",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Fail],
    run: table_names,
};

pub(super) static MAPPED_NAMES: Check = Check {
    id: "mapped-names",
    group: Group::Objects,
    title: "mapped objects have names that can be mapped",
    why: "each special character counts as five in the server's file names",
    remedy: "map it to a shorter or plainer name, rename it at the source, or exclude it",
    rule: "DRS manual, Table 2: 42 characters with special ones; no . < > \\ ' in mapped names",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: mapped_names,
};

fn database_names(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let databases = facts.source.tables.databases.as_ref();
    let databases = databases.map_err(Clone::clone)?;
    let tables = facts.source.tables.tables.as_ref().map_err(Clone::clone)?;
    let selection = facts.selection();
    let is_selected = |name: &DatabaseName| {
        selection.is_database_level(name) || tables.iter().any(|table| table.name.database == *name)
    };
    let mut found = Found::default();
    for name in databases.iter().map(|database| &database.name) {
        if let Err(error) = check_database_name(name.as_str())
            && is_selected(name)
        {
            found.add(error, name.to_string());
        }
    }
    Ok(found.findings("rename it at the source, or exclude it"))
}

fn table_names(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let tables = facts.source.tables.tables.as_ref().map_err(Clone::clone)?;
    let mut found = Found::default();
    for name in tables.iter().map(|table| &table.name) {
        if let Err(error) = check_table_name(&name.table) {
            found.add(error, name.to_string());
        }
    }
    Ok(found.findings("rename it at the source (RENAME TABLE), or exclude it"))
}

fn mapped_names(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let mut found = Found::default();
    let mapped = facts.mapped()?;
    let mapped = mapped
        .iter()
        .map(|(table, there)| (&table.name, there))
        .filter(|(here, there)| here != there);
    for (here, there) in mapped {
        let database = check_mapped_database(here.database.as_str(), there.database.as_str());
        if let Err(error) = database.and_then(|()| check_mapped_table(&here.table, &there.table)) {
            found.add(error, here.to_string());
        }
    }
    Ok(found
        .findings("map it to a shorter or plainer name, rename it at the source, or exclude it"))
}

/// Names by what is wrong with them.
#[derive(Default)]
struct Found(BTreeMap<(Verdict, String), Vec<String>>);

impl Found {
    fn add(&mut self, error: NameRuleError, name: String) {
        let (verdict, detail) = match &error {
            NameRuleError::Space => (
                Verdict::Confirm,
                "there is a space in the name, so that no entry can select it alone".to_owned(),
            ),
            error => (Verdict::Fail, format!("of a name like this: {error}")),
        };
        self.0.entry((verdict, detail)).or_default().push(name);
    }

    fn findings(self, advice: &str) -> Vec<Finding> {
        let found = self.0.into_iter();
        found
            .map(|((verdict, detail), names)| {
                let finding = match verdict {
                    Verdict::Confirm => Finding::confirm(detail),
                    _ => Finding::fail(detail),
                };
                finding.about(names).advice(advice)
            })
            .collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::sample::task_on};

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("database-names"),
        Case {
            check: "database-names",
            verdict: Verdict::Fail,
            change: |facts| {
                facts.task = task_on("full", "include = [\"*\"]", "");
                facts.source.tables.add_database("ibdata1");
            },
            says: "InnoDB has a file of this name",
        },
        Case {
            check: "database-names",
            verdict: Verdict::Fail,
            change: |facts| {
                facts.task = task_on("full", "include = [\"*\"]", "");
                facts.source.tables.add_database("größe");
            },
            says: "not ASCII",
        },
        Case {
            check: "database-names",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts.task = task_on("full", "include = [\"*\"]", "");
                facts.source.tables.add_database("my shop");
            },
            says: "`my shop`",
        },
        Case::healthy("table-names"),
        Case {
            check: "table-names",
            verdict: Verdict::Fail,
            change: |facts| facts.source.tables.add("shop", "it's", &[("id", "int")]),
            says: "the character '",
        },
        Case {
            check: "table-names",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts
                    .source
                    .tables
                    .add("shop", "my orders", &[("id", "int")])
            },
            says: "`shop`.`my orders`",
        },
        Case::healthy("mapped-names"),
        Case {
            check: "mapped-names",
            verdict: Verdict::Fail,
            change: |facts| {
                facts.task = task_on("full", "include = [\"shop\"]\nmap = { shop = \"eu\" }", "");
                let long = format!("a-{}", "x".repeat(41));
                facts.source.tables.add("shop", &long, &[("id", "int")]);
            },
            says: "may have 42 characters, and this one has 43",
        },
    ];
}
