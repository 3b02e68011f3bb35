//! What can go wrong with a model, in the terms in which a caller can act.

use std::time::Duration;

/// Why no answer, or no whole answer, could be had.
///
/// [`LlmError::is_retryable`] speaks of the request as it is, without regard to text
/// that has been shown already.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LlmError {
    /// The backend was set up with something that cannot be used, such as a base URL that is
    /// none. Found before anything is sent; asking again does not help.
    #[error("{provider} cannot be set up: {message}")]
    Settings {
        /// Name of the provider.
        provider: String,
        /// Which setting, and what is wrong with it.
        message: String,
    },
    /// The key is missing, wrong, or not allowed to do this. Asking again does not help.
    #[error("{provider} refused the credentials: {message}")]
    Auth {
        /// Name of the provider.
        provider: String,
        /// What the provider said.
        message: String,
    },
    /// Too many requests; wait and ask again.
    #[error("{provider} limits the rate of requests: {message}")]
    RateLimited {
        /// Name of the provider.
        provider: String,
        /// What the provider said.
        message: String,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// Money or a daily allowance is spent. Asking again does not help.
    #[error("the quota at {provider} is spent: {message}")]
    Quota {
        /// Name of the provider.
        provider: String,
        /// What the provider said.
        message: String,
    },
    /// The request is not acceptable as it is: a defect, a model that cannot do what was
    /// asked, or a conversation that is too long. Asking again does not help.
    #[error("{provider} did not accept the request: {message}")]
    InvalidRequest {
        /// Name of the provider.
        provider: String,
        /// What the provider said.
        message: String,
    },
    /// The provider does not know the model. Asking again does not help.
    #[error("{provider} does not know the model: {message}")]
    NotFound {
        /// Name of the provider.
        provider: String,
        /// What the provider said.
        message: String,
    },
    /// The prompt or the answer was withheld. Asking again does not help.
    #[error("{provider} withheld the answer: {message}")]
    Blocked {
        /// Name of the provider.
        provider: String,
        /// What the provider said.
        message: String,
    },
    /// A fault on the provider's side; asking again may help.
    #[error("{provider} failed: {message}")]
    Server {
        /// Name of the provider.
        provider: String,
        /// What the provider said.
        message: String,
        /// How long the provider asks to wait.
        retry_after: Option<Duration>,
    },
    /// The provider could not be reached, or the connection broke; asking again may help.
    #[error("the connection to {provider} failed: {message}")]
    Connection {
        /// Name of the provider.
        provider: String,
        /// What the network said.
        message: String,
    },
    /// The provider was too slow; asking again may help.
    #[error("{provider} did not send {phase} within {} ms", .limit.as_millis())]
    Timeout {
        /// Name of the provider.
        provider: String,
        /// What was waited for.
        phase: TimeoutPhase,
        /// How long.
        limit: Duration,
    },
    /// The model has failed so often of late that it is left alone for a while; nothing was sent.
    #[error("{provider} has failed too often and is not asked for {} ms", .retry_after.as_millis())]
    CircuitOpen {
        /// Name of the provider.
        provider: String,
        /// When it is tried again.
        retry_after: Duration,
    },
    /// The stream ended without saying that the answer is complete; asking again may help.
    #[error("{provider} ended the answer without finishing it")]
    Truncated {
        /// Name of the provider.
        provider: String,
    },
    /// The provider sent what its API does not describe, or the model wrote an invalid
    /// tool call; asking again may help.
    #[error("{provider} sent an answer that cannot be read: {message}")]
    Malformed {
        /// Name of the provider.
        provider: String,
        /// What was wrong with it.
        message: String,
    },
}

/// What a [`LlmError::Timeout`] was waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutPhase {
    /// A connection and the headers of the answer.
    Headers,
    /// The first piece of the answer.
    FirstToken,
    /// The next piece of the answer.
    NextToken,
    /// The end of the answer.
    WholeAnswer,
}

impl std::fmt::Display for TimeoutPhase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Headers => "the headers of an answer",
            Self::FirstToken => "the first piece of an answer",
            Self::NextToken => "the next piece of an answer",
            Self::WholeAnswer => "the end of an answer",
        })
    }
}

impl LlmError {
    /// A name for the kind of error, such as `rate_limited`, for metrics and logs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "settings",
            Self::Auth { .. } => "auth",
            Self::RateLimited { .. } => "rate_limited",
            Self::Quota { .. } => "quota",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::NotFound { .. } => "not_found",
            Self::Blocked { .. } => "blocked",
            Self::Server { .. } => "server",
            Self::Connection { .. } => "connection",
            Self::Timeout { .. } => "timeout",
            Self::CircuitOpen { .. } => "circuit_open",
            Self::Truncated { .. } => "truncated",
            Self::Malformed { .. } => "malformed",
        }
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Server { .. }
            | Self::Connection { .. }
            | Self::Timeout { .. }
            | Self::CircuitOpen { .. }
            | Self::Truncated { .. }
            | Self::Malformed { .. } => true,
            Self::Settings { .. }
            | Self::Auth { .. }
            | Self::Quota { .. }
            | Self::InvalidRequest { .. }
            | Self::NotFound { .. }
            | Self::Blocked { .. } => false,
        }
    }

    /// How long the provider asks to wait before the next try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Server { retry_after, .. } => {
                *retry_after
            }
            Self::CircuitOpen { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}
