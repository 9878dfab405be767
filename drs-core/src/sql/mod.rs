//! The one writer of SQL text: identifiers are always quoted, literals always escaped.
//!
//! Literals are written so that the server stores the source's bytes, whatever the
//! character sets on the way: text that is not plain in the connection's `utf8mb4` goes
//! as a hexadecimal literal with the column's own introducer. All text assumes a session
//! set up by [`SESSION_SETUP`] (backslash escapes on, `utf8mb4`, UTC).

pub(crate) mod json;
mod literal;

pub use literal::LiteralError;
pub(crate) use literal::{
    write_literal, write_new_value, write_partial_condition, write_text_match,
};

/// The statements every session that writes begins with.
///
/// Strict, so that nothing is changed in silence; invalid and zero dates are let through
/// because the source may hold them; zero does not draw a new AUTO_INCREMENT value; the
/// source has checked foreign keys already. `unique_checks` stays on: InnoDB may skip the
/// duplicate check without it.
pub(crate) const SESSION_SETUP: [&str; 4] = [
    "SET NAMES utf8mb4",
    STRICT_MODE,
    "SET SESSION time_zone = '+00:00', foreign_key_checks = 0, unique_checks = 1, sql_auto_is_null = 0",
    "SET SESSION autocommit = 1",
];

/// Has the session check foreign keys and carry out what they cascade to, or not.
pub(crate) fn foreign_key_checks(on: bool) -> &'static str {
    match on {
        true => "SET SESSION foreign_key_checks = 1",
        false => "SET SESSION foreign_key_checks = 0",
    }
}

pub(crate) const STRICT_MODE: &str = "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'";

/// The same without the refusal of values that a column does not take as they are: for single
/// statements whose warnings are then all looked at.
pub(crate) const LAX_MODE: &str =
    "SET SESSION sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'";

/// What stands before the name of the task in a statement that drs runs, and behind it.
pub(crate) const ORIGIN_COMMENT_START: &str = "/* drs:";
pub(crate) const ORIGIN_COMMENT_END: &str = " */ ";

/// The comment that a statement begins with, so that the destination's log tells whose it is. A
/// task's name has no character that would end a comment.
pub(crate) fn origin_comment(task: &str) -> String {
    format!("{ORIGIN_COMMENT_START}{task}{ORIGIN_COMMENT_END}")
}

/// `auto_increment_increment` and `auto_increment_offset` that stand for [`origin_comment`] at a
/// `DROP TABLE`: the server writes it to its log in words of its own, but with these variables,
/// which mean nothing to it. The first one tells drs, the second one is of the task's name.
pub(crate) fn origin_mark(task: &str) -> (u16, u16) {
    let hash = task.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    (ORIGIN_MARK, (hash % 0xffff) as u16 + 1)
}

/// The first number of every [`origin_mark`].
pub(crate) const ORIGIN_MARK: u16 = 53_541;

/// Writes the statement that gives a session its [`origin_mark`].
pub(crate) fn set_origin_mark(task: &str) -> String {
    let (increment, offset) = origin_mark(task);
    format!("SET SESSION auto_increment_increment = {increment}, auto_increment_offset = {offset}")
}

/// Writes a quoted identifier.
pub(crate) fn write_identifier(out: &mut String, name: &str) {
    out.push('`');
    for c in name.chars() {
        if c == '`' {
            out.push('`');
        }
        out.push(c);
    }
    out.push('`');
}

/// Writes `` `database`.`table` ``.
pub(crate) fn write_table(out: &mut String, table: &crate::TableName) {
    write_identifier(out, table.database.as_str());
    out.push('.');
    write_identifier(out, table.table.as_str());
}

/// A quoted identifier.
pub(crate) fn identifier(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    write_identifier(&mut out, name);
    out
}

/// A column as it is compared with a literal.
///
/// The server takes a SET with its 64th member for a negative number there. Without the cast no
/// index is used, so it is only for columns that can hold one.
pub(crate) fn comparable(column: &crate::schema::Column) -> String {
    let name = identifier(&column.name);
    // A label has no comma.
    let is_widest = column.kind == crate::schema::ColumnKind::Set
        && column.column_type.matches(',').count() == 63;
    if is_widest {
        format!("CAST({name} AS UNSIGNED)")
    } else {
        name
    }
}

/// `` `database`.`table` ``.
pub(crate) fn table(name: &crate::TableName) -> String {
    let mut out = String::new();
    write_table(&mut out, name);
    out
}

/// Writes a text literal for a `utf8mb4` session.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            c => out.push(c),
        }
    }
    out.push('\'');
}

/// Writes `x'…'`, or `''` for no bytes.
pub(crate) fn write_hex(out: &mut String, bytes: &[u8]) {
    if bytes.is_empty() {
        out.push_str("''");
        return;
    }
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(bytes.len() * 2 + 3);
    out.push_str("x'");
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from(DIGITS[usize::from(nibble)]));
        }
    }
    out.push('\'');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_texts_are_escaped() {
        assert_eq!(identifier("a`b"), "`a``b`");
        assert_eq!(identifier("sp ace.dot"), "`sp ace.dot`");
        let mut out = String::new();
        write_text(&mut out, "it's \\ \0");
        assert_eq!(out, r"'it''s \\ \0'");
        out.clear();
        write_hex(&mut out, &[0, 0xab, 0xff]);
        write_hex(&mut out, &[]);
        assert_eq!(out, "x'00abff'''");
    }
}
