//! One image of a row: which columns it has, which are NULL, and the values' bytes.
use crate::{
    Bitmap, ColumnType, EventType, JsonDiffs, Reader, Result, TableColumns, Value, column::Extent,
    hidden::Hidden,
};

/// An image of a row before or after a change, borrowed from its event.
///
/// How far each value reaches was checked when the image was made, and that is
/// all: values are decoded by walking [`RowImage::values`], which allocates
/// nothing.
#[derive(Clone, Copy)]
pub struct RowImage<'a, 't> {
    columns: &'t TableColumns,
    shape: ImageShape<'a>,
    nulls: Bitmap<'a>,
    /// Of a partial update: by JSON column of the table, whether the image has only its changes.
    partial_json: Option<Bitmap<'a>>,
    values: &'a [u8],
    /// Where `values` begins in the event.
    base: usize,
    event_type: EventType,
}

/// Which columns the images of one event have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImageShape<'a> {
    present: Bitmap<'a>,
    present_count: usize,
    /// The image begins with the options and bits of partial values.
    partial_values: bool,
}

/// What it takes to pass one column's value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) column_type: ColumnType,
    pub(crate) extent: Extent,
}

/// What lies between the ends of two values of variable length in an image without NULL: so many
/// bytes, then the value, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    fixed_bytes: usize,
    variable: Option<Extent>,
}

/// The columns' values as spans.
pub(crate) fn spans(steps: &[Step]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut fixed_bytes = 0;
    for step in steps {
        if step.extent.prefix == 0 {
            fixed_bytes += usize::from(step.extent.fixed);
        } else {
            spans.push(Span {
                fixed_bytes: std::mem::take(&mut fixed_bytes),
                variable: Some(step.extent),
            });
        }
    }
    if fixed_bytes > 0 {
        spans.push(Span {
            fixed_bytes,
            variable: None,
        });
    }
    spans
}

impl Span {
    /// What is left of `bytes` behind it; `None` if it reaches beyond them.
    #[inline]
    fn pass(self, bytes: &[u8]) -> Option<&[u8]> {
        let rest = bytes.get(self.fixed_bytes..)?;
        match self.variable {
            Some(extent) => extent.pass(rest),
            None => Some(rest),
        }
    }
}

impl Step {
    pub(crate) fn new(column_type: ColumnType) -> Self {
        Self {
            column_type,
            extent: column_type.extent(),
        }
    }
}

impl<'a> ImageShape<'a> {
    pub(crate) fn new(present: Bitmap<'a>, partial_values: bool) -> Self {
        Self {
            present,
            present_count: present.count(),
            partial_values,
        }
    }

    /// No column at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.present_count == 0
    }

    pub(crate) fn present(&self) -> Bitmap<'a> {
        self.present
    }
}

/// The only option of a partial update that there is: JSON columns may be given by their changes.
const PARTIAL_JSON: u64 = 1;

impl<'a, 't> RowImage<'a, 't> {
    /// Takes one image from `reader`.
    pub(crate) fn parse(
        reader: &mut Reader<'a>,
        shape: ImageShape<'a>,
        columns: &'t TableColumns,
    ) -> Result<Self> {
        let partial_json = if shape.partial_values {
            partial_json(reader, columns)?
        } else {
            None
        };
        let nulls = Bitmap::new(
            reader.take(Bitmap::byte_len(shape.present_count))?,
            shape.present_count,
        );
        let base = reader.offset();
        let before = reader.clone();
        if shape.present_count == columns.len() && nulls.is_clear() {
            for span in &columns.spans {
                reader.pass(|bytes| span.pass(bytes))?;
            }
        } else {
            let all_present = shape.present_count == columns.len();
            let mut null_index = 0;
            for (ordinal, step) in columns.steps.iter().enumerate() {
                if all_present || shape.present.is_set(ordinal) {
                    if !nulls.is_set(null_index) {
                        reader.pass(|bytes| step.extent.pass(bytes))?;
                    }
                    null_index += 1;
                }
            }
        }
        let values = before.taken_until(reader)?;
        Ok(Self {
            columns,
            shape,
            nulls,
            partial_json,
            values,
            base,
            event_type: reader.event_type(),
        })
    }

    /// The table's columns, which the ordinals of [`RowImage::values`] count.
    pub fn columns(&self) -> &'t TableColumns {
        self.columns
    }

    /// One bit a column of the table: has the image a value of it (NULL is one)?
    pub fn present(&self) -> Bitmap<'a> {
        self.shape.present
    }

    /// Has the image all columns (`binlog_row_image = FULL`)?
    pub fn is_complete(&self) -> bool {
        self.shape.present_count == self.columns.len()
    }

    /// The bytes of all values, as they lie in the event.
    pub fn value_bytes(&self) -> &'a [u8] {
        self.values
    }

    /// The columns that the image has, in the table's order, each with its ordinal from 0 on.
    #[inline]
    pub fn values(&self) -> Values<'a, 't> {
        Values {
            image: *self,
            reader: Reader::new(self.values, self.base, self.event_type),
            ordinal: 0,
            null_index: 0,
            json_index: 0,
            value: Value::Null,
        }
    }

    /// The value of one column; `None` if the image has it not.
    ///
    /// The values before it are passed over and not decoded: cheap for a few
    /// columns of an image; use [`RowImage::values`] for all.
    pub fn value(&self, ordinal: usize) -> Result<Option<Value<'a>>> {
        if ordinal >= self.columns.len() || !self.shape.present.is_set(ordinal) {
            return Ok(None);
        }
        let mut values = self.values();
        while values.ordinal < ordinal {
            if let Some(Place::Value { step, .. }) = values.place() {
                values.reader.pass(|bytes| step.extent.pass(bytes))?;
            }
        }
        Ok(values.next().transpose()?.map(|(_, value)| value))
    }
}

impl std::fmt::Debug for RowImage<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowImage")
            .field("present", &self.shape.present)
            .field("nulls", &self.nulls)
            .field("values", &Hidden(self.values.len()))
            .finish()
    }
}

/// The walk over an image's values; see [`RowImage::values`]. Nothing follows an error.
#[derive(Clone, Debug)]
pub struct Values<'a, 't> {
    image: RowImage<'a, 't>,
    reader: Reader<'a>,
    ordinal: usize,
    null_index: usize,
    json_index: usize,
    /// The last one that was lent.
    value: Value<'a>,
}

/// What an image has of a column.
enum Place<'t> {
    Absent,
    Null,
    /// The next bytes.
    Value {
        step: &'t Step,
        /// Changes of a JSON document, not the document.
        is_diff: bool,
    },
}

impl<'a, 't> Values<'a, 't> {
    /// The next column as the iterator gives it, but the value is lent: it is made in place, which
    /// halves the time of rows with many columns, where to move a value costs more than to read it.
    #[inline]
    pub fn next_value(&mut self) -> Result<Option<(usize, &Value<'a>)>> {
        loop {
            let ordinal = self.ordinal;
            match self.place() {
                None => return Ok(None),
                Some(Place::Absent) => continue,
                Some(Place::Null) => self.value = Value::Null,
                Some(Place::Value { step, is_diff }) => {
                    let read = match is_diff {
                        false => step.read(&mut self.reader, &mut self.value),
                        true => self.read_diff(step.extent),
                    };
                    if let Err(error) = read {
                        self.ordinal = usize::MAX;
                        return Err(error);
                    }
                }
            }
            return Ok(Some((ordinal, &self.value)));
        }
    }

    /// Goes on to the next column, up to its value; `None` behind the last one.
    #[inline]
    fn place(&mut self) -> Option<Place<'t>> {
        let image = &self.image;
        let ordinal = self.ordinal;
        let step = image.columns.steps.get(ordinal)?;
        self.ordinal += 1;
        let mut is_diff = false;
        // The bits of partial values count all JSON columns, also those that the image has not.
        if let (Some(partial), ColumnType::Json { .. }) = (image.partial_json, step.column_type) {
            is_diff = partial.is_set(self.json_index);
            self.json_index += 1;
        }
        if !image.is_complete() && !image.shape.present.is_set(ordinal) {
            return Some(Place::Absent);
        }
        let null_index = self.null_index;
        self.null_index += 1;
        Some(match image.nulls.is_set(null_index) {
            true => Place::Null,
            false => Place::Value { step, is_diff },
        })
    }

    #[cold]
    fn read_diff(&mut self, extent: Extent) -> Result<()> {
        let bytes = extent.take(&mut self.reader)?;
        let base = self.reader.offset() - bytes.len();
        let diffs = JsonDiffs::in_event(bytes, base, self.image.event_type);
        self.value = Value::JsonDiff(diffs);
        Ok(())
    }
}

impl<'a> Iterator for Values<'a, '_> {
    type Item = Result<(usize, Value<'a>)>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.next_value() {
            Ok(Some((ordinal, value))) => Some(Ok((ordinal, *value))),
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (
            0,
            Some(
                self.image
                    .shape
                    .present_count
                    .saturating_sub(self.null_index),
            ),
        )
    }
}

impl std::iter::FusedIterator for Values<'_, '_> {}

/// The options of a partial update and, where they say so, a bit for each JSON column of the table.
fn partial_json<'a>(reader: &mut Reader<'a>, columns: &TableColumns) -> Result<Option<Bitmap<'a>>> {
    match reader.packed_u64()? {
        0 => Ok(None),
        PARTIAL_JSON => {
            let bytes = reader.take(Bitmap::byte_len(columns.json_columns))?;
            Ok(Some(Bitmap::new(bytes, columns.json_columns)))
        }
        _ => Err(reader.malformed("unknown options of a partial update")),
    }
}
