//! The task's rules against the source's tables.

use drs_core::{RuleFinding, RuleVerdict};

use crate::{Check, Facts, Finding, Group, Unread, Verdict};

pub(super) static RULES: Check = Check {
    id: "rules",
    group: Group::Objects,
    title: "each rule can be carried out",
    why: "a condition that can't be evaluated exactly, or a column that keys need, would lose rows",
    remedy: "mend the rule, see docs/rules.md",
    rule: "DRS manual, Process Data; docs/rules.md",
    verdicts: &[
        Verdict::Pass,
        Verdict::Confirm,
        Verdict::Unknown,
        Verdict::Fail,
    ],
    run: rules,
};

fn rules(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let found = facts.rules.as_ref().map_err(Clone::clone)?;
    if found.is_empty() {
        return Ok(vec![Finding::pass("the task has no rules")]);
    }
    Ok(found.iter().map(finding).collect())
}

/// What became of one rule.
fn finding(found: &RuleFinding) -> Finding {
    let table = &found.table;
    match &found.verdict {
        RuleVerdict::Good {
            condition: Some(condition),
        } => Finding::pass(format!(
            "{table}: the source takes the condition, as {condition}"
        )),
        RuleVerdict::Good { condition: None } => Finding::pass(format!("{table}: it fits")),
        RuleVerdict::Note(note) => Finding::confirm(format!("{table}: {note}"))
            .advice("see whether the rule says what you mean"),
        RuleVerdict::Refused(reason) => {
            Finding::fail(format!("{table}: {reason}")).advice("mend the rule, see docs/rules.md")
        }
        _ => Finding::unknown(format!("{table}: it could not be checked")),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use drs_core::TableName;

    use super::*;
    use crate::checks::tests::Case;

    fn found(facts: &mut Facts, verdict: RuleVerdict) {
        facts.rules = Ok(vec![RuleFinding {
            table: TableName::new("shop", "orders").unwrap(),
            verdict,
        }]);
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("rules"),
        Case {
            check: "rules",
            verdict: Verdict::Pass,
            change: |facts| found(facts, RuleVerdict::Good { condition: None }),
            says: "it fits",
        },
        Case {
            check: "rules",
            verdict: Verdict::Confirm,
            change: |facts| found(facts, RuleVerdict::Note("no such table".to_owned())),
            says: "`shop`.`orders`: no such table",
        },
        Case {
            check: "rules",
            verdict: Verdict::Fail,
            change: |facts| found(facts, RuleVerdict::Refused("no such column".to_owned())),
            says: "no such column",
        },
        Case {
            check: "rules",
            verdict: Verdict::Unknown,
            change: |facts| facts.rules = Err(Unread::new("the connection was lost")),
            says: "the connection was lost",
        },
    ];
}
