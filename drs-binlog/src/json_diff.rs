//! The changes of a partial JSON update (`binlog_row_value_options = PARTIAL_JSON`).
use crate::{EventType, Json, Reader, Result, hidden::Hidden};

/// What one change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonDiffOperation {
    /// The value at the path, which exists, becomes another: `JSON_REPLACE`.
    Replace,
    /// A value that was not there is put at the path: `JSON_INSERT` for a member, `JSON_ARRAY_INSERT` for an element.
    Insert,
    /// The value at the path goes: `JSON_REMOVE`.
    Remove,
}

/// One change of a stored JSON document.
#[derive(Clone, Copy, PartialEq)]
pub struct JsonDiff<'a> {
    /// What happens.
    pub operation: JsonDiffOperation,
    /// Where: a JSON path in its text form, utf8mb4, for instance `$.a[3]`.
    pub path: &'a [u8],
    /// The new value; none for a removal.
    pub value: Option<Json<'a>>,
}

/// The changes that turn the stored document into the new one, to be made in order.
#[derive(Clone, Copy)]
pub struct JsonDiffs<'a> {
    bytes: &'a [u8],
    base: u32,
    event_type: EventType,
}

impl<'a> JsonDiffs<'a> {
    /// The changes in these bytes, the length in front of them already taken off.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::in_event(bytes, 0, EventType::UNKNOWN)
    }

    pub(crate) fn in_event(bytes: &'a [u8], base: usize, event_type: EventType) -> Self {
        Self {
            bytes,
            base: u32::try_from(base).unwrap_or(u32::MAX),
            event_type,
        }
    }

    /// The stored bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The changes; nothing follows an error.
    pub fn iter(&self) -> impl Iterator<Item = Result<JsonDiff<'a>>> + use<'a> {
        let mut reader = Reader::new(self.bytes, self.base as usize, self.event_type);
        std::iter::from_fn(move || {
            if reader.is_empty() {
                return None;
            }
            let diff = read_diff(&mut reader);
            if diff.is_err() {
                reader.rest();
            }
            Some(diff)
        })
    }
}

impl std::fmt::Debug for JsonDiff<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonDiff")
            .field("operation", &self.operation)
            .field("path", &Hidden(self.path.len()))
            .field("value", &self.value)
            .finish()
    }
}

impl PartialEq for JsonDiffs<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl std::fmt::Debug for JsonDiffs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JsonDiffs({} bytes)", self.bytes.len())
    }
}

fn read_diff<'a>(reader: &mut Reader<'a>) -> Result<JsonDiff<'a>> {
    let operation = match reader.u8()? {
        0 => JsonDiffOperation::Replace,
        1 => JsonDiffOperation::Insert,
        2 => JsonDiffOperation::Remove,
        _ => return Err(reader.malformed("an unknown JSON diff operation")),
    };
    let len = reader.packed_len()?;
    let path = reader.take(len)?;
    let value = if operation == JsonDiffOperation::Remove {
        None
    } else {
        let len = reader.packed_len()?;
        let base = reader.offset();
        Some(Json::in_event(reader.take(len)?, base, reader.event_type()))
    };
    Ok(JsonDiff {
        operation,
        path,
        value,
    })
}

/// For [`crate::fuzz`].
pub fn fuzz_json_diff(data: &[u8]) {
    for diff in JsonDiffs::new(data).iter() {
        if let Some(value) = diff.ok().and_then(|diff| diff.value) {
            let _ = value.to_text();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_operation() {
        let bytes = b"\x00\x03$.a\x03\x05\x01\x00\x01\x04$[0]\x02\x04\x01\x02\x03$.b";
        let diffs: Vec<_> = JsonDiffs::new(bytes)
            .iter()
            .map(|diff| {
                let diff = diff.unwrap();
                (
                    diff.operation,
                    diff.path,
                    diff.value.map(|value| value.to_text().unwrap()),
                )
            })
            .collect();
        assert_eq!(
            diffs,
            [
                (
                    JsonDiffOperation::Replace,
                    &b"$.a"[..],
                    Some("1".to_owned())
                ),
                (JsonDiffOperation::Insert, b"$[0]", Some("true".to_owned())),
                (JsonDiffOperation::Remove, b"$.b", None),
            ]
        );
    }

    #[test]
    fn malformed_diffs_end_the_walk() {
        for bytes in [
            &b"\x03\x01$"[..],
            b"\x00\x05$",
            b"\x00\x01$\x02\x04",
            b"\x00\x01$",
            b"\x02\xfb",
        ] {
            let results: Vec<_> = JsonDiffs::new(bytes).iter().collect();
            assert!(matches!(results.as_slice(), [Err(_)]), "{results:?}");
        }
    }
}
