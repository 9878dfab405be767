//! Object files: what to work on, one object a line.

use std::{
    io::{self, Read, Write},
    path::Path,
};

use crate::object::{Mapping, SelectionEntry, TableName};

/// The largest object file taken, in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The first line, which may be left out.
const HEADER: [&str; 2] = ["source", "mapped"];

/// A line of an object file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObjectLine {
    /// A `database` or `database.table` of the source.
    pub(super) source: String,
    /// What it is called at the destination, if something else.
    pub(super) mapped: Option<String>,
}

/// Why an object file can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ObjectFileError {
    /// It can't be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// A line is wrong.
    #[error("line {line}: {reason}")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
}

/// Reads an object file: CSV, `source[,mapped]` a line. Lines whose two fields are empty count for
/// nothing, and so does a first line `source,mapped`.
pub(super) fn read(path: &Path) -> Result<Vec<ObjectLine>, ObjectFileError> {
    let file = std::fs::File::open(path)?;
    if file.metadata()?.len() > FILE_BYTES_MAX {
        return Err(io::Error::other("it is too long to be an object file").into());
    }
    let mut text = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut text)?;
    parse(&text)
}

fn parse(text: &[u8]) -> Result<Vec<ObjectLine>, ObjectFileError> {
    let mut lines_seen = LineCount::default();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    let mut lines = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut is_first = true;
    loop {
        let more = reader
            .read_record(&mut record)
            .map_err(|error| ObjectFileError::Line {
                line: error.position().map_or(0, csv::Position::line),
                reason: "it is not CSV in UTF-8".into(),
            })?;
        if !more {
            return Ok(lines);
        }
        let line = lines_seen.at(text, record.position().map_or(0, csv::Position::byte));
        let wrong = |reason: String| ObjectFileError::Line { line, reason };
        let field = |index: usize| match (index, record.get(index).unwrap_or_default()) {
            // A byte order mark, as spreadsheets write it.
            (0, text) if is_first => text.trim_start_matches('\u{feff}'),
            (_, text) => text,
        };
        let (source, mapped) = (field(0), field(1));
        let is_header = is_first && [source, mapped] == HEADER;
        is_first = false;
        if is_header || (source.is_empty() && mapped.is_empty()) {
            continue;
        }
        if record.iter().skip(2).any(|field| !field.is_empty()) {
            return Err(wrong("it has more than two fields".into()));
        }
        SelectionEntry::parse(source).map_err(|error| wrong(error.to_string()))?;
        if !mapped.is_empty() {
            Mapping::new(&[(source, mapped)]).map_err(|error| wrong(error.to_string()))?;
        }
        lines.push(ObjectLine {
            source: source.to_owned(),
            mapped: (!mapped.is_empty()).then(|| mapped.to_owned()),
        });
    }
}

/// Counts lines up to places that come in order.
#[derive(Default)]
struct LineCount {
    byte: usize,
    ends: u64,
}

impl LineCount {
    /// The line, from 1, of the first field behind a place: empty lines belong to no record.
    fn at(&mut self, text: &[u8], byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        let is_end = |byte: &&u8| **byte == b'\n';
        let new = text.get(self.byte..byte).unwrap_or_default();
        self.ends += new.iter().filter(is_end).count() as u64;
        self.byte = self.byte.max(byte);
        let empty = text.get(byte..).unwrap_or_default().iter();
        let empty = empty.take_while(|byte| matches!(byte, b'\r' | b'\n'));
        1 + self.ends + empty.filter(is_end).count() as u64
    }
}

/// Writes tables and their names at the destination as an object file.
///
/// # Errors
/// What the writer says.
pub fn write_object_file<'a>(
    out: impl Write,
    tables: impl IntoIterator<Item = (&'a TableName, &'a TableName)>,
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for (source, mapped) in tables {
        let mapped = match source == mapped {
            true => String::new(),
            false => mapped.to_string(),
        };
        writer.write_record([source.to_string(), mapped])?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_objects_with_or_without_another_name() {
        let text = "\u{feff}source,mapped\nshop,\ncrm.customers,dw.customers\n,\n\"`a,b`.`c`\"\nlog_*.events,,\n";
        let lines = parse(text.as_bytes()).unwrap();
        let shown: Vec<_> = lines
            .iter()
            .map(|line| (line.source.as_str(), line.mapped.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                ("shop", None),
                ("crm.customers", Some("dw.customers")),
                ("`a,b`.`c`", None),
                ("log_*.events", None),
            ]
        );
    }

    #[test]
    fn every_error_names_its_line() {
        for (text, message) in [
            (
                "shop\n\n a.b\n",
                "line 3: \" a.b\" selects nothing: names with spaces can't be selected",
            ),
            (
                "shop\na.b.c\n",
                "line 2: \"a.b.c\" selects nothing: more than two parts",
            ),
            ("shop,x,y\n", "line 1: it has more than two fields"),
            (
                "shop\nshop.*,x.y\n",
                "line 2: \"shop.*\" can't be mapped: it must be one name",
            ),
            (
                "a\nb\nc,d.e\n",
                "line 3: \"c\" and \"d.e\" are not both databases or both tables",
            ),
            ("a\n,b\n", "line 2: \"\" selects nothing: a name is empty"),
            ("a,b<\n", "line 1: \"b<\" can't be a mapped name"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(message), "{text:?}: {error}");
        }
        assert!(parse(b"a\n\xff\n").is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let table = |database: &str, name: &str| TableName::new(database, name).unwrap();
        let (a, b, c) = (
            table("shop", "orders"),
            table("a.b", "it's, `x`"),
            table("dw", "orders"),
        );
        let mut out = Vec::new();
        write_object_file(&mut out, [(&a, &c), (&b, &b)]).unwrap();
        let error = parse(&out);
        // Names with spaces can't be selected.
        assert!(error.is_err());
        out.clear();
        let b = table("a.b", "it's,`x`");
        write_object_file(&mut out, [(&a, &c), (&b, &b)]).unwrap();
        let lines = parse(&out).unwrap();
        let mapping = Mapping::new(&[(
            lines[0].source.as_str(),
            lines[0].mapped.as_deref().unwrap(),
        )])
        .unwrap();
        assert_eq!(mapping.table(&a), c);
        let selection = crate::Selection::new(&[lines[1].source.as_str()], &[]).unwrap();
        assert!(selection.matches(&b) && lines[1].mapped.is_none());
    }
}
