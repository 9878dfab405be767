//! The account that the task uses, what it may do, and what limits it.

use drs_core::{NameCase, Role, ServerVersion};
use mysql::{Conn, prelude::Queryable};

use super::{
    AccountName, Fact, Unread, Variables,
    grants::{GrantSettings, Grants},
    statement,
};

/// The account that the task uses, what it may do, and what limits it.
#[derive(Clone, Debug)]
pub struct Account {
    /// What the server took the session's user for.
    pub name: Fact<AccountName>,
    /// What it may do.
    pub grants: Fact<Grants>,
    /// What its sessions are bound to.
    pub limits: Fact<Limits>,
    /// Days since its password was set; `None` where the server does not keep that (before 5.7).
    pub password_age_days: Fact<Option<u64>>,
}

/// What an account's sessions are bound to. A limit of `None` is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Its sessions must be encrypted.
    pub requires_tls: bool,
    /// Statements in an hour.
    pub queries_per_hour: Option<u64>,
    /// Statements that change something, in an hour.
    pub updates_per_hour: Option<u64>,
    /// New sessions in an hour.
    pub connections_per_hour: Option<u64>,
    /// Sessions at a time.
    pub user_connections: Option<u64>,
    /// Wrong passwords in a row until it is locked.
    pub failed_login_attempts: Option<u64>,
    /// How long its password is good.
    pub password_lifetime: PasswordLifetime,
}

/// How long a password is good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordLifetime {
    /// As `default_password_lifetime` says.
    #[default]
    Default,
    /// For ever.
    Never,
    /// For these days.
    Days(u64),
}

impl Limits {
    /// Reads what `SHOW CREATE USER` says, or before 5.7 the first line of `SHOW GRANTS`.
    pub fn parse(text: &str) -> Self {
        let words = statement::words(text);
        let mut limits = Self::default();
        for (at, word) in words.iter().enumerate() {
            let next = |by: usize| words.get(at + by).map(String::as_str);
            let number = || next(1)?.parse().ok().filter(|limit| *limit > 0);
            match word.as_str() {
                // PASSWORD REQUIRE CURRENT is about changes of the password.
                "REQUIRE" => {
                    limits.requires_tls |= !matches!(next(1), Some("NONE" | "CURRENT"));
                }
                "MAX_QUERIES_PER_HOUR" => limits.queries_per_hour = number(),
                "MAX_UPDATES_PER_HOUR" => limits.updates_per_hour = number(),
                "MAX_CONNECTIONS_PER_HOUR" => limits.connections_per_hour = number(),
                "MAX_USER_CONNECTIONS" => limits.user_connections = number(),
                "FAILED_LOGIN_ATTEMPTS" => limits.failed_login_attempts = number(),
                "PASSWORD" if next(1) == Some("EXPIRE") => {
                    limits.password_lifetime = match (next(2), next(3).map(str::parse)) {
                        (Some("NEVER"), _) => PasswordLifetime::Never,
                        (Some("INTERVAL"), Some(Ok(days))) => PasswordLifetime::Days(days),
                        _ => PasswordLifetime::Default,
                    };
                }
                _ => {}
            }
        }
        limits
    }
}

impl Account {
    /// Without any answer, for this reason.
    pub(super) fn unread(reason: &Unread) -> Self {
        Self {
            name: Err(reason.clone()),
            grants: Err(reason.clone()),
            limits: Err(reason.clone()),
            password_age_days: Err(reason.clone()),
        }
    }

    pub(super) fn gather(
        conn: &mut Conn,
        role: Role,
        version: ServerVersion,
        variables: &Fact<Variables>,
    ) -> Self {
        let lines: Fact<Vec<String>> = texts(conn, role, "what the account may do", "SHOW GRANTS");
        let name = texts(conn, role, "the account's name", "SELECT CURRENT_USER()");
        Self {
            name: name.map(|name| AccountName::parse(&name.concat())),
            limits: limits(conn, role, version, &lines),
            grants: grants(conn, role, version, variables, lines),
            password_age_days: password_age_days(conn, role, version),
        }
    }
}

fn grants(
    conn: &mut Conn,
    role: Role,
    version: ServerVersion,
    variables: &Fact<Variables>,
    lines: Fact<Vec<String>>,
) -> Fact<Grants> {
    let active_roles = match version.is_mysql_at_least(8, 0, 0) {
        true => texts(conn, role, "its active roles", "SELECT CURRENT_ROLE()")?.concat(),
        false => "NONE".to_owned(),
    };
    let settings = match variables {
        Ok(variables) => GrantSettings {
            partial_revokes: variables.is_on("partial_revokes") == Some(true),
            case: match variables.number("lower_case_table_names") {
                None | Some(0) => NameCase::Sensitive,
                Some(_) => NameCase::Insensitive,
            },
        },
        Err(_) => GrantSettings::default(),
    };
    Grants::parse(lines?, &active_roles, settings)
}

fn limits(
    conn: &mut Conn,
    role: Role,
    version: ServerVersion,
    grants: &Fact<Vec<String>>,
) -> Fact<Limits> {
    let text = match version.is_mysql_at_least(5, 7, 6) {
        true => {
            let statement = "SHOW CREATE USER CURRENT_USER()";
            texts(conn, role, "the account's limits", statement)?.concat()
        }
        false => {
            let lines = grants.as_ref().map_err(Clone::clone)?;
            lines.first().cloned().unwrap_or_default()
        }
    };
    Ok(Limits::parse(&text))
}

fn password_age_days(conn: &mut Conn, role: Role, version: ServerVersion) -> Fact<Option<u64>> {
    if !version.is_mysql_at_least(5, 7, 6) {
        return Ok(None);
    }
    let statement = "SELECT TIMESTAMPDIFF(DAY, password_last_changed, NOW()) FROM mysql.user \
                     WHERE CONCAT(user, '@', host) = CURRENT_USER()";
    let age: Option<Option<u64>> = conn
        .query_first(statement)
        .map_err(|error| Unread::of(role, "when the account's password was set", &error))?;
    Ok(age.flatten())
}

/// The first column of each row.
fn texts(conn: &mut Conn, role: Role, what: &str, statement: &str) -> Fact<Vec<String>> {
    let rows: Vec<mysql::Row> = conn
        .query(statement)
        .map_err(|error| Unread::of(role, what, &error))?;
    let bytes = rows
        .into_iter()
        .filter_map(|mut row| row.take::<Vec<u8>, _>(0));
    Ok(bytes
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect())
}

#[cfg(test)]
impl Account {
    pub(crate) fn sample(_role: Role) -> Self {
        Self {
            name: Ok(AccountName::parse("drs@%")),
            grants: Grants::parse(
                [
                    "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, LOCK TABLES, \
                     REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, \
                     EVENT, TRIGGER, PROCESS ON *.* TO `drs`@`%`",
                    "GRANT SESSION_VARIABLES_ADMIN,SET_ANY_DEFINER,SHOW_ROUTINE,XA_RECOVER_ADMIN ON *.* TO `drs`@`%`",
                ],
                "NONE",
                GrantSettings::default(),
            ),
            limits: Ok(Limits::default()),
            password_age_days: Ok(Some(1)),
        }
    }

    /// Makes it one with these grants and no other.
    pub(crate) fn grant(&mut self, lines: &[&str]) {
        self.grants = Grants::parse(lines, "NONE", GrantSettings::default());
    }

    pub(crate) fn limit(&mut self) -> &mut Limits {
        self.limits.as_mut().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_from_what_servers_print() {
        let new = "CREATE USER `x@y`@`%` IDENTIFIED WITH 'caching_sha2_password' AS 'REQUIRE SSL \\' MAX_USER_CONNECTIONS 3' \
                   DEFAULT ROLE `REQUIRE X509`@`%` REQUIRE NONE WITH MAX_QUERIES_PER_HOUR 100 MAX_USER_CONNECTIONS 7 \
                   PASSWORD EXPIRE INTERVAL 90 DAY ACCOUNT UNLOCK PASSWORD HISTORY DEFAULT PASSWORD REUSE INTERVAL DEFAULT \
                   PASSWORD REQUIRE CURRENT DEFAULT FAILED_LOGIN_ATTEMPTS 3 PASSWORD_LOCK_TIME 2";
        let expected = Limits {
            queries_per_hour: Some(100),
            user_connections: Some(7),
            failed_login_attempts: Some(3),
            password_lifetime: PasswordLifetime::Days(90),
            ..Limits::default()
        };
        assert_eq!(Limits::parse(new), expected);
        let old = "GRANT USAGE ON *.* TO 'x@y'@'%' IDENTIFIED BY PASSWORD '*D821' REQUIRE SSL WITH MAX_UPDATES_PER_HOUR 9 \
                   MAX_CONNECTIONS_PER_HOUR 7";
        let expected = Limits {
            requires_tls: true,
            updates_per_hour: Some(9),
            connections_per_hour: Some(7),
            ..Limits::default()
        };
        assert_eq!(Limits::parse(old), expected);
        let never =
            "CREATE USER 'a'@'%' REQUIRE SUBJECT '/CN=x' ISSUER '/CN=y' PASSWORD EXPIRE NEVER";
        let expected = Limits {
            requires_tls: true,
            password_lifetime: PasswordLifetime::Never,
            ..Limits::default()
        };
        assert_eq!(Limits::parse(never), expected);
    }
}
