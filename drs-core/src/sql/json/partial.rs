//! Partial updates of documents (`binlog_row_value_options = PARTIAL_JSON`).

use drs_binlog::{Json, JsonDiff, JsonDiffOperation, JsonDiffs, JsonValue};

use super::{JsonError, write_value};
use crate::sql::write_text;

/// Without the row's old document, each change is written once for every later one, to check
/// that it can be made; so there may be only so many.
const UNCHECKED_CHANGES_MAX: usize = 32;

/// What a partial update is made to.
pub(crate) enum Base<'a> {
    /// The document that the log says was there.
    Document(Json<'a>),
    /// The column of the destination's row, under this quoted name.
    Column(&'a str),
}

/// Writes the new document as an expression: the changes made to the old one, in order.
pub(crate) fn write_partial(
    out: &mut String,
    diffs: &JsonDiffs<'_>,
    base: &Base<'_>,
) -> Result<(), JsonError> {
    let mut calls = String::new();
    let mut functions = Vec::new();
    for diff in diffs.iter() {
        let diff = diff?;
        let function = function(&diff)?;
        // A function makes the changes it is given in order, so that one call may have many.
        if functions.last() != Some(&function) {
            if !functions.is_empty() {
                calls.push(')');
            }
            functions.push(function);
        }
        write_arguments(&mut calls, &diff, write_value)?;
    }
    if !functions.is_empty() {
        calls.push(')');
    }
    for function in functions.into_iter().rev() {
        out.push_str(function);
    }
    match base {
        Base::Document(document) => write_value(out, document)?,
        Base::Column(name) => out.push_str(name),
    }
    out.push_str(&calls);
    Ok(())
}

/// Writes the condition that every change of a partial update can be made to the column's
/// document: JSON functions leave out what can't be done, without a word.
pub(crate) fn write_partial_condition(
    out: &mut String,
    diffs: &JsonDiffs<'_>,
    quoted_name: &str,
) -> Result<(), JsonError> {
    let mut document = quoted_name.to_owned();
    for (index, diff) in diffs.iter().enumerate() {
        if index == UNCHECKED_CHANGES_MAX {
            return Err(JsonError::Unwritable(format!(
                "it is changed in more than {UNCHECKED_CHANGES_MAX} places, and the log does not hold what it was \
                 before; set binlog_row_image=FULL or binlog_row_value_options='' at the source"
            )));
        }
        let diff = diff?;
        let path = path(&diff)?;
        if index > 0 {
            out.push_str(" AND ");
        }
        match (diff.operation, split(path)) {
            (JsonDiffOperation::Replace | JsonDiffOperation::Remove, _) => {
                write_is_there(out, &document, path);
            }
            (JsonDiffOperation::Insert, Some((parent, Last::Element))) => {
                write_type(out, &document, parent, "ARRAY");
            }
            (JsonDiffOperation::Insert, Some((parent, Last::Member))) => {
                write_type(out, &document, parent, "OBJECT");
                out.push_str(" AND NOT ");
                write_is_there(out, &document, path);
            }
            (JsonDiffOperation::Insert, None) => return Err(odd_path()),
        }
        document = changed(&document, &diff)?;
    }
    Ok(())
}

/// The document after one more change, as far as later changes can tell.
fn changed(document: &str, diff: &JsonDiff<'_>) -> Result<String, JsonError> {
    let mut out = String::from(function(diff)?);
    out.push_str(document);
    write_arguments(&mut out, diff, write_shape)?;
    out.push(')');
    Ok(out)
}

/// Writes a value whose paths are those of another: long values would make a statement that
/// holds each of them many times.
fn write_shape(out: &mut String, value: &Json<'_>) -> Result<(), JsonError> {
    match value.root()? {
        JsonValue::Array(_) | JsonValue::Object(_) => write_value(out, value)?,
        _ => out.push('0'),
    }
    Ok(())
}

fn function(diff: &JsonDiff<'_>) -> Result<&'static str, JsonError> {
    Ok(match (diff.operation, split(path(diff)?)) {
        (JsonDiffOperation::Replace, _) => "JSON_REPLACE(",
        (JsonDiffOperation::Remove, _) => "JSON_REMOVE(",
        (JsonDiffOperation::Insert, Some((_, Last::Member))) => "JSON_INSERT(",
        // At an end that is not there yet the element is appended.
        (JsonDiffOperation::Insert, Some((_, Last::Element))) => "JSON_ARRAY_INSERT(",
        (JsonDiffOperation::Insert, None) => return Err(odd_path()),
    })
}

fn write_arguments(
    out: &mut String,
    diff: &JsonDiff<'_>,
    write: fn(&mut String, &Json<'_>) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    out.push(',');
    write_text(out, path(diff)?);
    if let Some(value) = &diff.value {
        out.push(',');
        write(out, value)?;
    }
    Ok(())
}

fn path<'a>(diff: &JsonDiff<'a>) -> Result<&'a str, JsonError> {
    std::str::from_utf8(diff.path).map_err(|_| odd_path())
}

enum Last {
    Element,
    Member,
}

/// A path without its last leg, and the kind of that leg.
fn split(path: &str) -> Option<(&str, Last)> {
    if path.ends_with(']') {
        let (parent, _) = path.rsplit_once('[')?;
        return Some((parent, Last::Element));
    }
    let bytes = path.as_bytes();
    // A dot inside of quotes is a part of the key.
    let (mut at, mut dot, mut quoted) = (0, None, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'.' if !quoted => dot = Some(at),
            _ => {}
        }
        at += 1;
    }
    Some((path.get(..dot?)?, Last::Member))
}

fn write_is_there(out: &mut String, document: &str, path: &str) {
    out.push_str("JSON_CONTAINS_PATH(");
    out.push_str(document);
    out.push_str(",'one',");
    write_text(out, path);
    out.push(')');
}

fn write_type(out: &mut String, document: &str, path: &str, type_name: &str) {
    out.push_str("JSON_TYPE(JSON_EXTRACT(");
    out.push_str(document);
    out.push(',');
    write_text(out, path);
    out.push_str("))='");
    out.push_str(type_name);
    out.push('\'');
}

fn odd_path() -> JsonError {
    JsonError::Unwritable("a partial update of it has a path that is not understood".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_leg_is_found() {
        for (path, expected) in [
            ("$.a", Some(("$", false))),
            ("$.a[3]", Some(("$.a", true))),
            ("$[0].\"x.y\"", Some(("$[0]", false))),
            ("$.\"a\\\".b[0]\"", Some(("$", false))),
            ("$.a.\"\"", Some(("$.a", false))),
            ("$", None),
        ] {
            let found = split(path).map(|(parent, last)| (parent, matches!(last, Last::Element)));
            assert_eq!(found, expected, "{path}");
        }
    }
}
