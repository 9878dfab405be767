//! Decoding a real binary log on one core: framing and CRC32, and every value typed.
//!
//! `cargo bench --bench decode`; the log is written by a throwaway server in the same run.

use std::{hint::black_box, path::PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use drs::binlog::{Event, EventSource, FileSource, TableColumns};
use drs_testkit::{Installation, Server, Version};
use mysql::prelude::Queryable;

/// Rows of the log, each inserted and then updated.
const ROWS: u32 = 50_000;

fn decode(c: &mut Criterion) {
    let installation = Installation::find_or_fetch(Version::MySql97).expect("a MySQL server");
    let server = Server::builder(&installation)
        .start()
        .expect("a server that starts");
    let mut conn = server.conn().expect("a connection");
    for statement in [
        "CREATE DATABASE bench".to_owned(),
        "CREATE TABLE bench.t (id INT PRIMARY KEY, k INT, d DECIMAL(12,2), at DATETIME(3), c CHAR(120), pad VARCHAR(60))".to_owned(),
        format!("SET SESSION cte_max_recursion_depth = {ROWS}"),
        format!(
            "INSERT INTO bench.t WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r WHERE x < {ROWS}) \
             SELECT x, x * 7, x / 3, '2026-01-01 00:00:00.123', REPEAT('c', 119), REPEAT('p', 59) FROM r"
        ),
        "UPDATE bench.t SET k = k + 1".to_owned(),
        "FLUSH BINARY LOGS".to_owned(),
    ] {
        conn.query_drop(statement).expect("the log's content is written");
    }
    let files = server.binlog_files().expect("the log's files");
    let bytes = files
        .iter()
        .filter_map(|file| file.metadata().ok())
        .map(|file| file.len())
        .sum();

    let mut group = c.benchmark_group("decode");
    group.sample_size(10).throughput(Throughput::Bytes(bytes));
    group.bench_function("frame", |b| b.iter(|| frame(&files)));
    group.bench_function("every value", |b| b.iter(|| every_value(&files)));
    group.finish();
}

fn frame(files: &[PathBuf]) -> usize {
    let mut source = FileSource::open(files);
    let mut events = 0;
    while source.next_event().expect("a sound log").is_some() {
        events += 1;
    }
    events
}

fn every_value(files: &[PathBuf]) -> usize {
    let mut source = FileSource::open(files);
    let mut columns: Option<TableColumns> = None;
    let mut values = 0;
    while let Some(event) = source.next_event().expect("a sound log") {
        match event.decoder.decode(&event.raw).expect("a sound event") {
            Event::TableMap(map) => columns = Some(map.compile().expect("known types")),
            Event::Rows(rows) => {
                let Some(columns) = &columns else { continue };
                for change in rows.changes(columns) {
                    let change = change.expect("a sound row");
                    for image in [change.before, change.after].into_iter().flatten() {
                        for value in image.values() {
                            black_box(value.expect("a sound value"));
                            values += 1;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    values
}

criterion_group!(benches, decode);
criterion_main!(benches);
