//! What a client is told when an answer fails: a code and a sentence that is safe to show. What
//! the provider said goes to the log.

use std::time::Duration;

use patter_llm::LlmError;
use patter_protocol::{ErrorCode, ErrorEvent, JsonObject, MessageId, ResponseId};

use crate::budget::Over;

/// Why an answer failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    code: ErrorCode,
    message: String,
    retryable: bool,
    details: JsonObject,
}

impl Failure {
    pub(super) fn code(&self) -> ErrorCode {
        self.code
    }

    pub(super) fn of_model(error: &LlmError) -> Self {
        let (code, message) = match error {
            LlmError::Auth { provider, .. } => (
                ErrorCode::ProviderAuth,
                format!("{provider} does not accept the credentials of this server"),
            ),
            LlmError::RateLimited { provider, .. } => (
                ErrorCode::ProviderRateLimited,
                format!("{provider} answers no more requests for the moment"),
            ),
            LlmError::Quota { provider, .. } => (
                ErrorCode::ProviderRateLimited,
                format!("the allowance of this server at {provider} is spent"),
            ),
            LlmError::Blocked { provider, .. } => (
                ErrorCode::ContentFiltered,
                format!("{provider} withheld the answer"),
            ),
            LlmError::Timeout {
                provider, phase, ..
            } => (
                ErrorCode::ProviderTimeout,
                format!("{provider} did not send {phase} in time"),
            ),
            LlmError::Truncated { provider } | LlmError::Connection { provider, .. } => (
                ErrorCode::ProviderError,
                format!("the connection to {provider} broke"),
            ),
            LlmError::NotFound { provider, .. } => (
                ErrorCode::ProviderError,
                format!("{provider} does not know the model"),
            ),
            LlmError::InvalidRequest { provider, .. } => (
                ErrorCode::ProviderError,
                format!("{provider} did not accept the conversation"),
            ),
            LlmError::Malformed { provider, .. } => (
                ErrorCode::ProviderError,
                format!("{provider} sent what cannot be read"),
            ),
            LlmError::CircuitOpen { provider, .. } => (
                ErrorCode::ProviderError,
                format!("{provider} has failed too often and is not asked for the moment"),
            ),
            LlmError::Server { provider, .. } => {
                (ErrorCode::ProviderError, format!("{provider} failed"))
            }
            _ => (ErrorCode::ProviderError, "the model failed".to_owned()),
        };
        Self {
            code,
            message,
            retryable: error.is_retryable(),
            details: JsonObject::new(),
        }
    }

    pub(super) fn content_filtered() -> Self {
        Self {
            code: ErrorCode::ContentFiltered,
            message: "the model's service withheld the answer".to_owned(),
            retryable: false,
            details: JsonObject::new(),
        }
    }

    pub(super) fn over_budget(over: &Over) -> Self {
        Self {
            code: ErrorCode::LimitReached,
            message: over.message(),
            retryable: false,
            details: over.details(),
        }
    }

    pub(super) fn turn_timeout(limit: Duration) -> Self {
        Self {
            code: ErrorCode::ProviderTimeout,
            message: format!("the answer was not finished within {} s", limit.as_secs()),
            retryable: true,
            details: JsonObject::new(),
        }
    }

    pub(super) fn internal() -> Self {
        Self {
            code: ErrorCode::Internal,
            message: "the answer failed because of a defect of the server".to_owned(),
            retryable: true,
            details: JsonObject::new(),
        }
    }

    pub(crate) fn event(self, message_id: MessageId, response_id: ResponseId) -> ErrorEvent {
        ErrorEvent {
            code: self.code,
            message: self.message,
            retryable: self.retryable,
            message_id: Some(message_id),
            response_id: Some(response_id),
            details: self.details,
        }
    }
}
