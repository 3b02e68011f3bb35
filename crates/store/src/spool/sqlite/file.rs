//! One database file: its opening, what is in it at large, its closing.

mod rows;

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use patter_protocol::{EventId, SessionId};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};

use super::contents::Size;
use super::folder::from_io;
use crate::error::StoreError;
use crate::sqlite::error::from_sqlx;
use crate::sqlite::open::make_file;

pub(super) use rows::{Change, Events};

/// How long SQLite waits for a connection of this process that is still being closed.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);
/// What is in `user_version` of a file with this table.
const VERSION: i64 = 1;
/// The columns are those of the log, and what the spool needs besides.
const TABLE: &str = "
    create table events (
        place integer primary key,
        session_id text not null,
        event_id blob not null,
        fence integer not null,
        bytes integer not null,
        event_type text not null,
        content text not null,
        metadata text not null,
        private text,
        created_at text not null,
        unique (session_id, event_id)
    ) strict;
    pragma user_version = 1;";
/// Rows that go from one file to another in one transaction.
const TAKE_OVER_ROWS: i64 = 500;

/// An open file. After an error it is to be closed and opened again: what is in it is not known,
/// and sqlx may count a transaction that SQLite has rolled back.
#[derive(Debug)]
pub(super) struct SpoolFile {
    connection: SqliteConnection,
    /// Whether all that is in it was synced. What is found in the write-ahead log may have been
    /// written by somebody who died, or was told of an error, before that.
    is_synced: bool,
}

impl SpoolFile {
    /// Opens the file, and makes it where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] if it is no database or one of a later release;
    /// [`StoreError::Unavailable`] if the disk is full or somebody has it open.
    pub(super) async fn open(path: &Path) -> Result<Self, StoreError> {
        make_file(path).map_err(|error| from_io("make", path, &error))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(BUSY_TIMEOUT)
            // Nobody else has any business here; and no index of the log in shared memory is needed.
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let mut connection = SqliteConnection::connect_with(&options)
            .await
            .map_err(from_sqlx)?;
        let version: i64 = sqlx::query_scalar("pragma user_version")
            .fetch_one(&mut connection)
            .await
            .map_err(from_sqlx)?;
        if version == 0 {
            let mut transaction = connection.begin().await.map_err(from_sqlx)?;
            sqlx::raw_sql(TABLE)
                .execute(&mut *transaction)
                .await
                .map_err(from_sqlx)?;
            transaction.commit().await.map_err(from_sqlx)?;
        } else if version != VERSION {
            return Err(StoreError::Unusable(format!(
                "it was written by another release (version {version})"
            )));
        }
        Ok(Self {
            connection,
            is_synced: false,
        })
    }

    /// How much it holds of each session.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub(super) async fn sizes(&mut self) -> Result<HashMap<SessionId, Size>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "select session_id, count(*), sum(bytes) from events group by session_id",
        )
        .fetch_all(&mut self.connection)
        .await
        .map_err(from_sqlx)?;
        rows.into_iter()
            .map(|(session_id, events, bytes)| {
                let session_id = SessionId::try_from(session_id)
                    .map_err(|error| StoreError::Corrupt(error.to_string()))?;
                Ok((session_id, size(events, bytes)))
            })
            .collect()
    }

    /// The size of an event; `None` if it is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub(super) async fn size_of(
        &mut self,
        session_id: &SessionId,
        event: &EventId,
    ) -> Result<Option<Size>, StoreError> {
        let bytes =
            sqlx::query_scalar("select bytes from events where session_id = $1 and event_id = $2")
                .bind(session_id.as_str())
                .bind(event.as_uuid())
                .fetch_optional(&mut self.connection)
                .await
                .map_err(from_sqlx)?;
        Ok(bytes.map(|bytes| size(1, bytes)))
    }

    /// Copies the rows of another file that are not here, in order. The other one is not changed;
    /// stopped half way, this may be done again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Unusable`], [`StoreError::Corrupt`].
    pub(super) async fn copy_from(&mut self, other: &Path) -> Result<(), StoreError> {
        let Some(other) = other.to_str() else {
            return Err(StoreError::Unusable("its path is not UTF-8".to_owned()));
        };
        let connection = &mut self.connection;
        sqlx::query("attach database $1 as other")
            .bind(other)
            .execute(&mut *connection)
            .await
            .map_err(from_sqlx)?;
        let mut after = i64::MIN;
        while let Some(last) = sqlx::query_scalar::<_, Option<i64>>(
            "select max(place) from
                 (select place from other.events where place > $1 order by place limit $2)",
        )
        .bind(after)
        .bind(TAKE_OVER_ROWS)
        .fetch_one(&mut *connection)
        .await
        .map_err(from_sqlx)?
        {
            sqlx::query(
                "insert into main.events (session_id, event_id, fence, bytes, event_type, content,
                                          metadata, private, created_at)
                 select session_id, event_id, fence, bytes, event_type, content,
                        metadata, private, created_at
                 from other.events where place > $1 and place <= $2 order by place
                 on conflict (session_id, event_id) do nothing",
            )
            .bind(after)
            .bind(last)
            .execute(&mut *connection)
            .await
            .map_err(from_sqlx)?;
            after = last;
        }
        sqlx::query("detach database other")
            .execute(&mut *connection)
            .await
            .map_err(from_sqlx)?;
        Ok(())
    }

    /// Makes sure, once, that what was found in the file is on the disk. An error of a sync leaves
    /// pages that look written and are not: the copy into the database writes them again.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub(super) async fn sync(&mut self) -> Result<(), StoreError> {
        if self.is_synced {
            return Ok(());
        }
        let (is_busy, _, _): (bool, i64, i64) = sqlx::query_as("pragma wal_checkpoint(truncate)")
            .fetch_one(&mut self.connection)
            .await
            .map_err(from_sqlx)?;
        if is_busy {
            return Err(StoreError::Unavailable("the file is busy".into()));
        }
        self.is_synced = true;
        Ok(())
    }

    /// Closes the file; returns when it is closed.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if that is not known.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        self.connection.close().await.map_err(from_sqlx)
    }
}

/// Neither is ever negative.
fn size(events: i64, bytes: i64) -> Size {
    Size {
        events: events.unsigned_abs(),
        bytes: bytes.unsigned_abs(),
    }
}
