//! The one trait of this crate.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use patter_protocol::SessionId;

use crate::error::StoreError;
use crate::record::{
    Append, Appended, Claimed, EventQuery, NewSession, SessionRecord, StoredEvent,
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

    /// Makes this process the one that may write to a session, and makes the session where
    /// there is none. Whoever claimed it before is refused from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]; [`StoreError::Rejected`] for a user or metadata that the
    /// database cannot hold.
    async fn claim(&self, session: NewSession, owner: &str) -> Result<Claimed, StoreError>;

    /// Adds events to the ends of the logs of one or several sessions, in as few round trips as
    /// the database allows. The answer has one entry for each entry of `batch`, in order: one
    /// [`Appended`] for each event, or why none of that entry's events was stored. A fault of
    /// one entry does not touch the others. No session may stand in a batch twice.
    ///
    /// The session's row follows the log: `session_started` makes it active, `session_ended`
    /// sets `end_time`, `summary` and `metadata.metrics` and makes it inactive,
    /// `session_summary` sets `summary`.
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Vec<Appended>, StoreError>>;

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

    /// Closes the connections, waiting for calls in flight.
    async fn close(&self);
}

/// A store that several callers share.
#[async_trait]
impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    fn kind(&self) -> &'static str {
        (**self).kind()
    }

    async fn claim(&self, session: NewSession, owner: &str) -> Result<Claimed, StoreError> {
        (**self).claim(session, owner).await
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

    async fn close(&self) {
        (**self).close().await;
    }
}
