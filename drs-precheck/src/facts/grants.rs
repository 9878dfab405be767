//! What an account may do, from `SHOW GRANTS`.

use std::collections::BTreeSet;

use drs_core::{DatabaseName, NameCase, TableName};

use super::{
    Fact, Unread,
    statement::{split, trimmed_name},
};

/// What an account may do, its active roles included.
///
/// Privileges are in capitals, as `SHOW GRANTS` has them. Those on single columns and routines are
/// left out: no task can do with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    global: BTreeSet<String>,
    /// Taken away again from the global ones, by database.
    revoked: Vec<(String, BTreeSet<String>)>,
    databases: Vec<(String, BTreeSet<String>)>,
    tables: Vec<(String, String, BTreeSet<String>)>,
    roles: BTreeSet<String>,
    active_roles: BTreeSet<String>,
    settings: GrantSettings,
}

/// How a server takes the names in grants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrantSettings {
    /// `partial_revokes`: `_` and `%` in a database's name are themselves.
    pub partial_revokes: bool,
    /// How names compare.
    pub case: NameCase,
}

const ALL: &str = "ALL PRIVILEGES";

impl Grants {
    /// Reads the lines of `SHOW GRANTS`, and the text of `SELECT CURRENT_ROLE()` (`NONE` for none).
    ///
    /// The lines must be quoted with backquotes, as they are without `ANSI_QUOTES`.
    ///
    /// # Errors
    /// When a line takes something away that is not understood: the account may do less than the other
    /// lines say. A grant that is not understood gives nothing.
    pub fn parse<S: AsRef<str>>(
        lines: impl IntoIterator<Item = S>,
        active_roles: &str,
        settings: GrantSettings,
    ) -> Fact<Self> {
        let mut grants = Self {
            settings,
            ..Self::default()
        };
        if active_roles != "NONE" {
            grants.active_roles = names(active_roles);
        }
        for line in lines {
            let line = line.as_ref();
            if grants.add(line).is_none() && line.starts_with("REVOKE ") {
                return Err(Unread::new(format!(
                    "what is taken from the account is not understood: {line}"
                )));
            }
        }
        Ok(grants)
    }

    /// True when it may do this everywhere; of privileges that are for the whole server, whether it has them.
    pub fn has_global(&self, privilege: &str) -> bool {
        holds(&self.global, privilege)
    }

    /// True when it may do this with every table of a database.
    pub fn has_on_database(&self, database: &DatabaseName, privilege: &str) -> bool {
        let name = database.as_str();
        let is_revoked = self
            .revoked
            .iter()
            .any(|(from, revoked)| self.is(from, name) && holds(revoked, privilege));
        let granted = self.database_grants(name);
        (self.has_global(privilege) && !is_revoked)
            || (!granted.is_empty() && granted.iter().all(|(_, granted)| holds(granted, privilege)))
    }

    /// True when it may do this with a table.
    pub fn has_on_table(&self, table: &TableName, privilege: &str) -> bool {
        self.has_on_database(&table.database, privilege)
            || self.tables.iter().any(|(database, name, granted)| {
                self.is(database, table.database.as_str())
                    && self.is(name, &table.table)
                    && holds(granted, privilege)
            })
    }

    /// Roles that are granted to it and are not active in its sessions.
    pub fn inactive_roles(&self) -> impl Iterator<Item = &str> {
        self.roles
            .difference(&self.active_roles)
            .map(String::as_str)
    }

    /// A database as it is to be written in a `GRANT` on all its tables.
    pub fn database_pattern(&self, database: &DatabaseName) -> String {
        let name = database.as_str().replace('`', "``");
        match self.settings.partial_revokes {
            true => format!("`{name}`.*"),
            false => format!("`{}`.*", name.replace('_', "\\_").replace('%', "\\%")),
        }
    }

    /// What it may do with the database by a grant with wildcards: a grant on the database's own
    /// name takes the place of that one.
    pub fn by_wildcard(&self, database: &DatabaseName) -> Vec<&str> {
        let granted = self.database_grants(database.as_str());
        let wild = granted.iter().filter(|(pattern, _)| {
            beginning(pattern) != usize::MAX && !self.settings.partial_revokes
        });
        let privileges = wild.flat_map(|(_, granted)| granted.iter());
        let mut privileges: Vec<&str> = privileges.map(String::as_str).collect();
        privileges.sort_unstable();
        privileges.dedup();
        privileges
    }

    /// The privileges on the database from the one grant that the server takes: of several that
    /// match, it does not add up the privileges. Where it can't be told which, they are several.
    fn database_grants(&self, name: &str) -> Vec<(&str, &BTreeSet<String>)> {
        let all = || {
            let databases = self.databases.iter();
            databases.map(|(pattern, granted)| (pattern.as_str(), granted))
        };
        if self.settings.partial_revokes {
            return all().filter(|(of, _)| self.is(of, name)).collect();
        }
        let folded = self.folded(name);
        let matching: Vec<_> = all()
            .filter(|(pattern, _)| matches(&self.folded(pattern), &folded))
            .collect();
        if self.active_roles.is_empty() {
            // The most specific one: with the longest beginning before a wildcard.
            let longest = matching.iter().map(|(pattern, _)| beginning(pattern)).max();
            let is_longest = |pattern: &str| Some(beginning(pattern)) == longest;
            return matching
                .into_iter()
                .filter(|(pattern, _)| is_longest(pattern))
                .collect();
        }
        // With roles: the name itself, else the first one in the order of bytes.
        let itself = matching
            .iter()
            .find(|(pattern, _)| !pattern.contains(['_', '%']));
        let first = matching.iter().min_by_key(|(pattern, _)| *pattern);
        itself.or(first).copied().into_iter().collect()
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let (is_grant, rest) = match line.strip_prefix("GRANT ") {
            Some(rest) => (true, rest),
            None => (false, line.strip_prefix("REVOKE ")?),
        };
        let Some((privileges, rest)) = split(rest, " ON ") else {
            let (granted, _) = split(rest, " TO ")?;
            self.roles.extend(names(granted));
            return Some(());
        };
        if privileges == "PROXY" {
            return Some(());
        }
        let (object, _) = split(rest, if is_grant { " TO " } else { " FROM " })?;
        let privileges = whole_privileges(privileges);
        // Only databases are ever taken out (partial_revokes).
        let is_of_database = object != "*.*" && object.ends_with(".*");
        if !is_grant && !is_of_database {
            return None;
        }
        if object == "*.*" {
            self.global.extend(privileges);
            return Some(());
        }
        if let Some(database) = object.strip_suffix(".*") {
            let name = trimmed_name(database);
            match is_grant {
                true => self.databases.push((name, privileges)),
                false => self.revoked.push((name, privileges)),
            }
            return Some(());
        }
        let object = object.strip_prefix("TABLE ").unwrap_or(object);
        if object.starts_with('`') {
            let (database, table) = split(object, ".")?;
            let table = (trimmed_name(database), trimmed_name(table), privileges);
            self.tables.push(table);
        }
        Some(())
    }

    fn is(&self, granted: &str, name: &str) -> bool {
        self.folded(granted) == self.folded(name)
    }

    fn folded(&self, name: &str) -> String {
        match self.settings.case {
            NameCase::Sensitive => name.to_owned(),
            NameCase::Insensitive => name.to_lowercase(),
        }
    }
}

fn holds(granted: &BTreeSet<String>, privilege: &str) -> bool {
    granted.contains(privilege) || granted.contains(ALL)
}

/// The privileges of a list that are not for single columns.
fn whole_privileges(list: &str) -> BTreeSet<String> {
    let mut privileges = BTreeSet::new();
    let mut rest = Some(list);
    while let Some(list) = rest {
        let (privilege, next) = match split(list, ",") {
            Some((privilege, next)) => (privilege, Some(next)),
            None => (list, None),
        };
        if !privilege.contains('(') {
            privileges.insert(privilege.trim().to_ascii_uppercase());
        }
        rest = next;
    }
    privileges
}

/// A list of quoted accounts, as texts that compare.
fn names(list: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = Some(list);
    while let Some(list) = rest {
        let (name, next) = match split(list, ",") {
            Some((name, next)) => (name, Some(next)),
            None => (list, None),
        };
        names.insert(name.trim().to_owned());
        rest = next;
    }
    names
}

/// How many characters come before the first wildcard; more than any for none.
fn beginning(pattern: &str) -> usize {
    let mut chars = pattern.chars();
    let mut count = 0;
    while let Some(c) = chars.next() {
        match c {
            '%' | '_' => return count,
            '\\' => drop(chars.next()),
            _ => {}
        }
        count += 1;
    }
    usize::MAX
}

/// Whether a pattern with `_`, `%` and `\` before either matches a name.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.chars();
    match parts.next() {
        None => name.is_empty(),
        Some('%') => {
            let rest = parts.as_str();
            let mut ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            ends.any(|at| name.get(at..).is_some_and(|name| matches(rest, name)))
        }
        Some(c) => {
            let (c, is_any) = match c {
                '_' => (c, true),
                '\\' => match parts.clone().next() {
                    Some(escaped) => {
                        parts.next();
                        (escaped, false)
                    }
                    None => (c, false),
                },
                c => (c, false),
            };
            let mut chars = name.chars();
            chars.next().is_some_and(|found| is_any || found == c)
                && matches(parts.as_str(), chars.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(lines: &[&str]) -> Grants {
        Grants::parse(lines, "NONE", GrantSettings::default()).unwrap()
    }

    fn database(name: &str) -> DatabaseName {
        DatabaseName::new(name).unwrap()
    }

    fn table(database: &str, table: &str) -> TableName {
        TableName::new(database, table).unwrap()
    }

    #[test]
    fn global_privileges_are_read() {
        let grants = grants(&[
            "GRANT SELECT, LOCK TABLES, REPLICATION SLAVE ON *.* TO 'drs'@'%' IDENTIFIED BY PASSWORD '*31' WITH GRANT OPTION",
            "GRANT BACKUP_ADMIN,XA_RECOVER_ADMIN ON *.* TO `drs`@`%`",
            "GRANT PROXY ON ''@'' TO 'drs'@'%' WITH GRANT OPTION",
            "GRANT USAGE ON *.* TO `drs`@`%`",
        ]);
        for privilege in [
            "SELECT",
            "LOCK TABLES",
            "REPLICATION SLAVE",
            "XA_RECOVER_ADMIN",
        ] {
            assert!(grants.has_global(privilege), "{privilege}");
            assert!(grants.has_on_database(&database("any"), privilege));
            assert!(grants.has_on_table(&table("any", "one"), privilege));
        }
        assert!(!grants.has_global("INSERT"));
        assert!(!grants.has_global("ALL PRIVILEGES"));
    }

    #[test]
    fn all_privileges_are_all_at_their_level() {
        let grants = grants(&[
            "GRANT ALL PRIVILEGES ON `shop`.* TO `drs`@`%`",
            "GRANT ALL PRIVILEGES ON `crm`.`customers` TO `drs`@`%` WITH GRANT OPTION",
        ]);
        assert!(grants.has_on_database(&database("shop"), "SELECT"));
        assert!(grants.has_on_table(&table("crm", "customers"), "INSERT"));
        assert!(!grants.has_on_database(&database("crm"), "INSERT"));
        assert!(!grants.has_global("SELECT"));
        assert!(!grants.has_on_database(&database("other"), "SELECT"));
    }

    #[test]
    fn of_several_databases_that_match_the_server_takes_one() {
        // As MySQL 9.7 does.
        let lines = [
            "GRANT UPDATE ON `a%`.* TO `drs`@`%`",
            "GRANT INSERT ON `a\\_b`.* TO `drs`@`%`",
            "GRANT SELECT ON `a_b`.* TO `drs`@`%`",
            "GRANT DELETE ON `%b`.* TO `drs`@`%`",
        ];
        let found = |grants: &Grants, name: &str| -> Vec<&'static str> {
            let privileges = ["SELECT", "INSERT", "UPDATE", "DELETE"];
            let privileges = privileges.into_iter();
            privileges
                .filter(|privilege| grants.has_on_database(&database(name), privilege))
                .collect()
        };
        let plain = Grants::parse(lines, "NONE", GrantSettings::default()).unwrap();
        assert_eq!(found(&plain, "a_b"), ["INSERT"]);
        assert_eq!(found(&plain, "axc"), ["UPDATE"]);
        assert_eq!(plain.by_wildcard(&database("axc")), ["UPDATE"]);
        assert_eq!(plain.by_wildcard(&database("a_b")), [""; 0]);
        // Which one it takes depends on the order in which they came.
        assert_eq!(found(&plain, "axb"), [""; 0]);
        assert_eq!(found(&plain, "xb"), ["DELETE"]);
        assert_eq!(found(&plain, "A_b"), ["DELETE"]);
        let with_role = Grants::parse(lines, "`r`@`%`", GrantSettings::default()).unwrap();
        assert_eq!(found(&with_role, "a_b"), ["DELETE"]);
        let literal = GrantSettings {
            partial_revokes: true,
            case: NameCase::Insensitive,
        };
        let literal = Grants::parse(lines, "NONE", literal).unwrap();
        assert_eq!(found(&literal, "A_B"), ["SELECT"]);
        assert_eq!(found(&literal, "axb"), [""; 0]);
    }

    #[test]
    fn partial_revokes_take_away_what_is_global() {
        let settings = GrantSettings {
            partial_revokes: true,
            case: NameCase::Sensitive,
        };
        let grants = Grants::parse(
            [
                "GRANT SELECT, INSERT ON *.* TO `drs`@`%`",
                "GRANT INSERT ON `b`.* TO `drs`@`%`",
                "REVOKE SELECT, INSERT ON `a_b`.* FROM `drs`@`%`",
                "REVOKE INSERT ON `b`.* FROM `drs`@`%`",
            ],
            "NONE",
            settings,
        )
        .unwrap();
        assert!(!grants.has_on_database(&database("a_b"), "SELECT"));
        assert!(grants.has_on_database(&database("axb"), "SELECT"));
        assert!(grants.has_on_database(&database("b"), "INSERT"));
        assert_eq!(grants.database_pattern(&database("a_b")), "`a_b`.*");
        for line in [
            "REVOKE SELECT ON *.* FROM `drs`@`%`",
            "REVOKE SELECT ON `a`.`t` FROM `drs`@`%`",
            "REVOKE what is this",
        ] {
            let error = Grants::parse(["GRANT SELECT ON *.* TO `drs`@`%`", line], "NONE", settings);
            assert!(error.unwrap_err().reason.contains(line));
        }
    }

    #[test]
    fn odd_names_are_read() {
        let grants = grants(&[
            "GRANT SELECT ON `a ON b``c`.`x.y TO z` TO `o'd\"d ON x`@`%`",
            "GRANT SELECT (`we)i ON `, `b,c`), INSERT ON `s`.`t` TO `drs`@`%`",
            "GRANT SELECT (a, we)i, b,c), DELETE ON `s`.`old` TO 'drs'@'%'",
            "GRANT EXECUTE ON PROCEDURE `s`.`p` TO `drs`@`%`",
            "GRANT `r1`@`%`,`r,2`@`%` TO `drs`@`%`",
            "something else",
        ]);
        assert!(grants.has_on_table(&table("a ON b`c", "x.y TO z"), "SELECT"));
        assert!(grants.has_on_table(&table("s", "t"), "INSERT"));
        assert!(!grants.has_on_table(&table("s", "t"), "SELECT"));
        assert!(grants.has_on_table(&table("s", "old"), "DELETE"));
        assert!(!grants.has_on_table(&table("s", "old"), "SELECT"));
        assert!(!grants.has_on_table(&table("s", "p"), "EXECUTE"));
        let roles: Vec<&str> = grants.inactive_roles().collect();
        assert_eq!(roles, ["`r,2`@`%`", "`r1`@`%`"]);
        assert_eq!(
            grants.database_pattern(&database("a_b`%")),
            "`a\\_b``\\%`.*"
        );
    }

    #[test]
    fn patterns_match_as_the_server_does() {
        for (pattern, name, expected) in [
            ("a_b", "axb", true),
            ("a\\_b", "axb", false),
            ("a\\_b", "a_b", true),
            ("%", "", true),
            ("a%c%", "abcd", true),
            ("a%d", "abc", false),
            ("a\\", "a\\", true),
            ("", "", true),
            ("_", "", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
