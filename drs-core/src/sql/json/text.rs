//! Puts a document's text, as the server prints it, and its list of types together.

use std::{borrow::Cow, collections::HashMap, fmt::Write};

use drs_binlog::JSON_DEPTH_MAX;

use super::typed::{Leaf, Place, Typed};

/// Why the two do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextError {
    /// The text is not one of a server's documents.
    Text,
    /// The list is not one of [`super::typed_list`], or names values that the text does not have.
    List,
}

/// The values of a document that its text does not tell the types of; `list` is what
/// [`super::typed_list`] gave for it, with values.
pub(crate) fn typed_leaves(text: &str, list: &str) -> Result<Vec<Leaf<'static>>, TextError> {
    let types = read_list(list).ok_or(TextError::List)?;
    let containers = containers(text).ok_or(TextError::Text)?;
    let elements: u64 = containers
        .iter()
        .filter(|container| container.is_array)
        .map(|container| container.len)
        .sum();
    let expected = types.len();
    let mut join = Join {
        scanner: Scanner::new(text),
        containers: containers.into_iter(),
        path: String::from("$"),
        next_element: 1,
        next_member: 1 + elements,
        types,
        leaves: Vec::with_capacity(expected),
    };
    join.value(0)?;
    if join.leaves.len() != expected || !join.scanner.is_at_end() {
        return Err(TextError::List);
    }
    Ok(join.leaves)
}

/// What the list says of one value.
struct Entry<'t> {
    type_name: &'t str,
    /// The value's text; `null` where the text itself names the type.
    value: &'t str,
}

fn read_list(list: &str) -> Option<HashMap<u64, Entry<'_>>> {
    let mut scanner = Scanner::new(list);
    let mut types = HashMap::new();
    scanner.take(b'[')?;
    loop {
        scanner.take(b'[')?;
        let place = scanner.scalar()?.parse().ok()?;
        scanner.take(b',')?;
        let type_name = scanner.scalar()?.strip_prefix('"')?.strip_suffix('"')?;
        scanner.take(b',')?;
        let value = scanner.scalar()?;
        scanner.take(b']')?;
        if types.insert(place, Entry { type_name, value }).is_some() {
            return None;
        }
        if scanner.take(b',').is_none() {
            scanner.take(b']')?;
            return scanner.is_at_end().then_some(types);
        }
    }
}

struct Container {
    is_array: bool,
    len: u64,
}

/// All containers, each before those that are in it.
fn containers(text: &str) -> Option<Vec<Container>> {
    let mut scanner = Scanner::new(text);
    let mut all: Vec<Container> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        if let Some(at) = open.last().copied()
            && let Some(container) = all.get_mut(at)
        {
            let close = if container.is_array { b']' } else { b'}' };
            if scanner.take(close).is_some() {
                open.pop();
                if open.is_empty() {
                    return scanner.is_at_end().then_some(all);
                }
                continue;
            }
            if container.len > 0 {
                scanner.take(b',')?;
            }
            container.len += 1;
            if !container.is_array {
                scanner.scalar()?;
                scanner.take(b':')?;
            }
        }
        let is_array = scanner.peek() == Some(b'[');
        if is_array || scanner.peek() == Some(b'{') {
            scanner.advance();
            if open.len() >= JSON_DEPTH_MAX {
                return None;
            }
            open.push(all.len());
            all.push(Container { is_array, len: 0 });
        } else {
            scanner.scalar()?;
            if open.is_empty() {
                return scanner.is_at_end().then_some(all);
            }
        }
    }
}

/// The walk through a text that finds the values of a list.
struct Join<'t> {
    scanner: Scanner<'t>,
    containers: std::vec::IntoIter<Container>,
    path: String,
    next_element: u64,
    next_member: u64,
    types: HashMap<u64, Entry<'t>>,
    leaves: Vec<Leaf<'static>>,
}

impl Join<'_> {
    fn value(&mut self, place: u64) -> Result<(), TextError> {
        match self.scanner.peek() {
            Some(b'[') => self.container(true),
            Some(b'{') => self.container(false),
            _ => {
                let shown = self.scanner.scalar().ok_or(TextError::Text)?;
                let Some(entry) = self.types.get(&place) else {
                    return Ok(());
                };
                let value = typed(entry, shown).ok_or(TextError::List)?;
                self.leaves.push(Leaf {
                    path: self.path.clone(),
                    place: if place == 0 {
                        Place::Root
                    } else {
                        Place::Listed(place)
                    },
                    value,
                });
                Ok(())
            }
        }
    }

    fn container(&mut self, is_array: bool) -> Result<(), TextError> {
        let len = self.containers.next().ok_or(TextError::Text)?.len;
        let next = if is_array {
            &mut self.next_element
        } else {
            &mut self.next_member
        };
        let first = *next;
        *next += len;
        self.scanner.advance();
        let path_len = self.path.len();
        for index in 0..len {
            if index > 0 {
                self.scanner.take(b',').ok_or(TextError::Text)?;
            }
            if is_array {
                _ = write!(self.path, "[{index}]");
            } else {
                // The escapes of a text and of a path are the same.
                let key = self.scanner.scalar().ok_or(TextError::Text)?;
                self.path.push('.');
                self.path.push_str(key);
                self.scanner.take(b':').ok_or(TextError::Text)?;
            }
            self.value(first + index)?;
            self.path.truncate(path_len);
        }
        let close = if is_array { b']' } else { b'}' };
        self.scanner.take(close).ok_or(TextError::Text)
    }
}

/// The value that is shown as `shown`; `None` when it can't be one of the entry's type.
fn typed(entry: &Entry<'_>, shown: &str) -> Option<Typed<'static>> {
    let quoted = shown
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    if matches!(entry.type_name, "BLOB" | "BIT" | "OPAQUE") {
        let (field_type, base64) = quoted?.strip_prefix("base64:type")?.split_once(':')?;
        return Some(Typed::Bytes {
            field_type: field_type.parse().ok()?,
            bytes: Cow::Owned(decode_base64(base64)?),
        });
    }
    if entry.value != shown {
        return None;
    }
    let time = |also: &[u8]| {
        let text = quoted?;
        let form = |byte: u8| byte.is_ascii_digit() || also.contains(&byte);
        text.bytes().all(form).then(|| text.to_owned())
    };
    Some(match entry.type_name {
        "INTEGER" => Typed::Signed(shown.parse().ok()?),
        "UNSIGNED INTEGER" => Typed::Unsigned(shown.parse().ok()?),
        "DECIMAL" => decimal(shown)?,
        "DATE" => Typed::Date(time(b"-")?),
        "TIME" => Typed::Time(time(b"-:.")?),
        "DATETIME" => Typed::DateTime(time(b"-:. ")?),
        "TIMESTAMP" => Typed::Timestamp(time(b"-:. ")?),
        _ => return None,
    })
}

fn decimal(shown: &str) -> Option<Typed<'static>> {
    let unsigned = shown.strip_prefix('-').unwrap_or(shown);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    Some(Typed::Decimal {
        digits: shown.to_owned(),
        precision: None,
    })
}

/// Base64 in the server's lines, whose ends show as `\n`.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut letters, mut padding) = (0_u32, 0, 0);
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                0
            }
            b'\\' if rest.next() == Some(b'n') => continue,
            _ => return None,
        };
        // Nothing follows the padding.
        if padding > 2 || (padding > 0 && byte != b'=') {
            return None;
        }
        group = group << 6 | u32::from(sextet);
        letters += 1;
        if letters == 4 {
            let [_, three @ ..] = group.to_be_bytes();
            bytes.extend_from_slice(three.get(..3 - padding)?);
            (group, letters) = (0, 0);
        }
    }
    (letters == 0).then_some(bytes)
}

/// A cursor over the text of a document.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn advance(&mut self) {
        self.at += 1;
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        if self.peek() == Some(byte) {
            self.advance();
            return Some(());
        }
        None
    }

    fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// A string, with its quotes, a number or a word.
    fn scalar(&mut self) -> Option<&'t str> {
        let quoted = self.peek()? == b'"';
        let start = self.at;
        let bytes = self.text.as_bytes();
        if quoted {
            self.at += 1;
            loop {
                match bytes.get(self.at)? {
                    b'"' => break,
                    b'\\' => self.at += 2,
                    _ => self.at += 1,
                }
            }
            self.at += 1;
        } else {
            while bytes.get(self.at).is_some_and(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
            }) {
                self.at += 1;
            }
        }
        self.text
            .get(start..self.at)
            .filter(|scalar| !scalar.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_the_servers_order() {
        // Elements of arrays count first, then members of objects.
        let text = r#"[1, {"a": 2.50, "b\"": ["base64:type15:AP8=", 3]}, {"": "2024-01-02"}, 4]"#;
        let list = r#"[[5, "BLOB", null], [6, "UNSIGNED INTEGER", 3], [7, "DECIMAL", 2.50], [9, "DATE", "2024-01-02"]]"#;
        let found: Vec<String> = typed_leaves(text, list)
            .unwrap()
            .into_iter()
            .map(|leaf| format!("{} {:?}", leaf.path, leaf.value))
            .collect();
        assert_eq!(
            found,
            [
                r#"$[1]."a" Decimal { digits: "2.50", precision: None }"#,
                r#"$[1]."b\""[0] Bytes { field_type: 15, bytes: [0, 255] }"#,
                r#"$[1]."b\""[1] Unsigned(3)"#,
                r#"$[2]."" Date("2024-01-02")"#,
            ]
        );
    }

    #[test]
    fn a_list_that_does_not_fit_is_refused() {
        let text = r#"[1, "x", "base64:type15:AA=="]"#;
        for list in [
            "[]",
            r#"[[4, "DATE", "x"]]"#,
            r#"[[1, "UNSIGNED INTEGER", 2]]"#,
            r#"[[2, "DATE", "x"]]"#,
            r#"[[2, "BLOB", null]]"#,
            r#"[[1, "NEWTYPE", 1]]"#,
            r#"[[1, "DECIMAL", 1], [1, "DECIMAL", 1]]"#,
            r#"[[0, "DECIMAL", 1]]"#,
        ] {
            assert_eq!(typed_leaves(text, list), Err(TextError::List), "{list}");
        }
        let list = r#"[[1, "DECIMAL", 1]]"#;
        for text in ["", "[1", "[1}", "[1]]", "{1}", "[1 2]", r#"["a]"#, "[,]"] {
            assert!(typed_leaves(text, list).is_err(), "{text}");
        }
    }

    #[test]
    fn base64_of_the_server_is_decoded() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("VQ==", Some(b"U")),
            ("YWI=", Some(b"ab")),
            ("YW\\nJj", Some(b"abc")),
            ("/////w==", Some(b"\xff\xff\xff\xff")),
            ("A", None),
            ("=AAA", None),
            ("AA=A", None),
            ("====", None),
            ("A*AA", None),
        ] {
            assert_eq!(decode_base64(text).as_deref(), bytes, "{text}");
        }
    }

    #[test]
    fn decimals_have_a_form() {
        for (shown, is_one) in [
            ("0", true),
            ("-0.05", true),
            ("12.340", true),
            ("1e5", false),
            ("-", false),
            (".5", false),
            ("1.5)", false),
        ] {
            assert_eq!(decimal(shown).is_some(), is_one, "{shown}");
        }
    }
}
