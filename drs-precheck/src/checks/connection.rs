//! Sessions with both servers.

use drs_core::{Role, TlsFailure};

use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{Refusal, RefusalKind},
};

pub(super) static SOURCE_CONNECTION: Check = Check {
    id: "source-connection",
    group: Group::Source,
    title: "the source answers, and takes the account",
    why: "nothing can be done without a session",
    remedy: "set the address, account, password and TLS of [source], or allow the account from this host",
    rule: "DRS manual, Test Connection; failed check items, srcDbConnection",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: |facts| connection(facts, Role::Source),
};

pub(super) static DESTINATION_CONNECTION: Check = Check {
    id: "destination-connection",
    group: Group::Destination,
    title: "the destination answers, and takes the account",
    why: "nothing can be done without a session",
    remedy: "set the address, account, password and TLS of [destination], or allow the account from this host",
    rule: "DRS manual, Test Connection; failed check items, dstDbConnection",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: |facts| connection(facts, Role::Destination),
};

fn connection(facts: &Facts, role: Role) -> Result<Vec<Finding>, Unread> {
    let finding = match &facts.side(role).connection {
        Ok(connection) => Finding::pass(match &connection.tls_version {
            Some(version) => format!("connected, over {version}"),
            None => "connected, without TLS".to_owned(),
        }),
        Err(Refusal { kind, reason }) => Finding::fail(reason).advice(advice(kind, role)),
    };
    Ok(vec![finding])
}

fn advice(kind: &RefusalKind, role: Role) -> String {
    match kind {
        RefusalKind::Password => format!("set {role}.password to where the password is"),
        RefusalKind::Login => format!(
            "check {role}.user and {role}.password, and that the account may come from this host"
        ),
        RefusalKind::Unreachable => {
            format!("check {role}.host and {role}.port, and that the server runs")
        }
        RefusalKind::Tls(TlsFailure::NotOffered | TlsFailure::TooOld) => format!(
            "give the server TLS 1.2 (MySQL 5.6.46, 5.7.28 or newer) and a certificate, or set {role}.tls.mode to preferred or disabled"
        ),
        RefusalKind::Tls(TlsFailure::UntrustedCa) => {
            format!("set {role}.tls.ca to the file of the CA that signed the server's certificate")
        }
        RefusalKind::Tls(TlsFailure::NameMismatch) => format!(
            "set {role}.host to a name that the server's certificate is for, or {role}.tls.mode to verify-ca"
        ),
        RefusalKind::Tls(TlsFailure::OutOfDate(_)) => {
            "give the server a new certificate".to_owned()
        }
        RefusalKind::Tls(TlsFailure::ClientCertificate) => {
            format!(
                "set {role}.tls.cert and {role}.tls.key to a certificate that the server trusts"
            )
        }
        RefusalKind::Tls(_) => format!("check {role}.tls"),
        RefusalKind::Server => "see the server's log".to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checks::tests::Case;

    fn refuse(facts: &mut Facts, role: Role) {
        facts.side_mut(role).connection = Err(Refusal {
            kind: RefusalKind::Login,
            reason: "the account was refused".to_owned(),
        });
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("source-connection"),
        Case {
            check: "source-connection",
            verdict: Verdict::Fail,
            change: |facts| refuse(facts, Role::Source),
            says: "the account was refused",
        },
        Case {
            check: "source-connection",
            verdict: Verdict::Fail,
            change: |facts| {
                facts.source.connection = Err(Refusal {
                    kind: RefusalKind::Tls(TlsFailure::TooOld),
                    reason: "too old".to_owned(),
                });
            },
            says: "5.6.46",
        },
        Case::healthy("destination-connection"),
        Case {
            check: "destination-connection",
            verdict: Verdict::Fail,
            change: |facts| refuse(facts, Role::Destination),
            says: "the account was refused",
        },
    ];
}
