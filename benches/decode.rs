//! Decoding real binary logs on one core: framing and CRC32, and every value typed and touched, by
//! this project's decoder and by `mysql_common`'s.
//!
//! `cargo bench --bench decode [-- GROUP]`; the logs are written by a throwaway server in the same
//! run. `cargo bench --bench side_by_side -- decode` has `mysqlbinlog` too, and larger logs.

mod binlog;

use std::fs;

use binlog::{
    mysql_common, ours,
    workload::{Log, Workload},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Bytes of each log, about.
const BYTES: u64 = 40 << 20;

fn decode(c: &mut Criterion) {
    for workload in Workload::ALL {
        let log = Log::write(workload, BYTES).expect("a log");
        binlog::agree(&log.files).expect("decoders that find the same");
        let in_memory: Vec<Vec<u8>> = log
            .files
            .iter()
            .map(|file| fs::read(file).expect("a log that can be read"))
            .collect();
        let mut group = c.benchmark_group(workload.name());
        group
            .sample_size(10)
            .throughput(Throughput::Bytes(log.bytes));
        group.bench_function("framing", |b| b.iter(|| ours::frame(&log.files)));
        group.bench_function("every value", |b| b.iter(|| ours::from_memory(&in_memory)));
        group.bench_function("every value of files", |b| {
            b.iter(|| ours::from_files(&log.files))
        });
        group.bench_function("mysql_common", |b| {
            b.iter(|| mysql_common::from_files(&log.files))
        });
        group.finish();
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
