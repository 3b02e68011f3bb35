//! What somebody is told who takes too much: in the answer to a request, or in an error on a connection.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use patter_protocol::{ErrorCode, ErrorEvent, JsonObject, MessageId};

use crate::http::Problem;

/// What there was too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    ConnectionsOfAddress,
    ConnectionsOfUser,
    NewSessions,
    UnknownSessions,
    Messages,
    Frames,
}

/// A caller takes too much of something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TooMuch {
    pub(super) limit: Limit,
    /// How long to wait before asking again.
    pub(super) wait: Duration,
}

impl Limit {
    pub(crate) const ALL: [Self; 6] = [
        Self::ConnectionsOfAddress,
        Self::ConnectionsOfUser,
        Self::NewSessions,
        Self::UnknownSessions,
        Self::Messages,
        Self::Frames,
    ];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::ConnectionsOfAddress => "connections_of_address",
            Self::ConnectionsOfUser => "connections_of_user",
            Self::NewSessions => "new_sessions",
            Self::UnknownSessions => "unknown_sessions",
            Self::Messages => "messages",
            Self::Frames => "frames",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::ConnectionsOfAddress => {
                "there are too many connections from this address already"
            }
            Self::ConnectionsOfUser => "this user has too many connections already",
            Self::NewSessions => "too many new sessions",
            Self::UnknownSessions => "too many sessions were asked for that there are not",
            Self::Messages => "too many messages in so short a time; the message was not taken",
            Self::Frames => "too many frames in so short a time; the frame was not taken",
        }
    }
}

impl TooMuch {
    /// Nobody knows when a connection ends.
    pub(super) const UNTIL_ONE_LEAVES: Duration = Duration::from_secs(5);

    /// What is told on a connection.
    pub(crate) fn event(self, message_id: Option<MessageId>) -> ErrorEvent {
        let wait = u64::try_from(self.wait.as_millis()).unwrap_or(u64::MAX);
        let mut details = JsonObject::new();
        details.insert("limit".to_owned(), self.limit.word().into());
        details.insert("retry_after_ms".to_owned(), wait.max(1).into());
        ErrorEvent {
            code: ErrorCode::RateLimited,
            message: self.limit.message().to_owned(),
            retryable: true,
            message_id,
            response_id: None,
            details,
        }
    }
}

impl From<TooMuch> for Problem {
    fn from(TooMuch { limit, wait }: TooMuch) -> Self {
        let code = match limit {
            Limit::ConnectionsOfAddress | Limit::ConnectionsOfUser => "limit_reached",
            Limit::NewSessions | Limit::UnknownSessions | Limit::Messages | Limit::Frames => {
                "rate_limited"
            }
        };
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, limit.message())
            .header(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)))
    }
}

/// No shorter than the wait.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_millis()
        .div_ceil(1_000)
        .try_into()
        .unwrap_or(u64::MAX)
        .max(1)
}
