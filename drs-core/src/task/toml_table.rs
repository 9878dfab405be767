use std::{borrow::Cow, ops::Range};

use toml::de::{DeTable, DeValue};

use super::TaskError;

/// A table of a task file of which every key is known; says where it was when a value is wrong.
///
/// Read by hand: an error must name line, table and nearest key, and never quote the text,
/// which may hold a password.
pub(super) struct TomlTable<'t> {
    text: &'t str,
    path: String,
    entries: &'t DeTable<'t>,
}

/// The keys that there are, by table.
pub(super) const KNOWN: [(&str, &[&str]); 11] = [
    (
        "",
        &[
            "task",
            "source",
            "destination",
            "objects",
            "sync",
            "copy",
            "compare",
            "rules",
        ],
    ),
    (
        "task",
        &[
            "name",
            "description",
            "mode",
            "start_point",
            "tags",
            "confirm",
        ],
    ),
    ("source", ENDPOINT),
    ("destination", ENDPOINT),
    ("password", &["env", "file"]),
    ("tls", &["mode", "ca", "cert", "key"]),
    ("objects", &["include", "exclude", "file", "map"]),
    (
        "sync",
        &[
            "conflict",
            "conflict_images",
            "filter_drop_database",
            "indexes",
            "lanes",
        ],
    ),
    (
        "copy",
        &["sessions", "chunk_bytes", "binlog", "flow_control"],
    ),
    (
        "compare",
        &["start_at", "sessions", "flow_control", "tables", "examples"],
    ),
    ("columns", &["include", "exclude", "rename"]),
];

const ENDPOINT: &[&str] = &["host", "port", "socket", "user", "password", "tls"];

impl<'t> TomlTable<'t> {
    /// The whole file.
    pub(super) fn root(text: &'t str, entries: &'t DeTable<'t>) -> Result<Self, TaskError> {
        let root = Self {
            text,
            path: String::new(),
            entries,
        };
        root.check(known_in(""))?;
        Ok(root)
    }

    /// The table under a key.
    pub(super) fn table(&self, key: &str) -> Result<Option<Self>, TaskError> {
        let Some((value, span)) = self.value(key) else {
            return Ok(None);
        };
        match value {
            DeValue::Table(entries) => {
                let table = Self {
                    text: self.text,
                    path: self.path(key),
                    entries,
                };
                table.check(known_in(key))?;
                Ok(Some(table))
            }
            other => Err(self.wrong_type(key, other, span, "a table")),
        }
    }

    /// The tables in an array under a key, of which these keys are known.
    pub(super) fn tables(&self, key: &str, known: &[&str]) -> Result<Vec<Self>, TaskError> {
        let Some((value, span)) = self.value(key) else {
            return Ok(Vec::new());
        };
        let DeValue::Array(items) = value else {
            return Err(self.wrong_type(key, value, span, "an array of tables"));
        };
        let mut tables = Vec::new();
        for item in items.iter() {
            let DeValue::Table(entries) = item.get_ref() else {
                return Err(self.wrong_type(
                    key,
                    item.get_ref(),
                    item.span(),
                    "an array of tables",
                ));
            };
            let table = Self {
                text: self.text,
                path: self.path(key),
                entries,
            };
            table.check(known)?;
            tables.push(table);
        }
        Ok(tables)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    pub(super) fn string(&self, key: &str) -> Result<Option<&'t str>, TaskError> {
        match self.value(key) {
            None => Ok(None),
            Some((DeValue::String(text), _)) => Ok(Some(text)),
            Some((other, span)) => Err(self.wrong_type(key, other, span, "a string")),
        }
    }

    /// A string, or a time without quotes as it is written.
    pub(super) fn string_or_time(&self, key: &str) -> Result<Option<String>, TaskError> {
        match self.value(key) {
            Some((DeValue::Datetime(time), _)) => Ok(Some(time.to_string())),
            _ => Ok(self.string(key)?.map(str::to_owned)),
        }
    }

    pub(super) fn boolean(&self, key: &str) -> Result<Option<bool>, TaskError> {
        match self.value(key) {
            None => Ok(None),
            Some((DeValue::Boolean(value), _)) => Ok(Some(*value)),
            Some((other, span)) => Err(self.wrong_type(key, other, span, "true or false")),
        }
    }

    pub(super) fn integer(&self, key: &str) -> Result<Option<u64>, TaskError> {
        match self.value(key) {
            None => Ok(None),
            Some((DeValue::Integer(value), span)) => {
                u64::from_str_radix(value.as_str(), value.radix())
                    .map(Some)
                    .map_err(|_| {
                        self.invalid(key, span, format!("{} is out of range", value.as_str()))
                    })
            }
            Some((other, span)) => Err(self.wrong_type(key, other, span, "a number")),
        }
    }

    pub(super) fn strings(&self, key: &str) -> Result<Vec<String>, TaskError> {
        let Some((value, span)) = self.value(key) else {
            return Ok(Vec::new());
        };
        let DeValue::Array(items) = value else {
            return Err(self.wrong_type(key, value, span, "an array of strings"));
        };
        items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                other => Err(self.wrong_type(key, other, item.span(), "an array of strings")),
            })
            .collect()
    }

    /// The strings of a table whose keys are the user's own.
    pub(super) fn labels(&self, key: &str) -> Result<Vec<(String, String)>, TaskError> {
        let Some((value, span)) = self.value(key) else {
            return Ok(Vec::new());
        };
        let DeValue::Table(entries) = value else {
            return Err(self.wrong_type(key, value, span, "a table"));
        };
        entries
            .iter()
            .map(|(name, value)| match value.get_ref() {
                DeValue::String(text) => Ok((name.get_ref().to_string(), text.to_string())),
                other => Err(self.wrong_type(key, other, value.span(), "strings")),
            })
            .collect()
    }

    /// True when the value under the key is a string, whatever it says.
    pub(super) fn is_string(&self, key: &str) -> bool {
        matches!(self.value(key), Some((DeValue::String(_), _)))
    }

    /// The line of a key's value, from 1.
    pub(super) fn line(&self, key: &str) -> Option<usize> {
        self.value(key)
            .map(|(_, span)| line_at(self.text, span.start))
    }

    /// The name of a setting in this table: `sync.lanes`.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// An error about a key's value.
    pub(super) fn refuse(&self, key: &str, reason: impl ToString) -> TaskError {
        TaskError::Invalid {
            line: self.line(key),
            key: self.path(key),
            reason: reason.to_string(),
        }
    }

    /// The error that a key must be there.
    pub(super) fn missing(&self, key: &str, hint: &'static str) -> TaskError {
        TaskError::Missing {
            key: self.path(key),
            hint,
        }
    }

    fn value(&self, key: &str) -> Option<(&'t DeValue<'t>, Range<usize>)> {
        self.entries
            .iter()
            .find(|(name, _)| name.get_ref() == &Cow::Borrowed(key))
            .map(|(_, value)| (value.get_ref(), value.span()))
    }

    fn check(&self, known: &[&str]) -> Result<(), TaskError> {
        // In the order of the file, so that the first mistake is named first.
        let unknown = self
            .entries
            .iter()
            .map(|(name, _)| name)
            .filter(|name| !known.contains(&name.get_ref().as_ref()))
            .min_by_key(|name| name.span().start);
        match unknown {
            None => Ok(()),
            Some(name) => Err(TaskError::UnknownKey {
                line: line_at(self.text, name.span().start),
                table: self.path.clone(),
                key: name.get_ref().to_string(),
                nearest: nearest(name.get_ref(), known),
            }),
        }
    }

    fn invalid(&self, key: &str, span: Range<usize>, reason: String) -> TaskError {
        TaskError::Invalid {
            line: Some(line_at(self.text, span.start)),
            key: self.path(key),
            reason,
        }
    }

    fn wrong_type(
        &self,
        key: &str,
        found: &DeValue<'_>,
        span: Range<usize>,
        expected: &str,
    ) -> TaskError {
        self.invalid(
            key,
            span,
            format!("should be {expected}, and is of type {}", found.type_str()),
        )
    }
}

/// The line of an offset, from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text
        .bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
}

fn known_in(table: &str) -> &'static [&'static str] {
    KNOWN
        .iter()
        .find(|(name, _)| *name == table)
        .map_or(&[], |(_, keys)| *keys)
}

/// The key that was probably meant: the same in another table, else the most similar one here.
fn nearest(key: &str, known: &[&str]) -> String {
    let elsewhere = KNOWN
        .iter()
        .find(|(table, keys)| !table.is_empty() && keys.contains(&key));
    if let Some((table, _)) = elsewhere {
        return format!("{key:?} in [{table}]");
    }
    let similar = known
        .iter()
        .min_by_key(|own| strsim::damerau_levenshtein(own, key));
    format!("{:?}", similar.unwrap_or(&""))
}
