//! What it costs to have an event on the disk, beside what the disk itself asks for.
//!
//! `floor` appends the same bytes to a plain file and syncs it: no format of a file can be faster.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark ends where its preparation fails"
)]

use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use patter_protocol::SessionId;
use patter_store::{Append, Fence, Spool, SpoolOptions, SqliteSpool};
use patter_testkit::store_conformance::sample::{append, message};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const SESSIONS: usize = 100;
/// A message of the usual size.
const TEXT_BYTES: usize = 500;

/// In the build's folder: `/tmp` is in memory on many machines, where a sync costs nothing.
fn folder() -> TempDir {
    TempDir::new_in(PathBuf::from(env!("CARGO_TARGET_TMPDIR"))).unwrap()
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn entry(session_id: &SessionId) -> Append {
    append(session_id, Fence(1), [message(&"a".repeat(TEXT_BYTES))])
}

fn floor(criterion: &mut Criterion) {
    let folder = folder();
    let mut file = File::create(folder.path().join("log")).unwrap();
    let mut group = criterion.benchmark_group("floor");
    for events in [1, SESSIONS] {
        let bytes = vec![b'a'; events * (TEXT_BYTES + 200)];
        group.throughput(Throughput::Elements(events as u64));
        group.bench_function(format!("{events} at once"), |bencher| {
            bencher.iter(|| {
                file.write_all(black_box(&bytes)).unwrap();
                file.sync_data().unwrap();
            });
        });
    }
    group.finish();
}

fn keep(criterion: &mut Criterion) {
    let runtime = runtime();
    let folder = folder();
    let spool = runtime
        .block_on(SqliteSpool::open(SpoolOptions::new(folder.path())))
        .unwrap();
    let mut group = criterion.benchmark_group("keep");
    for events in [1, SESSIONS] {
        let sessions: Vec<_> = (0..events).map(|_| SessionId::generate()).collect();
        group.throughput(Throughput::Elements(events as u64));
        group.bench_function(format!("{events} at once"), |bencher| {
            bencher.iter(|| {
                let keeping = sessions.iter().map(|id| spool.keep(entry(id)));
                for kept in runtime.block_on(join_all(keeping)) {
                    kept.unwrap();
                }
            });
        });
    }
    group.finish();
    runtime.block_on(spool.close());
}

criterion_group!(benches, floor, keep);
criterion_main!(benches);
