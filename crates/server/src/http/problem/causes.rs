//! What goes wrong below, as a problem: what a caller can do something about is told, the rest is for the log.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use patter_protocol::{ErrorCode, ErrorEvent, ParseError};
use patter_session::{Refusal, SessionError};
use patter_store::StoreError;
use tracing::{error, warn};

use super::{Problem, RETRY_AFTER_SECONDS};
use crate::http::access;
use crate::telemetry::with_causes;

impl From<StoreError> for Problem {
    fn from(store_error: StoreError) -> Self {
        match &store_error {
            StoreError::Owned { free_in, .. } => return Self::elsewhere(*free_in),
            StoreError::Exists { .. } => {
                let detail = "there is a session of this name already";
                return Self::new(StatusCode::CONFLICT, "session_exists", detail);
            }
            StoreError::MetadataTooLarge { .. } => {
                return Self::invalid_field("metadata", store_error.to_string());
            }
            StoreError::NoSuchSession { .. } => {
                return access::no_such_session();
            }
            _ => {}
        }
        let error = with_causes(&store_error);
        if store_error.is_retryable() {
            warn!(error, "the store did not answer a request");
            Self::unavailable("store_unavailable", "the database is not available")
        } else {
            error!(error, "the store failed a request");
            Self::internal()
        }
    }
}

impl From<SessionError> for Problem {
    fn from(session_error: SessionError) -> Self {
        match session_error {
            SessionError::StoreUnavailable(error) => {
                warn!(%error, "a session could not be opened");
                Self::unavailable("store_unavailable", "the database is not available")
            }
            SessionError::NotYours { .. } | SessionError::Unknown { .. } => {
                access::no_such_session()
            }
            SessionError::Draining => Self::draining(),
            SessionError::Owned { free_in, .. } => Self::elsewhere(free_in),
            SessionError::TooManyReaders { limit, .. } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "limit_reached",
                format!("this session has {limit} connections already"),
            )
            .header(RETRY_AFTER, RETRY_AFTER_SECONDS),
            SessionError::Gone { .. } => {
                Self::unavailable("busy", "the session is just being closed; try again")
            }
            other => {
                error!(error = %other, "a session could not be opened");
                Self::internal()
            }
        }
    }
}

impl From<ParseError> for Problem {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::InvalidField { field, problem, .. } => Self::invalid_field(field, problem),
            ParseError::InvalidJson(_) | ParseError::UnknownType(_) => {
                Self::new(StatusCode::BAD_REQUEST, "invalid_json", error.to_string())
            }
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Refused(event) => Self::refused(event),
            _ => Self::unavailable("busy", "the session is just being closed; try again"),
        }
    }
}

impl Problem {
    /// 503 for a session that another process has, for so long at least.
    fn elsewhere(free_in: Duration) -> Self {
        let detail = "another process has the session; try again, there or here";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "session_elsewhere", detail)
            .header(RETRY_AFTER, HeaderValue::from(free_in.as_secs() + 1))
    }

    /// What a session would have told the sender of a frame.
    fn refused(event: ErrorEvent) -> Self {
        let (status, code) = match event.code {
            ErrorCode::Busy => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            ErrorCode::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            ErrorCode::LimitReached => (StatusCode::TOO_MANY_REQUESTS, "limit_reached"),
            ErrorCode::StoreUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable"),
            ErrorCode::InvalidField => {
                let field = event.details.get("field").and_then(|field| field.as_str());
                let field = field.unwrap_or("content").to_owned();
                return Self::invalid_field(field, event.message);
            }
            _ => {
                error!(code = ?event.code, "a session refused a message that it should not");
                return Self::internal();
            }
        };
        let wait = event
            .details
            .get("retry_after_ms")
            .and_then(|wait| wait.as_u64());
        let wait = wait.map(|wait| HeaderValue::from(wait.div_ceil(1_000)));
        let wait = wait.unwrap_or(RETRY_AFTER_SECONDS);
        Self::new(status, code, event.message).header(RETRY_AFTER, wait)
    }
}
