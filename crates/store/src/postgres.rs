//! The store on PostgreSQL, the one for production.

mod analytics;
mod archive;
mod connect;
mod connections;
mod error;
mod lease;
mod ledger;
mod migrate;
mod opener;
mod options;
mod query;
mod reach;
mod read;
mod search;
mod self_test;
mod summary;
mod waits;
mod write;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use patter_protocol::SessionId;

use crate::analytics::{AnalyticsQuery, AnalyticsRow, Range};
use crate::append;
use crate::deadline::within;
use crate::encode::{EncodedAppend, checked_text, encode_session};
use crate::error::StoreError;
use crate::insight::Insight;
use crate::ledger::{Account, Booked, Correction, Ledger, Line, Spend};
use crate::measures::PoolUsage;
use crate::record::{
    Append, Appended, Claimed, EventQuery, Lease, NewSession, Owner, Renewal, SessionRecord,
    StoredEvent, SummaryJob, SummaryTries, Swept,
};
use crate::search::{SearchPage, SearchQuery};
use crate::store::SessionStore;

use connections::Connections;
pub use options::{Migrate, PostgresOptions};
pub use query::{PostgresQuery, QueryRows};

/// How long the self-test at the start may take.
const SELF_TEST_DEADLINE: Duration = Duration::from_secs(60);

/// Sessions in PostgreSQL 14 or later, in the schema `patter`.
///
/// Any number of processes may share a database. One call is one round trip, whatever the number
/// of sessions in it (leases go by the thousand, and those that are locked are tried again); behind
/// a pooler in transaction mode it is four. A cut connection, a slow, overloaded or stopping server
/// is [`StoreError::Unavailable`] for the calls that meet it; connections that are dead or silent are
/// replaced.
pub struct PostgresStore {
    connections: Connections,
    /// The most that one call may take.
    call_deadline: Duration,
}

impl PostgresStore {
    /// Connects, brings the tables up to date (or makes sure that they are: [`Migrate`]), and makes
    /// sure that the server can be used: PostgreSQL 14 or later, not a standby, not with
    /// `fsync = off`, and that each statement gets its own answer.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the server is not there, [`StoreError::Unusable`] with the
    /// reason if trying again is of no use. Neither tells the URL or the password.
    pub async fn connect(options: PostgresOptions) -> Result<Self, StoreError> {
        connect::prepare(&options, options.migrate).await?;
        let connections = connect::connections(&options)?;
        within(SELF_TEST_DEADLINE, self_test::run(&connections)).await?;
        search::use_language(&connections, &options.search_language).await?;
        Ok(Self {
            connections,
            call_deadline: options.call_deadline(),
        })
    }

    /// Brings the tables up to date, whatever the options say about that, and does nothing else, all
    /// in one transaction. Several processes
    /// may do so at once: an advisory lock lets one work and the others wait.
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect).
    pub async fn migrate(options: &PostgresOptions) -> Result<(), StoreError> {
        connect::prepare(options, Migrate::Auto).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pool knows the password.
        f.debug_struct("PostgresStore")
            .field("connections", &self.connections.count())
            .field("call_deadline", &self.call_deadline)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for PostgresStore {
    fn kind(&self) -> &'static str {
        "postgres"
    }

    async fn claim(&self, session: NewSession, owner: &Owner) -> Result<Claimed, StoreError> {
        let session = encode_session(session)?;
        within(
            self.call_deadline,
            lease::claim(&self.connections, session, owner),
        )
        .await
    }

    async fn renew(&self, owner: &Owner, leases: &[Lease]) -> Result<Renewal, StoreError> {
        within(
            self.call_deadline,
            lease::renew(&self.connections, owner, leases),
        )
        .await
    }

    async fn release(&self, owner: &Owner, lease: &Lease) -> Result<(), StoreError> {
        within(
            self.call_deadline,
            lease::release(&self.connections, owner, lease),
        )
        .await
    }

    async fn sweep(&self, owner: &Owner, limit: u32) -> Result<Vec<Swept>, StoreError> {
        within(
            self.call_deadline,
            lease::sweep(&self.connections, owner, limit),
        )
        .await
    }

    async fn take_summaries(
        &self,
        limit: u32,
        tries: SummaryTries,
    ) -> Result<Vec<SummaryJob>, StoreError> {
        within(
            self.call_deadline,
            summary::take(&self.connections, limit, tries),
        )
        .await
    }

    async fn fail_summary(&self, job: &SummaryJob, why: &str) -> Result<(), StoreError> {
        let why = checked_text(why.to_owned())?;
        within(
            self.call_deadline,
            summary::fail(&self.connections, job, &why),
        )
        .await
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
            self.call_deadline,
            read::events(&self.connections, session_id, query),
        )
        .await
    }

    async fn session(&self, session_id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        within(
            self.call_deadline,
            read::session(&self.connections, session_id),
        )
        .await
    }

    async fn check(&self) -> Result<(), StoreError> {
        within(self.call_deadline, read::check(&self.connections)).await
    }

    fn appends_at_a_time(&self) -> usize {
        // One is prepared, or synced, while the other one runs. Where there are few connections, others wait for
        // the second.
        if self.connections.limit() < 8 { 1 } else { 2 }
    }

    fn pool_usage(&self) -> Option<PoolUsage> {
        Some(self.connections.usage())
    }

    async fn close(&self) {
        self.connections.close().await;
    }
}

#[async_trait]
impl Insight for PostgresStore {
    async fn search(&self, query: SearchQuery) -> Result<SearchPage, StoreError> {
        within(self.call_deadline, search::search(&self.connections, query)).await
    }

    async fn analytics(&self, query: AnalyticsQuery) -> Result<Vec<AnalyticsRow>, StoreError> {
        let range = Range::of(&query)?;
        within(
            self.call_deadline,
            analytics::rows(&self.connections, &query, &range),
        )
        .await
    }
}

#[async_trait]
impl Ledger for PostgresStore {
    async fn book(&self, lines: &[Line], least: Spend, most: Spend) -> Result<Booked, StoreError> {
        within(
            self.call_deadline,
            ledger::book(&self.connections, lines, least, most),
        )
        .await
    }

    async fn correct(&self, corrections: &[(Account, Correction)]) -> Result<(), StoreError> {
        within(
            self.call_deadline,
            ledger::correct(&self.connections, corrections),
        )
        .await
    }

    async fn spent(&self, accounts: &[Account]) -> Result<Vec<Spend>, StoreError> {
        within(
            self.call_deadline,
            ledger::spent(&self.connections, accounts),
        )
        .await
    }

    async fn forget_before(&self, day: NaiveDate) -> Result<(), StoreError> {
        within(
            self.call_deadline,
            ledger::forget_before(&self.connections, day),
        )
        .await
    }
}

#[async_trait]
impl append::WriteBatch for PostgresStore {
    async fn write(&self, entries: &[EncodedAppend]) -> Result<Vec<append::Answer>, StoreError> {
        within(
            self.call_deadline,
            write::append(&self.connections, entries),
        )
        .await
    }
}
