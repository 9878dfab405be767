//! The task's rules against the source's tables.

use drs_core::{SessionError, Task, check_rules};

use crate::{Finding, checks};

/// One finding a rule: its columns exist, its condition can be evaluated exactly, and the server
/// takes it. The check `rules` says the same of facts that are at hand.
///
/// # Errors
/// When the source can't be asked.
pub fn rules(task: &Task) -> Result<Vec<Finding>, SessionError> {
    Ok(check_rules(task)?
        .iter()
        .map(checks::rule_finding)
        .collect())
}
