//! What the task's accounts may do.

use std::collections::{BTreeMap, BTreeSet};

use drs_core::{Role, TableName};

use super::scope::{self, Scope};
use crate::{
    Check, Facts, Finding, Group, Remedy, Unread, Verdict,
    facts::{AccountName, Grants},
};

pub(super) static SOURCE_PRIVILEGES: Check = Check {
    id: "source-privileges",
    group: Group::Source,
    title: "the source's account may read the objects and the log",
    why: "without them tables, views or the log can't be read",
    remedy: "grant what is missing",
    rule: "DRS manual, Table 2: SELECT, SHOW VIEW, EVENT, LOCK TABLES, REPLICATION SLAVE, and REPLICATION CLIENT; the last two but one are of no use to a task that only follows, REPLICATION SLAVE to one that only copies",
    verdicts: &[Verdict::Pass, Verdict::Fail, Verdict::Unknown],
    run: source,
};

pub(super) static DESTINATION_PRIVILEGES: Check = Check {
    id: "destination-privileges",
    group: Group::Destination,
    title: "the destination's account may write the objects",
    why: "without them tables can't be made, filled or changed",
    remedy: "grant what is missing",
    rule: "DRS manual, Table 2: SELECT, CREATE, DROP, DELETE, INSERT, UPDATE, ALTER, and REFERENCES",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: destination,
};

pub(super) static CHECKPOINT_PRIVILEGES: Check = Check {
    id: "checkpoint-privileges",
    group: Group::Destination,
    title: "the destination's account may keep the task's progress in drs_meta",
    why: "progress is committed with the rows, in tables of that database",
    remedy: "grant what is missing",
    rule: "drs keeps its checkpoints in the database drs_meta at the destination, and makes it",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: checkpoint,
};

pub(super) static INDEX_PRIVILEGE: Check = Check {
    id: "index-privilege",
    group: Group::Destination,
    title: "the destination's account may create and drop indexes",
    why: "CREATE INDEX and DROP INDEX at the source are repeated, and stop the task where they are denied",
    remedy: "grant INDEX",
    rule: "drs repeats the statements of the log that change a selected table",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: index,
};

pub(super) static TRIGGER_PRIVILEGE: Check = Check {
    id: "trigger-privilege",
    group: Group::Destination,
    title: "the destination's account sees the triggers of the tables",
    why: "a trigger that is not seen runs for the net effect of several changes instead of for each one",
    remedy: "grant TRIGGER",
    rule: "drs applies changes of a table one by one only where it sees a trigger",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: trigger,
};

/// On what level a privilege is granted at least.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Server,
    Database,
    Table,
}

pub(super) type Need = (&'static str, Level);

fn source(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let mode = facts.task.mode();
    let mut needs = vec![("SELECT", Level::Table)];
    if mode.copies() {
        needs.extend([
            ("SHOW VIEW", Level::Table),
            ("EVENT", Level::Database),
            ("LOCK TABLES", Level::Database),
        ]);
    }
    if mode.follows() {
        needs.push(("REPLICATION SLAVE", Level::Server));
    }
    // The start point is asked for in every mode.
    needs.push(("REPLICATION CLIENT", Level::Server));
    let scopes = scope::at_source(facts)?;
    let mut findings = Missing::of(facts, Role::Source, &needs, &scopes)?.findings(Finding::fail);
    let grants = facts.source.account.grants.as_ref().map_err(Clone::clone)?;
    let unseen = scope::unseen_patterns(facts)?;
    if !unseen.is_empty() && !grants.has_global("SELECT") {
        let account = facts.source.account.name.clone()?;
        let finding = Finding::unknown(
            "the account sees no database that these entries of the selection match",
        );
        findings.push(
            finding
                .about(unseen)
                .sql(Role::Source, format!("GRANT SELECT ON *.* TO {account}")),
        );
    }
    Ok(or_pass(findings, "it may read all that is selected"))
}

const WRITE: [Need; 8] = [
    ("SELECT", Level::Table),
    ("CREATE", Level::Table),
    ("DROP", Level::Table),
    ("DELETE", Level::Table),
    ("INSERT", Level::Table),
    ("UPDATE", Level::Table),
    ("ALTER", Level::Table),
    ("REFERENCES", Level::Table),
];

fn destination(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let databases = facts.destination.tables.databases.as_ref();
    let databases = databases.map_err(Clone::clone)?;
    let scopes: Vec<Scope> = scope::at_destination(facts)?
        .into_iter()
        .map(|scope| match &scope {
            // The database is still to be made.
            Scope::Table(table) if !databases.iter().any(|there| there.name == table.database) => {
                scope.database_at_least()
            }
            _ => scope,
        })
        .collect();
    let missing = Missing::of(facts, Role::Destination, &WRITE, &scopes)?;
    Ok(or_pass(
        missing.findings(Finding::fail),
        "it may write all that is selected",
    ))
}

fn checkpoint(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let needs = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE"];
    let needs = needs.map(|privilege| (privilege, Level::Database));
    let database = drs_core::DatabaseName::new(drs_core::CHECKPOINT_DATABASE);
    let scopes: Vec<Scope> = database.into_iter().map(Scope::Database).collect();
    let missing = Missing::of(facts, Role::Destination, &needs, &scopes)?;
    Ok(or_pass(missing.findings(Finding::fail), "it may"))
}

fn index(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    if !facts.task.mode().follows() {
        return Ok(vec![Finding::pass("the task does not follow the log")]);
    }
    optional(facts, &[("INDEX", Level::Table)], "it may")
}

fn trigger(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    if !facts.task.mode().follows() {
        return Ok(vec![Finding::pass("the task does not follow the log")]);
    }
    optional(facts, &[("TRIGGER", Level::Table)], "it sees them")
}

/// Privileges on the selected objects at the destination that a task can do without.
fn optional(facts: &Facts, needs: &[Need], pass: &str) -> Result<Vec<Finding>, Unread> {
    let scopes = scope::at_destination(facts)?;
    let missing = Missing::of(facts, Role::Destination, needs, &scopes)?;
    Ok(or_pass(missing.findings(Finding::confirm), pass))
}

pub(super) fn or_pass(findings: Vec<Finding>, pass: &str) -> Vec<Finding> {
    match findings.is_empty() {
        true => vec![Finding::pass(pass)],
        false => findings,
    }
}

/// What an account lacks, by where it lacks it.
pub(super) struct Missing<'f> {
    role: Role,
    account: AccountName,
    grants: &'f Grants,
    missing: BTreeMap<Scope, Vec<&'static str>>,
}

impl<'f> Missing<'f> {
    pub(super) fn of(
        facts: &'f Facts,
        role: Role,
        needs: &[Need],
        scopes: &[Scope],
    ) -> Result<Self, Unread> {
        let account = &facts.side(role).account;
        let grants = account.grants.as_ref().map_err(Clone::clone)?;
        let tables = facts.side(role).tables.tables.iter().flatten();
        let there: BTreeSet<&TableName> = tables.map(|table| &table.name).collect();
        let mut missing: BTreeMap<Scope, Vec<&'static str>> = BTreeMap::new();
        for (privilege, level) in needs {
            let mut places: Vec<Scope> = match level {
                Level::Server => vec![Scope::Server],
                Level::Database => scopes.iter().map(Scope::database_at_least).collect(),
                Level::Table => scopes.to_vec(),
            };
            places.dedup();
            for place in places {
                if !place.has(grants, privilege) {
                    let place = grantable(place, &there, role);
                    let lacking = missing.entry(place).or_default();
                    if !lacking.contains(privilege) {
                        lacking.push(privilege);
                    }
                }
            }
        }
        Ok(Self {
            role,
            account: account.name.clone()?,
            grants,
            missing: whole_databases(missing),
        })
    }

    /// One finding for each list of privileges, with the statements that grant them.
    pub(super) fn findings(&self, make: fn(String) -> Finding) -> Vec<Finding> {
        let mut by_list: BTreeMap<&[&str], Vec<&Scope>> = BTreeMap::new();
        for (scope, privileges) in &self.missing {
            by_list.entry(privileges).or_default().push(scope);
        }
        let mut findings: Vec<Finding> = by_list
            .into_iter()
            .map(|(privileges, scopes)| {
                let list = privileges.join(", ");
                let (account, role) = (&self.account, self.role);
                let finding = make(format!("the account {account} lacks {list}"));
                let finding = finding.about(&scopes);
                scopes.into_iter().fold(finding, |finding, scope| {
                    let place = scope.to_grant(self.grants);
                    let list = scope.list_to_grant(self.grants, privileges);
                    finding.sql(role, format!("GRANT {list} ON {place} TO {account}"))
                })
            })
            .collect();
        let roles: Vec<&str> = self.grants.inactive_roles().collect();
        if let Some(first) = findings.first_mut().filter(|_| !roles.is_empty()) {
            first.remedies.push(Remedy::Advice(format!(
                "or let it have what its roles allow, if that is enough: SET DEFAULT ROLE ALL TO {} (now inactive: {})",
                self.account,
                roles.join(", ")
            )));
        }
        findings
    }
}

/// Where a statement can grant it: of a table that is still to be made, on its database alone.
fn grantable(scope: Scope, there: &BTreeSet<&TableName>, role: Role) -> Scope {
    match &scope {
        Scope::Table(table) if role == Role::Destination && !there.contains(table) => {
            scope.database_at_least()
        }
        _ => scope,
    }
}

/// Puts a database in place of many of its tables: nobody wants a thousand grants.
fn whole_databases(
    missing: BTreeMap<Scope, Vec<&'static str>>,
) -> BTreeMap<Scope, Vec<&'static str>> {
    const TABLES_MAX: usize = 10;
    let mut tables: BTreeMap<Scope, usize> = BTreeMap::new();
    for scope in missing.keys() {
        if let Scope::Table(_) = scope {
            *tables.entry(scope.database_at_least()).or_default() += 1;
        }
    }
    let mut fewer: BTreeMap<Scope, Vec<&'static str>> = BTreeMap::new();
    for (scope, privileges) in missing {
        let database = scope.database_at_least();
        let is_many = tables
            .get(&database)
            .is_some_and(|count| *count > TABLES_MAX);
        let all = fewer
            .entry(if is_many { database } else { scope })
            .or_default();
        for privilege in privileges {
            if !all.contains(&privilege) {
                all.push(privilege);
            }
        }
    }
    fewer
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::sample};

    fn incremental(facts: &mut Facts) {
        facts.task = sample::task("incremental", "");
    }

    fn full(facts: &mut Facts) {
        facts.task = sample::task("full", "");
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("source-privileges"),
        Case::of(
            "source-privileges",
            Verdict::Fail,
            |facts| {
                facts.source.account.grant(&[
                    "GRANT SELECT, SHOW VIEW, LOCK TABLES ON `shop`.* TO `drs`@`%`",
                    "GRANT REPLICATION SLAVE ON *.* TO `drs`@`%`",
                ])
            },
            "GRANT EVENT ON `shop`.* TO `drs`@`%`",
        ),
        Case::of(
            "source-privileges",
            Verdict::Fail,
            |facts| {
                facts.source.account.grant(&[
                    "GRANT SELECT, SHOW VIEW, EVENT, LOCK TABLES ON `shop`.* TO `drs`@`%`",
                ])
            },
            "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `drs`@`%`",
        ),
        Case::of(
            "source-privileges",
            Verdict::Pass,
            |facts| {
                incremental(facts);
                facts.source.account.grant(&[
                    "GRANT SELECT ON `shop`.* TO `drs`@`%`",
                    "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `drs`@`%`",
                ]);
            },
            "",
        ),
        Case::of(
            "source-privileges",
            Verdict::Pass,
            |facts| {
                full(facts);
                facts.source.account.grant(&[
                    "GRANT SELECT, SHOW VIEW, EVENT, LOCK TABLES ON `sh%`.* TO `drs`@`%`",
                    "GRANT REPLICATION CLIENT ON *.* TO `drs`@`%`",
                ]);
            },
            "",
        ),
        Case::of(
            "source-privileges",
            Verdict::Fail,
            |facts| {
                facts.task = sample::task_on(
                    "full+incremental",
                    "include = [\"my_shop.a\", \"my_shop.b\"]",
                    "",
                );
                facts.source.tables.databases = Ok(Vec::new());
                facts.source.tables.tables = Ok(Vec::new());
                facts.source.account.grant(&[
                    "GRANT SHOW VIEW, SELECT ON `my_shop`.`a` TO `drs`@`%`",
                    "GRANT SHOW VIEW ON `my_shop`.`b` TO `drs`@`%`",
                    "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `drs`@`%`",
                ]);
            },
            "GRANT EVENT, LOCK TABLES ON `my\\\\_shop`.* TO `drs`@`%`",
        ),
        Case::of(
            "source-privileges",
            Verdict::Unknown,
            |facts| {
                facts.task = sample::task_on("full+incremental", "include = [\"log_*\"]", "");
                facts.source.tables.databases = Ok(Vec::new());
                facts.source.tables.tables = Ok(Vec::new());
                facts
                    .source
                    .account
                    .grant(&["GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `drs`@`%`"]);
            },
            "log_*",
        ),
        Case::of(
            "source-privileges",
            Verdict::Fail,
            |facts| {
                facts.source.account.grant(&[
                    "GRANT USAGE ON *.* TO `drs`@`%`",
                    "GRANT `reader`@`%` TO `drs`@`%`",
                ])
            },
            "SET DEFAULT ROLE ALL TO `drs`@`%` (now inactive: `reader`@`%`)",
        ),
        Case::of(
            "source-privileges",
            Verdict::Fail,
            |facts| {
                facts.source.account.grant(&[
                    "GRANT SELECT, SHOW VIEW, LOCK TABLES ON `sh%`.* TO `drs`@`%`",
                    "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `drs`@`%`",
                ]);
            },
            "GRANT EVENT, LOCK TABLES, SELECT, SHOW VIEW ON `shop`.* TO `drs`@`%`",
        ),
        Case::healthy("destination-privileges"),
        Case::of(
            "destination-privileges",
            Verdict::Fail,
            |facts| {
                facts.task = sample::task("full+incremental", "map = { \"shop\" = \"dw\" }");
                facts
                    .destination
                    .account
                    .grant(&["GRANT ALL PRIVILEGES ON `shop`.* TO `drs`@`%`"]);
            },
            "GRANT SELECT, CREATE, DROP, DELETE, INSERT, UPDATE, ALTER, REFERENCES ON `dw`.* TO `drs`@`%`",
        ),
        Case::of(
            "destination-privileges",
            Verdict::Pass,
            |facts| {
                facts.destination.account.grant(&["GRANT SELECT, CREATE, DROP, DELETE, INSERT, UPDATE, ALTER, REFERENCES ON `shop`.* TO `drs`@`%`"])
            },
            "",
        ),
        Case::healthy("checkpoint-privileges"),
        Case::of(
            "checkpoint-privileges",
            Verdict::Fail,
            |facts| {
                facts
                    .destination
                    .account
                    .grant(&["GRANT ALL PRIVILEGES ON `shop`.* TO `drs`@`%`"])
            },
            "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON `drs\\\\_meta`.* TO `drs`@`%`",
        ),
        Case::healthy("index-privilege"),
        Case::of(
            "index-privilege",
            Verdict::Confirm,
            |facts| {
                facts
                    .destination
                    .account
                    .grant(&["GRANT INSERT ON *.* TO `drs`@`%`"])
            },
            "GRANT INDEX ON `shop`.* TO `drs`@`%`",
        ),
        Case::of("index-privilege", Verdict::Pass, full, ""),
        Case::healthy("trigger-privilege"),
        Case::of(
            "trigger-privilege",
            Verdict::Confirm,
            |facts| {
                facts
                    .destination
                    .account
                    .grant(&["GRANT INSERT ON *.* TO `drs`@`%`"])
            },
            "GRANT TRIGGER ON `shop`.* TO `drs`@`%`",
        ),
    ];
}
