//! Opening the file: its making, the settings of a connection, the migrations.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection, SqlitePool};

use super::error::{from_migration, from_sqlx};
use crate::deadline::within;
use crate::error::StoreError;

/// How long SQLite waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the migrations may take, the wait for those of another process included.
const MIGRATE_DEADLINE: Duration = Duration::from_secs(600);
/// How long a call waits for the connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Reading connections.
const READERS: u32 = 4;

/// The pools for writing and for reading.
pub(super) async fn open(path: &Path) -> Result<(SqlitePool, SqlitePool), StoreError> {
    // SQLite takes some names for more than a file (`:memory:`, `file:...`), but no absolute one.
    let file = std::path::absolute(path)
        .and_then(|file| make_file(&file).map(|()| file))
        .map_err(|error| {
            StoreError::Unusable(format!("cannot make or open `{}`: {error}", path.display()))
        })?;
    let options = SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(BUSY_TIMEOUT)
        .journal_mode(SqliteJournalMode::Wal)
        // What is acknowledged survives a power cut. (`NORMAL` may lose the last commits.)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    within(MIGRATE_DEADLINE, migrate(&options))
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
        .connect_lazy_with(options.clone());
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options.pragma("query_only", "on"));
    Ok((writer, readers))
}

/// Makes the folder and the file where they are missing. The files that SQLite puts beside it
/// get the same permissions.
fn make_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
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
