use std::mem;

use crossbeam_channel::Sender;
use mysql::{Conn, prelude::Queryable};

use super::{
    CopyError,
    columns::{Columns, is_zero_enum, write_field},
    error::at_source,
};
use crate::object::TableName;

/// Rows are handed on in blocks of about this size, or of a chunk's if that is less; a larger
/// row is a block of its own.
const BLOCK_BYTES: usize = 512 * 1024;

/// What may warn in one block is limited too: see `writer`.
const BLOCK_ROWS_MAX: u64 = 10_000;
const BLOCK_ZERO_ENUMS_MAX: u64 = 5_000;

/// Blocks that may wait between reading and writing.
pub(super) const BLOCKS_WAITING_MAX: usize = 2;

/// The form that rows are handed on in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    /// Lines of LOAD DATA; rows with values that only an expression can rebuild are inserted.
    Load,
    /// `(…),(…)` of INSERT.
    #[default]
    Insert,
}

/// Whole rows, ready for the destination.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    pub(super) rows: u64,
    /// ENUM values with index 0: the destination takes each with a warning.
    pub(super) zero_enums: u64,
    pub(super) form: Form,
}

/// What travels from the reading to the writing thread; a closed channel without `End` is a failure.
#[derive(Debug)]
pub(super) enum Message {
    /// Some rows.
    Rows(Block),
    /// There are no more.
    End,
}

/// How a read ended when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadEnd {
    /// Every row was handed on, and the connection can be used again.
    Complete,
    /// The writing side went away; the connection is in the middle of a result.
    Abandoned,
}

/// What to read, and the form to hand it on in.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) select: &'a str,
    pub(super) table: &'a TableName,
    pub(super) columns: &'a Columns,
    pub(super) form: Form,
    /// Blocks are not larger than this, so that a transaction is not either.
    pub(super) chunk_bytes: u64,
}

/// Reads the rows of one SELECT in the server's order, and hands them on in blocks.
pub(super) fn read_rows(
    conn: &mut Conn,
    reading: Reading<'_>,
    blocks: &Sender<Message>,
    halted: &dyn Fn() -> bool,
) -> Result<ReadEnd, CopyError> {
    let failed = at_source(format!("reading {}", reading.table));
    let mut result = conn.query_iter(reading.select).map_err(&failed)?;
    let mut encoder = Encoder {
        table: reading.table,
        columns: reading.columns,
        form: reading.form,
        block_bytes: usize::try_from(reading.chunk_bytes)
            .unwrap_or(BLOCK_BYTES)
            .min(BLOCK_BYTES),
        loaded: Block {
            form: Form::Load,
            ..Block::default()
        },
        inserted: Block::default(),
    };
    let read = (|| {
        for row in result.by_ref() {
            if let Some(block) = encoder.add(&row.map_err(&failed)?)? {
                if halted() {
                    return Err(CopyError::Stopped);
                }
                if blocks.send(Message::Rows(block)).is_err() {
                    return Ok(ReadEnd::Abandoned);
                }
            }
        }
        Ok(ReadEnd::Complete)
    })();
    if !matches!(read, Ok(ReadEnd::Complete)) {
        // Dropping the result would read the rest of it, which may be a whole table; the
        // caller drops the connection instead.
        mem::forget(result);
        return read;
    }
    drop(result);
    for rest in [encoder.loaded, encoder.inserted] {
        if rest.rows > 0 && blocks.send(Message::Rows(rest)).is_err() {
            return Ok(ReadEnd::Abandoned);
        }
    }
    Ok(if blocks.send(Message::End).is_ok() {
        ReadEnd::Complete
    } else {
        ReadEnd::Abandoned
    })
}

struct Encoder<'a> {
    table: &'a TableName,
    columns: &'a Columns,
    form: Form,
    block_bytes: usize,
    /// Rows for LOAD DATA.
    loaded: Block,
    /// Rows for INSERT.
    inserted: Block,
}

impl Encoder<'_> {
    /// Takes a row; gives back a block that is full.
    fn add(&mut self, row: &mysql::Row) -> Result<Option<Block>, CopyError> {
        if self.form == Form::Load && !self.has_typed_json(row)? {
            self.add_line(row)
        } else {
            self.add_tuple(row)
        }
    }

    fn add_line(&mut self, row: &mysql::Row) -> Result<Option<Block>, CopyError> {
        for (index, column) in self.columns.written().iter().enumerate() {
            if index > 0 {
                self.loaded.bytes.push(b'\t');
            }
            let value = self.columns.value(row, index, self.table)?;
            let zero_enum = is_zero_enum(column.kind, value);
            write_field(&mut self.loaded.bytes, value);
            self.loaded.zero_enums += u64::from(zero_enum);
        }
        self.loaded.bytes.push(b'\n');
        self.loaded.rows += 1;
        let is_full = self.loaded.bytes.len() >= self.block_bytes || self.loaded.has_many_rows();
        let capacity = self.block_bytes + self.block_bytes / 8;
        Ok(is_full.then(|| {
            let next = Block {
                bytes: Vec::with_capacity(capacity),
                form: Form::Load,
                ..Block::default()
            };
            mem::replace(&mut self.loaded, next)
        }))
    }

    fn add_tuple(&mut self, row: &mysql::Row) -> Result<Option<Block>, CopyError> {
        let mut tuple = String::new();
        let zero_enums = self.columns.write_tuple(&mut tuple, row, self.table)?;
        // A statement has a largest size: a row that would go beyond begins the next one.
        let block = &mut self.inserted;
        let is_full = block.rows > 0
            && (block.bytes.len() + tuple.len() > self.block_bytes || block.has_many_rows());
        let full = is_full.then(|| mem::take(block));
        if block.rows > 0 {
            block.bytes.push(b',');
        }
        block.bytes.extend_from_slice(tuple.as_bytes());
        block.rows += 1;
        block.zero_enums += zero_enums;
        Ok(full)
    }

    /// True when a value's type can't be told to LOAD DATA.
    fn has_typed_json(&self, row: &mysql::Row) -> Result<bool, CopyError> {
        for index in self.columns.json() {
            if self.columns.typed_list(row, *index, self.table)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Block {
    fn has_many_rows(&self) -> bool {
        self.rows >= BLOCK_ROWS_MAX || self.zero_enums >= BLOCK_ZERO_ENUMS_MAX
    }
}
