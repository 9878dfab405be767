//! Writing the SQL of batches on one core: decoding, folding, and every value as a literal.
//!
//! `cargo bench --bench encode [-- GROUP]`; the logs are written by a throwaway server in the same
//! run. An element is a row change of the log.

mod binlog;
mod engine;

use binlog::workload::Workload;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Each log's.
const TRANSACTIONS: u64 = 20_000;

fn encode(c: &mut Criterion) {
    for workload in [Workload::WriteOnly, Workload::Wide, Workload::Json] {
        let changes = engine::changes(workload, TRANSACTIONS);
        let mut group = c.benchmark_group(format!("encode {}", workload.name()));
        group
            .sample_size(10)
            .throughput(Throughput::Elements(changes.count));
        for size in [1, 100, 5_000] {
            let bytes = changes.transactions.encode(size).expect("SQL");
            println!("{size} transactions a batch: {bytes} bytes");
            let id = BenchmarkId::new("transactions a batch", size);
            group.bench_function(id, |b| {
                b.iter(|| changes.transactions.encode(size).expect("SQL"))
            });
        }
        group.finish();
    }
}

criterion_group!(benches, encode);
criterion_main!(benches);
