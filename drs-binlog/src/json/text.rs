//! The text of a JSON document, equal to the server's own.
use std::io::Write;

use super::{Budget, JsonOpaque, JsonOpaqueValue, JsonValue};
use crate::Result;

/// Appends a value and all that is in it.
pub(super) fn append_value(
    value: &JsonValue<'_>,
    budget: &mut Budget,
    out: &mut Vec<u8>,
) -> Result<()> {
    match value {
        JsonValue::Null => out.extend(b"null"),
        JsonValue::Bool(true) => out.extend(b"true"),
        JsonValue::Bool(false) => out.extend(b"false"),
        JsonValue::Int(number) => append_display(number, out),
        JsonValue::UInt(number) => append_display(number, out),
        JsonValue::Double(number) => append_double(*number, out),
        JsonValue::String(text) => {
            budget.spend(text.len())?;
            append_quoted(text, out);
        }
        JsonValue::Opaque(opaque) => {
            budget.spend(opaque.bytes().len())?;
            append_opaque(opaque, out)?;
        }
        JsonValue::Object(object) => {
            budget.enter(&object.0)?;
            out.push(b'{');
            for (index, member) in object.members().enumerate() {
                let (key, value) = member?;
                if index > 0 {
                    out.extend(b", ");
                }
                budget.spend(key.len())?;
                append_quoted(key, out);
                out.extend(b": ");
                append_value(&value, budget, out)?;
            }
            out.push(b'}');
        }
        JsonValue::Array(array) => {
            budget.enter(&array.0)?;
            out.push(b'[');
            for (index, element) in array.elements().enumerate() {
                if index > 0 {
                    out.extend(b", ");
                }
                append_value(&element?, budget, out)?;
            }
            out.push(b']');
        }
    }
    Ok(())
}

fn append_display(value: &dyn std::fmt::Display, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{value}");
}

fn append_opaque(opaque: &JsonOpaque<'_>, out: &mut Vec<u8>) -> Result<()> {
    match opaque.value()? {
        JsonOpaqueValue::Decimal(number) => append_display(&number, out),
        JsonOpaqueValue::Date(date) => append_display(&format_args!("\"{date}\""), out),
        JsonOpaqueValue::Time(time) => append_display(&format_args!("\"{time}\""), out),
        JsonOpaqueValue::DateTime(at) | JsonOpaqueValue::Timestamp(at) => {
            append_display(&format_args!("\"{at}\""), out);
        }
        JsonOpaqueValue::Bytes(bytes) => {
            append_display(&format_args!("\"base64:type{}:", opaque.field_type()), out);
            append_base64(bytes, out);
            out.push(b'"');
        }
    }
    Ok(())
}

/// The string in double quotes, with JSON's escapes.
fn append_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        match byte {
            b'"' => out.extend(b"\\\""),
            b'\\' => out.extend(b"\\\\"),
            0x08 => out.extend(b"\\b"),
            0x0c => out.extend(b"\\f"),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0..0x20 => append_display(&format_args!("\\u{byte:04x}"), out),
            _ => out.push(*byte),
        }
    }
    out.push(b'"');
}

/// A number in the fewest digits that read back as the same double, and with a point or an exponent.
///
/// The server's rule: the plain form while the decimal point has at most 15
/// digits or some fraction behind it, and at most 14 zeros between it and the
/// first digit; the exponent form without padding otherwise.
fn append_double(number: f64, out: &mut Vec<u8>) {
    let start = out.len();
    append_display(&format_args!("{number:e}"), out);
    let scientific = out.split_off(start);
    let (sign, rest) = match scientific.split_first() {
        Some((b'-', rest)) => (&b"-"[..], rest),
        _ => (&b""[..], scientific.as_slice()),
    };
    let at = rest
        .iter()
        .position(|byte| *byte == b'e')
        .unwrap_or(rest.len());
    let (mantissa, exponent) = rest.split_at(at);
    let exponent: i32 = std::str::from_utf8(exponent.get(1..).unwrap_or_default())
        .unwrap_or_default()
        .parse()
        .unwrap_or_default();
    let digits = || mantissa.iter().filter(|byte| **byte != b'.');
    let count = digits().count();
    // Where the point stands, in digits after the first one's left edge.
    let point = exponent + 1;
    out.extend(sign);
    match usize::try_from(point) {
        Ok(point @ 1..) if point <= 15 || count > point => {
            out.extend(digits().take(point));
            out.extend(std::iter::repeat_n(b'0', point.saturating_sub(count)));
            out.push(b'.');
            out.extend(digits().skip(point));
            if count <= point {
                out.push(b'0');
            }
        }
        _ if number == 0.0 => out.extend(b"0.0"),
        _ if (-14..=0).contains(&point) => {
            out.extend(b"0.");
            out.extend(std::iter::repeat_n(b'0', point.unsigned_abs() as usize));
            out.extend(digits());
        }
        _ => {
            out.extend(mantissa);
            append_display(&format_args!("e{exponent}"), out);
        }
    }
}

/// Base64 in lines of 76 characters; the line ends show as the escape `\n`, as in the server's text.
fn append_base64(bytes: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (line, chunk) in bytes.chunks(57).enumerate() {
        if line > 0 {
            out.extend(b"\\n");
        }
        for three in chunk.chunks(3) {
            let group = (0..3).fold(0_u32, |group, index| {
                group << 8 | u32::from(three.get(index).copied().unwrap_or(0))
            });
            for index in 0..4 {
                let sextet = (group >> (18 - 6 * index) & 63) as usize;
                let letter = ALPHABET.get(sextet).copied().unwrap_or(b'=');
                out.push(if index <= three.len() { letter } else { b'=' });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_as_the_server_prints_them() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.30000000000000004"),
            (100_000.0, "100000.0"),
            (1e14, "100000000000000.0"),
            (1e15, "1e15"),
            (1_234_567_890_123_456.8, "1234567890123456.8"),
            (123_456_789_012_345.6, "123456789012345.6"),
            (1e20, "1e20"),
            (1.25e-10, "0.000000000125"),
            (1e-15, "0.000000000000001"),
            (1e-16, "1e-16"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e308"),
        ] {
            let mut out = Vec::new();
            append_double(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn base64() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"U", "VQ=="),
            (b"ab", "YWI="),
            (b"abc", "YWJj"),
            (b"\xff\xff\xff\xff", "/////w=="),
        ] {
            let mut out = Vec::new();
            append_base64(bytes, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
