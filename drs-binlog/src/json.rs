//! JSON as the server stores it: a binary tree that can be walked without being unpacked.
//!
//! A container (object or array) begins with its number of members and its
//! size in bytes, then come the entries of the keys (offset and length), the
//! entries of the values (type and offset, or the value itself if it is small
//! enough), the keys and the values. Offsets count from the container's
//! start. Small containers have 2-byte numbers, large ones 4-byte numbers.
mod opaque;
mod text;

use std::fmt;

use crate::{Error, EventType, Reader, Result, hidden::Hidden};

pub use opaque::{JsonOpaque, JsonOpaqueValue};

/// The deepest nesting that the server accepts.
pub const JSON_DEPTH_MAX: usize = 100;

const SMALL_OBJECT: u8 = 0x00;
const LARGE_OBJECT: u8 = 0x01;
const SMALL_ARRAY: u8 = 0x02;
const LARGE_ARRAY: u8 = 0x03;
const LITERAL: u8 = 0x04;
const INT16: u8 = 0x05;
const UINT16: u8 = 0x06;
const INT32: u8 = 0x07;
const UINT32: u8 = 0x08;
const INT64: u8 = 0x09;
const UINT64: u8 = 0x0a;
const DOUBLE: u8 = 0x0b;
const STRING: u8 = 0x0c;
const OPAQUE: u8 = 0x0f;

/// A JSON document in the server's binary form, borrowed and not yet read.
#[derive(Clone, Copy)]
pub struct Json<'a> {
    bytes: &'a [u8],
    origin: Origin,
}

/// One value of a document. Scalars keep the type that `JSON_TYPE()` shows.
#[derive(Clone, Copy, PartialEq)]
pub enum JsonValue<'a> {
    /// `null`; also what the server takes an empty document for.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// INTEGER.
    Int(i64),
    /// UNSIGNED INTEGER.
    UInt(u64),
    /// DOUBLE.
    Double(f64),
    /// STRING: utf8mb4, as stored, not checked.
    String(&'a [u8]),
    /// A value of an SQL type that JSON has no type for: DECIMAL, DATE, BLOB and others.
    Opaque(JsonOpaque<'a>),
    /// OBJECT.
    Object(JsonObject<'a>),
    /// ARRAY.
    Array(JsonArray<'a>),
}

/// An object: its members in stored order, which is by key length and then by key bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JsonObject<'a>(Container<'a>);

/// An array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JsonArray<'a>(Container<'a>);

impl<'a> Json<'a> {
    /// A document in these bytes; nothing is read yet.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            origin: Origin {
                base: 0,
                event_type: EventType::UNKNOWN,
            },
        }
    }

    /// A document that begins `base` bytes into an event, for errors that name the place.
    pub(crate) fn in_event(bytes: &'a [u8], base: usize, event_type: EventType) -> Self {
        Self {
            bytes,
            origin: Origin {
                base: u32::try_from(base).unwrap_or(u32::MAX),
                event_type,
            },
        }
    }

    /// The stored bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The topmost value.
    ///
    /// Every step down from here is checked against the bounds and the depth
    /// limit. Members of bytes that were never a document may overlap each
    /// other, though, so that a walk over all of them could take for ever:
    /// [`Json::validate`] before a walk rules that out.
    pub fn root(&self) -> Result<JsonValue<'a>> {
        let Some((kind, rest)) = self.bytes.split_first() else {
            return Ok(JsonValue::Null);
        };
        value_at(*kind, rest, self.origin.plus(1), 0)
    }

    /// Reads all of the document once: whatever walks it afterwards meets no error and takes linear time.
    pub fn validate(&self) -> Result<()> {
        let mut budget = Budget::of(self);
        validate_value(self.root()?, &mut budget)
    }

    /// Appends the text that `SELECT` gives for the document, byte for byte.
    pub fn append_text(&self, out: &mut Vec<u8>) -> Result<()> {
        text::append_value(&self.root()?, &mut Budget::of(self), out)
    }

    /// The text of [`Json::append_text`]; an error too if the document's strings are not UTF-8.
    pub fn to_text(&self) -> Result<String> {
        let mut out = Vec::with_capacity(self.bytes.len() + 16);
        self.append_text(&mut out)?;
        String::from_utf8(out).map_err(|_| self.origin.malformed("a JSON string is not UTF-8"))
    }
}

impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({} bytes)", self.bytes.len())
    }
}

/// The kind and size alone: what a document says is a user's data.
impl fmt::Debug for JsonValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Bool(_) => f.write_str("Bool"),
            Self::Int(_) => f.write_str("Int"),
            Self::UInt(_) => f.write_str("UInt"),
            Self::Double(_) => f.write_str("Double"),
            Self::String(bytes) => f.debug_tuple("String").field(&Hidden(bytes.len())).finish(),
            Self::Opaque(opaque) => opaque.fmt(f),
            Self::Object(object) => object.fmt(f),
            Self::Array(array) => array.fmt(f),
        }
    }
}

impl<'a> JsonObject<'a> {
    /// The number of members.
    pub fn len(&self) -> usize {
        self.0.count
    }

    /// True for `{}`.
    pub fn is_empty(&self) -> bool {
        self.0.count == 0
    }

    /// Keys (utf8mb4, as stored) and values.
    pub fn members(&self) -> impl Iterator<Item = Result<(&'a [u8], JsonValue<'a>)>> + use<'a> {
        let container = self.0;
        (0..container.count).map(move |index| Ok((container.key(index)?, container.value(index)?)))
    }
}

impl<'a> JsonArray<'a> {
    /// The number of elements.
    pub fn len(&self) -> usize {
        self.0.count
    }

    /// True for `[]`.
    pub fn is_empty(&self) -> bool {
        self.0.count == 0
    }

    /// The elements in order.
    pub fn elements(&self) -> impl Iterator<Item = Result<JsonValue<'a>>> + use<'a> {
        let container = self.0;
        (0..container.count).map(move |index| container.value(index))
    }
}

/// Where a part of a document lies in its event.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Origin {
    base: u32,
    event_type: EventType,
}

impl Origin {
    fn plus(self, offset: usize) -> Self {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            base: self.base.saturating_add(offset),
            ..self
        }
    }

    fn malformed(self, reason: &'static str) -> Error {
        Error::Malformed {
            event_type: self.event_type,
            offset: self.base as usize,
            reason,
        }
    }

    fn reader(self, bytes: &[u8]) -> Reader<'_> {
        Reader::new(bytes, self.base as usize, self.event_type)
    }
}

/// The bytes that the parts of a document may still take up.
///
/// Parts of a document that the server made never overlap, so they are
/// together no longer than the document; whoever asks for more is walking
/// in circles.
struct Budget {
    bytes_left: usize,
    origin: Origin,
}

impl Budget {
    fn of(json: &Json<'_>) -> Self {
        Self {
            bytes_left: json.bytes.len(),
            origin: json.origin,
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<()> {
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                Ok(())
            }
            None => Err(self.origin.malformed("parts of a JSON document overlap")),
        }
    }

    /// Pays for a container's header and entries.
    fn enter(&mut self, container: &Container<'_>) -> Result<()> {
        self.spend(container.keys_end())
    }
}

fn validate_value(value: JsonValue<'_>, budget: &mut Budget) -> Result<()> {
    match value {
        JsonValue::String(bytes) => budget.spend(bytes.len()),
        JsonValue::Opaque(opaque) => {
            opaque.value()?;
            budget.spend(opaque.bytes().len())
        }
        JsonValue::Object(object) => {
            budget.enter(&object.0)?;
            for member in object.members() {
                let (key, value) = member?;
                budget.spend(key.len())?;
                validate_value(value, budget)?;
            }
            Ok(())
        }
        JsonValue::Array(array) => {
            budget.enter(&array.0)?;
            array
                .elements()
                .try_for_each(|element| validate_value(element?, budget))
        }
        _ => Ok(()),
    }
}

impl fmt::Debug for Container<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} members in {} bytes", self.count, self.bytes.len())
    }
}

/// An object or an array: `bytes` is exactly its own part of the document.
#[derive(Clone, Copy, PartialEq)]
struct Container<'a> {
    bytes: &'a [u8],
    origin: Origin,
    count: usize,
    /// 2 or 4: the width of counts, sizes and offsets.
    width: usize,
    is_object: bool,
    /// How many containers this one is in, itself included.
    depth: usize,
}

impl<'a> Container<'a> {
    fn parse(
        bytes: &'a [u8],
        origin: Origin,
        is_object: bool,
        large: bool,
        depth: usize,
    ) -> Result<Self> {
        if depth > JSON_DEPTH_MAX {
            return Err(origin.malformed("a JSON document is nested too deeply"));
        }
        let width = if large { 4 } else { 2 };
        let mut reader = origin.reader(bytes);
        let count = reader.uint_le(width)? as usize;
        let size = reader.uint_le(width)? as usize;
        let Some(bytes) = bytes.get(..size) else {
            return Err(origin.malformed("a JSON container is larger than its document"));
        };
        let container = Self {
            bytes,
            origin,
            count,
            width,
            is_object,
            depth,
        };
        // Counts have at most 32 bits and entries 11 bytes, so that this does not overflow.
        if container.keys_end() > size {
            return Err(origin.malformed("a JSON container has more members than room"));
        }
        Ok(container)
    }

    fn key_entry_len(&self) -> usize {
        if self.is_object { self.width + 2 } else { 0 }
    }

    fn value_entries(&self) -> usize {
        2 * self.width + self.count.saturating_mul(self.key_entry_len())
    }

    /// Where the entries end and keys and values begin.
    fn keys_end(&self) -> usize {
        self.value_entries()
            .saturating_add(self.count.saturating_mul(1 + self.width))
    }

    fn from(&self, offset: usize) -> Result<&'a [u8]> {
        match self.bytes.get(offset..) {
            Some(bytes) if offset >= self.keys_end() => Ok(bytes),
            _ => Err(self
                .origin
                .malformed("a JSON offset points outside its container")),
        }
    }

    fn key(&self, index: usize) -> Result<&'a [u8]> {
        let entry = 2 * self.width + index * self.key_entry_len();
        let mut reader = self
            .origin
            .plus(entry)
            .reader(self.bytes.get(entry..).unwrap_or_default());
        let offset = reader.uint_le(self.width)? as usize;
        let len = usize::from(reader.u16()?);
        self.from(offset)?.get(..len).ok_or_else(|| {
            self.origin
                .malformed("a JSON key is longer than its container")
        })
    }

    fn value(&self, index: usize) -> Result<JsonValue<'a>> {
        let entry = self.value_entries() + index * (1 + self.width);
        let mut reader = self
            .origin
            .plus(entry)
            .reader(self.bytes.get(entry..).unwrap_or_default());
        let kind = reader.u8()?;
        let field = reader.uint_le(self.width)?;
        // Values that fit the place of the offset stand there instead of it.
        match (kind, self.width) {
            (LITERAL, _) => literal(field, self.origin),
            (INT16, _) => Ok(JsonValue::Int(i64::from(field as u16 as i16))),
            (UINT16, _) => Ok(JsonValue::UInt(u64::from(field as u16))),
            (INT32, 4) => Ok(JsonValue::Int(i64::from(field as u32 as i32))),
            (UINT32, 4) => Ok(JsonValue::UInt(field)),
            _ => {
                let offset = field as usize;
                value_at(
                    kind,
                    self.from(offset)?,
                    self.origin.plus(offset),
                    self.depth,
                )
            }
        }
    }
}

/// The value of this type at the start of `bytes`.
fn value_at<'a>(kind: u8, bytes: &'a [u8], origin: Origin, depth: usize) -> Result<JsonValue<'a>> {
    let mut reader = origin.reader(bytes);
    Ok(match kind {
        SMALL_OBJECT => JsonValue::Object(JsonObject(Container::parse(
            bytes,
            origin,
            true,
            false,
            depth + 1,
        )?)),
        LARGE_OBJECT => JsonValue::Object(JsonObject(Container::parse(
            bytes,
            origin,
            true,
            true,
            depth + 1,
        )?)),
        SMALL_ARRAY => JsonValue::Array(JsonArray(Container::parse(
            bytes,
            origin,
            false,
            false,
            depth + 1,
        )?)),
        LARGE_ARRAY => JsonValue::Array(JsonArray(Container::parse(
            bytes,
            origin,
            false,
            true,
            depth + 1,
        )?)),
        LITERAL => literal(u64::from(reader.u8()?), origin)?,
        INT16 => JsonValue::Int(i64::from(reader.u16()? as i16)),
        UINT16 => JsonValue::UInt(u64::from(reader.u16()?)),
        INT32 => JsonValue::Int(i64::from(reader.u32()? as i32)),
        UINT32 => JsonValue::UInt(u64::from(reader.u32()?)),
        INT64 => JsonValue::Int(reader.u64()? as i64),
        UINT64 => JsonValue::UInt(reader.u64()?),
        DOUBLE => JsonValue::Double(f64::from_bits(reader.u64()?)),
        STRING => {
            let len = variable_len(&mut reader)?;
            JsonValue::String(reader.take(len)?)
        }
        OPAQUE => {
            let field_type = reader.u8()?;
            let len = variable_len(&mut reader)?;
            JsonValue::Opaque(JsonOpaque::new(field_type, reader.take(len)?, origin))
        }
        _ => return Err(origin.malformed("an unknown type of JSON value")),
    })
}

fn literal<'a>(code: u64, origin: Origin) -> Result<JsonValue<'a>> {
    match code {
        0 => Ok(JsonValue::Null),
        1 => Ok(JsonValue::Bool(true)),
        2 => Ok(JsonValue::Bool(false)),
        _ => Err(origin.malformed("an unknown JSON literal")),
    }
}

/// A length in groups of 7 bits, lowest first, of which all but the last have the high bit set.
fn variable_len(reader: &mut Reader<'_>) -> Result<usize> {
    let mut len = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        let byte = reader.u8()?;
        len |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return match usize::try_from(len) {
                Ok(len) if len <= reader.remaining() => Ok(len),
                _ => Err(reader.malformed("a JSON string is longer than its document")),
            };
        }
    }
    Err(reader.malformed("a JSON length has too many bytes"))
}

/// For [`crate::fuzz`].
pub fn fuzz_json(data: &[u8]) {
    let json = Json::new(data);
    let mut text = Vec::new();
    let printed = json.append_text(&mut text);
    // Base64 and escapes make a text longer than its document, but only so many times.
    assert!(
        text.len() <= 64 + data.len() * 12,
        "{} bytes became {}",
        data.len(),
        text.len()
    );
    assert_eq!(printed.is_ok(), json.validate().is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Vec<u8> {
        // Arrays of one element, from the inside out.
        let mut body = vec![0, 0, 4, 0];
        for _ in 1..depth {
            let mut outer = vec![1, 0];
            outer.extend(u16::try_from(7 + body.len()).unwrap().to_le_bytes());
            outer.extend([SMALL_ARRAY, 7, 0]);
            outer.extend(body);
            body = outer;
        }
        [vec![SMALL_ARRAY], body].concat()
    }

    #[test]
    fn depth_limit_is_the_servers() {
        assert_eq!(
            Json::new(&nested(100)).to_text().unwrap(),
            "[".repeat(100) + &"]".repeat(100)
        );
        assert!(Json::new(&nested(101)).to_text().is_err());
        assert!(Json::new(&nested(101)).validate().is_err());
    }

    #[test]
    fn overlapping_members_are_refused() {
        // Each array's two elements are both the next array: 2^n values in 10n bytes.
        let levels = 60_u16;
        let mut bytes = vec![SMALL_ARRAY];
        for level in 0..levels {
            let size = (levels - level) * 10 + 4;
            bytes.extend([2, 0]);
            bytes.extend(size.to_le_bytes());
            bytes.extend([SMALL_ARRAY, 10, 0, SMALL_ARRAY, 10, 0]);
        }
        bytes.extend([0, 0, 4, 0]);
        let json = Json::new(&bytes);
        assert!(json.root().is_ok());
        assert!(json.validate().unwrap_err().to_string().contains("overlap"));
        assert!(json.to_text().is_err());
    }

    #[test]
    fn scalars_at_the_top() {
        for (bytes, text) in [
            (&[][..], "null"),
            (&[LITERAL, 0], "null"),
            (&[LITERAL, 1], "true"),
            (&[LITERAL, 2], "false"),
            (&[INT16, 0xff, 0xff], "-1"),
            (&[UINT16, 0xff, 0xff], "65535"),
            (&[INT32, 0, 0, 0, 0x80], "-2147483648"),
            (&[UINT32, 0, 0, 0, 0x80], "2147483648"),
            (&[INT64, 0, 0, 0, 0, 0, 0, 0, 0x80], "-9223372036854775808"),
            (
                &[UINT64, 255, 255, 255, 255, 255, 255, 255, 255],
                "18446744073709551615",
            ),
            (&[STRING, 1, b'x'], "\"x\""),
        ] {
            let json = Json::new(bytes);
            assert_eq!(json.to_text().unwrap(), text);
            json.validate().unwrap();
        }
        for bytes in [
            &[LITERAL, 3][..],
            &[INT16, 1],
            &[STRING, 2, b'x'],
            &[0x0d],
            &[STRING, 0x80, 0x80, 0x80, 0x80, 0x80],
        ] {
            assert!(Json::new(bytes).to_text().is_err(), "{bytes:x?}");
        }
    }
}
