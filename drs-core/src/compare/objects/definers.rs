use std::{collections::BTreeSet, fmt};

use super::{
    ObjectsError,
    ask::{Side, text},
    findings::Findings,
};
use crate::sql;

const UNKNOWN: &str =
    "the source's account does not exist at the destination, so the copy takes the task's";
const UNSEEN: &str = "whether the source's account exists at the destination can't be seen; without it, the copy takes the task's";

/// An account that an object belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) host: String,
}

impl Account {
    /// Reads `user@host`, as the catalogue writes it.
    pub(super) fn parse(text: &str) -> Self {
        let (user, host) = text.rsplit_once('@').unwrap_or((text, ""));
        Self {
            user: user.to_owned(),
            host: host.to_owned(),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}@{}",
            sql::identifier(&self.user),
            sql::identifier(&self.host)
        )
    }
}

/// The destination's accounts; `None` when they can't be seen.
pub(super) struct Accounts(pub(super) Option<BTreeSet<Account>>);

impl Accounts {
    pub(super) fn load(side: &mut Side<'_>) -> Result<Self, ObjectsError> {
        let mut accounts = BTreeSet::new();
        let asked = side.rows("its accounts", "SELECT User, Host FROM mysql.user", |row| {
            accounts.insert(Account {
                user: text(row, 0),
                host: text(row, 1),
            });
        });
        match asked {
            Ok(()) => Ok(Self(Some(accounts))),
            Err(ObjectsError::Query {
                source: mysql::Error::MySqlError(_),
                ..
            }) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

/// Compares the accounts that an object belongs to.
pub(super) fn compare(
    here: &Account,
    there: &Account,
    accounts: &Accounts,
    findings: &mut Findings,
) {
    if here == there {
        return;
    }
    let reason = match &accounts.0 {
        None => Some(UNSEEN),
        Some(accounts) => (!accounts.contains(here)).then_some(UNKNOWN),
    };
    findings.differ("definer", &here.to_string(), &there.to_string(), reason);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_definer_counts_where_the_first_one_exists() {
        let (here, there) = (Account::parse("a@b@%"), Account::parse("drs@%"));
        assert_eq!((here.user.as_str(), here.host.as_str()), ("a@b", "%"));
        let known = |account: &Account| Accounts(Some(BTreeSet::from([account.clone()])));
        for (accounts, real) in [(known(&here), 1), (known(&there), 0), (Accounts(None), 0)] {
            let mut findings = Findings::default();
            compare(&here, &there, &accounts, &mut findings);
            assert_eq!(findings.real(), real);
            assert_eq!(findings.into_differences().len(), 1);
        }
    }
}
