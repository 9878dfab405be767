use drs_binlog::Value;

use super::Image;

use crate::schema::UniqueKey;

/// Appends the bytes that tell a row's key value from every other in the log.
///
/// Two images of one row always carry the same bytes, because the log holds what is
/// stored. `None` when the image does not carry every part, or a part is an expression.
pub(crate) fn append_key(
    out: &mut Vec<u8>,
    image: &Image<'_>,
    key: &UniqueKey,
) -> drs_binlog::Result<Option<()>> {
    for part in &key.parts {
        let Some(ordinal) = part.column else {
            return Ok(None);
        };
        match image.value(ordinal)? {
            Some(value) if append_value(out, &value) => {}
            _ => return Ok(None),
        }
    }
    // A key without parts tells nothing apart.
    Ok((!key.parts.is_empty()).then_some(()))
}

/// About where a row stands in its key's order, by the first two parts of the key: numbers as
/// numbers, everything else by its first bytes. It is for speed only.
pub(crate) fn key_place(image: &Image<'_>, key: &UniqueKey) -> drs_binlog::Result<u128> {
    let mut place = 0;
    for at in 0..2 {
        let part = match key.parts.get(at).and_then(|part| part.column) {
            Some(ordinal) => image.value(ordinal)?.map_or(0, |value| value_place(&value)),
            None => 0,
        };
        place = place << 64 | u128::from(part);
    }
    Ok(place)
}

fn value_place(value: &Value<'_>) -> u64 {
    let first_bytes = |bytes: &[u8]| {
        (0..8).fold(0, |place, at| {
            place << 8 | u64::from(bytes.get(at).copied().unwrap_or(0))
        })
    };
    match value {
        // Small numbers of both signs in order; a number above the signed ones wraps around.
        Value::Int { .. } => (value.as_signed().unwrap_or_default() as u64) ^ (1 << 63),
        Value::Bytes(bytes) => first_bytes(bytes),
        Value::Year(year) => u64::from(*year),
        Value::Date(date) => first_bytes(date.text().as_bytes()),
        Value::DateTime(time) => first_bytes(time.text().as_bytes()),
        Value::Timestamp(time) => u64::from(time.seconds) << 32 | u64::from(time.micros),
        Value::Enum(index) => u64::from(*index),
        _ => 0,
    }
}

/// Appends one value so that no two different values give the same bytes.
pub(crate) fn append_value(out: &mut Vec<u8>, value: &Value<'_>) -> bool {
    let mut fixed = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(bytes);
    };
    match value {
        Value::Null => fixed(0, &[]),
        Value::Int { bits, .. } => fixed(1, &bits.to_le_bytes()),
        Value::Float(number) => fixed(2, &number.to_bits().to_le_bytes()),
        Value::Double(number) => fixed(3, &number.to_bits().to_le_bytes()),
        Value::Decimal(number) => bytes(out, 4, number.bytes()),
        Value::Bit(bits) => bytes(out, 5, bits),
        Value::Year(year) => fixed(6, &year.to_le_bytes()),
        Value::Date(date) => bytes(out, 7, date.text().as_bytes()),
        Value::Time(time) => bytes(out, 8, time.text().as_bytes()),
        Value::DateTime(time) => bytes(out, 9, time.text().as_bytes()),
        Value::Timestamp(time) => {
            fixed(10, &time.seconds.to_le_bytes());
            out.extend_from_slice(&time.micros.to_le_bytes());
        }
        Value::Bytes(text) => bytes(out, 11, text),
        Value::Enum(index) => fixed(12, &index.to_le_bytes()),
        Value::Set(bits) => fixed(13, &bits.to_le_bytes()),
        Value::Geometry(_)
        | Value::Vector(_)
        | Value::Json(_)
        | Value::JsonDiff(_)
        | Value::Compressed(_) => return false,
    }
    true
}

fn bytes(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    out.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(value);
}
