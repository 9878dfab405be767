//! Rules for names that are narrower than MySQL's own: those of the service that this program
//! takes the place of.

use super::{CHECKPOINT_DATABASE, DatabaseName, NameCase, NameError, selection};

/// The longest name of an object that holds characters which the server writes to its file names
/// as five.
const ODD_NAME_CHARS_MAX: usize = 42;

/// Why a name is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameRuleError {
    /// MySQL itself does not allow it.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The server's own database.
    #[error("it is a system database")]
    SystemDatabase,
    /// The database of the checkpoints.
    #[error("drs keeps its own tables there")]
    CheckpointDatabase,
    /// The name of one of InnoDB's files.
    #[error("InnoDB has a file of this name")]
    ReservedFile,
    /// A character that is not ASCII.
    #[error("the character {0} is not ASCII")]
    NonAscii(char),
    /// One of the characters that are left out.
    #[error("the character {0} can't be in it")]
    Character(char),
    /// A space, so that no entry of a selection can name it.
    #[error("there is a space in it")]
    Space,
    /// Too long for a name with special characters that is mapped.
    #[error(
        "a mapped object whose name has special characters may have {ODD_NAME_CHARS_MAX} characters, and this one has {chars}"
    )]
    Long {
        /// The name, at the source or the destination.
        name: String,
        /// Its length.
        chars: usize,
    },
}

/// Holds the name of a source's database against the rules.
///
/// ```
/// assert!(drs_core::check_database_name("shop").is_ok());
/// assert!(drs_core::check_database_name("ib_logfile0").is_err());
/// assert!(drs_core::check_database_name("a<b").is_err());
/// ```
pub fn check_database_name(name: &str) -> Result<(), NameRuleError> {
    DatabaseName::new(name)?;
    check_database_kind(name)?;
    check_reserved(name)?;
    check_characters(name, &['\'', '<', '`', '>', '/', '\\'])
}

/// Holds the name of a source's table or view against the rules.
pub fn check_table_name(name: &str) -> Result<(), NameRuleError> {
    super::name::check(name)?;
    check_characters(name, &['\'', '<', '>', '/', '\\'])
}

/// Holds the name that a database of the source is to have at the destination against the rules;
/// one that is its own is free of most of them.
pub fn check_mapped_database(source: &str, destination: &str) -> Result<(), NameRuleError> {
    DatabaseName::new(destination)?;
    check_database_kind(destination)?;
    if source == destination {
        return Ok(());
    }
    check_length(source, destination)?;
    check_mapped_characters(destination)?;
    check_reserved(destination)
}

/// Holds the name that a table of the source is to have at the destination against the rules: one
/// of the source with other characters than letters, digits and `_`, and a mapped one with `-` or
/// `#`, has at most 42 characters.
pub fn check_mapped_table(source: &str, destination: &str) -> Result<(), NameRuleError> {
    super::name::check(destination)?;
    check_length(source, destination)?;
    match source == destination {
        true => Ok(()),
        false => check_mapped_characters(destination),
    }
}

fn check_database_kind(name: &str) -> Result<(), NameRuleError> {
    if name.eq_ignore_ascii_case(CHECKPOINT_DATABASE) {
        return Err(NameRuleError::CheckpointDatabase);
    }
    match selection::is_system(name, NameCase::Insensitive) {
        true => Err(NameRuleError::SystemDatabase),
        false => Ok(()),
    }
}

fn check_reserved(name: &str) -> Result<(), NameRuleError> {
    let lower = name.to_ascii_lowercase();
    let reserved = ["ib_buffer_pool", "ib_doublewrite", "ibdata1", "ibtmp1"];
    match lower.starts_with("ib_logfile") || reserved.contains(&lower.as_str()) {
        true => Err(NameRuleError::ReservedFile),
        false => Ok(()),
    }
}

fn check_characters(name: &str, left_out: &[char]) -> Result<(), NameRuleError> {
    if let Some(character) = name.chars().find(|c| !c.is_ascii()) {
        return Err(NameRuleError::NonAscii(character));
    }
    if let Some(character) = left_out.iter().find(|c| name.contains(**c)) {
        return Err(NameRuleError::Character(*character));
    }
    match name.contains(char::is_whitespace) {
        true => Err(NameRuleError::Space),
        false => Ok(()),
    }
}

fn check_mapped_characters(name: &str) -> Result<(), NameRuleError> {
    let left_out = ['<', '>', '.', '"', '\\', '\''];
    if let Some(character) = left_out.into_iter().find(|c| name.contains(*c)) {
        return Err(NameRuleError::Character(character));
    }
    match name.contains(char::is_whitespace) {
        true => Err(NameRuleError::Space),
        false => Ok(()),
    }
}

fn check_length(source: &str, destination: &str) -> Result<(), NameRuleError> {
    let is_odd = |name: &str| !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    for (name, odd) in [
        (source, is_odd(source)),
        (destination, destination.contains(['-', '#'])),
    ] {
        let chars = name.chars().count();
        if odd && chars > ODD_NAME_CHARS_MAX {
            return Err(NameRuleError::Long {
                name: name.to_owned(),
                chars,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_source() {
        for (name, database, table) in [
            ("shop_1", Ok(()), Ok(())),
            (
                "größe",
                Err(NameRuleError::NonAscii('ö')),
                Err(NameRuleError::NonAscii('ö')),
            ),
            (
                "a'b",
                Err(NameRuleError::Character('\'')),
                Err(NameRuleError::Character('\'')),
            ),
            ("a`b", Err(NameRuleError::Character('`')), Ok(())),
            (
                "a/b",
                Err(NameRuleError::Character('/')),
                Err(NameRuleError::Character('/')),
            ),
            ("a b", Err(NameRuleError::Space), Err(NameRuleError::Space)),
            ("a\"b-c.d", Ok(()), Ok(())),
            ("IB_logfile9", Err(NameRuleError::ReservedFile), Ok(())),
            ("ibtmp1", Err(NameRuleError::ReservedFile), Ok(())),
            ("ibtmp2", Ok(()), Ok(())),
            ("mysql", Err(NameRuleError::SystemDatabase), Ok(())),
            ("drs_meta", Err(NameRuleError::CheckpointDatabase), Ok(())),
            (
                "",
                Err(NameError::Empty.into()),
                Err(NameError::Empty.into()),
            ),
        ] {
            assert_eq!(check_database_name(name), database, "{name}");
            assert_eq!(check_table_name(name), table, "{name}");
        }
    }

    #[test]
    fn names_at_the_destination() {
        assert_eq!(check_mapped_database("größe", "größe"), Ok(()));
        assert_eq!(
            check_mapped_database("shop", "ibdata1"),
            Err(NameRuleError::ReservedFile)
        );
        assert_eq!(check_mapped_table("t", "my t"), Err(NameRuleError::Space));
        let long = format!("a-{}", "x".repeat(41));
        assert!(matches!(
            check_mapped_table(&long, "t"),
            Err(NameRuleError::Long { chars: 43, .. })
        ));
        assert!(check_mapped_table("t", &long).is_err());
        assert_eq!(check_mapped_table(&"x".repeat(60), "t"), Ok(()));
    }
}
