//! The store in a single file, with nothing to install: SQLite.

mod analytics;
mod archive;
mod batch;
mod clock;
pub(crate) mod error;
mod lease;
mod ledger;
pub(crate) mod open;
mod presence;
mod read;
mod reading;
mod search;
mod summary;
mod write;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use patter_protocol::SessionId;
use sqlx::SqlitePool;

use crate::analytics::{AnalyticsQuery, AnalyticsRow, Range};
use crate::append;
use crate::deadline::within;
use crate::encode::{EncodedAppend, checked_text, encode_session};
use crate::error::StoreError;
use crate::insight::Insight;
use crate::ledger::{Account, Booked, Correction, Ledger, Line, Spend};
use crate::record::{
    Append, Appended, Claimed, EventQuery, Lease, NewSession, Owner, Renewal, SessionRecord,
    StoredEvent, SummaryJob, SummaryTries, Swept,
};
use crate::search::{SearchPage, SearchQuery};
use crate::store::SessionStore;
use presence::Presence;

/// The most that one call may take. SQLite itself waits 5 seconds for another process.
const CALL_DEADLINE: Duration = Duration::from_secs(8);

/// Sessions in a SQLite file, for one machine.
///
/// A write is synced to disk before it is acknowledged. Readers never wait for the writer.
/// Several processes on one machine may open the same file: their writes wait for each other,
/// and a write that had to wait for more than 5 seconds is [`StoreError::Unavailable`]. The file
/// must not be on a network drive, where SQLite's locks do not work.
///
/// A lock on a file beside it, `<file>.lock`, tells who is alive: whoever opens the file and is
/// alone with it ends the leases of those that are gone, so that nobody waits for a process that
/// was killed.
#[derive(Debug)]
pub struct SqliteStore {
    /// One connection: SQLite has one writer at a time, and a queue here is fair.
    writer: SqlitePool,
    readers: SqlitePool,
    presence: Presence,
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
        let file = open::make(path.as_ref())?;
        let (writer, readers) = open::open(&file).await?;
        let presence = Presence::enter(&file, &writer).await?;
        Ok(Self {
            writer,
            readers,
            presence,
        })
    }
}

#[async_trait]
impl SessionStore for SqliteStore {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    async fn claim(&self, session: NewSession, owner: &Owner) -> Result<Claimed, StoreError> {
        let session = encode_session(session)?;
        within(CALL_DEADLINE, lease::claim(&self.writer, session, owner)).await
    }

    async fn renew(&self, owner: &Owner, leases: &[Lease]) -> Result<Renewal, StoreError> {
        within(CALL_DEADLINE, lease::renew(&self.writer, owner, leases)).await
    }

    async fn release(&self, owner: &Owner, lease: &Lease) -> Result<(), StoreError> {
        within(CALL_DEADLINE, lease::release(&self.writer, owner, lease)).await
    }

    async fn sweep(&self, owner: &Owner, limit: u32) -> Result<Vec<Swept>, StoreError> {
        within(CALL_DEADLINE, lease::sweep(&self.writer, owner, limit)).await
    }

    async fn take_summaries(
        &self,
        limit: u32,
        tries: SummaryTries,
    ) -> Result<Vec<SummaryJob>, StoreError> {
        within(CALL_DEADLINE, summary::take(&self.writer, limit, tries)).await
    }

    async fn fail_summary(&self, job: &SummaryJob, why: &str) -> Result<(), StoreError> {
        let why = checked_text(why.to_owned())?;
        within(CALL_DEADLINE, summary::fail(&self.writer, job, &why)).await
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
        self.presence.leave();
    }
}

#[async_trait]
impl Insight for SqliteStore {
    async fn search(&self, query: SearchQuery) -> Result<SearchPage, StoreError> {
        within(CALL_DEADLINE, search::search(&self.readers, query)).await
    }

    async fn analytics(&self, query: AnalyticsQuery) -> Result<Vec<AnalyticsRow>, StoreError> {
        let range = Range::of(&query)?;
        within(
            CALL_DEADLINE,
            analytics::rows(&self.readers, &query, &range),
        )
        .await
    }
}

#[async_trait]
impl Ledger for SqliteStore {
    async fn book(&self, lines: &[Line], least: Spend, most: Spend) -> Result<Booked, StoreError> {
        within(
            CALL_DEADLINE,
            ledger::book(&self.writer, lines, least, most),
        )
        .await
    }

    async fn correct(&self, corrections: &[(Account, Correction)]) -> Result<(), StoreError> {
        within(CALL_DEADLINE, ledger::correct(&self.writer, corrections)).await
    }

    async fn spent(&self, accounts: &[Account]) -> Result<Vec<Spend>, StoreError> {
        within(CALL_DEADLINE, ledger::spent(&self.readers, accounts)).await
    }

    async fn forget_before(&self, day: NaiveDate) -> Result<(), StoreError> {
        within(CALL_DEADLINE, ledger::forget_before(&self.writer, day)).await
    }
}

#[async_trait]
impl append::WriteBatch for SqliteStore {
    async fn write(&self, entries: &[EncodedAppend]) -> Result<Vec<append::Answer>, StoreError> {
        within(CALL_DEADLINE, write::append(&self.writer, entries)).await
    }
}
