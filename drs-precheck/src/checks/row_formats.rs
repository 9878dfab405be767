//! Row formats and key lengths that the destination may refuse.

use drs_core::Role;

use super::tables::{base_tables, columns, with_column};
use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{Column, IndexPart, Over, Table, Variables},
};

pub(super) static ROW_FORMATS: Check = Check {
    id: "row-formats",
    group: Group::Objects,
    title: "the destination takes the tables' row formats",
    why: "with innodb_strict_mode a server refuses options that another one has let through",
    remedy: "give the table a row format that InnoDB has, or turn innodb_strict_mode off at the destination",
    rule: "failed check items, innodb_strict_mode: source OFF and destination ON, as with ROW_FORMAT=FIXED",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: row_formats,
};

pub(super) static KEY_LENGTHS: Check = Check {
    id: "key-lengths",
    group: Group::Objects,
    title: "the destination takes the lengths of all keys",
    why: "how long a column in a key may be depends on the server's page size and default row format",
    remedy: "set innodb_default_row_format = DYNAMIC at the destination, or shorten the key",
    rule: "MySQL manual, InnoDB Limits: index key prefix length; failed check items, srcDbIndexKeyLength",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: key_lengths,
};

fn is_innodb(table: &&Table) -> bool {
    let engine = table.engine.as_deref();
    engine.is_some_and(|engine| engine.eq_ignore_ascii_case("InnoDB"))
}

/// An option that a table was created with, in capitals.
fn option(table: &Table, name: &str) -> Option<String> {
    table.options.split_whitespace().find_map(|option| {
        let (key, value) = option.split_once('=')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim_matches(['"', '\'']).to_ascii_uppercase())
    })
}

fn page_bytes(variables: &Variables) -> u64 {
    variables.number("innodb_page_size").unwrap_or(16_384)
}

fn row_formats(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.destination.variables()?;
    if !facts.task.mode().copies() {
        return Ok(vec![Finding::pass("the task creates no tables")]);
    }
    if variables.is_on("innodb_strict_mode") != Some(true) {
        return Ok(vec![Finding::pass(
            "innodb_strict_mode is OFF at the destination",
        )]);
    }
    let is_refused = |table: &&Table| {
        let format = option(table, "ROW_FORMAT");
        let block = option(table, "KEY_BLOCK_SIZE").is_some_and(|size| size != "0");
        let is_compressed = format.as_deref() == Some("COMPRESSED");
        let is_unknown = matches!(format.as_deref(), Some("FIXED" | "PAGE"));
        let is_mixed = block && format.is_some() && !is_compressed;
        is_unknown || is_mixed || ((block || is_compressed) && page_bytes(variables) > 16_384)
    };
    let refused: Vec<&Table> = base_tables(facts)?
        .filter(is_innodb)
        .filter(is_refused)
        .collect();
    if refused.is_empty() {
        return Ok(Vec::new());
    }
    let finding = Finding::fail(
        "innodb_strict_mode is ON at the destination, which refuses these row formats",
    )
    .about(
        refused
            .iter()
            .map(|table| format!("{} ({})", table.name, table.options)),
    );
    let finding = refused.iter().fold(finding, |finding, table| {
        // Only this removes a KEY_BLOCK_SIZE too.
        let statement = format!(
            "ALTER TABLE {} ROW_FORMAT = DYNAMIC KEY_BLOCK_SIZE = 0",
            table.name
        );
        finding.sql(Role::Source, statement)
    });
    Ok(vec![finding.advice(
        "or set innodb_strict_mode = OFF at the destination: the tables then get its default row format",
    )])
}

fn key_lengths(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let variables = facts.destination.variables()?;
    if !facts.task.mode().copies() {
        return Ok(vec![Finding::pass("the task creates no tables")]);
    }
    // 5.6 has no such variable, and makes tables in this format.
    let default = variables.text("innodb_default_row_format");
    let default = default.unwrap_or("COMPACT").to_ascii_uppercase();
    let indexes = facts.source.tables.indexes.as_ref().map_err(Clone::clone)?;
    let tables: std::collections::BTreeMap<_, _> = base_tables(facts)?
        .filter(is_innodb)
        .map(|table| (&table.name, table))
        .collect();
    let (mut by_default, mut by_page) = (Vec::new(), Vec::new());
    for (name, columns) in columns(facts)? {
        let Some(table) = tables.get(name) else {
            continue;
        };
        let format = option(table, "ROW_FORMAT").unwrap_or_else(|| default.clone());
        let is_short = matches!(format.as_str(), "COMPACT" | "REDUNDANT");
        let page_max = match page_bytes(variables) {
            ..=4_096 => 768,
            4_097..=8_192 => 1_536,
            _ => 3_072,
        };
        let keys = indexes.get(name).into_iter().flatten();
        for key in keys.filter(|key| key.kind == "BTREE") {
            let longest = key.parts.iter().map(|part| part_bytes(part, columns)).max();
            let longest = longest.unwrap_or(0);
            if longest > page_max {
                by_page.push(with_column(name, &key.name));
            } else if is_short && longest > 767 {
                by_default.push(with_column(name, &key.name));
            }
        }
    }
    let mut findings = Vec::new();
    if !by_default.is_empty() {
        let finding = Finding::fail(format!(
            "these keys take more than 767 bytes of a column, and the destination's row format is {default}"
        ))
        .about(by_default);
        let is_newer = facts.destination.version()?.is_mysql_at_least(8, 0, 0);
        findings.push(match (variables.text("innodb_default_row_format"), is_newer) {
            (None, _) => finding.advice("give the tables ROW_FORMAT = DYNAMIC, with innodb_large_prefix at the destination, or shorten the keys"),
            (Some(_), true) => finding.sql(Role::Destination, "SET PERSIST innodb_default_row_format = DYNAMIC"),
            (Some(_), false) => finding.sql(Role::Destination, "SET GLOBAL innodb_default_row_format = DYNAMIC"),
        });
    }
    if !by_page.is_empty() {
        findings.push(
            Finding::fail("these keys take more bytes of a column than the destination's innodb_page_size allows")
                .about(by_page)
                .advice("shorten the keys, or use a destination with a larger innodb_page_size"),
        );
    }
    Ok(findings)
}

/// The bytes that a part of a key takes at most.
fn part_bytes(part: &IndexPart, columns: &[Column]) -> u64 {
    let Over::Column(name) = &part.over else {
        return 0;
    };
    let Some(column) = columns.iter().find(|column| column.name == *name) else {
        return 0;
    };
    let is_sized = matches!(
        column.data_type.as_str(),
        "char" | "varchar" | "binary" | "varbinary"
    );
    let size = column.kind.split(['(', ')']).nth(1).filter(|_| is_sized);
    let length = part.prefix.or_else(|| size?.parse().ok()).unwrap_or(0);
    length * character_bytes(column.charset.as_deref().unwrap_or_default())
}

/// The longest character of a character set, in bytes.
fn character_bytes(charset: &str) -> u64 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8" | "utf8mb3" | "ujis" | "eucjpms" => 3,
        "ucs2" | "big5" | "gbk" | "gb2312" | "sjis" | "cp932" | "euckr" => 2,
        _ => 1,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{checks::tests::Case, facts::Index};

    fn set_options(facts: &mut Facts, options: &str) {
        let tables = facts.source.tables.tables.as_mut().unwrap();
        tables[0].options = options.to_owned();
    }

    fn add_long_key(facts: &mut Facts) {
        let columns = [("id", "int"), ("long", "varchar(255)")];
        facts.source.tables.add("shop", "long", &columns);
        let indexes = facts.source.tables.indexes.as_mut().unwrap();
        let indexes = indexes.values_mut().next().unwrap();
        indexes.push(Index::sample("long", &["long"]));
    }

    pub(in crate::checks) const CASES: &[Case] = &[
        Case::healthy("row-formats"),
        Case {
            check: "row-formats",
            verdict: Verdict::Pass,
            change: |facts| set_options(facts, "row_format=COMPRESSED KEY_BLOCK_SIZE=8"),
            says: "",
        },
        Case {
            check: "row-formats",
            verdict: Verdict::Fail,
            change: |facts| set_options(facts, "row_format=FIXED"),
            says: "`shop`.`orders` (row_format=FIXED)",
        },
        Case {
            check: "row-formats",
            verdict: Verdict::Fail,
            change: |facts| set_options(facts, "row_format=DYNAMIC KEY_BLOCK_SIZE=8"),
            says: "ROW_FORMAT = DYNAMIC",
        },
        Case {
            check: "row-formats",
            verdict: Verdict::Pass,
            change: |facts| {
                set_options(facts, "row_format=FIXED");
                facts.destination.set("innodb_strict_mode", "OFF");
            },
            says: "OFF",
        },
        Case::healthy("key-lengths"),
        Case {
            check: "key-lengths",
            verdict: Verdict::Pass,
            change: add_long_key,
            says: "",
        },
        Case {
            check: "key-lengths",
            verdict: Verdict::Fail,
            change: |facts| {
                add_long_key(facts);
                facts
                    .destination
                    .set("innodb_default_row_format", "compact");
            },
            says: "SET PERSIST innodb_default_row_format = DYNAMIC",
        },
        Case {
            check: "key-lengths",
            verdict: Verdict::Fail,
            change: |facts| {
                add_long_key(facts);
                facts.destination.set("innodb_page_size", "4096");
            },
            says: "innodb_page_size",
        },
    ];
}
