use std::fmt::Write;

use drs_binlog::{Json, JsonOpaqueValue, JsonValue};

use super::{LiteralError, write_text};

/// Writes a JSON document as an expression that gives the same document, types of scalars included.
///
/// Text is enough as long as JSON itself has a type for every scalar; a document that
/// holds an SQL value (DECIMAL, DATE, …) is built with JSON functions.
pub(super) fn write_document(out: &mut String, document: &Json<'_>) -> Result<(), LiteralError> {
    document.validate()?;
    let root = document.root()?;
    if has_opaque(&root)? {
        // A scalar alone must be cast: assigning it would parse its text.
        out.push_str("CAST(");
        write_value(out, &root)?;
        out.push_str(" AS JSON)");
        return Ok(());
    }
    let mut text = Vec::new();
    document.append_text(&mut text)?;
    write_text(out, utf8(&text)?);
    Ok(())
}

fn utf8(bytes: &[u8]) -> Result<&str, LiteralError> {
    std::str::from_utf8(bytes).map_err(|_| LiteralError::Json {
        reason: "a string in it is not valid UTF-8",
    })
}

fn has_opaque(value: &JsonValue<'_>) -> Result<bool, LiteralError> {
    match value {
        JsonValue::Opaque(_) => return Ok(true),
        JsonValue::Object(object) => {
            for member in object.members() {
                if has_opaque(&member?.1)? {
                    return Ok(true);
                }
            }
        }
        JsonValue::Array(array) => {
            for element in array.elements() {
                if has_opaque(&element?)? {
                    return Ok(true);
                }
            }
        }
        _ => {}
    }
    Ok(false)
}

fn write_value(out: &mut String, value: &JsonValue<'_>) -> Result<(), LiteralError> {
    match value {
        JsonValue::Null => out.push_str("CAST('null' AS JSON)"),
        JsonValue::Bool(true) => out.push_str("CAST('true' AS JSON)"),
        JsonValue::Bool(false) => out.push_str("CAST('false' AS JSON)"),
        JsonValue::Int(number) => _ = write!(out, "CAST({number} AS SIGNED)"),
        JsonValue::UInt(number) => _ = write!(out, "CAST({number} AS UNSIGNED)"),
        JsonValue::Double(number) => _ = write!(out, "{number:e}"),
        JsonValue::String(bytes) => write_text(out, utf8(bytes)?),
        JsonValue::Opaque(opaque) => match opaque.value()? {
            JsonOpaqueValue::Decimal(number) => {
                _ = write!(
                    out,
                    "CAST({number} AS DECIMAL({},{}))",
                    number.precision(),
                    number.scale()
                );
            }
            JsonOpaqueValue::Date(date) => _ = write!(out, "CAST('{date}' AS DATE)"),
            JsonOpaqueValue::Time(time) => _ = write!(out, "CAST('{time}' AS TIME(6))"),
            JsonOpaqueValue::DateTime(time) => _ = write!(out, "CAST('{time}' AS DATETIME(6))"),
            JsonOpaqueValue::Timestamp(_) | JsonOpaqueValue::Bytes(_) => {
                return Err(LiteralError::Json {
                    reason: "it holds a TIMESTAMP, BIT or binary value, which no SQL expression is known to rebuild",
                });
            }
        },
        JsonValue::Object(object) => {
            out.push_str("JSON_OBJECT(");
            for (i, member) in object.members().enumerate() {
                let (key, value) = member?;
                if i > 0 {
                    out.push(',');
                }
                write_text(out, utf8(key)?);
                out.push(',');
                write_value(out, &value)?;
            }
            out.push(')');
        }
        JsonValue::Array(array) => {
            out.push_str("JSON_ARRAY(");
            for (i, element) in array.elements().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(out, &element?)?;
            }
            out.push(')');
        }
    }
    Ok(())
}
