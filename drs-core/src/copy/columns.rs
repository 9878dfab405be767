use mysql::Value;

use super::CopyError;
use crate::{
    dialect::ServerVersion,
    object::TableName,
    rule::{AddedSql, TableRule},
    schema::{Column, ColumnKind, TableSchema},
    sql,
};

/// How a table's rows are read and written: the columns, their expressions in the SELECT, and
/// how each value becomes a field of LOAD DATA or a literal of INSERT.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    columns: Vec<Column>,
    /// Their names at the destination.
    names: Vec<String>,
    json: Vec<usize>,
    /// Those that the rule adds.
    added: Vec<AddedSql>,
}

impl Columns {
    /// The columns of a table that are read, all of them or those that a rule takes.
    pub(crate) fn of(
        schema: &TableSchema,
        version: ServerVersion,
        rule: Option<&TableRule>,
    ) -> Result<Self, CopyError> {
        let (mut columns, mut names) = (Vec::new(), Vec::new());
        for (_, column) in schema.written_columns() {
            let name = match rule {
                Some(rule) => rule.column(&column.name),
                None => Some(column.name.as_str()),
            };
            if let Some(name) = name {
                columns.push(column.clone());
                names.push(name.to_owned());
            }
        }
        let json: Vec<usize> = columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.kind == ColumnKind::Json)
            .map(|(index, _)| index)
            .collect();
        // JSON_TABLE may look at a column of the outer query since 8.0.14.
        if let Some(column) = json.first().and_then(|index| columns.get(*index))
            && !version.tells_json_types()
        {
            return Err(CopyError::JsonUnchecked {
                table: schema.name.clone(),
                column: column.name.clone(),
            });
        }
        Ok(Self {
            columns,
            names,
            json,
            added: rule.map(TableRule::added).unwrap_or_default(),
        })
    }

    /// The columns that are written, in the order of the SELECT.
    pub(super) fn written(&self) -> &[Column] {
        &self.columns
    }

    /// The indexes of the written columns that hold JSON: after the columns, the SELECT lists for
    /// each of these the values of the document whose type JSON text does not tell.
    pub(super) fn json(&self) -> &[usize] {
        &self.json
    }

    /// The SELECT's list of expressions.
    pub(crate) fn select_list(&self) -> String {
        let values = self.columns.iter().map(select_expression);
        let lists = self
            .json
            .iter()
            .filter_map(|index| self.columns.get(*index))
            .map(|column| sql::json::typed_list(&sql::identifier(&column.name), true));
        values.chain(lists).collect::<Vec<_>>().join(", ")
    }

    /// `(a, @v1, c) SET b = …` of LOAD DATA.
    pub(super) fn load_list(&self) -> String {
        use ColumnKind::{Double, Enum, Float, Int, Json, Set};
        let has_settings = !self.added.is_empty()
            || self
                .columns
                .iter()
                .any(|column| matches!(column.kind, Enum | Set | Json));
        let mut fields = Vec::new();
        let mut settings = Vec::new();
        for (index, (column, name)) in self.columns.iter().zip(&self.names).enumerate() {
            let name = sql::identifier(name);
            let conversion = match column.kind {
                // As text a number would first be looked for among the labels.
                Enum | Set => format!("CAST(@v{index} AS UNSIGNED)"),
                // JSON refuses text without a character set.
                Json => format!("CONVERT(@v{index} USING utf8mb4)"),
                // 5.6 forgets at the SET that an AUTO_INCREMENT column got its value, and draws a
                // new one for 0.
                Int | Float | Double if has_settings => format!("@v{index}"),
                _ => {
                    fields.push(name);
                    continue;
                }
            };
            fields.push(format!("@v{index}"));
            settings.push(format!("{name} = {conversion}"));
        }
        for added in &self.added {
            let name = sql::identifier(&added.name);
            settings.push(format!("{name} = {}", added.expression));
        }
        let settings = if settings.is_empty() {
            String::new()
        } else {
            format!(" SET {}", settings.join(", "))
        };
        format!("({}){settings}", fields.join(", "))
    }

    /// Writes a row of the SELECT as `(…)` of INSERT; how many ENUM values with index 0 are in it.
    pub(crate) fn write_tuple(
        &self,
        tuple: &mut String,
        row: &mysql::Row,
        table: &TableName,
    ) -> Result<u64, CopyError> {
        let mut zero_enums = 0;
        tuple.push('(');
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                tuple.push(',');
            }
            let value = self.value(row, index, table)?;
            zero_enums += u64::from(is_zero_enum(column.kind, value));
            match (value, self.typed_list(row, index, table)?) {
                (Some(text), Some(list)) => {
                    write_typed_json(tuple, text, list).map_err(|reason| {
                        CopyError::JsonOpaque {
                            table: table.clone(),
                            column: column.name.clone(),
                            reason,
                        }
                    })?;
                }
                _ => write_insert(tuple, value, column)
                    .ok_or_else(|| self.unknown_form(index, table))?,
            }
        }
        self.write_added(tuple);
        tuple.push(')');
        Ok(zero_enums)
    }

    /// A value of the SELECT; `None` for NULL.
    pub(super) fn value<'r>(
        &self,
        row: &'r mysql::Row,
        index: usize,
        table: &TableName,
    ) -> Result<Option<&'r [u8]>, CopyError> {
        match row.as_ref(index) {
            Some(Value::NULL) => Ok(None),
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            _ => Err(self.unknown_form(index, table)),
        }
    }

    /// What the SELECT says of the values of a JSON column whose type their text does not tell.
    pub(super) fn typed_list<'r>(
        &self,
        row: &'r mysql::Row,
        column: usize,
        table: &TableName,
    ) -> Result<Option<&'r [u8]>, CopyError> {
        let Some(offset) = self.json.iter().position(|at| *at == column) else {
            return Ok(None);
        };
        self.value(row, self.columns.len() + offset, table)
    }

    fn unknown_form(&self, index: usize, table: &TableName) -> CopyError {
        let column = self.columns.get(index);
        CopyError::Value {
            table: table.clone(),
            column: column.map(|column| column.name.clone()).unwrap_or_default(),
        }
    }

    /// What stands behind the values of a row of INSERT.
    fn write_added(&self, tuple: &mut String) {
        for added in &self.added {
            tuple.push(',');
            tuple.push_str(&added.expression);
        }
    }

    /// The names at the destination of the columns that come from the source.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.names.iter()
    }

    /// The column list of INSERT.
    pub(crate) fn insert_list(&self) -> String {
        let added = self.added.iter().map(|added| &added.name);
        self.names
            .iter()
            .chain(added)
            .map(|name| sql::identifier(name))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The destination takes such a value with a warning.
pub(super) fn is_zero_enum(kind: ColumnKind, value: Option<&[u8]>) -> bool {
    kind == ColumnKind::Enum && value == Some(b"0")
}

/// The expression whose text lets the destination store the same bytes.
pub(super) fn select_expression(column: &Column) -> String {
    let name = sql::identifier(&column.name);
    match column.kind {
        // FLOAT's own text has six digits; the product is the exact double, and keeps -0.
        ColumnKind::Float | ColumnKind::Double => format!("{name} * 1e0"),
        ColumnKind::Enum => format!("{name} + 0"),
        // Adding 0 would take 64 members through a double.
        ColumnKind::Set => format!("CAST({name} AS UNSIGNED)"),
        _ => name,
    }
}

/// Appends a value as a field of LOAD DATA, with `\` before what would end or change it.
pub(super) fn write_field(out: &mut Vec<u8>, value: Option<&[u8]>) {
    let Some(value) = value else {
        return out.extend_from_slice(b"\\N");
    };
    let mut plain = 0;
    for at in memchr::memchr3_iter(b'\\', b'\t', b'\n', value) {
        out.extend_from_slice(value.get(plain..at).unwrap_or_default());
        out.push(b'\\');
        plain = at;
    }
    out.extend_from_slice(value.get(plain..).unwrap_or_default());
}

/// Appends a value as a literal of INSERT; `None` when it does not have its column's form.
fn write_insert(out: &mut String, value: Option<&[u8]>, column: &Column) -> Option<()> {
    let Some(value) = value else {
        out.push_str("NULL");
        return Some(());
    };
    match column.kind {
        ColumnKind::Enum | ColumnKind::Set => out.push_str(digits(value)?),
        ColumnKind::Text => match (column.charset.as_deref(), std::str::from_utf8(value)) {
            (Some("utf8mb4" | "utf8mb3" | "utf8"), Ok(text)) => sql::write_text(out, text),
            // Bytes without a character set are stored as they are; an introducer would bring
            // warnings of its own.
            _ => sql::write_hex(out, value),
        },
        ColumnKind::Bit
        | ColumnKind::Binary
        | ColumnKind::BinaryFixed
        | ColumnKind::Geometry
        | ColumnKind::Vector => sql::write_hex(out, value),
        // In quotes a number keeps every digit, and -0 its sign.
        _ => sql::write_text(out, std::str::from_utf8(value).ok()?),
    }
    Some(())
}

/// Appends a JSON document as an expression that keeps the types of its values; `list` is what the
/// SELECT says of those whose type the text does not tell.
fn write_typed_json(out: &mut String, text: &[u8], list: &[u8]) -> Result<(), &'static str> {
    const NOT_TEXT: &str = "its text is not UTF-8";
    let text = std::str::from_utf8(text).map_err(|_| NOT_TEXT)?;
    let list = std::str::from_utf8(list).map_err(|_| NOT_TEXT)?;
    let leaves = sql::json::typed_leaves(text, list)
        .map_err(|_| "its text and the types of its values do not go together")?;
    sql::json::write_leaves(out, text, &leaves)
        .map_err(|_| "it holds bytes of an SQL type that no expression is known to rebuild")
}

/// The literal of a key column that compares with it in the key's own order; `None` when
/// the value does not have its column's form.
pub(super) fn write_bound(out: &mut String, value: Option<&[u8]>, column: &Column) -> Option<()> {
    let value = value?;
    match column.kind {
        ColumnKind::Int | ColumnKind::Decimal => {
            let text = number(value)?;
            out.push_str(text);
        }
        ColumnKind::Float | ColumnKind::Double => {
            let text = number(value)?;
            out.push_str(text);
            // Without an exponent the literal would be a DECIMAL, compared as such.
            if !text.contains('e') {
                out.push_str("e0");
            }
        }
        ColumnKind::Enum | ColumnKind::Set => out.push_str(digits(value)?),
        ColumnKind::Bit => {
            let bits = value.iter().try_fold(0_u64, |bits, byte| {
                (bits >> 56 == 0).then_some(bits << 8 | u64::from(*byte))
            })?;
            out.push_str(&bits.to_string());
        }
        ColumnKind::Text => {
            out.push('_');
            out.push_str(column.charset.as_deref()?);
            out.push(' ');
            sql::write_hex(out, value);
        }
        ColumnKind::Binary | ColumnKind::BinaryFixed => sql::write_hex(out, value),
        ColumnKind::Year
        | ColumnKind::Date
        | ColumnKind::Time
        | ColumnKind::DateTime
        | ColumnKind::Timestamp => sql::write_text(out, std::str::from_utf8(value).ok()?),
        ColumnKind::Json | ColumnKind::Geometry | ColumnKind::Vector => return None,
    }
    Some(())
}

fn digits(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

fn number(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    let form = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e');
    (!text.is_empty() && text.bytes().all(form)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: ColumnKind, charset: Option<&str>) -> Column {
        Column {
            name: "c".to_owned(),
            kind,
            column_type: String::new(),
            unsigned: false,
            nullable: true,
            charset: charset.map(str::to_owned),
            collation: None,
            bytes_max: None,
            generated: false,
            has_default: true,
        }
    }

    #[test]
    fn fields_are_escaped() {
        for (value, field) in [
            (None, &b"\\N"[..]),
            (Some(&b""[..]), b""),
            (Some(b"\\N"), b"\\\\N"),
            (Some(b"a\tb\nc\\d\0\x1a'"), b"a\\\tb\\\nc\\\\d\0\x1a'"),
            (Some(b"\n\n"), b"\\\n\\\n"),
        ] {
            let mut out = Vec::new();
            write_field(&mut out, value);
            assert_eq!(out, field, "{value:?}");
        }
    }

    #[test]
    fn bounds_compare_as_their_columns_do() {
        use ColumnKind::*;
        for (kind, charset, value, bound) in [
            (Int, None, &b"-5"[..], Some("-5")),
            (Int, None, b"1 OR 1", None),
            (Decimal, None, b"-0.50", Some("-0.50")),
            (
                Float,
                None,
                b"0.10000000149011612",
                Some("0.10000000149011612e0"),
            ),
            (Double, None, b"5e-324", Some("5e-324")),
            (Bit, None, &[0xff; 8], Some("18446744073709551615")),
            (Bit, None, &[0xff; 9], None),
            (Enum, None, b"2", Some("2")),
            (Enum, None, b"", None),
            (Text, Some("latin1"), b"a'\xff", Some("_latin1 x'6127ff'")),
            (Text, Some("utf16"), b"", Some("_utf16 ''")),
            (BinaryFixed, None, b"\0\x01", Some("x'0001'")),
            (Year, None, b"0000", Some("'0000'")),
            (Time, None, b"-838:59:59", Some("'-838:59:59'")),
            (Json, None, b"1", None),
        ] {
            let mut out = String::new();
            let written =
                write_bound(&mut out, Some(value), &column(kind, charset)).map(|()| out.as_str());
            assert_eq!(written, bound, "{kind:?} {value:?}");
        }
    }

    #[test]
    fn literals_keep_what_the_field_holds() {
        use ColumnKind::*;
        for (kind, charset, value, literal) in [
            (Double, None, Some(&b"-0"[..]), Some("'-0'")),
            (
                Set,
                None,
                Some(b"18446744073709551615"),
                Some("18446744073709551615"),
            ),
            (Set, None, Some(b"-1"), None),
            (Bit, None, Some(b"\x01\xff"), Some("x'01ff'")),
            (
                Text,
                Some("utf8mb4"),
                Some("it's \\ é".as_bytes()),
                Some("'it''s \\\\ é'"),
            ),
            (Text, Some("latin1"), Some(b"\x81"), Some("x'81'")),
            (
                Json,
                None,
                Some(b"{\"a\": \"\\n\"}"),
                Some("'{\"a\": \"\\\\n\"}'"),
            ),
            (Int, None, None, Some("NULL")),
        ] {
            let mut out = String::new();
            let written =
                write_insert(&mut out, value, &column(kind, charset)).map(|()| out.as_str());
            assert_eq!(written, literal, "{kind:?} {value:?}");
        }
    }
}
