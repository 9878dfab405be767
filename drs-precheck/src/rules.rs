//! The task's rules against the source's tables.

use drs_core::{RuleVerdict, SessionError, Task, check_rules};

use crate::{Finding, Verdict};

/// One finding a rule: its columns exist, its condition can be evaluated exactly, and the server
/// takes it.
///
/// # Errors
/// When the source can't be asked.
pub fn rules(task: &Task) -> Result<Vec<Finding>, SessionError> {
    let findings = check_rules(task)?.into_iter().map(|finding| {
        let (verdict, detail) = match finding.verdict {
            RuleVerdict::Good {
                condition: Some(condition),
            } => (
                Verdict::Pass,
                format!("the source takes the condition, as {condition}"),
            ),
            RuleVerdict::Good { condition: None } => (Verdict::Pass, "it fits".to_owned()),
            RuleVerdict::Note(note) => (Verdict::Confirm, note),
            RuleVerdict::Refused(reason) => (Verdict::Fail, reason),
            _ => (Verdict::Unknown, "it could not be checked".to_owned()),
        };
        Finding::new("rule", verdict, format!("{}: {detail}", finding.table))
    });
    Ok(findings.collect())
}
