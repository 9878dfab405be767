//! A source table's columns as the checkpoint keeps them: later the log may not tell their names,
//! and the destination does not have all of them.

use std::fmt::Write;

use crate::schema::{Column, ColumnKind};

/// The columns as text: one a line, names and types in hexadecimal, since they may hold anything.
pub(crate) fn record(columns: &[Column]) -> String {
    let mut out = String::new();
    for column in columns {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let bytes_max = column
            .bytes_max
            .map_or("-".to_owned(), |max| max.to_string());
        // Writing to a String can't fail.
        let _ = writeln!(
            out,
            "{} {} {} {} {bytes_max} {}{}{}",
            hex(&column.name),
            hex(&column.column_type),
            text(&column.charset),
            text(&column.collation),
            if column.unsigned { 'u' } else { '-' },
            if column.nullable { 'n' } else { '-' },
            if column.generated { 'g' } else { '-' },
        );
    }
    out
}

/// The columns of such a text; `None` when it is none.
pub(crate) fn recorded(text: &str) -> Option<Vec<Column>> {
    text.lines().map(column).collect()
}

fn column(line: &str) -> Option<Column> {
    let mut fields = line.split(' ');
    let mut field = || fields.next();
    let name = unhex(field()?)?;
    let column_type = unhex(field()?)?;
    let optional = |text: &str| (text != "-").then(|| text.to_owned());
    let (charset, collation) = (optional(field()?), optional(field()?));
    let bytes_max = match field()? {
        "-" => None,
        number => Some(number.parse().ok()?),
    };
    let flags = field()?;
    let base = column_type.to_ascii_lowercase();
    let kind = ColumnKind::of(base.split([' ', '(']).next()?)?;
    Some(Column {
        name,
        kind,
        column_type,
        unsigned: flags.contains('u'),
        nullable: flags.contains('n'),
        charset,
        collation,
        bytes_max,
        generated: flags.contains('g'),
        has_default: false,
    })
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn unhex(text: &str) -> Option<String> {
    let bytes = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect::<Option<Vec<u8>>>()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_reads_the_same() {
        let column = |name: &str, kind, column_type: &str| Column {
            name: name.into(),
            kind,
            column_type: column_type.into(),
            charset: (kind == ColumnKind::Text).then(|| "latin1".into()),
            unsigned: true,
            ..Column::text_for_tests("latin1_bin")
        };
        let columns = [
            column("a b\n`c`", ColumnKind::Int, "int unsigned"),
            column("é", ColumnKind::Enum, "enum('a b','(')"),
            column("t", ColumnKind::Text, "varchar(5)"),
        ];
        let read = recorded(&record(&columns)).unwrap();
        assert_eq!(format!("{read:?}"), format!("{columns:?}"));
        assert!(recorded("zz").is_none() && recorded("61 62").is_none());
    }
}
