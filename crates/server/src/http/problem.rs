//! What a request is answered with when it is not granted: `application/problem+json`
//! ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). It says what the caller did wrong or what
//! is the matter, and nothing of the inside.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use patter_session::SessionError;
use patter_store::StoreError;
use serde::Serialize;
use tracing::{error, warn};

use crate::telemetry::with_causes;

/// Why a request was not granted.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    fields: Vec<FieldFault>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// A part of the request that is to blame.
#[derive(Debug, Serialize)]
struct FieldFault {
    field: &'static str,
    message: String,
}

/// The JSON of a problem.
#[derive(Serialize)]
struct ProblemJson<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldFault],
}

/// Whoever is sent away for now may come back after so many seconds.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

impl Problem {
    /// A problem with one of the codes of the protocol or of HTTP.
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            fields: Vec::new(),
            headers: Vec::new(),
        }
    }

    /// 400, with the part of the request that is to blame.
    pub(crate) fn invalid_field(field: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        let detail = format!("`{field}`: {message}");
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "invalid_field", detail);
        problem.fields.push(FieldFault { field, message });
        problem
    }

    /// 400, for a request that is wrong as a whole.
    pub(crate) fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// 404.
    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 405, for a path that can only be read.
    pub(crate) fn read_only() -> Self {
        let detail = "only GET and HEAD are understood here";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
            .header(ALLOW, HeaderValue::from_static("GET, HEAD"))
    }

    /// 503, with the advice to come back.
    pub(crate) fn unavailable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
            .header(RETRY_AFTER, RETRY_AFTER_SECONDS)
    }

    /// 500: a defect, which the log tells about.
    pub(crate) fn internal() -> Self {
        let detail = "the server failed; the request id names the place in its log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }

    /// Adds a header to the answer.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The answer. `request_id` is what the response's `x-request-id` says.
    pub(crate) fn into_response(self, request_id: Option<&str>) -> Response<Full<Bytes>> {
        let json = ProblemJson {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: self.code,
            request_id,
            errors: &self.fields,
        };
        // Texts and numbers always serialize.
        let body = serde_json::to_vec(&json).unwrap_or_default();
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.headers);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(store_error: StoreError) -> Self {
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
            SessionError::Draining => Self::draining(),
            SessionError::Owned { free_in, .. } => {
                let detail = "another process has the session; try again, there or here";
                let seconds = free_in.as_secs() + 1;
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "session_elsewhere", detail)
                    .header(RETRY_AFTER, HeaderValue::from(seconds))
            }
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

impl Problem {
    /// 503 of a server that is about to stop.
    pub(crate) fn draining() -> Self {
        Self::unavailable("draining", "the server is about to restart")
    }
}
