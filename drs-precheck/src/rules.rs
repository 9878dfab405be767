//! The task's rules against the source's tables.

use drs_core::{RuleVerdict, SessionError, Task, check_rules};

use crate::Finding;

/// One finding a rule: its columns exist, its condition can be evaluated exactly, and the server
/// takes it.
///
/// # Errors
/// When the source can't be asked.
pub fn rules(task: &Task) -> Result<Vec<Finding>, SessionError> {
    let findings = check_rules(task)?.into_iter().map(|finding| {
        let table = finding.table;
        match finding.verdict {
            RuleVerdict::Good {
                condition: Some(condition),
            } => Finding::pass(format!(
                "{table}: the source takes the condition, as {condition}"
            )),
            RuleVerdict::Good { condition: None } => Finding::pass(format!("{table}: it fits")),
            RuleVerdict::Note(note) => Finding::confirm(format!("{table}: {note}")),
            RuleVerdict::Refused(reason) => Finding::fail(format!("{table}: {reason}")),
            _ => Finding::unknown(format!("{table}: it could not be checked")),
        }
    });
    Ok(findings.collect())
}
