//! Making batches on one core: the keys that each transaction touches, and the batch it goes to.
//!
//! `cargo bench --bench schedule`; the log is written by a throwaway server in the same run. An
//! element is a row change of the log.

mod binlog;
mod engine;

use binlog::workload::Workload;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const TRANSACTIONS: u64 = 20_000;

fn schedule(c: &mut Criterion) {
    let workload = Workload::WriteOnly;
    let changes = engine::changes(workload, TRANSACTIONS);
    let mut group = c.benchmark_group(format!("schedule {}", workload.name()));
    group
        .sample_size(10)
        .throughput(Throughput::Elements(changes.count));
    for lanes in [1, 4, 16] {
        let batches = changes.transactions.schedule(lanes).expect("batches");
        println!("{lanes} lanes: {batches} batches");
        group.bench_function(BenchmarkId::new("lanes", lanes), |b| {
            b.iter(|| changes.transactions.schedule(lanes).expect("batches"))
        });
    }
    group.finish();
}

criterion_group!(benches, schedule);
criterion_main!(benches);
