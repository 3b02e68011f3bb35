//! What is done to stored sessions from outside a conversation: they are made before anybody opens
//! them, listed, named, deleted, and taken from one store to another.

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod import;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) mod merge;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use patter_protocol::{DurableEvent, JsonObject, SessionId, Timestamp};

use crate::error::StoreError;
use crate::record::{NewSession, SessionRecord};

/// The key of a session's metadata that belongs to the server: what the session came to.
pub const METRICS_KEY: &str = "metrics";

/// The most that a session's metadata may have after a merge, as compact JSON and without
/// [`METRICS_KEY`].
pub const MAX_METADATA_BYTES: usize = 64 * 1024;

/// A call of [`SessionArchive::prune`] takes no further session once it has so many events: it ends soon,
/// and nobody waits for it.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) const PRUNED_EVENTS: u32 = 10_000;

/// A session in the order of [`SessionArchive::list`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPosition {
    /// When it was first opened.
    pub start_time: Timestamp,
    /// Tells sessions of the same millisecond apart.
    pub session_id: SessionId,
}

impl From<&SessionRecord> for SessionPosition {
    fn from(record: &SessionRecord) -> Self {
        Self {
            start_time: record.start_time,
            session_id: record.session_id.clone(),
        }
    }
}

/// Which sessions are wanted. [`Default`] wants all, and none of them: its `limit` is 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only this user's.
    pub user_id: Option<String>,
    /// Only those that are finalized, or only those that are not.
    pub active: Option<bool>,
    /// Only those with this `start_time` or a later one.
    pub from: Option<Timestamp>,
    /// Only those with an earlier `start_time`.
    pub to: Option<Timestamp>,
    /// At most so many.
    pub limit: u32,
    /// Only those that come behind this place, whether a session is still there or not: the last
    /// of the page before.
    pub before: Option<SessionPosition>,
}

/// What a [`ListQuery`] finds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SessionList {
    /// In order; fewer than were asked for where one could not be read.
    pub sessions: Vec<SessionRecord>,
    /// Whether there are more, behind the last of these.
    pub has_more: bool,
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl SessionList {
    /// From the rows of a query that asked for `asked` rows and one more. `None` if there are more and none of
    /// these can be read: then more have to be asked for, since a page leads to the next by its last session.
    pub(crate) fn of_rows<Row>(
        rows: &[Row],
        asked: u32,
        wanted: &ListQuery,
        read: impl Fn(&Row) -> Option<SessionRecord>,
    ) -> Option<Self> {
        let size = |rows: u32| usize::try_from(rows).unwrap_or(usize::MAX);
        let has_more = rows.len() > size(asked);
        let mut sessions: Vec<_> = rows.iter().take(size(asked)).filter_map(read).collect();
        if sessions.is_empty() && has_more && wanted.limit > 0 {
            return None;
        }
        let is_cut = sessions.len() > size(wanted.limit);
        sessions.truncate(size(wanted.limit));
        Some(Self {
            sessions,
            has_more: has_more || is_cut,
        })
    }
}

/// A session that comes from elsewhere, with its whole log.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedSession {
    /// The session.
    pub session_id: SessionId,
    /// Whose it is from now on.
    pub user_id: Option<String>,
    /// When it was first opened.
    pub start_time: Timestamp,
    /// The client's metadata. [`METRICS_KEY`] is left out: the log has the metrics.
    pub metadata: JsonObject,
    /// The log: `seq` is 1, 2, 3, ...
    pub events: Vec<DurableEvent>,
}

/// What can be done to sessions that nobody needs to run for it.
///
/// Deadlines, errors and what dropping a future means are those of
/// [`SessionStore`](crate::SessionStore).
#[async_trait]
pub trait SessionArchive: Debug + Send + Sync {
    /// Makes a session that has no log and that nobody runs. The first claim opens it; until then it
    /// counts as active and is never swept up. [`METRICS_KEY`] is left out of its metadata.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`], and nothing is changed; [`StoreError::Unavailable`];
    /// [`StoreError::Rejected`] for a user or metadata that the database cannot hold.
    async fn create(&self, session: NewSession) -> Result<SessionRecord, StoreError>;

    /// Sessions in order of `start_time`, the newest first, and of `session_id` (by its bytes, the
    /// highest first) within a millisecond. Pages meet without a gap and without an overlap,
    /// whatever is added and deleted in between. One that cannot be read is logged and left out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn list(&self, query: &ListQuery) -> Result<SessionList, StoreError>;

    /// Merges a JSON merge patch (RFC 7396) into a session's metadata; `null` removes a key. Of
    /// several at once each counts. [`METRICS_KEY`] stays as it is, whatever the patch says of it.
    /// `None` if there is no such session.
    ///
    /// # Errors
    ///
    /// [`StoreError::MetadataTooLarge`] above [`MAX_METADATA_BYTES`], and [`StoreError::Rejected`]
    /// for what the database cannot hold: nothing is changed. [`StoreError::Unavailable`],
    /// [`StoreError::Corrupt`].
    async fn merge_metadata(
        &self,
        session_id: &SessionId,
        patch: JsonObject,
    ) -> Result<Option<SessionRecord>, StoreError>;

    /// Deletes a session with all its events. False if there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Owned`] while somebody's lease holds; [`StoreError::Unavailable`].
    async fn delete(&self, session_id: &SessionId) -> Result<bool, StoreError>;

    /// Deletes sessions that ended before `older_than`, and those that were created before it and
    /// never opened, with all their events; names them. At most `limit`, and fewer where those have
    /// many events: more may be left until the answer is empty. Sessions that somebody runs or
    /// that wait to be swept up stay. Several callers at once do not wait for each other.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    async fn prune(&self, older_than: Timestamp, limit: u32) -> Result<Vec<SessionId>, StoreError>;

    /// Takes over a session with its whole log, all or nothing, under a new epoch. It is finalized:
    /// summary, metrics and end are those of the log, the end that of the last event where the log
    /// has none. The deadline is for each few hundred events.
    ///
    /// # Errors
    ///
    /// [`StoreError::Exists`]; [`StoreError::Rejected`] for a log that has gaps or the same event
    /// twice, and for what the database cannot hold; [`StoreError::Unavailable`].
    async fn import(&self, session: ImportedSession) -> Result<SessionRecord, StoreError>;
}

/// An archive that several callers share.
#[async_trait]
impl<S: SessionArchive + ?Sized> SessionArchive for Arc<S> {
    async fn create(&self, session: NewSession) -> Result<SessionRecord, StoreError> {
        (**self).create(session).await
    }

    async fn list(&self, query: &ListQuery) -> Result<SessionList, StoreError> {
        (**self).list(query).await
    }

    async fn merge_metadata(
        &self,
        session_id: &SessionId,
        patch: JsonObject,
    ) -> Result<Option<SessionRecord>, StoreError> {
        (**self).merge_metadata(session_id, patch).await
    }

    async fn delete(&self, session_id: &SessionId) -> Result<bool, StoreError> {
        (**self).delete(session_id).await
    }

    async fn prune(&self, older_than: Timestamp, limit: u32) -> Result<Vec<SessionId>, StoreError> {
        (**self).prune(older_than, limit).await
    }

    async fn import(&self, session: ImportedSession) -> Result<SessionRecord, StoreError> {
        (**self).import(session).await
    }
}
