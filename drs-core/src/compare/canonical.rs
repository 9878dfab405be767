//! A row as bytes that do not depend on the server's version, nor on a column's collation: equal
//! bytes if and only if the stored values are equal.

use crate::{
    schema::{Column, ColumnKind},
    sql,
};

/// Longer values go into a row's bytes as a digest of their own, lest the row outgrow a packet.
const BYTES_MAX: u64 = 2048;

/// What a NULL is in a row's bytes: no number, length or time looks like it.
const NULL: &str = "'N'";

/// A column of a table and its counterpart at the other side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counterparts<'a> {
    pub(super) own: &'a Column,
    pub(super) other: &'a Column,
    /// Both servers tell the types of the values inside of JSON documents.
    pub(super) tells_json_types: bool,
}

/// Why two columns can't be held against each other; `None` when they can.
pub(super) fn incomparable(source: &Column, destination: &Column) -> Option<String> {
    use ColumnKind::{Binary, BinaryFixed};
    let bytes = |column: &Column| matches!(column.kind, Binary | BinaryFixed);
    if source.kind != destination.kind && !(bytes(source) && bytes(destination)) {
        return Some(format!(
            "{} at the source, {} at the destination",
            source.column_type, destination.column_type
        ));
    }
    let charset = |column: &Column| match column.charset.as_deref() {
        // Their bytes are the same for the same text.
        Some("utf8" | "utf8mb3" | "utf8mb4") => Some("utf8".to_owned()),
        charset => charset.map(str::to_owned),
    };
    if source.kind == ColumnKind::Text && charset(source) != charset(destination) {
        return Some(format!(
            "character set {} at the source, {} at the destination",
            source.charset.as_deref().unwrap_or_default(),
            destination.charset.as_deref().unwrap_or_default()
        ));
    }
    None
}

/// The bytes of a row, as an expression. It is never NULL, unless the row does not fit into a packet.
pub(super) fn row_bytes<'a>(columns: impl Iterator<Item = Counterparts<'a>> + Clone) -> String {
    let casts = needs_casts(columns.clone().map(|columns| columns.own));
    let mut parts: Vec<String> = Vec::new();
    let mut rest = columns.peekable();
    while let Some(column) = rest.next() {
        parts.extend(self::parts(column, casts, rest.peek().is_none()));
    }
    match parts.as_slice() {
        [] => "''".to_owned(),
        parts => format!("CONCAT({})", parts.join(",',',")),
    }
}

/// How the digests of a range's rows are brought together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowSum {
    /// The sum of the first 64 bits of each row's SHA-256: every version can do that, and it tells
    /// how often each row is there.
    Numbers,
    /// The exclusive or of all 256 bits, for servers since 8.0, of tables with a key: there a row
    /// is never twice.
    Bits,
}

impl RowSum {
    /// The aggregate over rows of such bytes. Bytes that are NULL make it another one each time, so
    /// that it equals nothing.
    pub(super) fn of(self, row_bytes: &str) -> String {
        let digest = format!("IFNULL(SHA2({row_bytes},256),SHA2(UUID(),256))");
        match self {
            Self::Numbers => format!("SUM(CAST(CONV(LEFT({digest},16),16,10) AS UNSIGNED))"),
            Self::Bits => format!("BIT_XOR(UNHEX({digest}))"),
        }
    }
}

/// The first 128 bits of a row's SHA-256, in hexadecimal.
pub(super) fn row_digest(row_bytes: &str) -> String {
    format!("LEFT(SHA2({row_bytes},256),32)")
}

/// True when a row's texts must be made bytes one by one: servers bring texts of several character
/// sets into one before they join them.
fn needs_casts<'a>(columns: impl Iterator<Item = &'a Column>) -> bool {
    let mut collation = None;
    for column in columns {
        match column.kind {
            ColumnKind::Text => {
                let charset = column.charset.as_deref().unwrap_or_default();
                let is_other = *collation.get_or_insert(&column.collation) != &column.collation;
                if is_other || matches!(charset, "utf16" | "utf16le" | "utf32" | "ucs2") {
                    return true;
                }
            }
            ColumnKind::Binary
            | ColumnKind::BinaryFixed
            | ColumnKind::Float
            | ColumnKind::Double
            | ColumnKind::Enum
            | ColumnKind::Set => return true,
            _ => {}
        }
    }
    false
}

/// The expressions whose texts, with a separator between them, stand for one value and no other.
///
/// Numbers and times hold no comma and are never empty; what may hold anything goes behind its
/// length, or as a digest, which has always the same length.
fn parts(columns: Counterparts<'_>, casts: bool, is_last: bool) -> Vec<String> {
    let Counterparts {
        own,
        other,
        tells_json_types,
    } = columns;
    let name = sql::identifier(&own.name);
    let or_null = |expression: String| match own.nullable {
        true => format!("IFNULL({expression},{NULL})"),
        false => expression,
    };
    // What may be NULL though the value is not must not look like one that is.
    let null_or = |expression: String| match own.nullable {
        true => format!("IF({name} IS NULL,{NULL},{expression})"),
        false => expression,
    };
    let measured = |bytes: String| {
        if is_last && !own.nullable && !other.nullable {
            return vec![bytes];
        }
        let bytes = match own.nullable {
            true => format!("IFNULL({bytes},'')"),
            false => bytes,
        };
        vec![or_null(format!("LENGTH({name})")), bytes]
    };
    match own.kind {
        ColumnKind::Int if !own.column_type.contains("zerofill") => vec![or_null(name)],
        // As numbers, whatever width they are shown with.
        ColumnKind::Int | ColumnKind::Year | ColumnKind::Bit => vec![or_null(format!("{name}+0"))],
        ColumnKind::Decimal if own.column_type.contains("zerofill") => {
            vec![or_null(format!("{name}+0"))]
        }
        ColumnKind::Decimal
        | ColumnKind::Date
        | ColumnKind::Time
        | ColumnKind::DateTime
        | ColumnKind::Timestamp => vec![or_null(name)],
        // The eight bytes of the double, with the sign of -0: versions print doubles differently.
        ColumnKind::Float => vec![or_null(format!("ST_AsBinary(POINT({name}*1e0,0))"))],
        ColumnKind::Double => vec![or_null(format!("ST_AsBinary(POINT({name},0))"))],
        ColumnKind::Enum | ColumnKind::Set => {
            // Adding 0 would take 64 members of a SET through a double.
            let number = format!("CAST({name} AS UNSIGNED)");
            if own.column_type == other.column_type {
                vec![or_null(number)]
            } else {
                // The label too. ENUM has an empty one for values that were not valid.
                let mut parts = vec![or_null(format!("({number}=0)"))];
                parts.extend(measured(format!("CAST({name} AS BINARY)")));
                parts
            }
        }
        ColumnKind::Json => {
            // A text that is longer than a packet is an empty one, with a warning: no document's is.
            let text = format!("NULLIF(SHA2(CAST({name} AS CHAR),256),SHA2('',256))");
            let mut parts = vec![null_or(text)];
            if tells_json_types {
                // Text shows 1.0 alike for a double and a decimal, and a date like a string.
                let types = sql::json::typed_list(&name, true);
                parts.push(format!("IFNULL(SHA2({types},256),{NULL})"));
            }
            parts
        }
        // The SRID and the WKB.
        ColumnKind::Geometry => vec![null_or(format!("SHA2(CAST({name} AS BINARY),256)"))],
        ColumnKind::Vector => vec![null_or(format!("SHA2(HEX({name}),256)"))],
        ColumnKind::Text | ColumnKind::Binary | ColumnKind::BinaryFixed
            if [own, other]
                .iter()
                .any(|column| column.bytes_max.is_none_or(|bytes| bytes > BYTES_MAX)) =>
        {
            vec![null_or(format!("SHA2({name},256)"))]
        }
        ColumnKind::Text if casts => measured(format!("CAST({name} AS BINARY)")),
        ColumnKind::Text => measured(name.clone()),
        ColumnKind::Binary | ColumnKind::BinaryFixed => measured(name.clone()),
    }
}

/// A value as a person reads it, and whether it is hexadecimal.
pub(super) fn legible(column: &Column) -> (String, bool) {
    let name = sql::identifier(&column.name);
    match column.kind {
        ColumnKind::Float => (format!("CAST({name}*1e0 AS CHAR)"), false),
        ColumnKind::Binary | ColumnKind::BinaryFixed | ColumnKind::Vector | ColumnKind::Bit => {
            (format!("HEX({name})"), true)
        }
        ColumnKind::Geometry => (format!("HEX(CAST({name} AS BINARY))"), true),
        ColumnKind::Enum => (
            format!("CONCAT(CAST({name} AS UNSIGNED),' ',CONVERT({name} USING utf8mb4))"),
            false,
        ),
        ColumnKind::Text => match column.charset.as_deref() {
            Some("utf8" | "utf8mb3" | "utf8mb4" | "ascii") => (name, false),
            _ => (format!("CONVERT({name} USING utf8mb4)"), false),
        },
        _ => (format!("CAST({name} AS CHAR)"), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: ColumnKind, column_type: &str, nullable: bool) -> Column {
        Column {
            kind,
            column_type: column_type.to_owned(),
            nullable,
            bytes_max: Some(100),
            ..Column::text_for_tests("utf8mb4_bin")
        }
    }

    #[test]
    fn columns_of_other_kinds_or_character_sets_are_not_compared() {
        let text = |collation: &str| Column::text_for_tests(collation);
        let cases = [
            (text("utf8mb3_bin"), text("utf8mb4_0900_ai_ci"), None),
            (
                text("latin1_bin"),
                text("utf8mb4_bin"),
                Some("character set latin1 at the source, utf8mb4 at the destination"),
            ),
            (
                column(ColumnKind::Int, "int", false),
                column(ColumnKind::Decimal, "decimal(10,0)", false),
                Some("int at the source, decimal(10,0) at the destination"),
            ),
            (
                column(ColumnKind::BinaryFixed, "binary(4)", false),
                column(ColumnKind::Binary, "varbinary(4)", false),
                None,
            ),
        ];
        for (source, destination, expected) in cases {
            assert_eq!(incomparable(&source, &destination).as_deref(), expected);
        }
    }

    #[test]
    fn null_is_told_from_every_value() {
        let nullable = column(ColumnKind::Text, "varchar(25)", true);
        let expression = row_bytes(
            [Counterparts {
                own: &nullable,
                other: &nullable,
                tells_json_types: true,
            }]
            .into_iter(),
        );
        assert_eq!(
            expression,
            "CONCAT(IFNULL(LENGTH(`c`),'N'),',',IFNULL(`c`,''))"
        );
    }
}
