//! Encryption of the sessions.

use drs_core::{Address, Role, ServerVersion, TlsMode};

use crate::{Check, Facts, Finding, Group, Unread, Verdict};

pub(super) static SOURCE_TLS: Check = Check {
    id: "source-tls",
    group: Group::Source,
    title: "sessions with the source are encrypted",
    why: "rows and the log travel over the network",
    remedy: "set source.tls, or give the server TLS 1.2",
    rule: "DRS manual, Table 2: TLS 1.2, and versions before 5.6.46 and 5.7.28; failed check items, isUserRequireSslLink",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: |facts| encryption(facts, Role::Source),
};

pub(super) static DESTINATION_TLS: Check = Check {
    id: "destination-tls",
    group: Group::Destination,
    title: "sessions with the destination are encrypted",
    why: "rows travel over the network",
    remedy: "set destination.tls, or give the server TLS 1.2",
    rule: "DRS manual, Table 2: TLS 1.2, and versions before 5.6.46 and 5.7.28; failed check items, isUserRequireSslLink",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: |facts| encryption(facts, Role::Destination),
};

pub(super) static SOURCE_CERTIFICATE: Check = Check {
    id: "source-certificate",
    group: Group::Source,
    title: "the source's certificate is good for some time",
    why: "a task that verifies it can't connect again once it has ended",
    remedy: "give the server a new certificate",
    rule: "DRS manual, Test Connection: a CA certificate; drs connects again and again while a task runs",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: |facts| certificate(facts, Role::Source),
};

pub(super) static DESTINATION_CERTIFICATE: Check = Check {
    id: "destination-certificate",
    group: Group::Destination,
    title: "the destination's certificate is good for some time",
    why: "a task that verifies it can't connect again once it has ended",
    remedy: "give the server a new certificate",
    rule: "DRS manual, Test Connection: a CA certificate; drs connects again and again while a task runs",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: |facts| certificate(facts, Role::Destination),
};

pub(super) static SOURCE_ACCOUNT_TLS: Check = Check {
    id: "source-account-tls",
    group: Group::Source,
    title: "what the source's account requires of TLS is what the task does",
    why: "a session without TLS is refused as if the password were wrong, and such a refusal ends the task",
    remedy: "set source.tls.mode to required or stronger",
    rule: "failed check items, isUserRequireSslLink",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: |facts| account(facts, Role::Source),
};

pub(super) static DESTINATION_ACCOUNT_TLS: Check = Check {
    id: "destination-account-tls",
    group: Group::Destination,
    title: "what the destination's account requires of TLS is what the task does",
    why: "a session without TLS is refused as if the password were wrong, and such a refusal ends the task",
    remedy: "set destination.tls.mode to required or stronger",
    rule: "failed check items, isUserRequireSslLink",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: |facts| account(facts, Role::Destination),
};

fn encryption(facts: &Facts, role: Role) -> Result<Vec<Finding>, Unread> {
    let connection = facts.side(role).connection()?;
    let endpoint = facts.task.endpoint(role);
    let host = match endpoint.address() {
        Address::Socket(_) => return Ok(vec![Finding::pass("over a Unix socket")]),
        Address::Tcp { host, .. } => host,
    };
    let mode = endpoint.tls_settings().mode();
    let finding = match &connection.tls_version {
        Some(version) => Finding::pass(version.as_str()),
        None if mode == TlsMode::Disabled && is_this_machine(host) => {
            Finding::pass("not encrypted, on this machine")
        }
        None if mode == TlsMode::Disabled => {
            Finding::confirm(format!("not encrypted: {role}.tls.mode is disabled"))
                .advice(format!("set {role}.tls.mode to required or stronger"))
        }
        None => {
            let version = facts.side(role).version()?;
            Finding::confirm(format!(
                "not encrypted: {version} offers no TLS 1.2, and {role}.tls.mode is {mode}"
            ))
            .advice(match may_lack_tls12(version) {
                true => "upgrade the server to 5.6.46, 5.7.28 or newer, which have TLS 1.2",
                false => "give the server a certificate and TLS 1.2",
            })
            .advice(format!(
                "or, on a network that you trust, set {role}.tls.mode to disabled"
            ))
        }
    };
    Ok(vec![finding])
}

fn may_lack_tls12(version: ServerVersion) -> bool {
    let number = version.number;
    number < (5, 6, 46) || ((5, 7, 0)..(5, 7, 28)).contains(&number)
}

fn is_this_machine(host: &str) -> bool {
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Less than this is soon.
const DAYS_MIN: i64 = 30;

fn certificate(facts: &Facts, role: Role) -> Result<Vec<Finding>, Unread> {
    let connection = facts.side(role).connection()?;
    if connection.tls_version.is_none() {
        return Ok(vec![Finding::pass("the session is not encrypted")]);
    }
    let days = connection.certificate_days.ok_or_else(|| {
        Unread::new(format!(
            "the {role} does not tell when its certificate ends"
        ))
    })?;
    let finding = match days {
        ..0 => Finding::confirm(format!("the {role}'s certificate ended {} days ago", -days)),
        0..DAYS_MIN => Finding::confirm(format!("the {role}'s certificate ends in {days} days")),
        _ => return Ok(vec![Finding::pass(format!("for {days} days"))]),
    };
    Ok(vec![finding.advice(format!(
        "give the {role} a new certificate: set its files in place, then ALTER INSTANCE RELOAD TLS (8.0 and newer) or restart it"
    ))])
}

fn account(facts: &Facts, role: Role) -> Result<Vec<Finding>, Unread> {
    let account = &facts.side(role).account;
    let limits = account.limits.as_ref().map_err(Clone::clone)?;
    let mode = facts.task.endpoint(role).tls_settings().mode();
    let finding = match (limits.requires_tls, mode) {
        (false, _) => Finding::pass("the account requires none"),
        (true, TlsMode::Disabled | TlsMode::Preferred) => Finding::confirm(format!(
            "the account requires TLS, and {role}.tls.mode is {mode}: should TLS not be offered once, the account is refused"
        ))
        .advice(format!("set {role}.tls.mode to required or stronger")),
        (true, _) => Finding::pass("the account requires it, and so does the task"),
    };
    Ok(vec![finding])
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::sample};

    fn plain(facts: &mut Facts, role: Role) {
        let connection = facts.side_mut(role).connection.as_mut().unwrap();
        connection.tls_version = None;
        connection.tls_cipher = None;
        connection.certificate_days = None;
    }

    fn days(facts: &mut Facts, role: Role, days: i64) {
        let connection = facts.side_mut(role).connection.as_mut().unwrap();
        connection.certificate_days = Some(days);
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("source-tls"),
        Case::of(
            "source-tls",
            Verdict::Confirm,
            |facts| {
                plain(facts, Role::Source);
                facts.source.set_version("5.6.24");
            },
            "5.6.46",
        ),
        Case::of(
            "source-tls",
            Verdict::Confirm,
            |facts| plain(facts, Role::Source),
            "give the server a certificate",
        ),
        Case::of(
            "source-tls",
            Verdict::Confirm,
            |facts| {
                plain(facts, Role::Source);
                facts.task = sample::task("full", "[source.tls]\nmode = \"disabled\"");
            },
            "set source.tls.mode to required",
        ),
        Case::healthy("destination-tls"),
        Case::of(
            "destination-tls",
            Verdict::Confirm,
            |facts| plain(facts, Role::Destination),
            "tls.mode is preferred",
        ),
        Case::healthy("source-certificate"),
        Case::of(
            "source-certificate",
            Verdict::Pass,
            |facts| plain(facts, Role::Source),
            "not encrypted",
        ),
        Case::of(
            "source-certificate",
            Verdict::Confirm,
            |facts| days(facts, Role::Source, 29),
            "in 29 days",
        ),
        Case::of(
            "source-certificate",
            Verdict::Confirm,
            |facts| days(facts, Role::Source, -2),
            "2 days ago",
        ),
        Case::healthy("destination-certificate"),
        Case::of(
            "destination-certificate",
            Verdict::Confirm,
            |facts| days(facts, Role::Destination, 0),
            "in 0 days",
        ),
        Case::healthy("source-account-tls"),
        Case::of(
            "source-account-tls",
            Verdict::Confirm,
            |facts| facts.source.account.limit().requires_tls = true,
            "set source.tls.mode",
        ),
        Case::healthy("destination-account-tls"),
        Case::of(
            "destination-account-tls",
            Verdict::Confirm,
            |facts| facts.destination.account.limit().requires_tls = true,
            "set destination.tls.mode",
        ),
    ];

    #[test]
    fn versions_that_may_lack_tls12() {
        for (version, expected) in [
            ("5.6.45", true),
            ("5.6.46", false),
            ("5.7.27", true),
            ("5.7.28", false),
            ("8.0.11", false),
        ] {
            let version = ServerVersion::parse(version).unwrap();
            assert_eq!(may_lack_tls12(version), expected, "{version}");
        }
    }
}
