//! Row events: WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS and PARTIAL_UPDATE_ROWS of versions 1 and 2.
use crate::{
    Bitmap, Error, EventType, FormatDescription, RawEvent, Reader, Result, RowImage, TableColumns,
    inflate, row_image::ImageShape, table_map,
};

/// What a row event does to its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowsKind {
    /// Rows are inserted.
    Insert,
    /// Rows change.
    Update,
    /// Rows are deleted.
    Delete,
    /// Rows change, and JSON columns of the new images may hold only what changed in them.
    PartialUpdate,
}

/// A row event, borrowed; its rows are read by [`Rows::changes`].
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    /// What happens to the rows.
    pub kind: RowsKind,
    /// The table, by the number in the table map before.
    pub table_id: u64,
    /// Bits of [`Rows::STATEMENT_END`] and the like.
    pub flags: u16,
    /// What the version 2 header has besides.
    pub extra: ExtraRowInfo<'a>,
    column_count: usize,
    before: Option<ImageShape<'a>>,
    after: Option<ImageShape<'a>>,
    /// The images; of a compressed event, the compressed bytes.
    images: Reader<'a>,
    compressed: bool,
}

/// The variable part of a version 2 header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtraRowInfo<'a> {
    /// Of NDB Cluster: the format's number and the content.
    pub ndb: Option<(u8, &'a [u8])>,
    /// The partition of the rows, of an update the one they come to.
    pub partition: Option<u16>,
    /// Of an update: the partition that the rows come from.
    pub source_partition: Option<u16>,
    /// What follows a part of an unknown kind, that part included.
    pub unknown: &'a [u8],
}

/// A change of one row.
#[derive(Clone, Copy, Debug)]
pub struct RowChange<'a, 't> {
    /// The row as it was; none for an insert.
    pub before: Option<RowImage<'a, 't>>,
    /// The row as it is then; none for a delete.
    pub after: Option<RowImage<'a, 't>>,
}

impl<'a> Rows<'a> {
    /// The statement's last row event: the table maps before it have no meaning after it.
    pub const STATEMENT_END: u16 = 0x1;
    /// The session had `foreign_key_checks = 0`.
    pub const NO_FOREIGN_KEY_CHECKS: u16 = 0x2;
    /// The session had `unique_checks = 0`.
    pub const RELAXED_UNIQUE_CHECKS: u16 = 0x4;
    /// The images have all columns.
    pub const COMPLETE_ROWS: u16 = 0x8;
    /// The server itself carried out foreign keys: the changes that they cascade to are in the log (MySQL 9.6).
    pub const SQL_FOREIGN_KEYS: u16 = 0x10;
    /// The table number of a row event that only ends a statement.
    pub const DUMMY_TABLE_ID: u64 = 0xff_ffff;

    /// Reads a row event, of the compressed kinds too.
    ///
    /// The kinds of MySQL 5.1 before its release are refused: nobody knows
    /// what their rows look like.
    pub fn parse(raw: &RawEvent<'a>, format: &FormatDescription) -> Result<Self> {
        let event_type = raw.header.event_type;
        let mut reader = raw.reader();
        let Some((kind, compressed)) = kind_of(event_type) else {
            return Err(
                reader.malformed("not a row event, or one from before the release of MySQL 5.1")
            );
        };
        let post_header_len = format.post_header_len(event_type);
        let table_id = table_map::table_id(&mut reader, post_header_len)?;
        let flags = reader.u16()?;
        let extra = match post_header_len {
            Some(10) => extra_row_info(&mut reader, kind)?,
            _ => ExtraRowInfo::default(),
        };
        let column_count = match usize::try_from(reader.packed_u64()?) {
            Ok(count @ 1..) if Bitmap::byte_len(count) <= reader.remaining() => count,
            _ => {
                return Err(
                    reader.malformed("the number of columns is zero or larger than the event")
                );
            }
        };
        let mut shape = |partial_values| -> Result<Option<ImageShape<'a>>> {
            let present = Bitmap::new(reader.take(Bitmap::byte_len(column_count))?, column_count);
            Ok(Some(ImageShape::new(present, partial_values)))
        };
        let (before, after) = match kind {
            RowsKind::Insert => (None, shape(false)?),
            RowsKind::Delete => (shape(false)?, None),
            RowsKind::Update => (shape(false)?, shape(false)?),
            RowsKind::PartialUpdate => (shape(false)?, shape(true)?),
        };
        Ok(Self {
            kind,
            table_id,
            flags,
            extra,
            column_count,
            before,
            after,
            images: reader,
            compressed,
        })
    }

    /// The number of columns that the table had when the event was written.
    pub fn column_count(&self) -> usize {
        self.column_count
    }

    /// The columns that the images before the change have.
    pub fn before_columns(&self) -> Option<Bitmap<'a>> {
        self.before.map(|shape| shape.present())
    }

    /// The columns that the images after the change have.
    pub fn after_columns(&self) -> Option<Bitmap<'a>> {
        self.after.map(|shape| shape.present())
    }

    /// The bytes of the images as they are in the event.
    pub fn image_bytes(&self) -> &'a [u8] {
        self.images.clone().rest()
    }

    /// Are the images compressed (MariaDB with `log_bin_compress`)? Then [`Rows::inflate`] comes before [`Rows::changes`].
    pub fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// The same event with its images unpacked into `buffer`, at most `bytes_max` of them.
    ///
    /// An event that is not compressed is given back as it is.
    pub fn inflate<'b>(&self, buffer: &'b mut Vec<u8>, bytes_max: usize) -> Result<Rows<'b>>
    where
        'a: 'b,
    {
        let mut rows: Rows<'b> = self.clone();
        if self.compressed {
            let base = self.images.offset();
            inflate::inflate_record(self.image_bytes(), bytes_max, buffer)
                .map_err(|reason| self.images.malformed(reason))?;
            rows.images = Reader::new(buffer.as_slice(), base, self.images.event_type());
            rows.compressed = false;
        }
        Ok(rows)
    }

    /// The rows' changes in order; `columns` is the compiled table map of [`Rows::table_id`].
    ///
    /// A table of another number of columns, or bytes that do not come out
    /// even, are an error of the walk; nothing follows it.
    pub fn changes<'t>(&self, columns: &'t TableColumns) -> RowChanges<'a, 't> {
        let failed = if self.compressed {
            Some(self.images.malformed("the rows are compressed"))
        } else if columns.len() != self.column_count {
            Some(
                self.images
                    .malformed("the number of columns differs from the table map's"),
            )
        } else {
            None
        };
        RowChanges {
            columns,
            before: self.before,
            after: self.after,
            images: self.images.clone(),
            lone_empty_row: self.is_lone_empty_row(),
            failed,
        }
    }

    /// Is this the insert of one row of which no column is logged?
    ///
    /// With `binlog_row_image = MINIMAL`, `INSERT INTO t () VALUES ()` into a
    /// table without a key gives an event without columns and without bytes.
    /// It is one row: MySQL refuses (error 1534) to log a second one like it
    /// in the same statement.
    fn is_lone_empty_row(&self) -> bool {
        let no_columns = self.after.is_some_and(|shape| shape.is_empty());
        self.kind == RowsKind::Insert
            && no_columns
            && self.images.is_empty()
            && self.table_id != Self::DUMMY_TABLE_ID
    }
}

/// The walk over a row event's changes; see [`Rows::changes`].
#[derive(Debug)]
pub struct RowChanges<'a, 't> {
    columns: &'t TableColumns,
    before: Option<ImageShape<'a>>,
    after: Option<ImageShape<'a>>,
    images: Reader<'a>,
    lone_empty_row: bool,
    /// What was wrong before the first row.
    failed: Option<Error>,
}

impl<'a, 't> RowChanges<'a, 't> {
    fn change(&mut self) -> Result<RowChange<'a, 't>> {
        let len = self.images.remaining();
        let mut image = |shape: Option<ImageShape<'a>>| {
            shape
                .map(|shape| RowImage::parse(&mut self.images, shape, self.columns))
                .transpose()
        };
        let change = RowChange {
            before: image(self.before)?,
            after: image(self.after)?,
        };
        if self.images.remaining() == len && !std::mem::take(&mut self.lone_empty_row) {
            // Rows without bytes would go on for ever.
            return Err(self.images.malformed("a row without columns"));
        }
        Ok(change)
    }
}

impl<'a, 't> Iterator for RowChanges<'a, 't> {
    type Item = Result<RowChange<'a, 't>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            self.lone_empty_row = false;
            self.images.rest();
            return Some(Err(error));
        }
        if self.images.is_empty() && !self.lone_empty_row {
            return None;
        }
        let change = self.change();
        if change.is_err() {
            self.images.rest();
        }
        Some(change)
    }
}

impl std::iter::FusedIterator for RowChanges<'_, '_> {}

fn kind_of(event_type: EventType) -> Option<(RowsKind, bool)> {
    Some(match event_type {
        EventType::WRITE_ROWS_V1 | EventType::WRITE_ROWS => (RowsKind::Insert, false),
        EventType::UPDATE_ROWS_V1 | EventType::UPDATE_ROWS => (RowsKind::Update, false),
        EventType::DELETE_ROWS_V1 | EventType::DELETE_ROWS => (RowsKind::Delete, false),
        EventType::PARTIAL_UPDATE_ROWS => (RowsKind::PartialUpdate, false),
        EventType::MARIADB_WRITE_ROWS_COMPRESSED_V1 | EventType::MARIADB_WRITE_ROWS_COMPRESSED => {
            (RowsKind::Insert, true)
        }
        EventType::MARIADB_UPDATE_ROWS_COMPRESSED_V1
        | EventType::MARIADB_UPDATE_ROWS_COMPRESSED => (RowsKind::Update, true),
        EventType::MARIADB_DELETE_ROWS_COMPRESSED_V1
        | EventType::MARIADB_DELETE_ROWS_COMPRESSED => (RowsKind::Delete, true),
        _ => return None,
    })
}

/// Parts of a type byte and what that type has; after an unknown type nothing can be told apart.
fn extra_row_info<'a>(reader: &mut Reader<'a>, kind: RowsKind) -> Result<ExtraRowInfo<'a>> {
    const NDB: u8 = 0;
    const PARTITION: u8 = 1;
    // The length counts its own two bytes.
    let Some(len) = reader.u16()?.checked_sub(2) else {
        return Err(reader.malformed("the extra row information is shorter than its length"));
    };
    let mut parts = reader.sub(len.into())?;
    let mut extra = ExtraRowInfo::default();
    while !parts.is_empty() {
        let rest = parts.clone().rest();
        match parts.u8()? {
            NDB => {
                // This length counts itself and the format.
                let Some(len) = parts.u8()?.checked_sub(2) else {
                    return Err(
                        parts.malformed("the information of NDB is shorter than its length")
                    );
                };
                let format = parts.u8()?;
                let content = parts.take(len.into())?;
                extra.ndb.get_or_insert((format, content));
            }
            PARTITION => {
                extra.partition = Some(parts.u16()?);
                if matches!(kind, RowsKind::Update | RowsKind::PartialUpdate) {
                    extra.source_partition = Some(parts.u16()?);
                }
            }
            _ => {
                extra.unknown = rest;
                parts.rest();
            }
        }
    }
    Ok(extra)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TableMap, Value, fuzz};

    /// A table of INT and VARCHAR(9).
    const MAP: &[u8] = b"\x05\0\0\0\0\0\x01\0\x01d\0\x01t\0\x02\x03\x0f\x02\x09\0\x03";

    fn columns() -> TableColumns {
        let format = fuzz::format().unwrap();
        TableMap::parse(&fuzz::raw(EventType::TABLE_MAP, MAP), &format)
            .unwrap()
            .compile()
            .unwrap()
    }

    fn parse(event_type: EventType, body: &[u8]) -> Result<Rows<'_>> {
        Rows::parse(&fuzz::raw(event_type, body), &fuzz::format().unwrap())
    }

    /// The values of all after images as text, or the error.
    fn walk(event_type: EventType, body: &[u8]) -> Result<Vec<String>> {
        let columns = columns();
        let mut texts = Vec::new();
        for change in parse(event_type, body)?.changes(&columns) {
            let change = change?;
            let image = change.after.or(change.before).unwrap();
            let values: Result<Vec<_>> = image.values().collect();
            let values = values?
                .into_iter()
                .map(|(ordinal, value)| format!("{ordinal}={value}"));
            texts.push(values.collect::<Vec<_>>().join(" "));
        }
        Ok(texts)
    }

    const V1: &[u8] = b"\x05\0\0\0\0\0\x01\0";

    /// No MariaDB writes these; their layout is version 2's with the images packed as in version 1.
    #[test]
    fn compressed_rows_of_version_2_are_unpacked() {
        use std::io::Write;

        let mut body = vec![4, 0];
        let mut version = b"10.11.18-MariaDB".to_vec();
        version.resize(50, 0);
        body.extend(version);
        body.extend([0, 0, 0, 0, 19]);
        let mut lens = [8; 171];
        lens[168..].fill(10);
        body.extend(lens);
        body.push(0);
        let format =
            FormatDescription::parse(&fuzz::raw(EventType::FORMAT_DESCRIPTION, &body)).unwrap();
        for (event_type, bitmaps, images, expected) in [
            (
                EventType::MARIADB_WRITE_ROWS_COMPRESSED,
                &b"\x03"[..],
                &b"\xfc\x07\0\0\0\x01a"[..],
                "0=7 1='a'",
            ),
            (
                EventType::MARIADB_UPDATE_ROWS_COMPRESSED,
                b"\x03\x03",
                b"\xfc\x07\0\0\0\x01a\xfc\x08\0\0\0\x01b",
                "0=8 1='b'",
            ),
            (
                EventType::MARIADB_DELETE_ROWS_COMPRESSED,
                b"\x03",
                b"\xfc\x09\0\0\0\x01c",
                "0=9 1='c'",
            ),
        ] {
            let mut body = V1.to_vec();
            body.extend(b"\x02\0\x02");
            body.extend(bitmaps);
            body.extend([0x81, images.len() as u8]);
            let mut zlib =
                flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            zlib.write_all(images).unwrap();
            body.extend(zlib.finish().unwrap());
            let raw = fuzz::raw(event_type, &body);
            let rows = Rows::parse(&raw, &format).unwrap();
            assert!(rows.is_compressed());
            let mut buffer = Vec::new();
            let rows = rows.inflate(&mut buffer, 1024).unwrap();
            let columns = columns();
            let change = rows.changes(&columns).next().unwrap().unwrap();
            let image = change.after.or(change.before).unwrap();
            let values: Vec<String> = image
                .values()
                .map(|value| {
                    value
                        .map(|(ordinal, value)| format!("{ordinal}={value}"))
                        .unwrap()
                })
                .collect();
            assert_eq!(values.join(" "), expected, "{event_type}");
            assert!(
                Rows::parse(&raw, &format)
                    .unwrap()
                    .inflate(&mut Vec::new(), 3)
                    .is_err()
            );
        }
    }

    #[test]
    fn walks() {
        for (event_type, body, expected) in [
            (
                EventType::WRITE_ROWS_V1,
                &b"\x02\x03\xfc\x07\0\0\0\x01a\xfd\x01c"[..],
                Some(vec!["0=7 1='a'", "0=NULL 1='c'"]),
            ),
            (
                EventType::WRITE_ROWS_V1,
                b"\x02\x02\x00\x01a\x01",
                Some(vec!["1='a'", "1=NULL"]),
            ),
            (
                EventType::DELETE_ROWS_V1,
                b"\x02\x01\x00\x07\0\0\0",
                Some(vec!["0=7"]),
            ),
            (
                EventType::UPDATE_ROWS_V1,
                b"\x02\x01\x02\x00\x07\0\0\0\x00\x01a",
                Some(vec!["1='a'"]),
            ),
            // No columns: one row without bytes, never more.
            (EventType::WRITE_ROWS_V1, b"\x02\x00", Some(vec![""])),
            (EventType::DELETE_ROWS_V1, b"\x02\x00", Some(vec![])),
            (EventType::WRITE_ROWS_V1, b"\x02\x00\x00", None),
            // Cut short, going on, another number of columns, none.
            (
                EventType::WRITE_ROWS_V1,
                b"\x02\x03\xfc\x07\0\0\0\x02a",
                None,
            ),
            (
                EventType::WRITE_ROWS_V1,
                b"\x02\x03\xfc\x07\0\0\0\x01a\xfc",
                None,
            ),
            (
                EventType::UPDATE_ROWS_V1,
                b"\x02\x01\x02\x00\x07\0\0\0",
                None,
            ),
            (
                EventType::WRITE_ROWS_V1,
                b"\x03\x03\xfc\x07\0\0\0\x01a",
                None,
            ),
            (EventType::WRITE_ROWS_V1, b"\x00", None),
            (
                EventType::WRITE_ROWS_V1,
                b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff",
                None,
            ),
            // Before the release of 5.1, and not rows at all.
            (
                EventType::PRE_GA_WRITE_ROWS,
                b"\x02\x03\xfc\x07\0\0\0\x01a",
                None,
            ),
            (EventType::QUERY, b"\x02\x03", None),
        ] {
            let body = [V1, body].concat();
            let walked = walk(event_type, &body).map_err(|error| error.to_string());
            match expected {
                Some(expected) => assert_eq!(walked.unwrap(), expected),
                None => assert!(walked.is_err(), "{body:x?}: {walked:?}"),
            }
        }
    }

    #[test]
    fn nothing_follows_an_error() {
        let columns = columns();
        let body = [V1, b"\x02\x03\xfc\x07\0\0\0\x09a"].concat();
        let rows = parse(EventType::WRITE_ROWS_V1, &body).unwrap();
        let items: Vec<_> = rows.changes(&columns).collect();
        assert!(matches!(items.as_slice(), [Err(_)]));
    }

    #[test]
    fn extra_row_information() {
        let row = b"\x02\x01\x00\x07\0\0\0";
        for (event_type, extra, expected) in [
            (
                EventType::WRITE_ROWS,
                &b"\x02\0"[..],
                Some(ExtraRowInfo::default()),
            ),
            (
                EventType::WRITE_ROWS,
                b"\x08\0\0\x05\x01abc",
                Some(ExtraRowInfo {
                    ndb: Some((1, b"abc")),
                    ..Default::default()
                }),
            ),
            (
                EventType::WRITE_ROWS,
                b"\x05\0\x01\x02\x01",
                Some(ExtraRowInfo {
                    partition: Some(258),
                    ..Default::default()
                }),
            ),
            (
                EventType::WRITE_ROWS,
                b"\x05\0\x09ab",
                Some(ExtraRowInfo {
                    unknown: b"\x09ab",
                    ..Default::default()
                }),
            ),
            (EventType::WRITE_ROWS, b"\x01\0", None),
            (EventType::WRITE_ROWS, b"\x04\0\0\x05", None),
            (EventType::WRITE_ROWS, b"\x04\0\0\x01", None),
            (EventType::WRITE_ROWS, b"\x03\0\x01", None),
        ] {
            let body = [V1, extra, row].concat();
            assert_eq!(
                parse(event_type, &body).ok().map(|rows| rows.extra),
                expected,
                "{extra:x?}"
            );
        }
    }

    #[test]
    fn unknown_options_of_a_partial_update_are_refused() {
        let head = [V1, b"\x02\0\x02\x01\x01\x00\x07\0\0\0"].concat();
        assert_eq!(
            walk(
                EventType::PARTIAL_UPDATE_ROWS,
                &[&head[..], b"\x00\x00\x08\0\0\0"].concat()
            )
            .unwrap(),
            ["0=8"]
        );
        assert!(
            walk(
                EventType::PARTIAL_UPDATE_ROWS,
                &[&head[..], b"\x02\x00\x08\0\0\0"].concat()
            )
            .is_err()
        );
    }

    #[test]
    fn one_column_by_its_ordinal() {
        let columns = columns();
        let body = [V1, b"\x02\x02\x00\x01a"].concat();
        let rows = parse(EventType::WRITE_ROWS_V1, &body).unwrap();
        let image = rows
            .changes(&columns)
            .next()
            .unwrap()
            .unwrap()
            .after
            .unwrap();
        assert_eq!(image.value(0).unwrap(), None);
        assert_eq!(image.value(1).unwrap(), Some(Value::Bytes(b"a")));
        assert_eq!(image.value(2).unwrap(), None);
    }
}
