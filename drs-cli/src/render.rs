//! What goes to standard output: plain lines and tables, or JSON, one object a line.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde::Serialize;

use crate::exit::CommandError;

/// Standard output, in the form that the user asked for.
pub(crate) struct Output<W = io::Stdout> {
    writer: W,
    json: bool,
}

impl Output {
    /// The program's own standard output.
    pub(crate) fn stdout(json: bool) -> Self {
        Self {
            writer: io::stdout(),
            json,
        }
    }
}

#[cfg(test)]
impl Output<Vec<u8>> {
    /// What is printed is kept.
    pub(crate) fn kept(json: bool) -> Self {
        Self {
            writer: Vec::new(),
            json,
        }
    }

    /// What was printed.
    pub(crate) fn into_text(self) -> String {
        String::from_utf8(self.writer).unwrap()
    }
}

impl<W: Write> Output<W> {
    /// True when JSON is wanted.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a fact: as one line of text or one object.
    pub(crate) fn fact(&mut self, text: &str, object: &impl Serialize) -> io::Result<()> {
        if self.json {
            self.object(object)
        } else {
            self.line(text)
        }
    }

    /// Prints a line as it is.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.writer, "{}", printable(text))?;
        self.writer.flush()
    }

    /// Prints an object on one line.
    pub(crate) fn object(&mut self, object: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(object).map_err(io::Error::other)?;
        text.push(b'\n');
        self.writer.write_all(&text)?;
        self.writer.flush()
    }

    /// Prints a table for people.
    pub(crate) fn table(&mut self, table: &Table) -> io::Result<()> {
        table.write(&mut self.writer)?;
        self.writer.flush()
    }
}

/// Rows of cells under a heading; columns of numbers stand to the right.
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<TableRow>,
}

struct TableRow {
    cells: Vec<String>,
    /// Lines about it.
    under: Vec<String>,
}

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

impl Table {
    /// A table without rows yet.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: a cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(TableRow {
            cells: cells
                .into_iter()
                .map(|cell| printable(&cell).into_owned())
                .collect(),
            under: Vec::new(),
        });
    }

    /// Adds a line under the last row, as wide as it is.
    pub(crate) fn under(&mut self, line: &str) {
        if let Some(row) = self.rows.last_mut() {
            row.under.push(printable(line).into_owned());
        }
    }

    fn write(&self, writer: &mut impl Write) -> io::Result<()> {
        let heading = TableRow {
            cells: self
                .columns
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .collect(),
            under: Vec::new(),
        };
        let lines = || std::iter::once(&heading).chain(&self.rows);
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                lines()
                    .filter_map(|line| line.cells.get(column))
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for line in lines() {
            let mut text = String::new();
            for ((cell, width), (_, align)) in line.cells.iter().zip(&widths).zip(&self.columns) {
                match align {
                    Align::Left => text.push_str(&format!("{cell:<width$}  ")),
                    Align::Right => text.push_str(&format!("{cell:>width$}  ")),
                }
            }
            writeln!(writer, "{}", text.trim_end())?;
            for line in &line.under {
                writeln!(writer, "    {line}")?;
            }
        }
        Ok(())
    }
}

/// Prints why the program ends, on standard error.
pub(crate) fn error(error: &CommandError, json: bool) {
    let line = if json {
        serde_json::json!({ "error": error.to_string(), "exit_code": error.exit() as u8 })
            .to_string()
    } else {
        format!("drs: {}", printable(&error.to_string()))
    };
    // Nothing is left to tell it to when standard error is gone.
    let _ = writeln!(io::stderr(), "{line}");
}

/// A number with its thousands apart: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Names come from servers: none may move the cursor or colour the terminal.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::new();
    for c in text.chars() {
        if c.is_control() {
            safe.extend(c.escape_default())
        } else {
            safe.push(c)
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: bool, write: impl FnOnce(&mut Output<Vec<u8>>) -> io::Result<()>) -> String {
        let mut output = Output::kept(json);
        write(&mut output).unwrap();
        output.into_text()
    }

    #[test]
    fn a_fact_is_a_line_or_an_object() {
        let object = serde_json::json!({ "name": "a\nb" });
        assert_eq!(
            written(false, |out| out.fact("it is\u{1b}[31m a", &object)),
            "it is\\u{1b}[31m a\n"
        );
        assert_eq!(
            written(true, |out| out.fact("it is a", &object)),
            "{\"name\":\"a\\nb\"}\n"
        );
    }

    #[test]
    fn tables_line_up() {
        let mut table = Table::new(&[("table", Align::Left), ("rows", Align::Right)]);
        table.row(["`shop`.`é`".to_owned(), grouped(1_234_567)]);
        table.row(["a\tb".to_owned(), grouped(0)]);
        table.under("it is\nempty, and says so at length");
        let expected = "table            rows\n`shop`.`é`  1,234,567\na\\tb                0\n    it is\\nempty, and says so at length\n";
        assert_eq!(written(false, |out| out.table(&table)), expected);
    }

    #[test]
    fn groups_thousands() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
