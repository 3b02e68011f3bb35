//! What can go wrong with a session as a whole. What goes wrong with a single message is a
//! [`Refusal`](crate::Refusal), and what goes wrong with an answer is an event.

use std::time::Duration;

use patter_protocol::SessionId;
use patter_store::StoreError;

/// Why a session could not be opened or attached to.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The store cannot be reached; try again later.
    #[error("cannot open the session: {0}")]
    StoreUnavailable(String),
    /// The store holds what cannot be read, or refuses what must be written. Do not try again.
    #[error("cannot open the session: {0}")]
    Store(String),
    /// Another process runs the session; try again later, or where that process is.
    #[error("session `{session_id}` is run by another process")]
    Owned {
        /// The session.
        session_id: SessionId,
        /// When its lease has run out, if that process does not renew it.
        free_in: Duration,
    },
    /// No session is opened any more, because the manager shuts down.
    #[error("no session is opened while the server shuts down")]
    Draining,
    /// Too many readers are attached to the session.
    #[error("session `{session_id}` has {limit} readers already")]
    TooManyReaders {
        /// The session.
        session_id: SessionId,
        /// See [`SessionSettings::max_readers`](crate::SessionSettings::max_readers).
        limit: usize,
    },
    /// The session is somebody else's; see [`OpenOptions::only_own`](crate::OpenOptions::only_own). Nothing
    /// was done to it. Whoever asked should not be told more than of one that there is not.
    #[error("session `{session_id}` is somebody else's")]
    NotYours {
        /// The session.
        session_id: SessionId,
    },
    /// There is no such session, and none shall be made; see
    /// [`OpenOptions::only_existing`](crate::OpenOptions::only_existing).
    #[error("there is no session `{session_id}`")]
    Unknown {
        /// The session.
        session_id: SessionId,
    },
    /// The session ended or failed just now, several times in a row; try again later.
    #[error("session `{session_id}` could not be held open")]
    Gone {
        /// The session.
        session_id: SessionId,
    },
}

impl From<&StoreError> for SessionError {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Owned {
                session_id,
                free_in,
            } => Self::Owned {
                session_id: session_id.clone(),
                free_in: *free_in,
            },
            // It could be used when it was opened, so somebody is at work on it.
            StoreError::Unusable(_) => Self::StoreUnavailable(with_causes(error)),
            _ if error.is_retryable() => Self::StoreUnavailable(with_causes(error)),
            _ => Self::Store(with_causes(error)),
        }
    }
}

/// The text of an error and of everything that caused it.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
