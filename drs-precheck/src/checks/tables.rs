//! The selected tables: engines, keys, kinds of columns.

use std::collections::BTreeSet;

use drs_core::{ColumnKind, ConflictPolicy, Role, TableName, copies_engine, may_hide_labels};

use crate::{
    Check, Facts, Finding, Group, Unread, Verdict,
    facts::{Column, Index, Over, Table, TableKind},
};

pub(super) static ENGINES: Check = Check {
    id: "engines",
    group: Group::Objects,
    title: "all tables are InnoDB or MyISAM",
    why: "other engines have no snapshot and no rows in the log, or can't be read at all",
    remedy: "ALTER TABLE ... ENGINE = InnoDB at the source, or exclude the table",
    rule: "DRS manual, Table 2: tables of engines other than MyISAM and InnoDB cannot be synchronized",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: engines,
};

pub(super) static MYISAM_TABLES: Check = Check {
    id: "myisam-tables",
    group: Group::Objects,
    title: "no table is MyISAM",
    why: "changes without transactions could be made twice, and a copy of a table that changes is of no single moment",
    remedy: "ALTER TABLE ... ENGINE = InnoDB at the source, or leave the table alone while the task runs",
    rule: "DRS manual, Table 2: data may be inconsistent when a MyISAM table is modified during a full synchronization; docs/limits.md",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: myisam_tables,
};

pub(super) static TABLES_WITHOUT_KEY: Check = Check {
    id: "tables-without-key",
    group: Group::Objects,
    title: "every table has a primary key, or a unique one without NULL",
    why: "without a key a table may be locked for up to 3 s, is read in one piece, and is followed slowly",
    remedy: "ALTER TABLE ... ADD PRIMARY KEY at the source, or accept it",
    rule: "DRS manual, Suggestions: tables without a primary key may be locked for 3s; failed check items, no primary key",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: tables_without_key,
};

pub(super) static COLUMN_TYPES: Check = Check {
    id: "column-types",
    group: Group::Objects,
    title: "all columns have types that can be synchronized",
    why: "a value whose type is not known can't be told to be the same at the destination",
    remedy: "change the column's type at the source, or exclude the table",
    rule: "docs/limits.md, Values: a table with a column of another type, or with JSON of a source before 8.0.14, is refused",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: column_types,
};

pub(super) static ENUM_LABELS: Check = Check {
    id: "enum-labels",
    group: Group::Objects,
    title: "the source shows all labels of ENUM and SET as they are",
    why: "definitions are shown with ? for characters outside of the basic plane, so the table would get other labels",
    remedy: "create the table at the destination by hand, with its labels",
    rule: "docs/limits.md, Values: ENUM and SET labels outside of the basic plane",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: enum_labels,
};

pub(super) static GENERATED_COLUMNS: Check = Check {
    id: "generated-columns",
    group: Group::Objects,
    title: "generated columns get the same values at the destination",
    why: "the destination computes them, and a session's settings at the source may have given another value",
    remedy: "accept it where no session sets PAD_CHAR_TO_FULL_LENGTH",
    rule: "docs/limits.md, Values: stored generated columns over CHAR",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: generated_columns,
};

pub(super) static EXPRESSION_KEYS: Check = Check {
    id: "expression-keys",
    group: Group::Objects,
    title: "unique keys are over columns that are stored",
    why: "the ledger of conflicts can't say which row it was that had the same value of an expression or virtual column",
    remedy: "accept it, or set conflict = \"report-error\"",
    rule: "docs/limits.md, Conflicts: a duplicate in a key over an expression",
    verdicts: &[Verdict::Pass, Verdict::Confirm],
    run: expression_keys,
};

pub(super) static PARTITIONS: Check = Check {
    id: "partitions",
    group: Group::Objects,
    title: "the destination can partition the tables as the source does",
    why: "from MySQL 8.0 on, only InnoDB tables can have partitions",
    remedy: "ALTER TABLE ... ENGINE = InnoDB at the source, or exclude the table",
    rule: "MySQL 8.0 manual, Partitioning Limitations Relating to Storage Engines",
    verdicts: &[Verdict::Pass, Verdict::Fail],
    run: partitions,
};

/// The selected tables, without views.
pub(super) fn base_tables(facts: &Facts) -> Result<impl Iterator<Item = &Table>, Unread> {
    let tables = facts.source.tables.tables.as_ref().map_err(Clone::clone)?;
    let is_base = |table: &&Table| table.kind == TableKind::Base;
    Ok(tables.iter().filter(is_base))
}

/// The selected tables and their columns.
pub(super) fn columns(
    facts: &Facts,
) -> Result<impl Iterator<Item = (&TableName, &Vec<Column>)>, Unread> {
    let columns = facts.source.tables.columns.as_ref().map_err(Clone::clone)?;
    let tables: BTreeSet<&TableName> = base_tables(facts)?.map(|table| &table.name).collect();
    Ok(columns
        .iter()
        .filter(move |(table, _)| tables.contains(table)))
}

/// `` `a`.`t` (`c`) ``.
pub(super) fn with_column(table: &TableName, column: &str) -> String {
    format!("{table} (`{}`)", column.replace('`', "``"))
}

/// The statements that make these tables InnoDB.
fn made_innodb<'a>(finding: Finding, tables: impl IntoIterator<Item = &'a Table>) -> Finding {
    tables.into_iter().fold(finding, |finding, table| {
        let statement = format!("ALTER TABLE {} ENGINE = InnoDB", table.name);
        finding.sql(Role::Source, statement)
    })
}

fn engines(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let is_refused = |table: &&Table| !table.engine.as_deref().is_some_and(copies_engine);
    let (other, broken): (Vec<&Table>, Vec<&Table>) = base_tables(facts)?
        .filter(is_refused)
        .partition(|table| table.engine.is_some());
    let mut findings = Vec::new();
    if !other.is_empty() {
        let names = other.iter().map(|table| {
            let engine = table.engine.as_deref().unwrap_or_default();
            format!("{} ({engine})", table.name)
        });
        let finding =
            Finding::fail("only InnoDB and MyISAM tables can be synchronized").about(names);
        findings.push(made_innodb(finding, other).advice("or exclude these tables"));
    }
    if !broken.is_empty() {
        findings.push(
            Finding::fail("the source can't open these tables")
                .about(broken.iter().map(|table| &table.name))
                .advice("CHECK TABLE says what is wrong; repair, drop or exclude them"),
        );
    }
    Ok(findings)
}

fn myisam_tables(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let is_myisam = |table: &&Table| {
        let engine = table.engine.as_deref();
        engine.is_some_and(|engine| engine.eq_ignore_ascii_case("MyISAM"))
    };
    let tables: Vec<&Table> = base_tables(facts)?.filter(is_myisam).collect();
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let detail = match facts.task.mode().follows() {
        true => {
            "these tables must not change while they are copied, and a change that is followed stops the task unless the \
             table is InnoDB at the destination"
        }
        false => "these tables must not change while they are copied",
    };
    let finding = Finding::confirm(detail).about(tables.iter().map(|table| &table.name));
    Ok(vec![made_innodb(finding, tables).advice(
        "or create them as InnoDB at the destination, and write nothing to them while they are copied",
    )])
}

fn tables_without_key(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let indexes = facts.source.tables.indexes.as_ref().map_err(Clone::clone)?;
    let keyless: Vec<&TableName> = columns(facts)?
        .filter(|(table, columns)| {
            let indexes = indexes.get(*table);
            !indexes
                .is_some_and(|indexes| indexes.iter().any(|index| index.identifies_rows(columns)))
        })
        .map(|(table, _)| table)
        .collect();
    if keyless.is_empty() {
        return Ok(vec![Finding::pass("each table has a key")]);
    }
    Ok(vec![
        Finding::confirm(
            "these tables have no primary key and no unique key without NULL: each may be locked for up to 3 s while it is \
             copied, must not be at the destination yet, and no other task can write to it",
        )
        .about(keyless)
        .advice("give them a primary key at the source (ALTER TABLE ... ADD PRIMARY KEY ...), or accept it"),
    ])
}

fn column_types(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let tells_json = facts.source.version()?.tells_json_types() || !facts.task.mode().copies();
    let (mut unknown, mut json) = (Vec::new(), Vec::new());
    for (table, columns) in columns(facts)? {
        for column in columns {
            match ColumnKind::of(&column.data_type) {
                None => unknown.push(format!(
                    "{}: {}",
                    with_column(table, &column.name),
                    column.data_type
                )),
                Some(ColumnKind::Json) if !tells_json => {
                    json.push(with_column(table, &column.name));
                }
                Some(_) => {}
            }
        }
    }
    let mut findings = Vec::new();
    if !unknown.is_empty() {
        findings.push(
            Finding::fail("drs does not know the types of these columns")
                .about(unknown)
                .advice("change the columns' types at the source, or exclude the tables"),
        );
    }
    if !json.is_empty() {
        findings.push(
            Finding::fail(
                "these columns are JSON, and a source before 8.0.14 does not tell the types inside of a document",
            )
            .about(json)
            .advice("upgrade the source to 8.0.14 or newer, or exclude the tables"),
        );
    }
    Ok(findings)
}

fn enum_labels(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    if !facts.task.mode().copies() {
        return Ok(vec![Finding::pass("the task creates no tables")]);
    }
    let there = facts.destination.tables.tables.as_ref();
    let there: BTreeSet<&TableName> = there
        .map_err(Clone::clone)?
        .iter()
        .map(|table| &table.name)
        .collect();
    let mapping = facts.mapping();
    let mut hidden = Vec::new();
    for (table, columns) in columns(facts)? {
        let may_hide = columns.iter().filter(|column| {
            may_hide_labels(&column.kind, column.charset.as_deref().unwrap_or_default())
        });
        let names: Vec<String> = may_hide
            .map(|column| with_column(table, &column.name))
            .collect();
        if !names.is_empty() && !there.contains(&mapping.table(table)) {
            hidden.extend(names);
        }
    }
    if hidden.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Finding::fail("these columns have labels with a ?, which may stand for another character")
            .about(hidden)
            .advice("create the tables at the destination by hand, with their labels"),
    ])
}

fn generated_columns(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let (mut generated, mut invisible) = (0, 0);
    let mut padded = Vec::new();
    for (table, columns) in columns(facts)? {
        let chars: Vec<String> = columns
            .iter()
            .filter(|column| column.data_type == "char")
            .map(|column| format!("`{}`", column.name.replace('`', "``")))
            .collect();
        for column in columns {
            invisible += usize::from(column.is_invisible);
            let Some(expression) = &column.generated else {
                continue;
            };
            generated += 1;
            let is_over_char = || {
                chars
                    .iter()
                    .any(|name| expression.expression.contains(name))
            };
            if expression.is_stored && is_over_char() {
                padded.push(with_column(table, &column.name));
            }
        }
    }
    if padded.is_empty() {
        return Ok(vec![Finding::pass(format!(
            "{generated} generated columns are computed by the destination, {invisible} invisible ones are written by name"
        ))]);
    }
    Ok(vec![
        Finding::confirm(
            "these stored columns are computed from CHAR: where a session wrote them with PAD_CHAR_TO_FULL_LENGTH, the \
             destination gets other values",
        )
        .about(padded)
        .advice("accept it where no session at the source sets PAD_CHAR_TO_FULL_LENGTH in sql_mode"),
    ])
}

fn expression_keys(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let indexes = facts.source.tables.indexes.as_ref().map_err(Clone::clone)?;
    let mut keys = Vec::new();
    for (table, columns) in columns(facts)? {
        let is_computed = |index: &&Index| {
            index.is_unique
                && index.parts.iter().any(|part| match &part.over {
                    Over::Expression(_) => true,
                    Over::Column(name) => columns.iter().any(|column| {
                        let generated = column.generated.as_ref();
                        column.name == *name && generated.is_some_and(|made| !made.is_stored)
                    }),
                })
        };
        let computed = indexes.get(table).into_iter().flatten();
        keys.extend(
            computed
                .filter(is_computed)
                .map(|index| with_column(table, &index.name)),
        );
    }
    let follows = facts.task.mode().follows();
    if keys.is_empty() || !follows || facts.task.conflict() == ConflictPolicy::ReportError {
        return Ok(vec![Finding::pass(format!(
            "{} unique keys are over expressions or virtual columns",
            keys.len()
        ))]);
    }
    Ok(vec![
        Finding::confirm(
            "these unique keys are over expressions or virtual columns: of a conflict in one of them the ledger can't say \
             which row it was, and overwrite stops where the destination's table has columns of its own",
        )
        .about(keys)
        .advice("accept it, or set conflict = \"report-error\""),
    ])
}

fn partitions(facts: &Facts) -> Result<Vec<Finding>, Unread> {
    let destination = facts.destination.version()?;
    let tables: Vec<&Table> = base_tables(facts)?
        .filter(|table| table.is_partitioned)
        .collect();
    let is_innodb = |table: &&&Table| {
        let engine = table.engine.as_deref();
        engine.is_some_and(|engine| engine.eq_ignore_ascii_case("InnoDB"))
    };
    let refused: Vec<&Table> = match destination.is_mysql_at_least(8, 0, 0) {
        true => tables
            .iter()
            .filter(|table| !is_innodb(table))
            .copied()
            .collect(),
        false => Vec::new(),
    };
    if refused.is_empty() {
        return Ok(vec![Finding::pass(format!(
            "{} tables with partitions get the same ones",
            tables.len()
        ))]);
    }
    let finding = Finding::fail(format!(
        "{destination} has partitions in InnoDB tables only"
    ))
    .about(refused.iter().map(|table| &table.name));
    Ok(vec![made_innodb(finding, refused)])
}

#[cfg(test)]
pub(super) mod tests;
