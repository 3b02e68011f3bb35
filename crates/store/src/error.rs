//! What can go wrong with a store, in the terms in which a caller can act.

use std::error::Error;
use std::time::Duration;

use patter_protocol::SessionId;

/// Why a store did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be reached, is overloaded, or was too slow. Whether the write
    /// happened is not known; trying again with the same event ids is safe.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Somebody else has claimed the session since. Do not try again.
    #[error("session `{session_id}` was claimed by another owner")]
    Fenced {
        /// The session.
        session_id: SessionId,
    },
    /// Another process runs the session. Once its lease has run out, or it lets go, trying again
    /// may succeed.
    #[error("session `{session_id}` is run by another process for {} ms at least", free_in.as_millis())]
    Owned {
        /// The session.
        session_id: SessionId,
        /// What is left of the lease. Its owner may renew it.
        free_in: Duration,
    },
    /// There is no such session.
    #[error("there is no session `{session_id}`")]
    NoSuchSession {
        /// The session.
        session_id: SessionId,
    },
    /// There is a session of this name already.
    #[error("there is a session `{session_id}` already")]
    Exists {
        /// The session.
        session_id: SessionId,
    },
    /// A session's metadata would take more than is kept of it.
    #[error("the metadata would have {bytes} bytes, and {limit} are allowed")]
    MetadataTooLarge {
        /// As compact JSON.
        bytes: usize,
        /// The most that it may have.
        limit: usize,
    },
    /// The database does not take the data. Do not try again.
    #[error("the database does not accept the data")]
    Rejected(#[source] Box<dyn Error + Send + Sync>),
    /// A row is not what this version writes. Do not try again.
    #[error("a stored row cannot be read: {0}")]
    Corrupt(String),
    /// The database cannot be used as it is set up. Do not try again.
    #[error("the database cannot be used: {0}")]
    Unusable(String),
}

impl StoreError {
    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
