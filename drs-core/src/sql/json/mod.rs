//! JSON documents as expressions that give the same document, types of scalars included.
//!
//! Text is enough as long as JSON itself has a type for every scalar. Where a document holds a
//! value of an SQL type (DECIMAL, DATE, BLOB, …) or an integer that the server takes from text as
//! one of the other sign (UNSIGNED INTEGER up to 32 bits, INTEGER beyond), the text is parsed by the server and such values are then put in their places, each
//! as an expression of its type.

mod binary;
mod partial;
mod text;
mod typed;

use drs_binlog::Json;

use super::{LiteralError, write_text};

pub(crate) use partial::{Base, write_partial, write_partial_condition};
pub(crate) use text::typed_leaves;

use typed::{Leaf, Place, TEXT_SIGNED_MAX};

/// Why a document cannot be written.
#[derive(Debug)]
pub(crate) enum JsonError {
    /// Its bytes are malformed.
    Decode(drs_binlog::Error),
    /// There is no expression for a part of it.
    Unwritable(String),
}

impl JsonError {
    /// Says which column it is about.
    pub(super) fn in_column(self, column: &str) -> LiteralError {
        match self {
            Self::Decode(error) => LiteralError::Decode(error),
            Self::Unwritable(reason) => LiteralError::Json {
                column: column.to_owned(),
                reason,
            },
        }
    }
}

impl From<drs_binlog::Error> for JsonError {
    fn from(error: drs_binlog::Error) -> Self {
        Self::Decode(error)
    }
}

/// Writes a document of the log as a value for a JSON column.
pub(super) fn write_document(out: &mut String, document: &Json<'_>) -> Result<(), JsonError> {
    let (text, leaves) = read(document)?;
    write_leaves(out, &text, &leaves)
}

/// Writes a document of the log as an expression whose type is JSON, for use in JSON functions.
fn write_value(out: &mut String, document: &Json<'_>) -> Result<(), JsonError> {
    let (text, leaves) = read(document)?;
    if leaves.iter().any(Leaf::is_lost_in_text) {
        return write_leaves(out, &text, &leaves);
    }
    out.push_str("CAST(");
    write_text(out, &text);
    out.push_str(" AS JSON)");
    Ok(())
}

/// Writes a document, given as its text and those of its values whose type the text does not
/// tell, as a value for a JSON column.
pub(crate) fn write_leaves(
    out: &mut String,
    text: &str,
    leaves: &[Leaf<'_>],
) -> Result<(), JsonError> {
    let mut lost = leaves.iter().filter(|leaf| leaf.is_lost_in_text());
    let Some(first) = lost.next() else {
        write_text(out, text);
        return Ok(());
    };
    if first.place == Place::Root {
        // Without the cast the text of a scalar would be parsed as JSON once more.
        out.push_str("CAST(");
        first.value.write(out)?;
        out.push_str(" AS JSON)");
        return Ok(());
    }
    out.push_str("JSON_REPLACE(CAST(");
    write_text(out, text);
    out.push_str(" AS JSON)");
    for leaf in std::iter::once(first).chain(lost) {
        out.push(',');
        write_text(out, &leaf.path);
        out.push(',');
        leaf.value.write(out)?;
    }
    out.push(')');
    Ok(())
}

/// Writes the condition that a column holds this very document, types of scalars included.
///
/// Documents compare as equal when their numbers do (1, 1.0, 1 without a sign), so their texts
/// and the types that texts do not tell are compared, too.
pub(super) fn write_match(
    out: &mut String,
    document: &Json<'_>,
    quoted_name: &str,
) -> Result<(), JsonError> {
    let (text, leaves) = read(document)?;
    out.push_str(quoted_name);
    out.push_str(" <=> ");
    write_value(out, document)?;
    out.push_str(" AND CAST(");
    out.push_str(quoted_name);
    out.push_str(" AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin = ");
    write_text(out, &text);
    out.push_str(" AND ");
    out.push_str(&typed_list(quoted_name, false));
    out.push_str(" <=> ");
    if leaves.is_empty() {
        out.push_str("NULL");
    } else {
        typed::write_list(out, &leaves);
    }
    Ok(())
}

/// The expression that lists the values of a document whose type its text does not tell: an
/// array of `[place, type]`, or of `[place, type, value]`; NULL when there are none.
///
/// Places count the elements of all arrays and then the members of all objects, from outside to
/// inside: the order in which `JSON_EXTRACT` finds them. The document itself has the place 0.
pub(crate) fn typed_list(quoted_name: &str, with_values: bool) -> String {
    const TOLD: &str = "('OBJECT','ARRAY','STRING','INTEGER','DOUBLE','BOOLEAN','NULL')";
    // The text of these names their type, and may be long.
    const NAMED: &str = "('BLOB','BIT','OPAQUE')";
    let is_listed = |value: &str| {
        format!(
            "(JSON_TYPE({value}) NOT IN {TOLD} OR JSON_TYPE({value})='INTEGER' AND {value}>{TEXT_SIGNED_MAX})"
        )
    };
    let entry = |place: &str, value: &str| {
        let shown = if with_values {
            format!(",IF(JSON_TYPE({value}) IN {NAMED},NULL,{value})")
        } else {
            String::new()
        };
        format!("JSON_ARRAY({place},JSON_TYPE({value}){shown})")
    };
    format!(
        "IF(JSON_TYPE({quoted_name}) IN ('OBJECT','ARRAY'),\
         (SELECT JSON_ARRAYAGG({}) FROM JSON_TABLE(JSON_EXTRACT({quoted_name},'$**[*]','$**.*'),'$[*]' \
         COLUMNS (place FOR ORDINALITY,v JSON PATH '$')) parts WHERE {}),\
         IF({},JSON_ARRAY({}),NULL))",
        entry("parts.place", "parts.v"),
        is_listed("parts.v"),
        is_listed(quoted_name),
        entry("0", quoted_name),
    )
}

fn read<'a>(document: &Json<'a>) -> Result<(String, Vec<Leaf<'a>>), JsonError> {
    document.validate()?;
    let mut text = Vec::with_capacity(document.bytes().len() + 16);
    document.append_text(&mut text)?;
    let text = String::from_utf8(text).map_err(|_| not_utf8())?;
    Ok((text, binary::leaves(document)?))
}

fn not_utf8() -> JsonError {
    JsonError::Unwritable("a string in it is not valid UTF-8".to_owned())
}
