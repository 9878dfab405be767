//! What may lock the task's accounts out.

use drs_core::{Role, ServerVersion};

use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{Limits, PasswordLifetime},
};

pub(super) static SOURCE_LIMITS: Check = Check {
    id: "source-account-limits",
    group: Group::Source,
    title: "the source's account has no limits by the hour",
    why: "a task that has used its share is refused, and ends",
    remedy: "take the limits away",
    rule: "MySQL manual, Setting Account Resource Limits",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: |facts| hourly(facts, Role::Source),
};

pub(super) static DESTINATION_LIMITS: Check = Check {
    id: "destination-account-limits",
    group: Group::Destination,
    title: "the destination's account has no limits by the hour",
    why: "a task that has used its share is refused, and ends",
    remedy: "take the limits away",
    rule: "MySQL manual, Setting Account Resource Limits",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: |facts| hourly(facts, Role::Destination),
};

pub(super) static SOURCE_LOCKOUT: Check = Check {
    id: "source-account-lockout",
    group: Group::Source,
    title: "wrong passwords do not lock the source's account",
    why: "somebody else's wrong passwords lock the task out too",
    remedy: "let the account not be locked, or let only the task's host use it",
    rule: "MySQL manual, CREATE USER: FAILED_LOGIN_ATTEMPTS; drs itself never tries a refused login again",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: |facts| lockout(facts, Role::Source),
};

pub(super) static DESTINATION_LOCKOUT: Check = Check {
    id: "destination-account-lockout",
    group: Group::Destination,
    title: "wrong passwords do not lock the destination's account",
    why: "somebody else's wrong passwords lock the task out too",
    remedy: "let the account not be locked, or let only the task's host use it",
    rule: "MySQL manual, CREATE USER: FAILED_LOGIN_ATTEMPTS; drs itself never tries a refused login again",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: |facts| lockout(facts, Role::Destination),
};

pub(super) static SOURCE_PASSWORD: Check = Check {
    id: "source-account-password",
    group: Group::Source,
    title: "the password of the source's account is good for some time",
    why: "a task can't connect again once it has expired",
    remedy: "let it not expire, or set a new one",
    rule: "DRS manual, Table 2: the task may fail due to the change of username and password; MySQL manual, Password Management",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: |facts| password(facts, Role::Source),
};

pub(super) static DESTINATION_PASSWORD: Check = Check {
    id: "destination-account-password",
    group: Group::Destination,
    title: "the password of the destination's account is good for some time",
    why: "a task can't connect again once it has expired",
    remedy: "let it not expire, or set a new one",
    rule: "DRS manual, Table 2: the task may fail due to the change of username and password; MySQL manual, Password Management",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: |facts| password(facts, Role::Destination),
};

fn hourly(facts: &Facts, role: Role) -> Result<Vec<Finding>, Unread> {
    let limits = limits(facts, role)?;
    let set: Vec<(&str, u64)> = [
        ("MAX_QUERIES_PER_HOUR", limits.queries_per_hour),
        ("MAX_UPDATES_PER_HOUR", limits.updates_per_hour),
        ("MAX_CONNECTIONS_PER_HOUR", limits.connections_per_hour),
    ]
    .into_iter()
    .filter_map(|(name, limit)| Some((name, limit?)))
    .collect();
    if set.is_empty() {
        return Ok(vec![Finding::pass("it has none")]);
    }
    let texts: Vec<String> = set
        .iter()
        .map(|(name, limit)| format!("{name} {limit}"))
        .collect();
    let none: Vec<String> = set.iter().map(|(name, _)| format!("{name} 0")).collect();
    let finding = Finding::fail(format!("the account is limited to {}", texts.join(", ")));
    let statement = with_limits(facts, role, &none.join(" "))?;
    Ok(vec![finding.sql(role, statement)])
}

fn lockout(facts: &Facts, role: Role) -> Result<Vec<Finding>, Unread> {
    let finding = match limits(facts, role)?.failed_login_attempts {
        None => Finding::pass("they don't"),
        Some(attempts) => {
            let account = facts.side(role).account.name.clone()?;
            Finding::confirm(format!(
                "the account is locked after {attempts} wrong passwords in a row, whoever gives them"
            ))
            .sql(role, format!("ALTER USER {account} FAILED_LOGIN_ATTEMPTS 0"))
        }
    };
    Ok(vec![finding])
}

/// Less than this is soon.
const DAYS_MIN: u64 = 14;

fn password(facts: &Facts, role: Role) -> Result<Vec<Finding>, Unread> {
    let side = facts.side(role);
    let lifetime = match limits(facts, role)?.password_lifetime {
        PasswordLifetime::Never => None,
        PasswordLifetime::Days(days) => Some(days),
        PasswordLifetime::Default => {
            let days = side.variables()?.number("default_password_lifetime");
            days.filter(|days| *days > 0)
        }
    };
    let never = Ok(vec![Finding::pass("it does not expire")]);
    let Some(lifetime) = lifetime else {
        return never;
    };
    let Some(age) = side.account.password_age_days.clone()? else {
        return never;
    };
    let left = lifetime.saturating_sub(age);
    if left >= DAYS_MIN {
        return Ok(vec![Finding::pass(format!("for {left} days"))]);
    }
    let account = side.account.name.clone()?;
    let finding = Finding::confirm(format!("the account's password expires in {left} days"));
    Ok(vec![finding.sql(
        role,
        format!("ALTER USER {account} PASSWORD EXPIRE NEVER"),
    )])
}

/// The statement that sets limits of the account of a task.
pub(super) fn with_limits(facts: &Facts, role: Role, limits: &str) -> Result<String, Unread> {
    let side = facts.side(role);
    let account = side.account.name.clone()?;
    Ok(match knows_alter_user(side.version()?) {
        true => format!("ALTER USER {account} WITH {limits}"),
        false => format!("GRANT USAGE ON *.* TO {account} WITH {limits}"),
    })
}

fn knows_alter_user(version: ServerVersion) -> bool {
    version.is_mysql_at_least(5, 7, 6)
}

fn limits(facts: &Facts, role: Role) -> Result<&Limits, Unread> {
    facts
        .side(role)
        .account
        .limits
        .as_ref()
        .map_err(Clone::clone)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::checks::tests::Case;

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("source-account-limits"),
        Case::of(
            "source-account-limits",
            Verdict::Fail,
            |facts| facts.source.account.limit().queries_per_hour = Some(10),
            "ALTER USER `drs`@`%` WITH MAX_QUERIES_PER_HOUR 0",
        ),
        Case::healthy("destination-account-limits"),
        Case::of(
            "destination-account-limits",
            Verdict::Fail,
            |facts| {
                facts.destination.set_version("5.6.24");
                facts.destination.account.limit().updates_per_hour = Some(10);
            },
            "GRANT USAGE ON *.* TO `drs`@`%` WITH MAX_UPDATES_PER_HOUR 0",
        ),
        Case::healthy("source-account-lockout"),
        Case::of(
            "source-account-lockout",
            Verdict::Confirm,
            |facts| facts.source.account.limit().failed_login_attempts = Some(3),
            "ALTER USER `drs`@`%` FAILED_LOGIN_ATTEMPTS 0",
        ),
        Case::healthy("destination-account-lockout"),
        Case::of(
            "destination-account-lockout",
            Verdict::Confirm,
            |facts| facts.destination.account.limit().failed_login_attempts = Some(3),
            "after 3 wrong passwords",
        ),
        Case::healthy("source-account-password"),
        Case::of(
            "source-account-password",
            Verdict::Confirm,
            |facts| {
                facts.source.set("default_password_lifetime", "90");
                facts.source.account.password_age_days = Ok(Some(80));
            },
            "expires in 10 days",
        ),
        Case::of(
            "source-account-password",
            Verdict::Pass,
            |facts| facts.source.account.limit().password_lifetime = PasswordLifetime::Days(90),
            "for 89 days",
        ),
        Case::of(
            "source-account-password",
            Verdict::Unknown,
            |facts| {
                facts.source.account.limit().password_lifetime = PasswordLifetime::Days(90);
                facts.source.account.password_age_days = Err(Unread::new("denied"));
            },
            "denied",
        ),
        Case::healthy("destination-account-password"),
        Case::of(
            "destination-account-password",
            Verdict::Confirm,
            |facts| {
                facts.destination.account.limit().password_lifetime = PasswordLifetime::Days(1);
            },
            "ALTER USER `drs`@`%` PASSWORD EXPIRE NEVER",
        ),
    ];
}
