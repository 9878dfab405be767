//! A comparison as data: the objects of --json, and of a report. The names are a contract, and in
//! docs/compare.md.

use drs_core::compare::{
    CompareProgress, DifferenceKind, ObjectResult, ObjectVerdict, RowCounts, RowDifference, Shown,
    TableResult, TableVerdict,
};
use serde_json::{Value, json};

use super::{
    look::ServerFacts,
    objects::Objects,
    report::{Report, Rows},
    wait::stamp,
};

/// The form of a report; another number is another form.
const FORMAT: u32 = 1;

/// An object of the output, with its kind.
pub(super) fn event(kind: &str, mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.insert("event".to_owned(), kind.into());
    }
    object
}

/// How far it is.
pub(super) fn progress(progress: &CompareProgress) -> Value {
    json!({
        "event": "compare",
        "tables_total": progress.tables_total,
        "tables_done": progress.tables_done,
        "rows_done": progress.rows_done,
        "rows_estimated": progress.rows_estimated,
        "differences": progress.differences,
        "seconds_left": progress.time_left.map(|left| left.as_secs()),
    })
}

/// One table's result.
pub(super) fn table(table: &TableResult) -> Value {
    let counts = &table.counts;
    let reason = match &table.verdict {
        TableVerdict::NotCompared(reason) => Some(reason),
        _ => None,
    };
    let mut object = json!({
        "source": table.source.to_string(),
        "destination": table.destination.to_string(),
        "verdict": verdict(&table.verdict),
        "reason": reason,
        "structure": table.structure,
        "notes": table.notes,
        "examples": table.examples.iter().map(difference).collect::<Vec<_>>(),
        "seconds": table.duration.as_secs_f64(),
    });
    add_counts(&mut object, counts);
    object
}

/// One object's result.
pub(super) fn object(object: &ObjectResult) -> Value {
    let (verdict, reason) = match &object.verdict {
        ObjectVerdict::Equal => ("equal", None),
        ObjectVerdict::Different => ("different", None),
        ObjectVerdict::OnlyAtSource => ("only_at_source", None),
        ObjectVerdict::OnlyAtDestination => ("only_at_destination", None),
        ObjectVerdict::NotCompared(reason) => ("not_compared", Some(reason)),
    };
    let differences: Vec<Value> = object
        .differences
        .iter()
        .map(|difference| {
            let explained = match difference.kind {
                DifferenceKind::Real => None,
                DifferenceKind::Explained(reason) => Some(reason),
            };
            json!({
                "what": difference.what,
                "source": difference.source,
                "destination": difference.destination,
                "explained": explained,
            })
        })
        .collect();
    json!({
        "kind": object.kind.as_str(),
        "source": object.source.as_ref().map(ToString::to_string),
        "destination": object.destination.as_ref().map(ToString::to_string),
        "verdict": verdict,
        "reason": reason,
        "differences": differences,
    })
}

/// The whole in short, as the last object of the output.
pub(super) fn done(report: &Report) -> Value {
    event("done", summary(report))
}

/// The whole.
pub(super) fn report(report: &Report) -> Value {
    let mut whole = summary(report);
    if let Some(fields) = whole.as_object_mut() {
        fields.insert("format".to_owned(), FORMAT.into());
        fields.insert("drs_version".to_owned(), env!("CARGO_PKG_VERSION").into());
        let objects = report.objects.as_ref();
        let results = objects.map(|it| it.results.iter().map(object).collect::<Value>());
        fields.insert("object_results".to_owned(), results.unwrap_or_default());
        let rows = report.rows.as_ref();
        let results = rows.map(|it| it.tables.iter().map(table).collect::<Value>());
        fields.insert("table_results".to_owned(), results.unwrap_or_default());
    }
    whole
}

fn summary(report: &Report) -> Value {
    let [source, destination] = &report.servers;
    json!({
        "verdict": report.verdict().as_str(),
        "task": report.task,
        "levels": report.levels,
        "only_tables": report.tables,
        "begun": stamp(report.begun),
        "ended": stamp(report.ended),
        "seconds": report.seconds(),
        "source": server(source),
        "destination": server(destination),
        "objects": report.objects.as_ref().map(objects),
        "rows": report.rows.as_ref().map(rows),
        "repair_statements": report.repairs,
        "notices": report.notices,
    })
}

fn server(server: &ServerFacts) -> Value {
    json!({
        "address": server.address,
        "version": server.version,
        "server_uuid": server.server_uuid,
    })
}

fn objects(objects: &Objects) -> Value {
    let kinds: serde_json::Map<String, Value> = objects
        .counts
        .iter()
        .map(|(kind, counts)| {
            let counts = json!({
                "source": counts.source,
                "destination": counts.destination,
                "different": counts.different,
                "not_compared": counts.not_compared,
            });
            (kind.as_str().to_owned(), counts)
        })
        .collect();
    json!({
        "different": objects.different(),
        "not_compared": objects.left_open(),
        "kinds": kinds,
    })
}

fn rows(rows: &Rows) -> Value {
    let totals = rows.totals();
    let mut object = json!({
        "live": rows.is_live,
        "from": rows.from,
        "until": rows.until,
        "tables": totals.tables,
        "tables_equal": totals.equal,
        "tables_different": totals.different,
        "tables_unsettled": totals.unsettled,
        "tables_not_compared": totals.not_compared,
    });
    add_counts(&mut object, &totals.rows);
    object
}

fn verdict(verdict: &TableVerdict) -> &'static str {
    match verdict {
        TableVerdict::Equal => "equal",
        TableVerdict::Different => "different",
        TableVerdict::Unsettled => "unsettled",
        TableVerdict::NotCompared(_) => "not_compared",
    }
}

fn add_counts(object: &mut Value, counts: &RowCounts) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    for (name, count) in [
        ("rows_source", counts.source),
        ("rows_destination", counts.destination),
        ("rows_missing", counts.missing),
        ("rows_extra", counts.extra),
        ("rows_different", counts.different),
        ("rows_unsettled", counts.unsettled),
        ("rows_by_rule", counts.by_rule),
    ] {
        fields.insert(name.to_owned(), count.into());
    }
}

fn difference(difference: &RowDifference) -> Value {
    let key: Vec<Value> = difference
        .key
        .iter()
        .map(|(column, value)| json!({ "column": column, "value": shown(value) }))
        .collect();
    let columns: Vec<Value> = difference
        .columns
        .iter()
        .map(|column| {
            json!({
                "column": column.column,
                "source": shown(&column.source),
                "destination": shown(&column.destination),
            })
        })
        .collect();
    json!({
        "kind": difference.kind.as_str(),
        "key": key,
        "columns": columns,
        "times": difference.times,
    })
}

fn shown(value: &Shown) -> Value {
    match value {
        Shown::Null => Value::Null,
        Shown::Text(text) => json!({ "text": text }),
        Shown::Hex(digits) => json!({ "hex": digits }),
        Shown::Cut(start, bytes) => json!({ "start": start, "bytes": bytes }),
        Shown::CutHex(start, bytes) => json!({ "start_hex": start, "bytes": bytes }),
        Shown::Around(part, place) => json!({ "around": part, "first_byte": place }),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::report::tests::hostile, *};

    #[test]
    fn a_report_is_data() {
        let data = report(&hostile());
        for (pointer, expected) in [
            ("/format", json!(1)),
            ("/verdict", json!("different")),
            ("/task", json!("orders-eu")),
            ("/begun", json!("2026-03-01T02:00:00.000Z")),
            ("/seconds", json!(2.5)),
            ("/source/version", json!("5.6.51-log")),
            ("/rows/live", json!(true)),
            ("/rows/from", json!("binlog.000003:4")),
            ("/rows/until", Value::Null),
            ("/rows/tables", json!(4)),
            ("/rows/rows_extra", json!(2)),
            ("/repair_statements", json!(4)),
            ("/objects/different", json!(1)),
            ("/object_results/1/kind", json!("view")),
            (
                "/object_results/1/differences/0/source",
                json!("select '<i>'"),
            ),
            ("/object_results/1/differences/0/explained", Value::Null),
            ("/table_results/1/source", json!("`shop`.`orders`")),
            ("/table_results/1/destination", json!("`shop`.`orders_eu`")),
            ("/table_results/1/rows_missing", json!(1)),
            (
                "/table_results/1/examples/0/key/0",
                json!({ "column": "id", "value": { "text": "7" } }),
            ),
            (
                "/table_results/1/examples/0/columns/0/destination",
                Value::Null,
            ),
            (
                "/table_results/1/examples/1/key/0/value",
                json!({ "hex": "00ff" }),
            ),
            ("/table_results/2/verdict", json!("not_compared")),
            ("/table_results/2/reason", json!("it is <gone>")),
            ("/table_results/3/verdict", json!("unsettled")),
        ] {
            assert_eq!(data.pointer(pointer), Some(&expected), "{pointer}");
        }
        let done = done(&hostile());
        assert_eq!(done["event"], "done");
        assert!(done.get("table_results").is_none());
    }
}
