//! Which servers there are, and which release a program says it is.

use std::fmt;

/// A server that can be brought up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Version {
    /// The newest MySQL. Fetched, it is 9.7 or later; found on the machine, 8.0.30 or later.
    MySql97,
    /// MySQL 5.6, the oldest that is supported.
    MySql56,
    /// MariaDB 10.11.
    MariaDb1011,
}

impl Version {
    /// The name of its folder in the cache.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::MySql97 => "mysql-9.7",
            Self::MySql56 => "mysql-5.6",
            Self::MariaDb1011 => "mariadb-10.11",
        }
    }

    /// The environment variable that names a server program to use for this version.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::MySql97 => "DRS_MYSQLD",
            Self::MySql56 => "DRS_MYSQLD56",
            Self::MariaDb1011 => "DRS_MARIADBD",
        }
    }

    /// Whether a program of this release will do in place of the version.
    pub(crate) fn accepts(self, release: Release) -> bool {
        match self {
            Self::MySql97 => !release.mariadb && release.number >= (8, 0, 30),
            Self::MySql56 => !release.mariadb && release.number.0 == 5 && release.number.1 == 6,
            Self::MariaDb1011 => release.mariadb && release.number >= (10, 6, 0),
        }
    }

    /// What the user can do when there is none.
    pub(crate) fn advice(self) -> String {
        let variable = self.variable();
        match self {
            Self::MySql97 => format!(
                "Install a MySQL server of 8.0.30 or later so that `mysqld` is on PATH, or set \
                 {variable} to the path of its `mysqld`. (It is fetched from Debian's unstable \
                 suite, which needs apt-get, dpkg-deb, a Debian mirror in the apt configuration \
                 and the network.)"
            ),
            Self::MySql56 => format!(
                "Set {variable} to the path of a MySQL 5.6 `mysqld`. (It is fetched with npm, \
                 or with Debian's npm where there is none, which needs apt-get, dpkg-deb, a Debian \
                 mirror in the apt configuration and the network.)"
            ),
            Self::MariaDb1011 => format!(
                "Set {variable} to the path of a MariaDB `mariadbd`. (It is fetched from Debian's \
                 bookworm suite, which needs apt-get, dpkg-deb, a Debian mirror in the apt \
                 configuration and the network.)"
            ),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MySql97 => "MySQL 9.7",
            Self::MySql56 => "MySQL 5.6",
            Self::MariaDb1011 => "MariaDB 10.11",
        })
    }
}

/// The exact release of a server program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Release {
    /// Whether it is MariaDB rather than MySQL.
    pub mariadb: bool,
    /// Major, minor and patch number.
    pub number: (u16, u16, u16),
}

impl Release {
    /// Reads the line that `mysqld --version` prints, as in `mysqld  Ver 9.7.4-2 for Linux on …`.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        words.find(|word| *word == "Ver")?;
        let mut parts = words.next()?.split(|c: char| !c.is_ascii_digit());
        let mut part = || parts.next()?.parse().ok();
        let number = (part()?, part()?, part()?);
        Some(Self {
            mariadb: line.contains("MariaDB"),
            number,
        })
    }

    /// Whether it is MySQL of this major and minor number or later.
    pub fn is_mysql_since(self, major: u16, minor: u16) -> bool {
        !self.mariadb && (self.number.0, self.number.1) >= (major, minor)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.number;
        let name = if self.mariadb { "MariaDB" } else { "MySQL" };
        write!(f, "{name} {major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_from_what_servers_print() {
        let cases = [
            (
                "/x/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))",
                Some((false, (9, 7, 4))),
            ),
            (
                "mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)",
                Some((false, (8, 0, 36))),
            ),
            (
                "/x/mysqld  Ver 5.6.24 for linux-glibc2.5 on x86_64 (MySQL Community Server (GPL))",
                Some((false, (5, 6, 24))),
            ),
            (
                "mariadbd  Ver 10.11.11-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64",
                Some((true, (10, 11, 11))),
            ),
            ("mysqld  Ver 9.7", None),
            ("no such thing", None),
        ];
        for (line, expected) in cases {
            let read = Release::parse(line).map(|release| (release.mariadb, release.number));
            assert_eq!(read, expected, "{line}");
        }
    }

    #[test]
    fn a_version_accepts_only_its_own_kind() {
        let mysql = |number| Release {
            mariadb: false,
            number,
        };
        let mariadb = |number| Release {
            mariadb: true,
            number,
        };
        assert!(Version::MySql97.accepts(mysql((9, 7, 4))));
        assert!(Version::MySql97.accepts(mysql((8, 0, 30))));
        assert!(!Version::MySql97.accepts(mysql((5, 7, 44))));
        assert!(!Version::MySql97.accepts(mariadb((10, 11, 11))));
        assert!(Version::MySql56.accepts(mysql((5, 6, 51))));
        assert!(!Version::MySql56.accepts(mysql((5, 7, 44))));
        assert!(Version::MariaDb1011.accepts(mariadb((11, 8, 2))));
        assert!(!Version::MariaDb1011.accepts(mysql((9, 7, 4))));
    }
}
