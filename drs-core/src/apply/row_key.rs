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
    let mut found = 0;
    for item in image.values() {
        let (ordinal, value) = item?;
        if key.parts.iter().any(|part| part.column == Some(ordinal)) {
            if !append_value(out, &value) {
                return Ok(None);
            }
            found += 1;
            if found == key.parts.len() {
                return Ok(Some(()));
            }
        }
    }
    Ok(None)
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
