//! What the destination's settings do to the rows and tables that come.

use drs_core::Role;

use super::{parameters::selected_in, remedy::set_global};
use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{Fact, RoutineKind},
};

pub(super) static LOCAL_INFILE: Check = Check {
    id: "destination-local-infile",
    group: Group::Destination,
    title: "how rows are copied",
    why: "LOAD DATA LOCAL is faster than INSERT with many rows, which is used where local_infile is off",
    remedy: "nothing has to be done; local_infile = ON makes the copy faster",
    rule: "the copy uses what the destination allows",
    verdicts: &[Verdict::Pass, Verdict::Unknown],
    run: local_infile,
};

pub(super) static STORAGE_ENGINES: Check = Check {
    id: "destination-storage-engines",
    group: Group::Destination,
    title: "the destination does not forbid the tables' engines",
    why: "a table in an engine of disabled_storage_engines can't be created",
    remedy: "start the destination without the engine in disabled_storage_engines",
    rule: "MySQL manual, disabled_storage_engines",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: storage_engines,
};

pub(super) static FUNCTION_CREATORS: Check = Check {
    id: "destination-function-creators",
    group: Group::Destination,
    title: "functions can be created at the destination",
    why: "a destination with a binary log takes functions only if they are declared to be safe for it, and the account may do much; others are left out of the copy with a notice",
    remedy: "turn log_bin_trust_function_creators on at the destination while the task runs",
    rule: "failed check items, log_bin_trust_function_creators",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: function_creators,
};

fn local_infile(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let on = facts.destination.variables()?.is_on("local_infile");
    Ok(vec![match on {
        _ if !facts.task.mode().copies() => Finding::pass("the task does not copy"),
        Some(true) => Finding::pass("with LOAD DATA LOCAL"),
        Some(false) => Finding::pass(
            "with INSERT, since local_infile is OFF at the destination: the copy is slower",
        ),
        None => Finding::unknown("the destination does not tell local_infile"),
    }])
}

fn storage_engines(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let mut disabled = facts
        .destination
        .variables()?
        .words("disabled_storage_engines");
    disabled.retain(|engine| matches!(engine.as_str(), "INNODB" | "MYISAM"));
    let mut findings = Vec::new();
    for engine in disabled {
        let tables = selected_in(facts, &engine)?;
        if !tables.is_empty() {
            findings.push(
                Finding::fail(format!(
                    "disabled_storage_engines at the destination has {engine}, which tables are in"
                ))
                .about(tables)
                .advice(format!(
                    "take {engine} out of disabled_storage_engines in the destination's option file and start it again"
                )),
            );
        }
    }
    if findings.is_empty() {
        findings.push(Finding::pass("their engines can be used"));
    }
    Ok(findings)
}

fn function_creators(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let functions = functions(facts)?;
    if functions.is_empty() {
        return Ok(vec![Finding::pass("no functions are copied")]);
    }
    let variables = facts.destination.variables()?;
    let trusts = variables.is_on("log_bin_trust_function_creators") == Some(true);
    if trusts || variables.is_on("log_bin") == Some(false) {
        return Ok(vec![Finding::pass("the destination takes every function")]);
    }
    let version = facts.destination.version()?;
    Ok(vec![
        Finding::confirm(
            "log_bin_trust_function_creators is OFF at the destination: functions that are not DETERMINISTIC, NO SQL or \
             READS SQL DATA, and all of them for an account without SUPER, are left out",
        )
        .about(functions)
        .sql(
            Role::Destination,
            set_global(version, "log_bin_trust_function_creators", "ON"),
        ),
    ])
}

/// The functions that the copy creates: those of databases that are taken as a whole.
fn functions(facts: &Facts) -> Fact<Vec<String>> {
    if !facts.task.mode().copies() {
        return Ok(Vec::new());
    }
    let selection = facts.selection();
    let routines = facts.source.programs.routines.as_ref();
    Ok(routines
        .map_err(Clone::clone)?
        .iter()
        .filter(|routine| routine.kind == RoutineKind::Function)
        .filter(|routine| selection.is_database_level(&routine.name.database))
        .map(|routine| routine.name.to_string())
        .collect())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        checks::tests::Case,
        facts::{AccountName, Routine, Uses, sample::task_on},
    };

    fn add_function(facts: &mut Facts) {
        facts.task = task_on("full", "include = [\"shop\"]", "");
        facts.source.programs.routines = Ok(vec![Routine {
            name: drs_core::TableName::new("shop", "vat").unwrap(),
            kind: RoutineKind::Function,
            definer: AccountName::parse("root@localhost"),
            is_readable: true,
            uses: Uses::default(),
        }]);
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("destination-local-infile"),
        Case {
            check: "destination-local-infile",
            verdict: Verdict::Pass,
            change: |facts| facts.destination.set("local_infile", "OFF"),
            says: "with INSERT",
        },
        Case {
            check: "destination-local-infile",
            verdict: Verdict::Unknown,
            change: |facts| facts.destination.remove("local_infile"),
            says: "does not tell",
        },
        Case::healthy("destination-storage-engines"),
        Case {
            check: "destination-storage-engines",
            verdict: Verdict::Fail,
            change: |facts| {
                facts
                    .destination
                    .set("disabled_storage_engines", "MyISAM,InnoDB");
            },
            says: "`shop`.`orders`",
        },
        Case::healthy("destination-function-creators"),
        Case {
            check: "destination-function-creators",
            verdict: Verdict::Confirm,
            change: add_function,
            says: "SET PERSIST log_bin_trust_function_creators = ON",
        },
        Case {
            check: "destination-function-creators",
            verdict: Verdict::Pass,
            change: |facts| {
                add_function(facts);
                facts
                    .destination
                    .set("log_bin_trust_function_creators", "ON");
            },
            says: "",
        },
    ];
}
