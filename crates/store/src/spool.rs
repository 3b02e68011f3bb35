//! The spool: where events are safe while the store is away.
//!
//! What is in it is on this machine's disk and survives the death of the process. It has no place in
//! a log yet: it gets one when the store is back, by an ordinary append with the same event ids.

#[cfg(feature = "spool")]
mod sqlite;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use patter_protocol::{EventId, SessionId};

use crate::error::StoreError;
use crate::record::{Append, Fence, NewEvent};

#[cfg(feature = "spool")]
pub use sqlite::{SpoolOptions, SqliteSpool};

/// Events on local disk. One process uses it at a time.
#[async_trait]
pub trait Spool: Debug + Send + Sync {
    /// Keeps events, in order; returns when they are synced to disk. An event that is kept already
    /// is kept once.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the disk is full or does not answer in time: then it is not
    /// known whether they are kept. [`StoreError::Rejected`] for what no store would take.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the events are kept or not, all or none of them.
    async fn keep(&self, append: Append) -> Result<(), StoreError>;

    /// What is kept of a session, oldest first: by fence, then as it was kept.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    async fn kept(&self, session_id: &SessionId) -> Result<Vec<Kept>, StoreError>;

    /// Removes events, because they are stored. What is not there is no fault.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]; they will be found to be stored when they are replayed.
    async fn forget(&self, session_id: &SessionId, events: &[EventId]) -> Result<(), StoreError>;

    /// Of which sessions something is kept. From memory, without waiting.
    fn sessions(&self) -> Vec<SessionId>;

    /// Whether something is kept of a session. From memory, without waiting.
    fn holds(&self, session_id: &SessionId) -> bool;

    /// How full it is. From memory, without waiting.
    fn usage(&self) -> SpoolUsage;

    /// Closes the files, waiting for calls in flight.
    async fn close(&self);
}

/// An event that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The fence that its session had.
    pub fence: Fence,
    /// The event.
    pub event: NewEvent,
}

/// How full a [`Spool`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolUsage {
    /// Events that are kept.
    pub events: u64,
    /// Their size as they are encoded, in bytes.
    pub bytes: u64,
    /// From so many bytes on it takes no new messages.
    pub max_bytes: u64,
    /// For how long it has not been empty; `None` while it is.
    pub filled_for: Option<Duration>,
    /// After so long it takes no new messages.
    pub max_age: Duration,
}

impl SpoolUsage {
    /// Whether a new message may go in. (What belongs to an answer in flight always may.)
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.bytes < self.max_bytes && self.filled_for.is_none_or(|age| age < self.max_age)
    }
}
