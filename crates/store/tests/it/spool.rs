//! The spool: the suite that every spool passes, and what only files can do.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its preparation fails"
)]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{join_all, poll_immediate};
use patter_protocol::SessionId;
use patter_store::{Fence, Spool, SpoolOptions, SqliteSpool, StoreError};
use patter_testkit::spool_conformance::{SpoolFixture, kept_of};
use patter_testkit::store_conformance::sample::{append, message};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A spool in a folder that is not there yet.
struct Folder(TempDir);

impl Folder {
    fn path(&self) -> PathBuf {
        self.0.path().join("spool")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    async fn try_open(&self) -> Result<SqliteSpool, StoreError> {
        SqliteSpool::open(SpoolOptions::new(self.path())).await
    }

    /// Names of the files that hold events.
    fn databases(&self) -> Vec<String> {
        let files = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".lock"))
            .collect();
        names.sort();
        names
    }
}

#[async_trait]
impl SpoolFixture for Folder {
    async fn open(&self) -> Arc<dyn Spool> {
        Arc::new(self.try_open().await.unwrap())
    }
}

#[expect(clippy::unused_async, reason = "the suite waits for it")]
async fn make() -> Folder {
    Folder(TempDir::new().unwrap())
}

patter_testkit::spool_conformance!(make);

/// The spool in memory that other crates test with.
mod in_memory {
    use super::{Arc, Spool, SpoolFixture, async_trait};
    use patter_testkit::memory_spool::MemorySpool;

    struct Memory(MemorySpool);

    #[async_trait]
    impl SpoolFixture for Memory {
        async fn open(&self) -> Arc<dyn Spool> {
            Arc::new(self.0.clone())
        }
    }

    #[expect(clippy::unused_async, reason = "the suite waits for it")]
    async fn make() -> Memory {
        Memory(MemorySpool::default())
    }

    patter_testkit::spool_conformance!(make);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let folder = make().await;
    let spool = folder.open().await;
    let entry = append(&SessionId::generate(), Fence(1), [message("a")]);
    spool.keep(entry).await.unwrap();
    let files = fs::read_dir(folder.path()).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "lock, database and its log: {files:?}");
    for file in files.into_iter().chain([folder.path()]) {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_share_a_folder_and_the_next_one_takes_over_what_they_leave() {
    let folder = make().await;
    let spools = join_all((0..8).map(|_| folder.open())).await;
    let id = SessionId::generate();
    let mut entries = Vec::new();
    for (fence, spool) in (1..).zip(&spools) {
        let entry = append(&id, Fence(fence), [message("a"), message("b")]);
        spool.keep(entry.clone()).await.unwrap();
        assert_eq!(spool.usage().events, 2, "each has its own");
        entries.push(entry);
    }
    // One is in two of the files.
    spools[0].keep(entries[5].clone()).await.unwrap();
    for spool in &spools[..7] {
        spool.close().await;
    }

    let next = folder.open().await;
    assert_eq!(next.kept(&id).await.unwrap(), kept_of(&entries[..7]));
    assert_eq!(next.usage().events, 14);
    let last = &spools[7];
    assert_eq!(last.kept(&id).await.unwrap(), kept_of(&entries[7..]));
    next.close().await;
    last.close().await;
    assert_eq!(folder.databases().len(), 2, "{:?}", folder.databases());

    let all = folder.open().await;
    assert_eq!(all.kept(&id).await.unwrap(), kept_of(&entries));
}

#[tokio::test]
async fn a_spool_that_is_empty_again_is_small_again() {
    let folder = make().await;
    let spool = folder.open().await;
    let id = SessionId::generate();
    let large = message(&"a".repeat(30_000));
    let mut events = Vec::new();
    for _ in 0..20 {
        let entry = append(&id, Fence(1), vec![large.clone(); 20]);
        events.extend(entry.events.iter().map(|event| event.event_id));
        spool.keep(entry).await.unwrap();
    }
    let bytes = || -> u64 {
        let files = folder.databases();
        let sizes = files
            .iter()
            .map(|name| fs::metadata(folder.file(name)).unwrap().len());
        sizes.sum()
    };
    assert!(bytes() > 12_000_000, "{} bytes", bytes());
    let (last, others) = events.split_last().unwrap();
    spool.forget(&id, others).await.unwrap();
    spool.forget(&id, &[*last]).await.unwrap();
    assert!(bytes() < 100_000, "{} bytes", bytes());

    let entry = append(&id, Fence(1), [message("a")]);
    spool.keep(entry.clone()).await.unwrap();
    assert_eq!(spool.kept(&id).await.unwrap(), kept_of(&[entry]));
}

#[tokio::test]
async fn a_call_sees_what_was_asked_for_before_it() {
    let folder = make().await;
    let spool = folder.open().await;
    let id = SessionId::generate();
    let entry = append(&id, Fence(1), [message("a")]);
    let events = [entry.events[0].event_id];
    // All of them are on their way before the first is looked at.
    let (kept, seen, forgotten, unseen) = tokio::join!(
        spool.keep(entry.clone()),
        spool.kept(&id),
        spool.forget(&id, &events),
        spool.kept(&id),
    );
    kept.unwrap();
    forgotten.unwrap();
    assert_eq!(seen.unwrap(), kept_of(&[entry]));
    assert_eq!(unseen.unwrap(), []);
}

#[tokio::test]
async fn closing_waits_for_calls_in_flight_and_takes_no_more() {
    let folder = make().await;
    let spool = folder.open().await;
    let id = SessionId::generate();
    let entry = append(&id, Fence(1), [message("a")]);
    let mut keeping = spool.keep(entry.clone());
    assert!(poll_immediate(&mut keeping).await.is_none());
    spool.close().await;
    keeping.await.unwrap();
    let refused = spool.keep(entry.clone()).await;
    assert!(
        matches!(refused, Err(StoreError::Unusable(_))),
        "{refused:?}"
    );
    assert!(spool.kept(&id).await.is_err());
    spool.close().await;
    assert_eq!(
        folder.open().await.kept(&id).await.unwrap(),
        kept_of(&[entry])
    );
}

#[test]
fn a_spool_whose_runtime_is_gone_can_be_opened_again_at_once() {
    let folder = Folder(TempDir::new().unwrap());
    let id = SessionId::generate();
    let mut entries = Vec::new();
    for _ in 0..10 {
        let runtime = Runtime::new().unwrap();
        let entry = append(&id, Fence(1), [message("a")]);
        let spool = runtime.block_on(async {
            let spool = folder.open().await;
            assert_eq!(spool.kept(&id).await.unwrap(), kept_of(&entries));
            spool.keep(entry.clone()).await.unwrap();
            // Nobody waits for this one; it must not come out between the others.
            let _ = poll_immediate(spool.keep(entry.clone())).await;
            spool
        });
        runtime.shutdown_background();
        drop(spool);
        entries.push(entry);
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_by_name_and_left_alone() {
    let folder = make().await;
    folder.open().await.close().await;
    let letter = "this is a letter, not a database; ".repeat(100);
    for name in ["0.db", "7.db"] {
        fs::write(folder.file(name), &letter).unwrap();
        let error = folder.try_open().await.unwrap_err();
        assert!(matches!(&error, StoreError::Unusable(_)), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(fs::read_to_string(folder.file(name)).unwrap(), letter);
        fs::remove_file(folder.file(name)).unwrap();
    }
    folder.try_open().await.unwrap();
}

#[tokio::test]
async fn what_a_process_left_while_it_removed_its_file_does_no_harm() {
    let folder = make().await;
    let spool = folder.open().await;
    let id = SessionId::generate();
    let entry = append(&id, Fence(1), [message("a")]);
    spool.keep(entry.clone()).await.unwrap();
    // The log with an event in it, without its database; and a database that was just made.
    let log = fs::read(folder.file("0.db-wal")).unwrap();
    spool.close().await;
    fs::remove_file(folder.file("0.db")).unwrap();
    fs::write(folder.file("0.db-wal"), log).unwrap();
    fs::write(folder.file("1.db"), "").unwrap();
    let spool = folder.open().await;
    assert_eq!(spool.kept(&id).await.unwrap(), []);
    spool.keep(entry.clone()).await.unwrap();
    assert_eq!(spool.kept(&id).await.unwrap(), kept_of(&[entry]));
}

#[tokio::test]
async fn a_place_where_no_folder_can_be_is_unusable() {
    let folder = make().await;
    fs::write(folder.path(), "a file where a folder should be").unwrap();
    let error = folder.try_open().await.unwrap_err();
    assert!(matches!(&error, StoreError::Unusable(_)), "{error:?}");
}
