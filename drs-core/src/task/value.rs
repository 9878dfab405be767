use std::{collections::BTreeMap, fmt, str::FromStr};

use bytesize::ByteSize;

/// Why a value is not one that a task can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub(super) String);

/// A task's name: 4 to 50 characters, a letter first, then letters, digits, `-` and `_`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskName(String);

impl TaskName {
    /// Takes a name that follows the rule.
    pub fn new(name: &str) -> Result<Self, ValueError> {
        let fits = (4..=50).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if fits {
            return Ok(Self(name.to_owned()));
        }
        let shown: String = name.chars().take(60).collect();
        Err(ValueError(format!(
            "{shown:?} is no task name: 4 to 50 characters, a letter first, then letters, digits, - and _"
        )))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for TaskName {
    type Err = ValueError;

    fn from_str(name: &str) -> Result<Self, ValueError> {
        Self::new(name)
    }
}

/// A task's description: at most 256 characters, none of ``! = < > ' & " \``.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    /// Takes a text that follows the rule.
    pub fn new(text: &str) -> Result<Self, ValueError> {
        let chars = text.chars().count();
        if chars > 256 {
            return Err(ValueError(format!(
                "at most 256 characters are taken, and there are {chars}"
            )));
        }
        match text.chars().find(|c| "!=<>'&\"\\".contains(*c)) {
            Some(c) => Err(ValueError(format!(
                "the character {c} can't be in it, nor any other of !=<>'&\"\\"
            ))),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A task's labels: at most 20, each a key and a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// Takes at most 20 labels.
    pub fn new(tags: impl IntoIterator<Item = (String, String)>) -> Result<Self, ValueError> {
        let mut own = BTreeMap::new();
        for (key, value) in tags {
            if key.is_empty() {
                return Err(ValueError("a tag has no name".to_owned()));
            }
            if own.contains_key(&key) {
                return Err(ValueError(format!("the tag {key:?} is there twice")));
            }
            own.insert(key, value);
        }
        if own.len() > 20 {
            return Err(ValueError(format!(
                "at most 20 tags are taken, and there are {}",
                own.len()
            )));
        }
        Ok(Self(own))
    }

    /// The labels, ordered by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// How many connections apply changes: 1 to 64. One keeps the source's commit order exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes(u8);

impl Lanes {
    /// Takes 1 to 64.
    pub fn new(lanes: u64) -> Result<Self, ValueError> {
        connections(lanes, "lanes").map(Self)
    }

    /// The number.
    pub fn get(self) -> usize {
        self.0.into()
    }
}

impl Default for Lanes {
    fn default() -> Self {
        Self(4)
    }
}

impl FromStr for Lanes {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Self::new(
            text.parse()
                .map_err(|_| ValueError(format!("{text:?} is no number from 1 to 64")))?,
        )
    }
}

/// How many connections to each server copy tables: 1 to 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sessions(u8);

impl Sessions {
    /// Takes 1 to 64.
    pub fn new(sessions: u64) -> Result<Self, ValueError> {
        connections(sessions, "sessions").map(Self)
    }

    /// The number.
    pub fn get(self) -> usize {
        self.0.into()
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self(4)
    }
}

fn connections(count: u64, what: &str) -> Result<u8, ValueError> {
    match u8::try_from(count) {
        Ok(small @ 1..=64) => Ok(small),
        _ => Err(ValueError(format!(
            "{count} {what} are not possible; 1 to 64 are"
        ))),
    }
}

/// About how much of a table is copied in one transaction: 64 KiB to 1 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkBytes(u64);

impl ChunkBytes {
    /// Takes 65,536 to 1,073,741,824 bytes.
    pub fn new(bytes: u64) -> Result<Self, ValueError> {
        if (64 << 10..=1 << 30).contains(&bytes) {
            Ok(Self(bytes))
        } else {
            Err(ValueError(format!(
                "a chunk of {bytes} bytes is not possible; 64KiB to 1GiB are"
            )))
        }
    }

    /// The size in bytes.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl Default for ChunkBytes {
    fn default() -> Self {
        Self(16 << 20)
    }
}

/// Reads a size such as `16MiB`.
pub(super) fn bytes(text: &str) -> Result<u64, ValueError> {
    text.parse::<ByteSize>()
        .map(|size| size.as_u64())
        .map_err(|_| {
            ValueError(format!(
                "{text:?} is no size; write it as 16MiB, or as a number of bytes"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_names() {
        let (longest, too_long) = ("a".repeat(50), "a".repeat(51));
        for (name, valid) in [
            ("abcd", true),
            ("orders-eu_2", true),
            (longest.as_str(), true),
            ("abc", false),
            ("", false),
            ("1abc", false),
            ("-abc", false),
            ("abc d", false),
            ("abcé", false),
            (too_long.as_str(), false),
        ] {
            assert_eq!(TaskName::new(name).is_ok(), valid, "{name}");
        }
        assert_eq!(
            TaskName::new("a b").unwrap_err().to_string(),
            "\"a b\" is no task name: 4 to 50 characters, a letter first, then letters, digits, - and _"
        );
    }

    #[test]
    fn descriptions() {
        let longest = "é".repeat(256);
        assert_eq!(Description::new(&longest).unwrap().as_str(), longest);
        assert!(
            Description::new(&format!("{longest}x"))
                .unwrap_err()
                .to_string()
                .ends_with("there are 257")
        );
        for c in "!=<>'&\"\\".chars() {
            assert!(Description::new(&format!("a{c}b")).is_err(), "{c}");
        }
        assert!(Description::new("moves the orders; ask Ann (x123) / `ops`").is_ok());
    }

    #[test]
    fn tags() {
        let numbered = |count: usize| (0..count).map(|n| (format!("k{n:02}"), n.to_string()));
        let twenty = Tags::new(numbered(20)).unwrap();
        assert_eq!(twenty.iter().len(), 20);
        assert_eq!(twenty.iter().next(), Some(("k00", "0")));
        assert!(Tags::new(numbered(21)).is_err());
        assert!(Tags::new([(String::new(), String::new())]).is_err());
        assert!(Tags::new(numbered(2).chain(numbered(1))).is_err());
    }

    #[test]
    fn numbers() {
        for (count, valid) in [(0, false), (1, true), (64, true), (65, false), (257, false)] {
            assert_eq!(Lanes::new(count).is_ok(), valid);
            assert_eq!(Sessions::new(count).is_ok(), valid);
        }
        for (text, valid) in [("8", true), ("0", false), ("x", false), ("-1", false)] {
            assert_eq!(text.parse::<Lanes>().is_ok(), valid);
        }
        for (text, expected) in [
            ("64KiB", Some(65_536)),
            ("16MiB", Some(16_777_216)),
            ("1GiB", Some(1_073_741_824)),
            ("100000", Some(100_000)),
            ("65535", None),
            ("2GiB", None),
            ("many", None),
        ] {
            assert_eq!(
                bytes(text)
                    .and_then(ChunkBytes::new)
                    .map(ChunkBytes::get)
                    .ok(),
                expected,
                "{text}"
            );
        }
    }
}
