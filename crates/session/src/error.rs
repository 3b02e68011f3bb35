//! What can go wrong with a session as a whole. What goes wrong with a single message is a
//! [`Refusal`](crate::Refusal), and what goes wrong with an answer is an event.

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
    /// The session ended or failed just now, several times in a row; try again later.
    #[error("session `{session_id}` could not be held open")]
    Gone {
        /// The session.
        session_id: SessionId,
    },
}

impl From<&StoreError> for SessionError {
    fn from(error: &StoreError) -> Self {
        let text = with_causes(error);
        if error.is_retryable() {
            Self::StoreUnavailable(text)
        } else {
            Self::Store(text)
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
