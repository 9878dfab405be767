//! `drs objects`: the tables that a task selects, and what each maps to.

use std::{fs::File, io::BufWriter};

use drs_core::{Mapping, NameCase, Role, Selection, TableName, Task, write_object_file};
use mysql::{Conn, prelude::Queryable};
use serde::Serialize;

use crate::{
    args::ObjectsArgs,
    config,
    exit::{CommandError, Exit},
    render::{Align, Output, Table, grouped},
};

/// A base table of the source.
struct SourceTable {
    name: TableName,
    /// Its name at the destination.
    mapped: TableName,
    engine: Option<String>,
    rows_estimate: Option<u64>,
}

#[derive(Serialize)]
struct Report<'a> {
    database: &'a str,
    table: &'a str,
    destination_database: &'a str,
    destination_table: &'a str,
    engine: Option<&'a str>,
    rows_estimate: Option<u64>,
}

/// Prints the tables selected.
pub(crate) fn execute(args: ObjectsArgs, out: &mut Output) -> Result<Exit, CommandError> {
    let task = config::load(&args.task, &[Role::Source])?;
    let mut conn = task.source().connect(Role::Source)?;
    let (selection, tables) = selected(&mut conn, &task)?;
    if out.is_json() {
        for table in &tables {
            out.object(&report(table))?;
        }
    } else {
        print(&tables, out)?;
    }
    if let Some(path) = &args.export {
        let lines = tables.iter().map(|table| (&table.name, &table.mapped));
        File::create(path)
            .and_then(|file| write_object_file(BufWriter::new(file), lines))
            .map_err(|error| {
                CommandError::Failed(format!("cannot write {}: {error}", path.display()))
            })?;
    }
    let names: Vec<TableName> = tables.into_iter().map(|table| table.name).collect();
    for entry in selection.entries_without_match(&names) {
        tracing::warn!("the entry {entry:?} of objects.include selects no table that there is now");
    }
    Ok(Exit::Done)
}

fn print(tables: &[SourceTable], out: &mut Output) -> std::io::Result<()> {
    let mut lines = Table::new(&[
        ("source", Align::Left),
        ("destination", Align::Left),
        ("engine", Align::Left),
        ("rows (estimate)", Align::Right),
    ]);
    for table in tables {
        lines.row([
            table.name.to_string(),
            table.mapped.to_string(),
            table.engine.clone().unwrap_or_else(|| "?".to_owned()),
            table.rows_estimate.map_or_else(|| "?".to_owned(), grouped),
        ]);
    }
    if !tables.is_empty() {
        out.table(&lines)?;
    }
    out.line(&match tables.len() {
        1 => "1 table selected".to_owned(),
        count => format!("{} tables selected", grouped(count as u64)),
    })
}

fn report(table: &SourceTable) -> Report<'_> {
    let name = &table.name;
    Report {
        database: name.database.as_str(),
        table: &name.table,
        destination_database: table.mapped.database.as_str(),
        destination_table: &table.mapped.table,
        engine: table.engine.as_deref(),
        rows_estimate: table.rows_estimate,
    }
}

/// The task's selection as the source compares names, and the tables it selects, in order.
fn selected(conn: &mut Conn, task: &Task) -> Result<(Selection, Vec<SourceTable>), CommandError> {
    let failed = |error: mysql::Error| CommandError::query("list the tables", Role::Source, &error);
    let case: Option<u8> = conn
        .query_first("SELECT @@GLOBAL.lower_case_table_names")
        .map_err(failed)?;
    let case = NameCase::from_lower_case_table_names(case.unwrap_or(0));
    let selection = task.selection().clone().with_case(case);
    let mapping: Mapping = task
        .mapping()
        .clone()
        .with_case(case)
        .map_err(|error| CommandError::Failed(error.to_string()))?;
    let rows: Vec<(String, String, Option<String>, Option<u64>)> = conn
        .query(
            "SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_ROWS FROM information_schema.TABLES \
             WHERE TABLE_TYPE = 'BASE TABLE' \
             AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema', 'ndbinfo')",
        )
        .map_err(failed)?;
    let mut tables = Vec::new();
    for (database, table, engine, rows_estimate) in rows {
        let name = TableName::new(&database, &table).map_err(|source| CommandError::Name {
            role: Role::Source,
            source,
        })?;
        if selection.matches(&name) {
            tables.push(SourceTable {
                mapped: mapping.table(&name),
                name,
                engine,
                rows_estimate,
            });
        }
    }
    tables.sort_by(|left, right| left.name.cmp(&right.name));
    Ok((selection, tables))
}
