//! A comparison as one page for colleagues: nothing is loaded from elsewhere, and nothing runs.

use std::fmt::{self, Display, Write};

use drs_core::compare::{
    DifferenceKind, ObjectDifference, ObjectName, ObjectResult, ObjectVerdict, RowDifference,
    TableResult, TableVerdict,
};

use super::{
    objects::{Objects, differs},
    report::{Report, Rows, Verdict},
    text,
    wait::shown,
};
use crate::render::{grouped, printable};

const STYLE: &str = include_str!("page.css");

/// The page.
pub(super) fn page(report: &Report) -> String {
    let mut page = String::new();
    // A string takes all that is written to it.
    let _ = write_page(&mut page, report);
    page
}

fn write_page(page: &mut String, report: &Report) -> fmt::Result {
    let task = Escaped(&report.task);
    let verdict = report.verdict();
    writeln!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{task}: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>",
        verdict.as_str()
    )?;
    writeln!(
        page,
        "<header>\n<h1>Comparison of task {task}</h1>\n<p class=\"verdict {}\">{}</p>\n<p>{}.</p>\n</header>",
        verdict.as_str(),
        match verdict {
            Verdict::Equal => "Equal",
            Verdict::Different => "Different",
            Verdict::Incomplete => "Not all compared",
        },
        text::meaning(report),
    )?;
    write_facts(page, report)?;
    if let Some(rows) = &report.rows {
        write_rows(page, rows)?;
    }
    if let Some(objects) = &report.objects {
        write_objects(page, objects)?;
    }
    writeln!(
        page,
        "<p class=\"faint\">Written by drs {}.</p>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION")
    )
}

fn write_facts(page: &mut String, report: &Report) -> fmt::Result {
    writeln!(page, "<dl>")?;
    let mut fact = |name: &str, value: &dyn Display| {
        writeln!(
            page,
            "<dt>{name}</dt><dd>{}</dd>",
            Escaped(&value.to_string())
        )
    };
    for (name, server) in ["Source", "Destination"].into_iter().zip(&report.servers) {
        fact(
            name,
            &format!(
                "{}, MySQL {}, server_uuid {}",
                server.address, server.version, server.server_uuid
            ),
        )?;
    }
    fact("Compared", &report.levels.join(", "))?;
    if !report.tables.is_empty() {
        fact("Only these tables", &report.tables.join(", "))?;
    }
    let took = (report.ended - report.begun).to_std().unwrap_or_default();
    fact(
        "Time",
        &format!(
            "{} to {} (UTC), {}",
            shown(report.begun),
            shown(report.ended),
            text::duration(took)
        ),
    )?;
    if let Some(rows) = &report.rows {
        fact("Position", &text::position(rows))?;
        fact("Live", &text::live(rows))?;
    }
    for notice in &report.notices {
        fact("Notice", notice)?;
    }
    writeln!(page, "</dl>")
}

fn write_rows(page: &mut String, rows: &Rows) -> fmt::Result {
    let totals = rows.totals();
    writeln!(
        page,
        "<h2>Rows</h2>\n<p>{} tables: {} equal, {} different, {} unsettled, {} not compared. \
         {} rows at the source, {} at the destination: {} missing, {} extra, {} different.</p>",
        grouped(totals.tables),
        grouped(totals.equal),
        grouped(totals.different),
        grouped(totals.unsettled),
        grouped(totals.not_compared),
        grouped(totals.rows.source),
        grouped(totals.rows.destination),
        grouped(totals.rows.missing),
        grouped(totals.rows.extra),
        grouped(totals.rows.different),
    )?;
    let tables = rows.worst_first();
    writeln!(
        page,
        "<table>\n<thead><tr><th>Table at the source</th><th>At the destination</th>\
         <th class=\"number\">Rows at the source</th><th class=\"number\">At the destination</th>\
         <th class=\"number\">Missing</th><th class=\"number\">Extra</th><th class=\"number\">Different</th>\
         <th>Result</th></tr></thead>\n<tbody>"
    )?;
    for table in &tables {
        write!(
            page,
            "<tr><td>{}</td><td>{}</td>",
            Escaped(&table.source.to_string()),
            Escaped(&table.destination.to_string())
        )?;
        for number in text::numbers(table) {
            write!(page, "<td class=\"number\">{number}</td>")?;
        }
        let class = class_of(table);
        writeln!(
            page,
            "<td class=\"{class}\">{}</td></tr>",
            text::verdict(table)
        )?;
    }
    writeln!(page, "</tbody>\n</table>")?;
    for table in tables.into_iter().filter(|table| has_more(table)) {
        write_table(page, table)?;
    }
    Ok(())
}

fn has_more(table: &TableResult) -> bool {
    table.verdict != TableVerdict::Equal || !table.notes.is_empty()
}

fn class_of(table: &TableResult) -> &'static str {
    match table.verdict {
        TableVerdict::Equal => "equal",
        TableVerdict::Different => "different",
        TableVerdict::Unsettled | TableVerdict::NotCompared(_) => "incomplete",
    }
}

fn write_table(page: &mut String, table: &TableResult) -> fmt::Result {
    writeln!(
        page,
        "<section class=\"result\">\n<h3>{} <span class=\"{}\">{}</span></h3>",
        Escaped(&table.source.to_string()),
        class_of(table),
        text::verdict(table)
    )?;
    let mut lines: Vec<String> = Vec::new();
    if let TableVerdict::NotCompared(reason) = &table.verdict {
        lines.push(reason.clone());
    }
    if table.counts.unsettled > 0 {
        lines.push(format!(
            "{} rows differed at each look, and were written to in between",
            grouped(table.counts.unsettled)
        ));
    }
    lines.extend(table.structure.iter().cloned());
    lines.extend(table.notes.iter().cloned());
    if !lines.is_empty() {
        writeln!(page, "<ul>")?;
        for line in &lines {
            writeln!(page, "<li>{}</li>", Escaped(line))?;
        }
        writeln!(page, "</ul>")?;
    }
    if !table.examples.is_empty() {
        write_examples(page, &table.examples)?;
    }
    let described: u64 = table.examples.iter().map(|example| example.times).sum();
    let more = table.counts.differences().saturating_sub(described);
    if more > 0 {
        let more = grouped(more);
        writeln!(
            page,
            "<p class=\"faint\">{more} more rows are not shown.</p>"
        )?;
    }
    writeln!(page, "</section>")
}

fn write_examples(page: &mut String, examples: &[RowDifference]) -> fmt::Result {
    writeln!(
        page,
        "<table>\n<thead><tr><th>Row</th><th>Key</th><th>Column</th><th>At the source</th>\
         <th>At the destination</th></tr></thead>\n<tbody>"
    )?;
    for example in examples {
        let kind = example.kind.as_str();
        let key = text::key(example);
        if example.columns.is_empty() {
            writeln!(
                page,
                "<tr><td>{kind}</td><td><code>{}</code></td><td></td><td></td><td></td></tr>",
                Escaped(&key)
            )?;
        }
        for (index, column) in example.columns.iter().enumerate() {
            let (kind, key) = match index {
                0 => (kind, key.as_str()),
                _ => ("", ""),
            };
            writeln!(
                page,
                "<tr><td>{kind}</td><td><code>{}</code></td><td>{}</td><td><code>{}</code></td><td><code>{}</code></td></tr>",
                Escaped(key),
                Escaped(&column.column),
                Escaped(&column.source.to_string()),
                Escaped(&column.destination.to_string())
            )?;
        }
    }
    writeln!(page, "</tbody>\n</table>")
}

fn write_objects(page: &mut String, objects: &Objects) -> fmt::Result {
    writeln!(
        page,
        "<h2>Objects</h2>\n<table>\n<thead><tr><th>Kind</th><th class=\"number\">At the source</th>\
         <th class=\"number\">At the destination</th><th class=\"number\">Not the same</th>\
         <th class=\"number\">Not compared</th></tr></thead>\n<tbody>"
    )?;
    for (kind, counts) in &objects.counts {
        write!(page, "<tr><td>{kind}</td>")?;
        for count in [
            counts.source,
            counts.destination,
            counts.different,
            counts.not_compared,
        ] {
            write!(page, "<td class=\"number\">{}</td>", grouped(count))?;
        }
        writeln!(page, "</tr>")?;
    }
    writeln!(page, "</tbody>\n</table>")?;
    let is_worth_telling = |object: &&ObjectResult| {
        object.verdict != ObjectVerdict::Equal || !object.differences.is_empty()
    };
    let mut told: Vec<&ObjectResult> = objects.results.iter().filter(is_worth_telling).collect();
    told.sort_by_key(|object| match object.verdict {
        ObjectVerdict::Equal => 2,
        ObjectVerdict::NotCompared(_) => 1,
        _ => 0,
    });
    for object in told {
        write_object(page, object)?;
    }
    Ok(())
}

fn write_object(page: &mut String, object: &ObjectResult) -> fmt::Result {
    let class = match object.verdict {
        ObjectVerdict::Equal => "equal",
        _ if differs(object) => "different",
        _ => "incomplete",
    };
    let name = |name: &Option<ObjectName>| name.as_ref().map(ToString::to_string);
    let own = name(&object.source)
        .or_else(|| name(&object.destination))
        .unwrap_or_default();
    writeln!(
        page,
        "<section class=\"result\">\n<h3>{} {} <span class=\"{class}\">{}</span></h3>",
        object.kind,
        Escaped(&own),
        text::object_verdict(object)
    )?;
    if let ObjectVerdict::NotCompared(reason) = &object.verdict {
        writeln!(page, "<p>{}</p>", Escaped(reason))?;
    }
    if !object.differences.is_empty() {
        writeln!(
            page,
            "<table>\n<thead><tr><th>What</th><th>At the source</th><th>At the destination</th>\
             <th>Counts</th></tr></thead>\n<tbody>"
        )?;
        for difference in &object.differences {
            write_property(page, difference)?;
        }
        writeln!(page, "</tbody>\n</table>")?;
    }
    writeln!(page, "</section>")
}

fn write_property(page: &mut String, difference: &ObjectDifference) -> fmt::Result {
    writeln!(
        page,
        "<tr><td>{}</td><td><code>{}</code></td><td><code>{}</code></td><td>{}</td></tr>",
        Escaped(&difference.what),
        Escaped(&difference.source),
        Escaped(&difference.destination),
        match difference.kind {
            DifferenceKind::Real => "yes".to_owned(),
            DifferenceKind::Explained(reason) => format!("no: {}", Escaped(reason)),
        }
    )
}

/// Text that is nothing but text to a browser.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in printable(self.0).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::report::tests::hostile, *};

    #[test]
    fn nothing_of_a_server_is_more_than_text() {
        let page = page(&hostile());
        for part in [
            "&#39;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;\\u{1b}[31m&#39;",
            "<code>NULL</code>",
            "<code>id=0x00ff (3 times)</code>",
            "column `a&lt;b&gt;` is not at the destination",
            "note&quot;&#39;",
            "it is &lt;gone&gt;",
            "&lt;b&gt;a notice",
            "<code>select &#39;&lt;i&gt;&#39;</code>",
            "<p class=\"verdict different\">Different</p>",
            "MySQL 5.6.51-log, server_uuid uuid-1",
            "<p>4 tables: 1 equal, 1 different, 1 unsettled, 1 not compared.",
        ] {
            assert!(page.contains(part), "{part} is not in:\n{page}");
        }
        for part in [
            "<script", "<b>", "<i>", "<gone>", "src=", "href=", "url(", "@import", "\u{1b}",
        ] {
            assert!(!page.contains(part), "{part} is in:\n{page}");
        }
    }

    /// Whatever is opened is closed, in order.
    #[test]
    fn elements_are_closed() {
        let page = page(&hostile());
        let mut open = Vec::new();
        for part in page.split('<').skip(1) {
            let name: String = part
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "/!".contains(*c))
                .collect();
            match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop().as_deref(), Some(name), "{part}"),
                None if ["meta", "!DOCTYPE"].contains(&name.as_str()) => {}
                None => open.push(name),
            }
        }
        assert_eq!(open, Vec::<String>::new());
    }

    #[test]
    fn what_differs_comes_first() {
        let page = page(&hostile());
        let place = |part: &str| page.find(part).unwrap_or_else(|| panic!("no {part}"));
        assert!(place("<td>`shop`.`orders`</td>") < place("<td>`shop`.`a`</td>"));
        assert!(place("<td>`shop`.`b`</td>") < place("<td>`shop`.`a`</td>"));
    }
}
