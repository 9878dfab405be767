use std::fmt;

use crate::{Query, RawEvent, Result, hidden::Hidden, query::QueryHead};

/// BEGIN_LOAD_QUERY or APPEND_BLOCK: a block of the file of a LOAD DATA
/// statement that was logged as a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LoadBlock<'a> {
    /// Which file; unique among those that are open.
    pub file_id: u32,
    /// The block.
    pub data: &'a [u8],
}

impl<'a> LoadBlock<'a> {
    pub(crate) fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        Ok(Self {
            file_id: r.u32()?,
            data: r.rest(),
        })
    }
}

impl fmt::Debug for LoadBlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadBlock")
            .field("file_id", &self.file_id)
            .field("data", &Hidden(self.data.len()))
            .finish()
    }
}

/// The file's id of a DELETE_FILE event.
pub(crate) fn parse_delete_file(raw: &RawEvent<'_>) -> Result<u32> {
    let mut r = raw.reader();
    let file_id = r.u32()?;
    r.finish()?;
    Ok(file_id)
}

/// EXECUTE_LOAD_QUERY: the LOAD DATA statement whose file came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecuteLoadQuery<'a> {
    /// The statement; its file name is a placeholder.
    pub query: Query<'a>,
    /// Which file.
    pub file_id: u32,
    /// Where in the statement the file's name begins, in bytes.
    pub name_start: u32,
    /// Where it ends.
    pub name_end: u32,
    /// What to do with a duplicate key.
    pub duplicates: LoadDuplicates,
}

/// What a LOAD DATA does with a row whose key is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadDuplicates {
    /// It fails.
    Error,
    /// IGNORE: it goes on with the next row.
    Ignore,
    /// REPLACE: the new row takes the place of the old one.
    Replace,
}

impl<'a> ExecuteLoadQuery<'a> {
    /// Reads an EXECUTE_LOAD_QUERY event.
    pub fn parse(raw: &RawEvent<'a>) -> Result<Self> {
        let mut r = raw.reader();
        let head = QueryHead::parse(&mut r)?;
        let (file_id, name_start, name_end) = (r.u32()?, r.u32()?, r.u32()?);
        let duplicates = match r.u8()? {
            0 => LoadDuplicates::Error,
            1 => LoadDuplicates::Ignore,
            2 => LoadDuplicates::Replace,
            _ => return Err(r.malformed("the treatment of duplicates is not known")),
        };
        let query = head.finish(&mut r)?;
        let name = (name_start as usize)..(name_end as usize);
        if query.query.get(name).is_none() {
            return Err(r.malformed("the file's name lies outside the statement"));
        }
        Ok(Self {
            query,
            file_id,
            name_start,
            name_end,
            duplicates,
        })
    }
}
