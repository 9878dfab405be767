//! The values of a document of the log whose type its text does not tell.

use std::{borrow::Cow, fmt::Write};

use drs_binlog::{Json, JsonOpaque, JsonOpaqueValue, JsonValue};

use super::{
    JsonError, not_utf8,
    typed::{Leaf, Place, Typed, reads_as_unsigned},
};

/// All such values; the document must be valid.
pub(super) fn leaves<'a>(document: &Json<'a>) -> Result<Vec<Leaf<'a>>, JsonError> {
    let mut walk = Walk {
        path: String::from("$"),
        elements: 0,
        members: 0,
        found: Vec::new(),
    };
    walk.value(&document.root()?, At::Root)?;
    let elements = walk.elements;
    let leaf = |(path, at, value)| Leaf {
        path,
        place: match at {
            At::Root => Place::Root,
            At::Element(number) => Place::Listed(number),
            At::Member(number) => Place::Listed(elements + number),
        },
        value,
    };
    Ok(walk.found.into_iter().map(leaf).collect())
}

#[derive(Clone, Copy)]
enum At {
    Root,
    Element(u64),
    Member(u64),
}

struct Walk<'a> {
    path: String,
    /// Elements and members of the containers that were entered.
    elements: u64,
    members: u64,
    found: Vec<(String, At, Typed<'a>)>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, value: &JsonValue<'a>, at: At) -> Result<(), JsonError> {
        let path_len = self.path.len();
        let typed = match value {
            JsonValue::Array(array) => {
                let first = self.elements + 1;
                self.elements += array.len() as u64;
                for (index, element) in array.elements().enumerate() {
                    _ = write!(self.path, "[{index}]");
                    self.value(&element?, At::Element(first + index as u64))?;
                    self.path.truncate(path_len);
                }
                return Ok(());
            }
            JsonValue::Object(object) => {
                let first = self.members + 1;
                self.members += object.len() as u64;
                for (index, member) in object.members().enumerate() {
                    let (key, value) = member?;
                    push_key(&mut self.path, key)?;
                    self.value(&value, At::Member(first + index as u64))?;
                    self.path.truncate(path_len);
                }
                return Ok(());
            }
            JsonValue::Int(number) if reads_as_unsigned(*number) => Typed::Signed(*number),
            JsonValue::UInt(number) => Typed::Unsigned(*number),
            JsonValue::Opaque(opaque) => typed(opaque)?,
            JsonValue::Null
            | JsonValue::Bool(_)
            | JsonValue::Int(_)
            | JsonValue::Double(_)
            | JsonValue::String(_) => return Ok(()),
        };
        self.found.push((self.path.clone(), at, typed));
        Ok(())
    }
}

fn typed<'a>(opaque: &JsonOpaque<'a>) -> Result<Typed<'a>, JsonError> {
    Ok(match opaque.value()? {
        JsonOpaqueValue::Decimal(number) => Typed::Decimal {
            digits: number.to_string(),
            precision: Some(usize::from(number.precision())),
        },
        JsonOpaqueValue::Date(date) => Typed::Date(date.to_string()),
        JsonOpaqueValue::Time(time) => Typed::Time(time.to_string()),
        JsonOpaqueValue::DateTime(time) => Typed::DateTime(time.to_string()),
        JsonOpaqueValue::Timestamp(time) => Typed::Timestamp(time.to_string()),
        JsonOpaqueValue::Bytes(bytes) => Typed::Bytes {
            field_type: opaque.field_type(),
            bytes: Cow::Borrowed(bytes),
        },
    })
}

/// `."key"`, with JSON's escapes.
fn push_key(path: &mut String, key: &[u8]) -> Result<(), JsonError> {
    path.push_str(".\"");
    for c in std::str::from_utf8(key).map_err(|_| not_utf8())?.chars() {
        match c {
            '"' | '\\' => {
                path.push('\\');
                path.push(c);
            }
            '\0'..='\x1f' => _ = write!(path, "\\u{:04x}", u32::from(c)),
            c => path.push(c),
        }
    }
    path.push('"');
    Ok(())
}
