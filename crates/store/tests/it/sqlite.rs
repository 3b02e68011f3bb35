//! The SQLite store: the suite that every store passes, and what only a file can do.
#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its preparation fails"
)]

mod insight;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use patter_store::{Ledger, SessionStore, SqliteStore, StoreError};
use patter_testkit::ledger_conformance::LedgerFixture;
use patter_testkit::store_conformance::StoreFixture;
use patter_testkit::store_conformance::archive::{ArchiveFixture, ArchivedStore};
use patter_testkit::store_conformance::sample::{
    append, claimed, log_of, message, owner, session, write,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tempfile::TempDir;

/// A folder with a database in a folder that is not there yet.
struct Folder(TempDir);

impl Folder {
    fn path(&self) -> PathBuf {
        self.0.path().join("data").join("patter.db")
    }

    /// With a file as the oldest version made it, in which these statements were run.
    async fn of_the_oldest_version(statements: &str) -> Self {
        let folder = make().await;
        fs::create_dir_all(folder.path().parent().unwrap()).unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path())
            .create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!(
            "{}{statements}",
            include_str!("../../../../migrations/sqlite/20261121000001_sessions_and_events.sql")
        )))
        .execute(&mut connection)
        .await
        .unwrap();
        connection.close().await.unwrap();
        folder
    }

    /// Whether the text stands anywhere in the file.
    fn holds(&self, text: &str) -> bool {
        let file = fs::read(self.path()).unwrap();
        file.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

#[async_trait]
impl StoreFixture for Folder {
    async fn open(&self) -> Arc<dyn SessionStore> {
        Arc::new(SqliteStore::open(self.path()).await.unwrap())
    }
}

#[async_trait]
impl ArchiveFixture for Folder {
    async fn open_archive(&self) -> Arc<dyn ArchivedStore> {
        Arc::new(SqliteStore::open(self.path()).await.unwrap())
    }
}

#[async_trait]
impl LedgerFixture for Folder {
    async fn open_ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(SqliteStore::open(self.path()).await.unwrap())
    }
}

async fn make() -> Folder {
    Folder(TempDir::new().unwrap())
}

patter_testkit::store_conformance!(make);
patter_testkit::archive_conformance!(make);
patter_testkit::ledger_conformance!(make);

/// Not only out of sight: nobody finds it in the file.
#[tokio::test]
async fn what_was_deleted_is_overwritten() {
    let folder = make().await;
    let store = folder.open_archive().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let secret = "something that nobody shall know";
    let entry = append(&id, claim.fence, [message(secret)]);
    write(store.as_ref(), entry).await.unwrap();
    let lease = patter_testkit::store_conformance::sample::lease(&claim);
    store.release(&owner("test"), &lease).await.unwrap();
    store.close().await;
    assert!(folder.holds(secret));
    let store = folder.open_archive().await;
    assert!(store.delete(&id).await.unwrap());
    store.close().await;
    assert!(!folder.holds(secret));
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;

    let folder = make().await;
    let store = folder.open().await;
    claimed(store.as_ref()).await;
    let files: Vec<_> = fs::read_dir(folder.path().parent().unwrap())
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!(
        files.len(),
        4,
        "the database, its log, its index, its lock: {files:?}"
    );
    for file in files.into_iter().chain([folder.0.path().join("data")]) {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_may_open_a_new_file_at_once_and_write_to_it() {
    let folder = make().await;
    let opening = (0..8).map(|_| folder.open());
    let stores = futures_util::future::join_all(opening).await;
    let (id, claim) = claimed(stores[0].as_ref()).await;
    let writing = stores.iter().map(async |store| {
        for _ in 0..10 {
            let entry = append(&id, claim.fence, [message("a")]);
            write(store.as_ref(), entry).await.unwrap();
        }
    });
    futures_util::future::join_all(writing).await;
    assert_eq!(log_of(stores[7].as_ref(), &id).await.len(), 80);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_unusable_and_left_alone() {
    let folder = make().await;
    fs::create_dir_all(folder.path().parent().unwrap()).unwrap();
    let text = "this is a letter, not a database; ".repeat(100);
    fs::write(folder.path(), &text).unwrap();
    let error = SqliteStore::open(folder.path()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unusable(_)), "{error:?}");
    assert!(error.to_string().contains("patter.db"), "{error}");
    assert_eq!(fs::read_to_string(folder.path()).unwrap(), text);
}

#[tokio::test]
async fn a_place_where_no_file_can_be_is_unusable() {
    let folder = make().await;
    fs::write(
        folder.0.path().join("data"),
        "a file where a folder should be",
    )
    .unwrap();
    let error = SqliteStore::open(folder.path()).await.unwrap_err();
    assert!(matches!(&error, StoreError::Unusable(_)), "{error:?}");
}

#[tokio::test]
async fn data_that_the_database_rejects_does_not_fail_its_neighbours() {
    let folder = make().await;
    let store = folder.open().await;
    let options = SqliteConnectOptions::new().filename(folder.path());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let rule = "create trigger rule before insert on session_events when new.content = 'poison'
                begin select raise(abort, 'not this one'); end";
    sqlx::query(rule).execute(&mut connection).await.unwrap();

    let (good, good_claim) = claimed(store.as_ref()).await;
    let (bad, bad_claim) = claimed(store.as_ref()).await;
    let batch = vec![
        append(&good, good_claim.fence, [message("a")]),
        append(&bad, bad_claim.fence, [message("b"), message("poison")]),
    ];
    let answers = store.append(batch).await;
    assert!(answers[0].is_ok(), "{answers:?}");
    assert!(
        matches!(answers[1], Err(StoreError::Rejected(_))),
        "{answers:?}"
    );
    assert_eq!(log_of(store.as_ref(), &good).await.len(), 1);
    assert!(log_of(store.as_ref(), &bad).await.is_empty());
}

#[tokio::test]
async fn a_transaction_that_sqlite_itself_rolled_back_does_not_block_later_ones() {
    let folder = make().await;
    let store = folder.open().await;
    let (id, claim) = claimed(store.as_ref()).await;
    let options = SqliteConnectOptions::new().filename(folder.path());
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    // What SQLite does on a full disk, among others.
    sqlx::raw_sql(
        "create trigger full before insert on session_events
         begin select raise(rollback, 'the disk is full'); end",
    )
    .execute(&mut other)
    .await
    .unwrap();
    let refused = write(store.as_ref(), append(&id, claim.fence, [message("a")])).await;
    assert!(refused.is_err(), "{refused:?}");
    sqlx::raw_sql("drop trigger full")
        .execute(&mut other)
        .await
        .unwrap();
    let stored = write(store.as_ref(), append(&id, claim.fence, [message("b")])).await;
    assert!(stored.is_ok(), "{stored:?}");
    store.check().await.unwrap();
}

#[tokio::test]
async fn what_was_open_before_there_were_leases_is_swept_up() {
    let folder = Folder::of_the_oldest_version(
        "insert into sessions (session_id, log_epoch, lease_owner)
             values ('old', randomblob(16), 'a process of then');",
    )
    .await;
    let store = folder.open().await;
    let before = store.session(&"old".parse().unwrap()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let swept = store.sweep(&owner("now"), 10).await.unwrap();
    assert_eq!(swept.len(), 1);
    assert!(!swept[0].was_released);
    assert_eq!(Some(&swept[0].claimed.record), before.as_ref());
}

#[tokio::test]
async fn what_a_migration_copies_does_not_outlive_its_deletion() {
    let secret = "something that nobody shall know";
    let folder = Folder::of_the_oldest_version(&format!(
        "insert into sessions (session_id, log_epoch, last_seq) values ('old', randomblob(16), 1);
         insert into session_events
             (session_id, seq, event_id, event_type, content, metadata, created_at)
         values ('old', 1, randomblob(16), 'user_message', '{secret}',
             '{{\"id\": \"m\"}}', '2026-11-21T00:00:00.000Z');"
    ))
    .await;
    assert!(folder.holds(secret));
    let store = folder.open_archive().await;
    assert!(store.delete(&"old".parse().unwrap()).await.unwrap());
    store.close().await;
    assert!(!folder.holds(secret));
}

#[tokio::test]
async fn leases_stand_while_another_store_has_the_file_open_and_no_longer() {
    let folder = make().await;
    let first = folder.open().await;
    let (id, lost) = claimed(first.as_ref()).await;
    let second = folder.open().await;
    let refused = second.claim(session(&id), &owner("second")).await;
    assert!(
        matches!(refused, Err(StoreError::Owned { .. })),
        "{refused:?}"
    );
    first.close().await;
    let third = folder.open().await;
    let refused = third.claim(session(&id), &owner("third")).await;
    assert!(
        matches!(refused, Err(StoreError::Owned { .. })),
        "{refused:?}"
    );
    second.close().await;
    drop(third);
    let alone = folder.open().await;
    let claim = alone.claim(session(&id), &owner("alone")).await.unwrap();
    assert!(claim.fence > lost.fence);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let folder = make().await;
    let store = folder.open().await;
    let (id, _) = claimed(store.as_ref()).await;
    store.close().await;
    assert!(store.check().await.is_err());
    assert!(store.session(&id).await.is_err());
}
