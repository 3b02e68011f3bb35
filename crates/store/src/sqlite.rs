//! The store in a single file, with nothing to install: SQLite.

mod error;
mod open;
mod read;
mod write;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use patter_protocol::SessionId;
use sqlx::SqlitePool;

use crate::append;
use crate::deadline::within;
use crate::encode::{EncodedAppend, encode_session};
use crate::error::StoreError;
use crate::record::{
    Append, Appended, Claimed, EventQuery, NewSession, SessionRecord, StoredEvent,
};
use crate::store::SessionStore;

/// The most that one call may take. SQLite itself waits 5 seconds for another process.
const CALL_DEADLINE: Duration = Duration::from_secs(8);

/// Sessions in a SQLite file, for one machine.
///
/// A write is synced to disk before it is acknowledged. Readers never wait for the writer.
/// Several processes on one machine may open the same file: their writes wait for each other,
/// and a write that had to wait for more than 5 seconds is [`StoreError::Unavailable`]. The file
/// must not be on a network drive, where SQLite's locks do not work.
#[derive(Debug)]
pub struct SqliteStore {
    /// One connection: SQLite has one writer at a time, and a queue here is fair.
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, makes it and its folder where there is none (on Unix for this user's eyes
    /// only), and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unusable`] if the file cannot be made or opened or is not a database;
    /// [`StoreError::Unavailable`] if another process holds it for too long.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let (writer, readers) = open::open(path.as_ref()).await?;
        Ok(Self { writer, readers })
    }
}

#[async_trait]
impl SessionStore for SqliteStore {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    async fn claim(&self, session: NewSession, owner: &str) -> Result<Claimed, StoreError> {
        let session = encode_session(session)?;
        within(CALL_DEADLINE, write::claim(&self.writer, session, owner)).await
    }

    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Vec<Appended>, StoreError>> {
        append::append(self, batch).await
    }

    async fn events(
        &self,
        session_id: &SessionId,
        query: EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        within(
            CALL_DEADLINE,
            read::events(&self.readers, session_id, query),
        )
        .await
    }

    async fn session(&self, session_id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        within(CALL_DEADLINE, read::session(&self.readers, session_id)).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        within(CALL_DEADLINE, write::check(&self.writer)).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

#[async_trait]
impl append::WriteBatch for SqliteStore {
    async fn write(&self, entries: &[EncodedAppend]) -> Result<Vec<append::Answer>, StoreError> {
        within(CALL_DEADLINE, write::append(&self.writer, entries)).await
    }
}
