//! Folding the changes of batches on one core: what is left of each row, found by its key.
//!
//! `cargo bench --bench net_change`; the log is written by a throwaway server in the same run. An
//! element is a row change of the log. The larger a batch, the more of its changes meet.

mod binlog;
mod engine;

use binlog::workload::Workload;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const TRANSACTIONS: u64 = 20_000;

fn net_change(c: &mut Criterion) {
    let workload = Workload::WriteOnly;
    let changes = engine::changes(workload, TRANSACTIONS);
    let mut group = c.benchmark_group(format!("net_change {}", workload.name()));
    group
        .sample_size(10)
        .throughput(Throughput::Elements(changes.count));
    for size in [1, 100, 5_000] {
        let left = changes.transactions.net_changes(size).expect("changes");
        println!(
            "{size} transactions a batch: {left} of {} changes",
            changes.count
        );
        let id = BenchmarkId::new("transactions a batch", size);
        group.bench_function(id, |b| {
            b.iter(|| changes.transactions.net_changes(size).expect("changes"))
        });
    }
    group.finish();
}

criterion_group!(benches, net_change);
criterion_main!(benches);
