use std::mem;

use crossbeam_channel::Sender;
use mysql::{Conn, Value, prelude::Queryable};

use super::{
    CopyError,
    columns::{Columns, write_field, write_insert},
    error::at_source,
};
use crate::{object::TableName, schema::ColumnKind};

/// Rows are handed on in blocks of about this size, or of a chunk's if that is less; a larger
/// row is a block of its own.
const BLOCK_BYTES: usize = 512 * 1024;

/// What may warn in one block is limited too: see `writer`.
const BLOCK_ROWS_MAX: u64 = 10_000;
const BLOCK_ZERO_ENUMS_MAX: u64 = 5_000;

/// Blocks that may wait between reading and writing.
pub(super) const BLOCKS_WAITING_MAX: usize = 2;

/// The form that rows are handed on in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Lines of LOAD DATA.
    Load,
    /// `(…),(…)` of INSERT.
    Insert,
}

/// Whole rows, ready for the destination.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    pub(super) rows: u64,
    /// ENUM values with index 0: the destination takes each with a warning.
    pub(super) zero_enums: u64,
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
        block: Block::default(),
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
    let rest = mem::take(&mut encoder.block);
    if rest.rows > 0 && blocks.send(Message::Rows(rest)).is_err() {
        return Ok(ReadEnd::Abandoned);
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
    block: Block,
}

impl Encoder<'_> {
    /// Takes a row; gives back the block that is thereby full.
    fn add(&mut self, row: &mysql::Row) -> Result<Option<Block>, CopyError> {
        let written = self.columns.written();
        self.check_json(row, written.len())?;
        let mut zero_enums = 0;
        let mut full = None;
        match self.form {
            Form::Load => {
                for (index, column) in written.iter().enumerate() {
                    if index > 0 {
                        self.block.bytes.push(b'\t');
                    }
                    let value = self.value(row, index)?;
                    zero_enums += u64::from(is_zero_enum(column.kind, value));
                    write_field(&mut self.block.bytes, value);
                }
                self.block.bytes.push(b'\n');
            }
            Form::Insert => {
                let mut line = String::from("(");
                for (index, column) in written.iter().enumerate() {
                    if index > 0 {
                        line.push(',');
                    }
                    let value = self.value(row, index)?;
                    zero_enums += u64::from(is_zero_enum(column.kind, value));
                    write_insert(&mut line, value, column)
                        .ok_or_else(|| self.unknown_form(index))?;
                }
                line.push(')');
                // A statement has a largest size: a row that would go beyond begins the next one.
                if self.block.rows > 0 && self.block.bytes.len() + line.len() > self.block_bytes {
                    full = Some(mem::take(&mut self.block));
                }
                if self.block.rows > 0 {
                    self.block.bytes.push(b',');
                }
                self.block.bytes.extend_from_slice(line.as_bytes());
            }
        }
        self.block.rows += 1;
        self.block.zero_enums += zero_enums;
        let is_full = (self.form == Form::Load && self.block.bytes.len() >= self.block_bytes)
            || self.block.rows >= BLOCK_ROWS_MAX
            || self.block.zero_enums >= BLOCK_ZERO_ENUMS_MAX;
        if is_full && full.is_none() {
            let next = Block {
                bytes: Vec::with_capacity(self.block_bytes + self.block_bytes / 8),
                ..Block::default()
            };
            full = Some(mem::replace(&mut self.block, next));
        }
        Ok(full)
    }

    fn value<'r>(&self, row: &'r mysql::Row, index: usize) -> Result<Option<&'r [u8]>, CopyError> {
        match row.as_ref(index) {
            Some(Value::NULL) => Ok(None),
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            _ => Err(self.unknown_form(index)),
        }
    }

    fn check_json(&self, row: &mysql::Row, first: usize) -> Result<(), CopyError> {
        for (offset, column) in self.columns.json().enumerate() {
            match row.as_ref(first + offset) {
                Some(Value::Bytes(flag)) if flag == b"0" => {}
                _ => {
                    return Err(CopyError::JsonOpaque {
                        table: self.table.clone(),
                        column: column.name.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    fn unknown_form(&self, index: usize) -> CopyError {
        CopyError::Value {
            table: self.table.clone(),
            column: self
                .columns
                .written()
                .get(index)
                .map(|column| column.name.clone())
                .unwrap_or_default(),
        }
    }
}

fn is_zero_enum(kind: ColumnKind, value: Option<&[u8]>) -> bool {
    kind == ColumnKind::Enum && value == Some(b"0")
}
