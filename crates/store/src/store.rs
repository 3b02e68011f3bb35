//! The one trait of this crate.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use patter_protocol::SessionId;

use crate::error::StoreError;
use crate::measures::PoolUsage;
use crate::record::{
    Append, Appended, Claimed, EventQuery, Lease, NewSession, Owner, Renewal, SessionRecord,
    StoredEvent, SummaryJob, SummaryTries, Swept,
};

/// Where sessions and their logs are kept.
///
/// Every implementation promises, and the conformance suite of `patter-testkit` checks:
///
/// - A log has no gaps: its events have `seq` 1, 2, 3, ...
/// - What a call has acknowledged survives the death of the process and of the database.
/// - An event is stored once, however often it is appended.
/// - What was stored is read back as it was given.
///
/// Each call has a deadline of its own and ends with [`StoreError::Unavailable`] when that has
/// passed. Dropping a future leaves open whether a write happens; it is never half done.
#[async_trait]
pub trait SessionStore: Debug + Send + Sync {
    /// Which store it is, for a person: `postgres`, `sqlite`.
    fn kind(&self) -> &'static str;

    /// Makes `owner` the one that may write to a session for the length of its lease, and makes
    /// the session where there is none. Whoever claimed it before is refused from now on: the same
    /// owner, or another one whose lease has run out or was given back.
    ///
    /// # Errors
    ///
    /// [`StoreError::Owned`] while another owner's lease holds; [`StoreError::Unavailable`];
    /// [`StoreError::Rejected`] for a user or metadata that the database cannot hold.
    async fn claim(&self, session: NewSession, owner: &Owner) -> Result<Claimed, StoreError>;

    /// Renews leases of `owner`, in as few round trips as the database allows, and tells which of
    /// them it could not renew. A lease that has run out is renewed too, as long as nobody else has
    /// claimed the session. No lease waits for another one's session.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]: which leases were renewed is not known.
    async fn renew(&self, owner: &Owner, leases: &[Lease]) -> Result<Renewal, StoreError>;

    /// Lets go of a session that is not finalized: anybody may claim it now, and when `linger` has
    /// passed anybody may sweep it up. Does nothing if the lease is not `owner`'s any more.
    /// (`session_ended` lets go of it as well, see [`append`](Self::append).)
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn release(&self, owner: &Owner, lease: &Lease) -> Result<(), StoreError>;

    /// Claims at most `limit` active sessions whose lease has run out or was given back, and to
    /// which nobody has come back for the length of `linger` since. Several sweepers may be at
    /// work: none waits for another, and each session goes to one of them. One that cannot be read is
    /// logged and left out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn sweep(&self, owner: &Owner, limit: u32) -> Result<Vec<Swept>, StoreError>;

    /// Takes at most `limit` summaries upon the caller that are missing and due: of sessions whose
    /// `session_ended` has none although the user said something, until `session_summary` is
    /// stored, the session is opened again, or `tries` are used up. (Where `session_ended` has one
    /// of the reasons `client`, `disconnect` and `idle`, a first try was made before it.) Each goes
    /// to one of the callers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn take_summaries(
        &self,
        limit: u32,
        tries: SummaryTries,
    ) -> Result<Vec<SummaryJob>, StoreError>;

    /// Notes why the try that `job` was made for brought no summary: it is the record's
    /// `summary_error` from now on, until a summary is stored or the session is opened again. Does
    /// nothing if the session was claimed since.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Rejected`].
    async fn fail_summary(&self, job: &SummaryJob, why: &str) -> Result<(), StoreError>;

    /// Adds events to the ends of the logs of one or several sessions, in as few round trips as
    /// the database allows. The answer has one entry for each entry of `batch`, in order: one
    /// [`Appended`] for each event, or why none of that entry's events was stored. A fault of
    /// one entry does not touch the others. No session may stand in a batch twice.
    ///
    /// The session's row follows the log: `session_started` makes it active, `session_ended`
    /// sets `end_time`, `summary` and `metadata.metrics`, makes it inactive and gives the lease
    /// back (the fence stays good until the next claim), `session_summary` sets `summary`.
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Vec<Appended>, StoreError>>;

    /// How many calls of [`append`](Self::append), of different sessions, gain by being made at the same time.
    fn appends_at_a_time(&self) -> usize {
        1
    }

    /// The events of a session, in order. Empty if there is no such session.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn events(
        &self,
        session_id: &SessionId,
        query: EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// One session; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn session(&self, session_id: &SessionId) -> Result<Option<SessionRecord>, StoreError>;

    /// Whether the database answers and takes writes.
    ///
    /// # Errors
    ///
    /// Says why it does not.
    async fn check(&self) -> Result<(), StoreError>;

    /// How its connections are used; `None` for a store that has no pool of them. From memory,
    /// without waiting.
    fn pool_usage(&self) -> Option<PoolUsage> {
        None
    }

    /// Closes the connections, waiting for calls in flight.
    async fn close(&self);
}

/// A store that several callers share.
#[async_trait]
impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    fn kind(&self) -> &'static str {
        (**self).kind()
    }

    async fn claim(&self, session: NewSession, owner: &Owner) -> Result<Claimed, StoreError> {
        (**self).claim(session, owner).await
    }

    async fn renew(&self, owner: &Owner, leases: &[Lease]) -> Result<Renewal, StoreError> {
        (**self).renew(owner, leases).await
    }

    async fn release(&self, owner: &Owner, lease: &Lease) -> Result<(), StoreError> {
        (**self).release(owner, lease).await
    }

    async fn sweep(&self, owner: &Owner, limit: u32) -> Result<Vec<Swept>, StoreError> {
        (**self).sweep(owner, limit).await
    }

    async fn take_summaries(
        &self,
        limit: u32,
        tries: SummaryTries,
    ) -> Result<Vec<SummaryJob>, StoreError> {
        (**self).take_summaries(limit, tries).await
    }

    async fn fail_summary(&self, job: &SummaryJob, why: &str) -> Result<(), StoreError> {
        (**self).fail_summary(job, why).await
    }

    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Vec<Appended>, StoreError>> {
        (**self).append(batch).await
    }

    async fn events(
        &self,
        session_id: &SessionId,
        query: EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        (**self).events(session_id, query).await
    }

    async fn session(&self, session_id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
        (**self).session(session_id).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        (**self).check().await
    }

    fn appends_at_a_time(&self) -> usize {
        (**self).appends_at_a_time()
    }

    fn pool_usage(&self) -> Option<PoolUsage> {
        (**self).pool_usage()
    }

    async fn close(&self) {
        (**self).close().await;
    }
}
