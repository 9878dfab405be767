//! `sql_mode`.

use std::collections::BTreeSet;

use drs_core::Role;

use super::{
    parameters::selected_in,
    remedy::{set_global, text},
};
use crate::{Check, Facts, Finding, Group, Side, Unread, Verdict, facts::Fact};

pub(super) static SQL_MODE: Check = Check {
    id: "sql-mode",
    group: Group::Both,
    title: "both servers have the same sql_mode",
    why: "applications' statements are taken or refused in another way after the switch-over; the task sets its own for rows, and the writer's for statements",
    remedy: "set sql_mode at the destination to what it is at the source",
    rule: "failed check items, sqlModeConsistency",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: sql_mode,
};

pub(super) static ENGINE_SUBSTITUTION: Check = Check {
    id: "engine-substitution",
    group: Group::Both,
    title: "the destination has no NO_ENGINE_SUBSTITUTION if MyISAM tables are selected",
    why: "the manual forbids it, since a destination that takes no MyISAM tables then refuses them instead of making InnoDB tables of them",
    remedy: "take NO_ENGINE_SUBSTITUTION out of sql_mode at the destination, or turn the tables into InnoDB ones",
    rule: "DRS manual, Table 2, Destination database: sql_mode with MyISAM tables",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: engine_substitution,
};

const SUBSTITUTION: &str = "NO_ENGINE_SUBSTITUTION";

/// Modes that 8.0 does not have any more.
const REMOVED_IN_8_0: [&str; 11] = [
    "NO_AUTO_CREATE_USER",
    "DB2",
    "MAXDB",
    "MSSQL",
    "MYSQL323",
    "MYSQL40",
    "ORACLE",
    "POSTGRESQL",
    "NO_FIELD_OPTIONS",
    "NO_KEY_OPTIONS",
    "NO_TABLE_OPTIONS",
];

fn sql_mode(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let version = facts.destination.version()?;
    let has_myisam = !selected_in(facts, "MyISAM")?.is_empty();
    let modes = |side: &Side| -> Fact<BTreeSet<String>> {
        let mut modes: BTreeSet<String> = side.variables()?.words("sql_mode").into_iter().collect();
        if version.is_mysql_at_least(8, 0, 0) {
            modes.retain(|mode| !REMOVED_IN_8_0.contains(&mode.as_str()));
        }
        if has_myisam {
            modes.remove(SUBSTITUTION);
        }
        Ok(modes)
    };
    let (here, there) = (modes(&facts.source)?, modes(&facts.destination)?);
    if here == there {
        return Ok(vec![Finding::pass("sql_mode is the same on both")]);
    }
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
        let names: Vec<&str> = a.difference(b).map(String::as_str).collect();
        match names.is_empty() {
            true => "nothing".to_owned(),
            false => names.join(", "),
        }
    };
    let wanted: Vec<&str> = here.iter().map(String::as_str).collect();
    Ok(vec![
        Finding::confirm(format!(
            "sql_mode has {} at the source only, and {} at the destination only",
            only(&here, &there),
            only(&there, &here)
        ))
        .sql(
            Role::Destination,
            set_global(version, "sql_mode", &text(&wanted.join(","))),
        ),
    ])
}

fn engine_substitution(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let tables = selected_in(facts, "MyISAM")?;
    let modes = facts.destination.variables()?.words("sql_mode");
    if tables.is_empty() {
        return Ok(vec![Finding::pass("no MyISAM table is selected")]);
    }
    if !modes.iter().any(|mode| mode == SUBSTITUTION) {
        return Ok(vec![Finding::pass(
            "sql_mode at the destination does not have it",
        )]);
    }
    let version = facts.destination.version()?;
    // It must not undo what another check sets in the mode.
    let without = format!("REPLACE(@@GLOBAL.sql_mode, {}, '')", text(SUBSTITUTION));
    Ok(vec![
        Finding::fail("MyISAM tables are selected, and sql_mode at the destination has NO_ENGINE_SUBSTITUTION")
            .about(tables)
            .sql(
                Role::Destination,
                set_global(version, "sql_mode", &without),
            ),
    ])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checks::tests::Case;

    fn select_myisam(facts: &mut Facts) {
        let tables = facts.source.tables.tables.as_mut().unwrap();
        tables[0].engine = Some("MyISAM".to_owned());
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("sql-mode"),
        Case {
            check: "sql-mode",
            verdict: Verdict::Confirm,
            change: |facts| {
                facts.source.set("sql_mode", "ANSI_QUOTES");
                facts
                    .destination
                    .set("sql_mode", "STRICT_TRANS_TABLES,ANSI_QUOTES");
            },
            says: "SET PERSIST sql_mode = 'ANSI_QUOTES'",
        },
        Case {
            check: "sql-mode",
            verdict: Verdict::Pass,
            change: |facts| {
                facts.source.set(
                    "sql_mode",
                    "NO_AUTO_CREATE_USER,NO_ENGINE_SUBSTITUTION,STRICT_TRANS_TABLES",
                );
                facts
                    .destination
                    .set("sql_mode", "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION");
            },
            says: "",
        },
        Case {
            check: "sql-mode",
            verdict: Verdict::Pass,
            change: |facts| {
                select_myisam(facts);
                facts.source.set("sql_mode", "NO_ENGINE_SUBSTITUTION");
                facts.destination.set("sql_mode", "");
            },
            says: "",
        },
        Case::healthy("engine-substitution"),
        Case {
            check: "engine-substitution",
            verdict: Verdict::Fail,
            change: |facts| {
                select_myisam(facts);
                facts
                    .destination
                    .set("sql_mode", "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION");
            },
            says: "SET PERSIST sql_mode = REPLACE(@@GLOBAL.sql_mode, 'NO_ENGINE_SUBSTITUTION', '')",
        },
        Case {
            check: "engine-substitution",
            verdict: Verdict::Pass,
            change: |facts| {
                select_myisam(facts);
                facts.destination.set("sql_mode", "STRICT_TRANS_TABLES");
            },
            says: "",
        },
    ];
}
