//! The optional metadata of a table map, field by field.
use crate::{ColumnType, KeyPart, Reader, Result, TableColumn};

mod field {
    pub(super) const SIGNEDNESS: u8 = 1;
    pub(super) const DEFAULT_CHARSET: u8 = 2;
    pub(super) const COLUMN_CHARSET: u8 = 3;
    pub(super) const COLUMN_NAME: u8 = 4;
    pub(super) const SET_STR_VALUE: u8 = 5;
    pub(super) const ENUM_STR_VALUE: u8 = 6;
    pub(super) const GEOMETRY_TYPE: u8 = 7;
    pub(super) const SIMPLE_PRIMARY_KEY: u8 = 8;
    pub(super) const PRIMARY_KEY_WITH_PREFIX: u8 = 9;
    pub(super) const ENUM_AND_SET_DEFAULT_CHARSET: u8 = 10;
    pub(super) const ENUM_AND_SET_COLUMN_CHARSET: u8 = 11;
    pub(super) const COLUMN_VISIBILITY: u8 = 12;
    pub(super) const VECTOR_DIMENSIONALITY: u8 = 13;
}

/// Reads all fields into `columns`; gives the primary key if one is there.
///
/// A field of a type that is not known is skipped, as the server does: none
/// of them changes how rows are laid out.
pub(crate) fn read(
    mut metadata: Reader<'_>,
    columns: &mut [TableColumn],
    has_collation: fn(ColumnType) -> bool,
) -> Result<Option<Vec<KeyPart>>> {
    let mut primary_key = None;
    while !metadata.is_empty() {
        let kind = metadata.u8()?;
        let len = metadata.packed_len()?;
        let mut field = metadata.sub(len)?;
        match kind {
            field::SIGNEDNESS => {
                let numbers = columns
                    .iter_mut()
                    .filter(|column| column.column_type.has_sign());
                read_flags(&mut field, numbers, |column, flag| {
                    column.unsigned = Some(flag)
                })?;
            }
            field::DEFAULT_CHARSET => default_charset(&mut field, columns, has_collation)?,
            field::COLUMN_CHARSET => column_charset(&mut field, columns, has_collation)?,
            field::ENUM_AND_SET_DEFAULT_CHARSET => {
                default_charset(&mut field, columns, ColumnType::is_enum_or_set)?
            }
            field::ENUM_AND_SET_COLUMN_CHARSET => {
                column_charset(&mut field, columns, ColumnType::is_enum_or_set)?
            }
            field::COLUMN_NAME => {
                for column in columns.iter_mut() {
                    let len = field.packed_len()?;
                    let name = std::str::from_utf8(field.take(len)?);
                    column.name = Some(
                        name.map_err(|_| field.malformed("a column's name is not UTF-8"))?
                            .into(),
                    );
                }
            }
            field::SET_STR_VALUE => {
                read_labels(&mut field, columns, |column_type| {
                    matches!(column_type, ColumnType::Set { .. })
                })?;
            }
            field::ENUM_STR_VALUE => {
                read_labels(&mut field, columns, |column_type| {
                    matches!(column_type, ColumnType::Enum { .. })
                })?;
            }
            field::GEOMETRY_TYPE => {
                for column in of_type(columns, |column_type| {
                    matches!(column_type, ColumnType::Geometry { .. })
                }) {
                    column.geometry_type = Some(packed_u32(&mut field)?);
                }
            }
            field::VECTOR_DIMENSIONALITY => {
                for column in of_type(columns, |column_type| {
                    matches!(column_type, ColumnType::Vector { .. })
                }) {
                    column.dimensions = Some(packed_u32(&mut field)?);
                }
            }
            field::SIMPLE_PRIMARY_KEY => {
                primary_key = Some(read_primary_key(&mut field, columns.len(), false)?)
            }
            field::PRIMARY_KEY_WITH_PREFIX => {
                primary_key = Some(read_primary_key(&mut field, columns.len(), true)?)
            }
            field::COLUMN_VISIBILITY => {
                read_flags(&mut field, columns.iter_mut(), |column, flag| {
                    column.visible = Some(flag)
                })?;
            }
            _ => {
                field.rest();
            }
        }
        field.finish()?;
    }
    Ok(primary_key)
}

fn of_type(
    columns: &mut [TableColumn],
    is: fn(ColumnType) -> bool,
) -> impl Iterator<Item = &mut TableColumn> {
    columns
        .iter_mut()
        .filter(move |column| is(column.column_type))
}

/// One bit for each of the columns; unlike all other bit fields, the highest bit of a byte comes first.
fn read_flags<'c>(
    field: &mut Reader<'_>,
    columns: impl Iterator<Item = &'c mut TableColumn>,
    set: fn(&mut TableColumn, bool),
) -> Result<()> {
    let mut byte = 0;
    for (index, column) in columns.enumerate() {
        if index % 8 == 0 {
            byte = field.u8()?;
        }
        set(column, byte << (index % 8) & 0x80 != 0);
    }
    Ok(())
}

/// The collation that most columns have, then the exceptions: index among these columns, and collation.
fn default_charset(
    field: &mut Reader<'_>,
    columns: &mut [TableColumn],
    is: fn(ColumnType) -> bool,
) -> Result<()> {
    let default = packed_u32(field)?;
    of_type(columns, is).for_each(|column| column.collation = Some(default));
    // The exceptions ascend, so that one walk over the columns meets them all.
    let mut rest = of_type(columns, is);
    let mut next_index = 0;
    while !field.is_empty() {
        let index = field.packed_u64()?;
        let collation = packed_u32(field)?;
        let skip = index
            .checked_sub(next_index)
            .and_then(|skip| usize::try_from(skip).ok());
        let Some(column) = skip.and_then(|skip| rest.nth(skip)) else {
            return Err(field.malformed("a column's collation is given for no column, or twice"));
        };
        column.collation = Some(collation);
        next_index = index + 1;
    }
    Ok(())
}

fn column_charset(
    field: &mut Reader<'_>,
    columns: &mut [TableColumn],
    is: fn(ColumnType) -> bool,
) -> Result<()> {
    for column in of_type(columns, is) {
        column.collation = Some(packed_u32(field)?);
    }
    Ok(())
}

fn read_labels(
    field: &mut Reader<'_>,
    columns: &mut [TableColumn],
    is: fn(ColumnType) -> bool,
) -> Result<()> {
    for column in of_type(columns, is) {
        // A label takes at least the byte of its length: the count cannot be more than what is left.
        let count = field.packed_len()?;
        let mut labels = Vec::with_capacity(count);
        for _ in 0..count {
            let len = field.packed_len()?;
            labels.push(field.take(len)?.into());
        }
        column.labels = Some(labels.into());
    }
    Ok(())
}

fn read_primary_key(
    field: &mut Reader<'_>,
    columns: usize,
    with_prefix: bool,
) -> Result<Vec<KeyPart>> {
    let mut parts = Vec::new();
    while !field.is_empty() {
        let column = usize::try_from(field.packed_u64()?)
            .ok()
            .filter(|column| *column < columns);
        let Some(column) = column else {
            return Err(field.malformed("the primary key has a column that the table has not"));
        };
        let prefix = if with_prefix {
            Some(packed_u32(field)?).filter(|prefix| *prefix > 0)
        } else {
            None
        };
        parts.push(KeyPart { column, prefix });
    }
    Ok(parts)
}

fn packed_u32(field: &mut Reader<'_>) -> Result<u32> {
    u32::try_from(field.packed_u64()?).map_err(|_| field.malformed("a number is too large"))
}
