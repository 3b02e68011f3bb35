//! What the end of a request says about the provider.

use crate::error::LlmError;

/// What the end of a request says about the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It works.
    Success,
    /// It does not; with the [`LlmError::kind`].
    Failure(&'static str),
    /// Nothing: the fault was in the request, or nobody waited for the end.
    Neither,
}

impl Outcome {
    /// What an error says, at the beginning or in the middle of an answer.
    pub(super) fn of(error: &LlmError) -> Self {
        match error {
            LlmError::Auth { .. }
            | LlmError::RateLimited { .. }
            | LlmError::Quota { .. }
            | LlmError::NotFound { .. }
            | LlmError::Server { .. }
            | LlmError::Connection { .. }
            | LlmError::Timeout { .. }
            | LlmError::Truncated { .. }
            | LlmError::Malformed { .. } => Self::Failure(error.kind()),
            LlmError::Settings { .. }
            | LlmError::InvalidRequest { .. }
            | LlmError::Blocked { .. }
            | LlmError::CircuitOpen { .. } => Self::Neither,
        }
    }
}
