use drs_core::{CheckpointError, conflicts};
use mysql::{Conn, Row, prelude::Queryable};

/// The ledger's rows of a task about one table, as `kind key source_key destination_key`.
pub(super) fn entries(conn: &mut Conn, task: &str, table: &str) -> Vec<String> {
    let mut entries = Vec::new();
    conflicts::for_each(conn, task, None, None, |row| {
        if row.table.table.as_str() == table {
            assert!(row.position.is_some() && row.row_count == 1, "{row:?}");
            entries.push(format!(
                "{} {} {} {}",
                row.kind.as_str(),
                row.kind.key_name().unwrap_or("-"),
                row.source_key.as_deref().unwrap_or("-"),
                row.destination_key.as_deref().unwrap_or("-"),
            ));
        }
        Ok::<_, CheckpointError>(())
    })
    .unwrap();
    entries
}

/// A table's rows, each as its values with commas between them.
pub(super) fn rows(conn: &mut Conn, table: &str) -> Vec<String> {
    let rows: Vec<Row> = conn
        .query(format!("SELECT * FROM {table} ORDER BY 1"))
        .unwrap();
    rows.into_iter()
        .map(|row| {
            let values: Vec<String> = row
                .unwrap()
                .into_iter()
                .map(|value| match mysql::from_value::<Option<Vec<u8>>>(value) {
                    Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    None => "NULL".into(),
                })
                .collect();
            values.join(",")
        })
        .collect()
}
