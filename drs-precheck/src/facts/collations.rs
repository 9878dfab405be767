//! The collations that a server has.

use std::collections::BTreeMap;

use drs_core::{Role, ServerVersion};
use mysql::Conn;

use super::{
    Fact,
    ask::{Ask, text},
};

/// The collations that a server has, with their character sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collations(BTreeMap<String, String>);

impl Collations {
    /// Takes collations and their character sets.
    pub fn new<N: Into<String>, C: Into<String>>(
        collations: impl IntoIterator<Item = (N, C)>,
    ) -> Self {
        let collations = collations.into_iter();
        Self(
            collations
                .map(|(name, charset)| (modern(&name.into()), modern(&charset.into())))
                .collect(),
        )
    }

    /// True when the server has this collation, under its old or its new name.
    pub fn has(&self, collation: &str) -> bool {
        self.0.contains_key(&modern(collation))
    }

    /// True when the server has this character set, under its old or its new name.
    pub fn has_charset(&self, charset: &str) -> bool {
        let charset = modern(charset);
        self.0.values().any(|known| *known == charset)
    }

    pub(super) fn gather(conn: &mut Conn, role: Role, version: ServerVersion) -> Fact<Self> {
        let mut ask = Ask {
            conn,
            role,
            version,
        };
        let mut collations = Vec::new();
        ask.rows(
            "its collations",
            "SELECT COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS",
            |row| collations.push((text(row, 0), text(row, 1))),
        )?;
        Ok(Self::new(collations))
    }
}

/// `utf8` has been called `utf8mb3` since 8.0.28, in its collations too.
fn modern(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix("utf8") {
        Some(rest) if rest.is_empty() || rest.starts_with('_') => format!("utf8mb3{rest}"),
        _ => name,
    }
}
