//! TABLE_MAP: which table the row events after it mean, and how its rows are laid out.
use crate::{
    Bitmap, ColumnType, EventType, FormatDescription, RawEvent, Reader, Result,
    row_image::{Span, Step, spans},
    table_metadata,
};

/// A table map, borrowed from its event.
///
/// Parsing it costs little and allocates nothing, so that a reader can look at
/// the names alone; [`TableMap::compile`] prepares the reading of rows.
#[derive(Clone, Debug)]
pub struct TableMap<'a> {
    /// The number by which row events refer to this map, until the file or the server changes it.
    pub table_id: u64,
    /// Reserved bits.
    pub flags: u16,
    /// The database's name, in UTF-8.
    pub database: &'a [u8],
    /// The table's name, in UTF-8.
    pub table: &'a [u8],
    /// One type number a column.
    pub type_codes: &'a [u8],
    /// One bit a column: may it be NULL?
    pub nullable: Bitmap<'a>,
    /// What the types need besides their numbers.
    type_metadata: Reader<'a>,
    /// Everything after that, in fields that say their type and length.
    optional_metadata: Reader<'a>,
    is_mariadb: bool,
}

/// A table map made ready for walking row images: owned, made once, used for many rows.
#[derive(Clone, Debug)]
pub struct TableColumns {
    columns: Vec<TableColumn>,
    primary_key: Option<Vec<KeyPart>>,
    pub(crate) steps: Vec<Step>,
    pub(crate) spans: Vec<Span>,
    pub(crate) json_columns: usize,
}

/// What a table map says of one column.
///
/// The fields that are an `Option` come from the optional metadata: MySQL 5.6
/// and 5.7 log none, later servers log the sign, collations and geometry
/// types, and with `binlog_row_metadata = FULL` all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// The real type.
    pub column_type: ColumnType,
    /// May the column be NULL?
    pub nullable: bool,
    /// Is a number column unsigned?
    pub unsigned: Option<bool>,
    /// The collation's number, of strings, ENUM and SET; 63 is `binary`.
    pub collation: Option<u32>,
    /// The name.
    pub name: Option<Box<str>>,
    /// The labels of an ENUM or SET, in the column's character set, first to last.
    pub labels: Option<Box<[Box<[u8]>]>>,
    /// Of a GEOMETRY column: 0 any, 1 point, 2 linestring, 3 polygon, 4 to 6 the multi kinds, 7 collection.
    pub geometry_type: Option<u32>,
    /// False for an INVISIBLE column.
    pub visible: Option<bool>,
    /// Of a VECTOR column: the most elements it takes.
    pub dimensions: Option<u32>,
}

/// A column of a primary key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// The column's ordinal, from 0 on.
    pub column: usize,
    /// How many characters of it are in the key; `None`: all of it.
    pub prefix: Option<u32>,
}

impl<'a> TableMap<'a> {
    /// Reads a TABLE_MAP event.
    pub fn parse(raw: &RawEvent<'a>, format: &FormatDescription) -> Result<Self> {
        let mut reader = raw.reader();
        let table_id = table_id(&mut reader, format.post_header_len(EventType::TABLE_MAP))?;
        let flags = reader.u16()?;
        let database = name(&mut reader)?;
        let table = name(&mut reader)?;
        let columns = reader.packed_len()?;
        let type_codes = reader.take(columns)?;
        let len = reader.packed_len()?;
        let type_metadata = reader.sub(len)?;
        let nullable = Bitmap::new(reader.take(Bitmap::byte_len(columns))?, columns);
        Ok(Self {
            table_id,
            flags,
            database,
            table,
            type_codes,
            nullable,
            type_metadata,
            optional_metadata: reader,
            is_mariadb: format.is_mariadb(),
        })
    }

    /// The number of columns.
    pub fn column_count(&self) -> usize {
        self.type_codes.len()
    }

    /// The optional metadata, in fields of a type byte, a packed length and as many bytes.
    pub fn optional_metadata(&self) -> &'a [u8] {
        self.optional_metadata.clone().rest()
    }

    /// Resolves every column's type and reads the optional metadata.
    ///
    /// Fails, with the place, for a type that this crate cannot walk over:
    /// unknown ones, DECIMAL from before MySQL 5.0, and the temporal types of
    /// MariaDB with `mysql56_temporal_format = OFF`: those have a fraction
    /// whose length the log does not say, so that rows could be read wrongly
    /// without a sign of it. See [`TableMap::compile_without_fractions`].
    pub fn compile(&self) -> Result<TableColumns> {
        let table = self.compile_without_fractions()?;
        let mut types = table.columns.iter().map(|column| column.column_type);
        if self.is_mariadb && types.any(ColumnType::is_old_temporal) {
            return Err(self.type_metadata.malformed(
                "a temporal column in MariaDB's own format, of which the log does not say the length: \
                 rebuild the table with mysql56_temporal_format = ON",
            ));
        }
        Ok(table)
    }

    /// As [`TableMap::compile`], for a caller that knows from the source's
    /// schema that no TIME, DATETIME or TIMESTAMP column of an old format
    /// has fractional digits.
    pub fn compile_without_fractions(&self) -> Result<TableColumns> {
        let mut metadata = self.type_metadata.clone();
        let mut columns = Vec::with_capacity(self.type_codes.len());
        for (ordinal, type_code) in self.type_codes.iter().enumerate() {
            let column_type = ColumnType::parse(*type_code, &mut metadata)?;
            columns.push(TableColumn::new(column_type, self.nullable.is_set(ordinal)));
        }
        metadata.finish()?;
        let has_collation = if self.is_mariadb {
            ColumnType::has_collation_in_mariadb
        } else {
            ColumnType::has_collation
        };
        let optional = self.optional_metadata.clone();
        let primary_key = table_metadata::read(optional, &mut columns, has_collation)?;
        Ok(TableColumns::new(columns, primary_key))
    }
}

impl TableColumns {
    fn new(columns: Vec<TableColumn>, primary_key: Option<Vec<KeyPart>>) -> Self {
        let steps: Vec<Step> = columns
            .iter()
            .map(|column| Step::new(column.column_type))
            .collect();
        let json_columns = columns
            .iter()
            .filter(|column| matches!(column.column_type, ColumnType::Json { .. }))
            .count();
        Self {
            columns,
            primary_key,
            spans: spans(&steps),
            steps,
            json_columns,
        }
    }

    /// The columns by ordinal, hidden and invisible ones of the source's table included.
    pub fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// True for a table without columns, which no server has.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The primary key's columns in order, where the log has them (`binlog_row_metadata = FULL`).
    pub fn primary_key(&self) -> Option<&[KeyPart]> {
        self.primary_key.as_deref()
    }
}

impl TableColumn {
    fn new(column_type: ColumnType, nullable: bool) -> Self {
        Self {
            column_type,
            nullable,
            unsigned: None,
            collation: None,
            name: None,
            labels: None,
            geometry_type: None,
            visible: None,
            dimensions: None,
        }
    }
}

/// A table's number: 6 bytes, or 4 where the fixed part is only 6 bytes long (before MySQL 5.1.4).
pub(crate) fn table_id(reader: &mut Reader<'_>, post_header_len: Option<usize>) -> Result<u64> {
    match post_header_len {
        Some(6) => reader.u32().map(u64::from),
        Some(8 | 10) => reader.u48(),
        _ => Err(reader.malformed("the format description gives no known layout for this event")),
    }
}

/// A name: length, text, and a zero byte that the length does not count.
fn name<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
    let len = reader.packed_len()?;
    let name = reader.take(len)?;
    if reader.u8()? == 0 {
        Ok(name)
    } else {
        Err(reader.malformed("a name has no terminating zero"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, fuzz};

    fn compile(body: &[u8]) -> Result<TableColumns> {
        let format = fuzz::format().ok_or(Error::NotABinlog("no format"))?;
        TableMap::parse(&fuzz::raw(EventType::TABLE_MAP, body), &format)?.compile()
    }

    /// INT, VARCHAR(9), ENUM; `optional` follows.
    fn map(optional: &[u8]) -> Vec<u8> {
        [
            b"\x05\0\0\0\0\0\x01\0\x01d\0\x01t\0\x03\x03\x0f\xfe\x04\x09\0\xf7\x01\x07",
            optional,
        ]
        .concat()
    }

    #[test]
    fn optional_metadata() {
        for (optional, check) in [
            (&b""[..], Some((None, None, None))),
            // Signed, unsigned; an unknown field between is passed over.
            (b"\x01\x01\x00", Some((Some(false), None, None))),
            (b"\x63\x03abc\x01\x01\x80", Some((Some(true), None, None))),
            // All columns one collation; the only one is an exception; an exception for no column.
            (b"\x02\x01\x08", Some((None, Some(8), None))),
            (b"\x02\x03\x08\x00\x0b", Some((None, Some(11), None))),
            (b"\x02\x03\x08\x01\x0b", None),
            (b"\x02\x05\x08\x00\x0b\x00\x0b", None),
            (b"\x06\x06\x02\x01a\x02bc", Some((None, None, Some(2)))),
            (b"\x06\x06\x03\x01a\x02bc", None),
            (b"\x06\x06\xfe\x01a\x02bc", None),
            // Longer than its columns, shorter, longer than the event.
            (b"\x01\x02\x80\x00", None),
            (b"\x01\x00", None),
            (b"\x01\x05\x80", None),
            (b"\x01", None),
            // A primary key of a column that is not there.
            (b"\x08\x01\x03", None),
            // A name that is not UTF-8.
            (b"\x04\x06\x01\xff\x01b\x01c", None),
        ] {
            let compiled = compile(&map(optional)).map(|table| {
                let columns = table.columns();
                (
                    columns[0].unsigned,
                    columns[1].collation,
                    columns[2].labels.as_ref().map(|labels| labels.len()),
                )
            });
            assert_eq!(compiled.ok(), check, "{optional:x?}");
        }
    }

    #[test]
    fn malformed() {
        for body in [
            &b""[..],
            b"\x05\0\0\0\0\0\x01\0\x01dX\x01t\0\x01\x03\0\0",
            b"\x05\0\0\0\0\0\x01\0\x01d\0\x01t\0\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x03\0\0",
            // More and less type metadata than the types have.
            b"\x05\0\0\0\0\0\x01\0\x01d\0\x01t\0\x01\x03\x01\0\0",
            b"\x05\0\0\0\0\0\x01\0\x01d\0\x01t\0\x01\x0f\x01\0\0",
            // No null bits.
            b"\x05\0\0\0\0\0\x01\0\x01d\0\x01t\0\x01\x03\0",
        ] {
            assert!(compile(body).is_err(), "{body:x?}");
        }
    }
}
