//! Opening the file: its making, the settings of a connection, the migrations.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection, SqlitePool};
use tokio::time::Instant;

use super::error::{from_migration, from_sqlx};
use crate::deadline::within;
use crate::error::StoreError;

/// How long SQLite waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a file that somebody else holds is tried again, and the pause in between. SQLite does
/// not wait itself, but reports that the file is busy at once, where several connections turn a
/// new file to the write-ahead log or the last of another process leaves it.
const OPEN_PATIENCE: Duration = Duration::from_secs(10);
const OPEN_PAUSE: Duration = Duration::from_millis(20);
/// How long the migrations may take, the wait for those of another process included.
const MIGRATE_DEADLINE: Duration = Duration::from_secs(600);
/// How long a call waits for the connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Reading connections.
const READERS: u32 = 4;

/// Makes the file where there is none, and gives its absolute path: SQLite takes some names for
/// more than a file (`:memory:`, `file:...`), but no absolute one.
pub(super) fn make(path: &Path) -> Result<PathBuf, StoreError> {
    std::path::absolute(path)
        .and_then(|file| make_file(&file).map(|()| file))
        .map_err(|error| {
            StoreError::Unusable(format!("cannot make or open `{}`: {error}", path.display()))
        })
}

/// The pools for writing and for reading.
pub(super) async fn open(path: &Path) -> Result<(SqlitePool, SqlitePool), StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal)
        // What is acknowledged survives a power cut. (`NORMAL` may lose the last commits.)
        .synchronous(SqliteSynchronous::Full)
        // What is deleted is overwritten, and not only marked as free; a table that a migration drops, too.
        .pragma("secure_delete", "on")
        .foreign_keys(true);
    within(MIGRATE_DEADLINE, migrate_when_free(&options))
        .await
        .map_err(|error| match error {
            StoreError::Unusable(why) => {
                StoreError::Unusable(format!("`{}`: {why}", path.display()))
            }
            other => other,
        })?;
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A full disk makes SQLite itself roll back. sqlx goes on counting the transaction, and
        // would refuse every later one: a new connection takes its place.
        .before_acquire(|connection, _| {
            let is_usable = !connection.is_in_transaction();
            Box::pin(async move { Ok(is_usable) })
        })
        .connect_lazy_with(
            options
                .clone()
                // A batch of many sessions changes a thousand pages of indexes, which is where SQLite by
                // itself writes all of them to the database and syncs it: at each commit. So it is one in
                // some, with a log of 16 MiB,
                .pragma("wal_autocheckpoint", "4000")
                // and the pages are in memory when they change again.
                .pragma("cache_size", "-16000")
                // What a statement changes is copied aside until it is over: into memory, which no statement needs
                // much of, and not into a file.
                .pragma("temp_store", "memory"),
        );
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // The deadline of one call is not that of the next (`reading`).
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.lock_handle().await?.remove_progress_handler();
                Ok(true)
            })
        })
        .connect_lazy_with(options.pragma("query_only", "on"));
    Ok((writer, readers))
}

/// Makes the folder and the file where they are missing. The files that SQLite puts beside it
/// get the same permissions.
///
/// A process that closes a file gives up every lock that it holds on it, those of SQLite too
/// (<https://www.sqlite.org/howtocorrupt.html>, section 2.2). So a file that is there is left
/// alone, and nobody in this process gets to SQLite while the file is being made.
pub(crate) fn make_file(path: &Path) -> io::Result<()> {
    static MAKING: Mutex<()> = Mutex::new(());

    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(folder) = path.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// [`migrate`], again and again while somebody else holds the file.
async fn migrate_when_free(options: &SqliteConnectOptions) -> Result<(), StoreError> {
    let until = Instant::now() + OPEN_PATIENCE;
    loop {
        match migrate(options).await {
            Err(StoreError::Unavailable(_)) if Instant::now() < until => {
                tokio::time::sleep(OPEN_PAUSE).await;
            }
            done => return done,
        }
    }
}

/// Runs what has not been run, in one transaction that other processes wait for.
async fn migrate(options: &SqliteConnectOptions) -> Result<(), StoreError> {
    let mut connection = SqliteConnection::connect_with(options)
        .await
        .map_err(from_sqlx)?;
    let mut transaction = connection
        .begin_with("begin immediate")
        .await
        .map_err(from_sqlx)?;
    // What `run` calls, whose own future the compiler does not take for `Send`.
    migrator()
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(from_migration)?;
    transaction.commit().await.map_err(from_sqlx)?;
    connection.close().await.map_err(from_sqlx)
}

fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("../../migrations/sqlite");
    migrator.dangerous_set_table_name("_migrations");
    // A newer release has been here: its migrations only add, so this one can go on.
    migrator.set_ignore_missing(true);
    migrator
}
