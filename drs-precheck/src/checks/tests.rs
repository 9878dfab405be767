//! Every check against facts that are made up: one case for each verdict at least.

use std::collections::BTreeSet;

use super::{
    CHECKS, account, binlog, catch_up, collations, connection, copy_binlog, databases, destination,
    foreign_keys, identity, name_case, names, parameters, present, privileges, programs,
    replication, resume_point, retention, row_formats, rules, selection, session_privileges,
    sessions, sizes, sql_mode, start_point, structures, tables, tasks, time, tls, transactions,
    versions,
};
use crate::{Checked, Facts, Group, Verdict};

/// A change of a healthy pair of servers, and what a check makes of it.
pub(super) struct Case {
    /// The check's id.
    pub(super) check: &'static str,
    /// What it comes to.
    pub(super) verdict: Verdict,
    /// What is not as it should be.
    pub(super) change: fn(&mut Facts),
    /// A part of what the gravest finding says, with its objects and remedies.
    pub(super) says: &'static str,
}

impl Case {
    /// Nothing is wrong.
    pub(super) const fn healthy(check: &'static str) -> Self {
        Self {
            check,
            verdict: Verdict::Pass,
            change: |_| {},
            says: "",
        }
    }

    /// What a check makes of a change.
    pub(super) const fn of(
        check: &'static str,
        verdict: Verdict,
        change: fn(&mut Facts),
        says: &'static str,
    ) -> Self {
        Self {
            check,
            verdict,
            change,
            says,
        }
    }
}

fn cases() -> impl Iterator<Item = &'static Case> {
    [
        connection::tests::CASES,
        tls::tests::CASES,
        versions::tests::CASES,
        account::tests::CASES,
        privileges::tests::CASES,
        session_privileges::tests::CASES,
        copy_binlog::tests::CASES,
        sessions::tests::CASES,
        binlog::tests::CASES,
        retention::tests::CASES,
        catch_up::tests::CASES,
        identity::tests::CASES,
        start_point::tests::CASES,
        transactions::tests::CASES,
        replication::tests::CASES,
        sizes::tests::CASES,
        destination::tests::CASES,
        parameters::tests::CASES,
        databases::tests::CASES,
        time::tests::CASES,
        sql_mode::tests::CASES,
        name_case::tests::CASES,
        structures::tests::CASES,
        present::tests::CASES,
        tasks::tests::CASES,
        resume_point::tests::CASES,
        selection::tests::CASES,
        names::tests::CASES,
        tables::tests::CASES,
        collations::tests::CASES,
        row_formats::tests::CASES,
        foreign_keys::tests::CASES,
        programs::tests::CASES,
        rules::tests::CASES,
    ]
    .into_iter()
    .flatten()
}

#[test]
fn each_case_comes_to_its_verdict() {
    for case in cases() {
        let check = CHECKS.iter().find(|check| check.id == case.check);
        let check = check.unwrap_or_else(|| panic!("no check is called {}", case.check));
        let mut facts = Facts::sample();
        (case.change)(&mut facts);
        let checked = Checked::of(check, &facts);
        assert_eq!(
            checked.verdict(),
            case.verdict,
            "{}: {:?}",
            case.check,
            checked.findings
        );
        let gravest = format!("{:?}", checked.findings[0]);
        assert!(gravest.contains(case.says), "{}: {gravest}", case.check);
        if case.verdict == Verdict::Fail || case.verdict == Verdict::Confirm {
            let remedies = &checked.findings[0].remedies;
            assert!(
                !remedies.is_empty(),
                "{}: nothing to do about it",
                case.check
            );
        }
    }
}

#[test]
fn each_verdict_has_a_case() {
    let found: BTreeSet<(&str, Verdict)> = cases().map(|case| (case.check, case.verdict)).collect();
    for check in CHECKS {
        for verdict in check.verdicts {
            assert!(
                found.contains(&(check.id, *verdict)),
                "{}: no case for {verdict}",
                check.id
            );
        }
        for verdict in Verdict::ALL {
            let declared = check.verdicts.contains(&verdict) || verdict == Verdict::Unknown;
            assert!(
                declared || !found.contains(&(check.id, verdict)),
                "{}: {verdict}",
                check.id
            );
        }
    }
}

#[test]
fn each_check_says_what_it_is() {
    let mut ids = BTreeSet::new();
    for check in CHECKS {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(
            check.id.chars().all(plain) && !check.id.is_empty(),
            "{}",
            check.id
        );
        assert!(ids.insert(check.id), "{} twice", check.id);
        for text in [check.title, check.why, check.remedy, check.rule] {
            assert!(
                !text.is_empty() && !text.ends_with('.'),
                "{}: {text}",
                check.id
            );
        }
        assert!(check.verdicts.contains(&Verdict::Pass), "{}", check.id);
        assert!(check.verdicts.len() > 1, "{}", check.id);
    }
    let groups: Vec<Group> = CHECKS.iter().map(|check| check.group).collect();
    assert!(groups.is_sorted(), "the groups are mixed: {groups:?}");
}

/// A server that does not answer costs facts and not the run.
#[test]
fn nothing_passes_without_facts() {
    let facts = Facts::unreached_sample();
    for check in CHECKS {
        let verdict = Checked::of(check, &facts).verdict();
        let needs_none = NEED_NO_SERVER.contains(&check.id);
        assert!(
            needs_none || verdict >= Verdict::Unknown,
            "{}: {verdict}",
            check.id
        );
    }
}

/// Checks that look at the task alone.
const NEED_NO_SERVER: &[&str] = &[];
