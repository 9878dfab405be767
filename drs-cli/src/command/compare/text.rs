//! A comparison's result for the terminal.

use std::{io, time::Duration};

use drs_core::compare::{
    DifferenceKind, ObjectResult, ObjectVerdict, RowDifference, TableResult, TableVerdict,
};

use super::{
    objects::{differs, is_left_open},
    report::{Report, Rows, Verdict},
    wait::shown,
};
use crate::render::{Align, Output, Table, grouped};

/// Up to so many tables, those that are equal are listed too.
const TABLES_LISTED_MAX: usize = 50;

/// Prints the whole.
pub(super) fn print<W: io::Write>(
    report: &Report,
    all: bool,
    out: &mut Output<W>,
) -> io::Result<()> {
    if let Some(objects) = &report.objects {
        print_objects(&objects.results, all, out)?;
    }
    if let Some(rows) = &report.rows {
        print_tables(rows, all || rows.tables.len() <= TABLES_LISTED_MAX, out)?;
    }
    out.line("")?;
    for line in ending(report) {
        out.line(&line)?;
    }
    Ok(())
}

/// A table that is not equal, in a line.
pub(super) fn in_a_line(table: &TableResult) -> String {
    let name = &table.source;
    let counts = &table.counts;
    match &table.verdict {
        TableVerdict::Equal => format!("{name} is equal"),
        TableVerdict::NotCompared(reason) => format!("{name} is not compared: {reason}"),
        TableVerdict::Unsettled => format!(
            "{name} is unsettled: {} rows were written to all the time",
            grouped(counts.unsettled)
        ),
        TableVerdict::Different => {
            let mut parts = Vec::new();
            for (count, what) in [
                (counts.missing, "missing"),
                (counts.extra, "extra"),
                (counts.different, "different"),
            ] {
                if count > 0 {
                    parts.push(format!("{} {what}", grouped(count)));
                }
            }
            parts.extend(table.structure.iter().cloned());
            format!("{name} differs: {}", parts.join(", "))
        }
    }
}

/// A duration, as exact as a person wants to know it.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) if seconds < 10 => format!("{:.1} s", duration.as_secs_f64()),
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (hours, minutes) => format!("{} h {minutes} min", grouped(hours)),
    }
}

/// The verdict on a table, in words.
pub(super) fn verdict(table: &TableResult) -> &'static str {
    match table.verdict {
        TableVerdict::Equal => "equal",
        TableVerdict::Different => "DIFFERENT",
        TableVerdict::Unsettled => "unsettled",
        TableVerdict::NotCompared(_) => "not compared",
    }
}

/// The verdict on an object, in words.
pub(super) fn object_verdict(object: &ObjectResult) -> &'static str {
    match object.verdict {
        ObjectVerdict::Equal => "equal",
        ObjectVerdict::Different => "DIFFERENT",
        ObjectVerdict::OnlyAtSource => "ONLY AT THE SOURCE",
        ObjectVerdict::OnlyAtDestination => "ONLY AT THE DESTINATION",
        ObjectVerdict::NotCompared(_) => "not compared",
    }
}

/// The key of a row in words: `id='7', part='x'`.
pub(super) fn key(difference: &RowDifference) -> String {
    let parts = difference.key.iter();
    let parts: Vec<String> = parts
        .map(|(column, value)| format!("{column}={value}"))
        .collect();
    let times = match difference.times {
        1 => String::new(),
        times => format!(" ({} times)", grouped(times)),
    };
    format!("{}{times}", parts.join(", "))
}

/// What there is to say of the whole, line by line; the verdict last.
pub(super) fn ending(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(objects) = &report.objects {
        for (kind, counts) in &objects.counts {
            let mut parts = vec![format!(
                "{} at the source, {} at the destination",
                grouped(counts.source),
                grouped(counts.destination)
            )];
            if counts.different > 0 {
                parts.push(format!("{} not the same", grouped(counts.different)));
            }
            if counts.not_compared > 0 {
                parts.push(format!("{} not compared", grouped(counts.not_compared)));
            }
            lines.push(format!("{kind:<12} {}", parts.join(", ")));
        }
    }
    if let Some(rows) = &report.rows {
        lines.extend(rows_lines(rows));
    }
    if let Some(repairs) = report.repairs {
        let statements = grouped(repairs);
        lines.push(format!(
            "{:<12} {statements} statements; nothing has run them",
            "repair"
        ));
    }
    let names = ["source", "destination"];
    for (name, server) in names.into_iter().zip(&report.servers) {
        lines.push(format!(
            "{name:<12} {}, MySQL {}",
            server.address, server.version
        ));
    }
    let tables = match report.tables.as_slice() {
        [] => String::new(),
        entries => format!(", of {} only", entries.join(", ")),
    };
    lines.push(format!(
        "{:<12} {}{tables}, from {} to {} (UTC), {}",
        "compared",
        report.levels.join(" and "),
        shown(report.begun),
        shown(report.ended),
        duration((report.ended - report.begun).to_std().unwrap_or_default()),
    ));
    let (verdict, meaning) = (report.verdict().shown(), meaning(report));
    lines.push(format!("{:<12} {verdict}: {meaning}", "result"));
    lines
}

/// What the verdict means.
pub(super) fn meaning(report: &Report) -> &'static str {
    match report.verdict() {
        Verdict::Equal if report.levels.contains(&"count") => {
            "the numbers of rows are the same on both sides; values were not compared"
        }
        Verdict::Equal => "all that was compared is the same on both sides",
        Verdict::Different => "the two sides are not the same",
        Verdict::Incomplete => "no difference was found, and nothing can be said of a part of it",
    }
}

fn rows_lines(rows: &Rows) -> Vec<String> {
    let totals = rows.totals();
    let mut parts = vec![format!(
        "{} compared, {} equal",
        grouped(totals.tables - totals.not_compared),
        grouped(totals.equal)
    )];
    for (count, what) in [
        (totals.different, "different"),
        (totals.unsettled, "unsettled"),
        (totals.not_compared, "not compared"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", grouped(count)));
        }
    }
    let counts = &totals.rows;
    let mut lines = vec![
        format!("{:<12} {}", "tables", parts.join(", ")),
        format!(
            "{:<12} {} at the source, {} at the destination; {} missing, {} extra, {} different",
            "rows",
            grouped(counts.source),
            grouped(counts.destination),
            grouped(counts.missing),
            grouped(counts.extra),
            grouped(counts.different)
        ),
    ];
    if counts.unsettled > 0 {
        lines.push(format!(
            "{:<12} {} rows differed at each look, and were written to in between",
            "unsettled",
            grouped(counts.unsettled)
        ));
    }
    lines.push(format!("{:<12} {}", "position", position(rows)));
    lines.push(format!("{:<12} {}", "live", live(rows)));
    lines
}

/// Where the source's log was meanwhile.
pub(super) fn position(rows: &Rows) -> String {
    match (&rows.from, &rows.until) {
        (Some(from), Some(until)) if from == until => format!("the source's log stood at {from}"),
        (Some(from), Some(until)) => format!("the source's log went from {from} to {until}"),
        _ => "the end of the source's log could not be read".to_owned(),
    }
}

/// Whether a running task was waited for.
pub(super) fn live(rows: &Rows) -> &'static str {
    match rows.is_live {
        true => {
            "the task had everything up to that position, and what differed was looked at again behind it"
        }
        false => "no: what no task has applied yet counts as a difference",
    }
}

fn print_objects<W: io::Write>(
    results: &[ObjectResult],
    all: bool,
    out: &mut Output<W>,
) -> io::Result<()> {
    let listed: Vec<&ObjectResult> = results
        .iter()
        .filter(|result| all || differs(result) || is_left_open(result))
        .collect();
    if listed.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&[
        ("object", Align::Left),
        ("source", Align::Left),
        ("destination", Align::Left),
        ("result", Align::Left),
    ]);
    for result in listed {
        let name = |name: &Option<drs_core::compare::ObjectName>| {
            name.as_ref()
                .map_or_else(|| "-".to_owned(), ToString::to_string)
        };
        table.row([
            result.kind.to_string(),
            name(&result.source),
            name(&result.destination),
            object_verdict(result).to_owned(),
        ]);
        if let ObjectVerdict::NotCompared(reason) = &result.verdict {
            table.under(reason);
        }
        for difference in &result.differences {
            let reason = match difference.kind {
                DifferenceKind::Real => String::new(),
                DifferenceKind::Explained(_) if !all => continue,
                DifferenceKind::Explained(reason) => format!(" (does not count: {reason})"),
            };
            table.under(&format!(
                "{}: {} | {}{reason}",
                difference.what, difference.source, difference.destination
            ));
        }
    }
    out.line("")?;
    out.table(&table)
}

fn print_tables<W: io::Write>(rows: &Rows, all: bool, out: &mut Output<W>) -> io::Result<()> {
    let listed: Vec<&TableResult> = rows
        .tables
        .iter()
        .filter(|table| all || table.verdict != TableVerdict::Equal)
        .collect();
    let left_out = rows.tables.len() - listed.len();
    out.line("")?;
    if !listed.is_empty() {
        let is_mapped = listed.iter().any(|table| table.source != table.destination);
        out.table(&tables(&listed, is_mapped))?;
    }
    if left_out > 0 {
        out.line(&format!(
            "{} tables that are equal are not listed; --all lists them",
            grouped(left_out as u64)
        ))?;
    }
    Ok(())
}

fn tables(listed: &[&TableResult], is_mapped: bool) -> Table {
    let mut columns = vec![("table", Align::Left)];
    if is_mapped {
        columns = vec![("source", Align::Left), ("destination", Align::Left)];
    }
    columns.extend([
        ("source rows", Align::Right),
        ("destination rows", Align::Right),
        ("missing", Align::Right),
        ("extra", Align::Right),
        ("different", Align::Right),
        ("result", Align::Left),
    ]);
    let mut lines = Table::new(&columns);
    for table in listed {
        let mut cells = vec![table.source.to_string()];
        if is_mapped {
            cells.push(table.destination.to_string());
        }
        cells.extend(numbers(table));
        cells.push(verdict(table).to_owned());
        lines.row(cells);
        if let TableVerdict::NotCompared(reason) = &table.verdict {
            lines.under(reason);
        }
        if table.counts.unsettled > 0 {
            let rows = grouped(table.counts.unsettled);
            lines.under(&format!(
                "{rows} rows are unsettled: they differed at each look, and were written to in between"
            ));
        }
        for text in table.structure.iter().chain(&table.notes) {
            lines.under(text);
        }
        for line in examples(table) {
            lines.under(&line);
        }
    }
    lines
}

/// The five numbers of a table, where there are any.
pub(super) fn numbers(table: &TableResult) -> [String; 5] {
    let counts = &table.counts;
    let numbers = [
        counts.source,
        counts.destination,
        counts.missing,
        counts.extra,
        counts.different,
    ];
    match table.verdict {
        TableVerdict::NotCompared(_) => numbers.map(|_| "-".to_owned()),
        _ => numbers.map(grouped),
    }
}

fn examples(table: &TableResult) -> Vec<String> {
    let mut lines = Vec::new();
    let mut described = 0;
    for difference in &table.examples {
        described += difference.times;
        let kind = difference.kind.as_str();
        let columns: Vec<String> = difference
            .columns
            .iter()
            .map(|it| format!("{}: {} | {}", it.column, it.source, it.destination))
            .collect();
        lines.push(
            format!("{kind:<9}  {}  {}", key(difference), columns.join(", "))
                .trim_end()
                .to_owned(),
        );
    }
    let more = table.counts.differences().saturating_sub(described);
    if more > 0 {
        lines.push(match described {
            0 => format!("{} differences are not described", grouped(more)),
            _ => format!("and {} more", grouped(more)),
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{
        super::report::tests::{hostile, report, table},
        *,
    };

    fn printed(report: &Report, all: bool) -> String {
        let mut out = Output::kept(false);
        print(report, all, &mut out).unwrap();
        out.into_text()
    }

    #[test]
    fn a_difference_stands_under_its_table() {
        let text = printed(&hostile(), false);
        let expected = "
object  source      destination  result
view    `shop`.`v`  `shop`.`v`   DIFFERENT
    text: select '<i>' | select 1

source           destination         source rows  destination rows  missing  extra  different  result
`shop`.`a`       `shop`.`a`                    0                 0        0      0          0  equal
`shop`.`orders`  `shop`.`orders_eu`        1,234             1,235        1      2          1  DIFFERENT
    column `a<b>` is not at the destination
    column `c` is left out by the task's rule
    different  id='7'  note\"': '<script>alert(1)</script>&amp;\\u{1b}[31m' | NULL
    missing    id=0x00ff (3 times)
`shop`.`b`       `shop`.`b`                    -                 -        -      -          -  not compared
    it is <gone>
`shop`.`c`       `shop`.`c`                    0                 0        0      0          0  unsettled

tables       3 compared, 1 equal, 1 different, 1 unsettled, 1 not compared
rows         1,234 at the source, 1,235 at the destination; 1 missing, 2 extra, 1 different
position     the end of the source's log could not be read
live         the task had everything up to that position, and what differed was looked at again behind it
repair       4 statements; nothing has run them
source       db:1, MySQL 5.6.51-log
destination  db:2, MySQL 9.7.0
compared     objects and values, from 2026-03-01 02:00:00 to 2026-03-01 02:00:02 (UTC), 2.5 s
result       DIFFERENT: the two sides are not the same
";
        assert_eq!(text, expected);
    }

    #[test]
    fn of_many_tables_the_equal_ones_are_counted() {
        let mut tables: Vec<TableResult> = (0..60)
            .map(|index| table(&format!("t{index}"), TableVerdict::Equal))
            .collect();
        let bad = TableVerdict::NotCompared("there is no such table".to_owned());
        tables.push(table("bad", bad));
        let report = report(tables, Vec::new());
        let text = printed(&report, false);
        assert!(!text.contains("`t7`") && text.contains("`bad`"), "{text}");
        assert!(text.contains("60 tables that are equal are not listed; --all lists them"));
        assert!(
            text.contains("NOT ALL COMPARED: no difference was found"),
            "{text}"
        );
        let text = printed(&report, true);
        assert!(text.contains("`t7`") && !text.contains("--all"), "{text}");
    }

    #[test]
    fn equal_numbers_are_not_equal_values() {
        let mut report = report(vec![table("t", TableVerdict::Equal)], Vec::new());
        assert_eq!(
            meaning(&report),
            "all that was compared is the same on both sides"
        );
        report.levels = vec!["count"];
        assert!(meaning(&report).ends_with("values were not compared"));
    }

    #[test]
    fn what_is_not_described_is_counted() {
        let mut one = table("t", TableVerdict::Different);
        one.counts.missing = 1_000;
        assert_eq!(examples(&one), ["1,000 differences are not described"]);
        assert_eq!(in_a_line(&one), "`shop`.`t` differs: 1,000 missing");
        let rows = hostile().rows.unwrap();
        let mut orders = rows.tables[1].clone();
        orders.counts.missing = 30;
        assert_eq!(examples(&orders).last().unwrap(), "and 29 more");
    }

    #[test]
    fn durations() {
        for (milliseconds, expected) in [
            (0, "0.0 s"),
            (9_940, "9.9 s"),
            (59_999, "59 s"),
            (60_000, "1 min 0 s"),
            (3_600_000, "1 h 0 min"),
        ] {
            assert_eq!(duration(Duration::from_millis(milliseconds)), expected);
        }
    }
}
