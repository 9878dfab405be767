//! Transactions that are open or prepared at the source.

use drs_core::Role;

use crate::{Check, Facts, Finding, Group, Unread, Verdict, facts::OpenTransaction};

pub(super) static LONG_TRANSACTIONS: Check = Check {
    id: "long-transactions",
    group: Group::Source,
    title: "no transaction at the source is open for long",
    why: "a lock on a table waits for those that use it: its copy gives up for a time, and others wait behind it",
    remedy: "wait until they end, or end them",
    rule: "drs locks a table without a key, and without GTIDs any table, for an instant when its copy begins",
    verdicts: &[Verdict::Pass, Verdict::Confirm, Verdict::Unknown],
    run: long,
};

pub(super) static PREPARED_TRANSACTIONS: Check = Check {
    id: "prepared-xa",
    group: Group::Source,
    title: "no XA transaction is prepared at the source",
    why: "its rows are not visible to the copy, and lie before the point that the log is followed from",
    remedy: "commit them or roll them back",
    rule: "failed check items: long-uncommitted XA transactions; drs waits 10 s for them, and then refuses to begin",
    verdicts: &[
        Verdict::Pass,
        Verdict::Confirm,
        Verdict::Fail,
        Verdict::Unknown,
    ],
    run: prepared,
};

/// In seconds.
const LONG: u64 = 60;

fn long(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    if !facts.task.mode().copies() {
        return Ok(vec![Finding::pass("the task copies nothing")]);
    }
    let open = match &facts.source.activity.transactions {
        Ok(open) => open,
        Err(unread) => {
            return Ok(vec![unread_for_lack_of(
                facts,
                Role::Source,
                unread,
                "PROCESS",
            )?]);
        }
    };
    let long: Vec<&OpenTransaction> = open.iter().filter(|open| open.seconds >= LONG).collect();
    if long.is_empty() {
        return Ok(vec![Finding::pass(format!("none for {LONG} s"))]);
    }
    let finding = Finding::confirm(format!(
        "transactions at the source are open for more than {LONG} s"
    ));
    let finding = finding.about(
        long.iter()
            .map(|open| format!("session {}, for {} s", open.session, open.seconds)),
    );
    Ok(vec![finding.advice(
        "wait until they end, or end their sessions at the source with KILL",
    )])
}

fn prepared(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    if !facts.task.mode().follows() {
        return Ok(vec![Finding::pass("the task does not follow the log")]);
    }
    if facts.begun().is_some() {
        return Ok(vec![Finding::pass(
            "the task has begun, and knows those that it meets in the log",
        )]);
    }
    let count = match &facts.source.activity.prepared {
        Ok(count) => *count,
        // Older servers tell everybody.
        Err(unread) if facts.source.version()?.is_mysql_at_least(8, 0, 2) => {
            return Ok(vec![unread_for_lack_of(
                facts,
                Role::Source,
                unread,
                "XA_RECOVER_ADMIN",
            )?]);
        }
        Err(unread) => return Err(unread.clone()),
    };
    let detail = format!("{count} XA transactions are prepared at the source");
    let finding = match (count, facts.task.mode().copies()) {
        (0, _) => return Ok(vec![Finding::pass("none")]),
        (_, true) => Finding::fail(detail),
        (_, false) => Finding::confirm(format!(
            "{detail}: one that was prepared before the start point stops the task when it ends"
        )),
    };
    Ok(vec![finding.advice(
        "XA RECOVER at the source tells them: XA COMMIT or XA ROLLBACK each",
    )])
}

/// What could not be read, with the grant that would help if the account lacks the privilege.
pub(super) fn unread_for_lack_of(
    facts: &Facts,
    role: Role,
    unread: &Unread,
    privilege: &str,
) -> Result<Finding, Unread> {
    let account = &facts.side(role).account;
    let grants = account.grants.as_ref().map_err(Clone::clone)?;
    let finding = Finding::from(unread.clone());
    Ok(match grants.has_global(privilege) {
        true => finding,
        false => {
            let account = account.name.clone()?;
            finding.sql(role, format!("GRANT {privilege} ON *.* TO {account}"))
        }
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::sample};

    const POOR: &[&str] = &["GRANT SELECT ON *.* TO `drs`@`%`"];

    fn open(facts: &mut Facts, seconds: u64) {
        facts.source.activity.transactions = Ok(vec![OpenTransaction {
            session: 12,
            seconds,
        }]);
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("long-transactions"),
        Case::of(
            "long-transactions",
            Verdict::Pass,
            |facts| open(facts, 59),
            "",
        ),
        Case::of(
            "long-transactions",
            Verdict::Confirm,
            |facts| open(facts, 60),
            "session 12, for 60 s",
        ),
        Case::of(
            "long-transactions",
            Verdict::Pass,
            |facts| {
                open(facts, 60);
                facts.task = sample::task("incremental", "");
            },
            "copies nothing",
        ),
        Case::of(
            "long-transactions",
            Verdict::Unknown,
            |facts| {
                facts.source.activity.transactions = Err(Unread::new("denied"));
                facts.source.account.grant(POOR);
            },
            "GRANT PROCESS ON *.* TO `drs`@`%`",
        ),
        Case::healthy("prepared-xa"),
        Case::of(
            "prepared-xa",
            Verdict::Fail,
            |facts| facts.source.activity.prepared = Ok(2),
            "XA RECOVER",
        ),
        Case::of(
            "prepared-xa",
            Verdict::Pass,
            |facts| {
                facts.source.activity.prepared = Ok(2);
                crate::checks::tasks::tests::begin(facts, "", "");
            },
            "has begun",
        ),
        Case::of(
            "prepared-xa",
            Verdict::Confirm,
            |facts| {
                facts.source.activity.prepared = Ok(2);
                facts.task = sample::task("incremental", "");
            },
            "before the start point",
        ),
        Case::of(
            "prepared-xa",
            Verdict::Unknown,
            |facts| {
                facts.source.activity.prepared = Err(Unread::new("denied"));
                facts.source.account.grant(POOR);
            },
            "GRANT XA_RECOVER_ADMIN ON *.* TO `drs`@`%`",
        ),
    ];
}
