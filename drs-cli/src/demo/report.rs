//! What the demo has come to.

use std::{io, time::Duration};

use drs_testkit::{TableComparison, TableDigest, workload::WriteCounts};
use serde_json::json;

use crate::render::{Align, Output, Table, grouped};

/// What was measured and compared.
#[derive(Default)]
pub(super) struct Report {
    pub(super) rows_loaded: u64,
    pub(super) written: WriteCounts,
    /// Of all runs that took part in the copy.
    pub(super) copy_time: Duration,
    /// Behind the source at most, once the last run had caught up.
    pub(super) lag_ms_max: u64,
    pub(super) kills: u32,
    /// What drs's own comparison says.
    pub(super) compares_equal: bool,
    /// What an independent one says.
    pub(super) tables: Vec<TableComparison>,
    /// What does not add up at the destination.
    pub(super) broken_rules: Vec<String>,
    pub(super) seconds: f64,
}

impl Report {
    /// Whether the two sides are proved to be the same.
    pub(super) fn is_equal(&self) -> bool {
        self.compares_equal
            && !self.tables.is_empty()
            && self.broken_rules.is_empty()
            && self.tables.iter().all(TableComparison::is_equal)
    }

    pub(super) fn print(&self, out: &mut Output) -> io::Result<()> {
        if out.is_json() {
            return self.print_json(out);
        }
        out.line("")?;
        let mut tables = Table::new(&[
            ("table", Align::Left),
            ("source rows", Align::Right),
            ("destination rows", Align::Right),
            ("checksum of every byte", Align::Left),
            ("", Align::Left),
        ]);
        for table in &self.tables {
            tables.row([
                table.table.clone(),
                rows(table.source.as_ref()),
                rows(table.destination.as_ref()),
                table
                    .destination
                    .as_ref()
                    .map_or_else(String::new, |it| it.checksum.clone()),
                if table.is_equal() {
                    "equal"
                } else {
                    "DIFFERENT"
                }
                .to_owned(),
            ]);
        }
        out.table(&tables)?;
        for table in self.tables.iter().filter(|table| !table.is_equal()) {
            out.line("")?;
            table
                .to_string()
                .lines()
                .try_for_each(|line| out.line(line))?;
        }
        self.broken_rules
            .iter()
            .try_for_each(|rule| out.line(rule))?;
        out.line("")?;
        let mut summary = Table::new(&[
            ("rows copied", Align::Right),
            ("rows/s", Align::Right),
            ("source transactions", Align::Right),
            ("row changes", Align::Right),
            ("lag at most", Align::Right),
            ("kill -9 survived", Align::Right),
            ("seconds in all", Align::Right),
            ("both sides", Align::Left),
        ]);
        summary.row([
            grouped(self.rows_loaded),
            grouped(self.rows_per_second()),
            grouped(self.written.transactions),
            grouped(self.written.row_changes),
            format!("{} ms", grouped(self.lag_ms_max)),
            self.kills.to_string(),
            format!("{:.1}", self.seconds),
            if self.is_equal() {
                "equal"
            } else {
                "DIFFERENT"
            }
            .to_owned(),
        ]);
        out.table(&summary)
    }

    fn print_json(&self, out: &mut Output) -> io::Result<()> {
        for table in &self.tables {
            out.object(&json!({
                "event": "table",
                "table": table.table,
                "source_rows": table.source.as_ref().map(|it| it.rows),
                "destination_rows": table.destination.as_ref().map(|it| it.rows),
                "source_checksum": table.source.as_ref().map(|it| &it.checksum),
                "destination_checksum": table.destination.as_ref().map(|it| &it.checksum),
                "equal": table.is_equal(),
                "differences": table.differences,
            }))?;
        }
        out.object(&json!({
            "event": "done",
            "rows_copied": self.rows_loaded,
            "rows_per_second": self.rows_per_second(),
            "transactions": self.written.transactions,
            "row_changes": self.written.row_changes,
            "lag_ms_max": self.lag_ms_max,
            "kills": self.kills,
            "seconds": self.seconds,
            "broken_rules": self.broken_rules,
            "equal": self.is_equal(),
        }))
    }

    fn rows_per_second(&self) -> u64 {
        let millis = self.copy_time.as_millis().max(1);
        let rate = u128::from(self.rows_loaded) * 1000 / millis;
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

fn rows(digest: Option<&TableDigest>) -> String {
    digest.map_or_else(|| "none".to_owned(), |it| grouped(it.rows))
}
