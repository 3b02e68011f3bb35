//! What a request is answered with when it is not granted: `application/problem+json`
//! ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). It says what the caller did wrong or what
//! is the matter, and nothing of the inside.

mod causes;

use std::borrow::Cow;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::body::{self, Body};

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
#[derive(Debug, Serialize, JsonSchema)]
struct FieldFault {
    /// Name of the field, parameter or header; a path where it stands deeper.
    field: Cow<'static, str>,
    /// What is wrong with it.
    message: String,
}

/// Answered where a request is not granted (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct ProblemJson<'a> {
    /// Always `about:blank`: `code` tells what happened.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What is the matter, for a person.
    detail: &'a str,
    /// What is the matter, for a program.
    code: &'static str,
    /// The name of the request, as in `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    /// The fields that are to blame, where some are.
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
    pub(crate) fn invalid_field(
        field: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        let (field, message) = (field.into(), message.into());
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

    /// 405; `allow` names the methods that are understood.
    pub(crate) fn method_not_allowed(allow: HeaderValue) -> Self {
        let detail = "this method is not understood here; `Allow` names those that are";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).header(ALLOW, allow)
    }

    /// 405, for what can only be read.
    pub(crate) fn read_only() -> Self {
        Self::method_not_allowed(HeaderValue::from_static("GET, HEAD"))
    }

    /// Whether it says that something is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// 413; `limit` is in bytes.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("a body may have {limit} bytes here");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// 503, with the advice to come back.
    pub(crate) fn unavailable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
            .header(RETRY_AFTER, RETRY_AFTER_SECONDS)
    }

    /// 503 of a server that is about to stop.
    pub(crate) fn draining() -> Self {
        Self::unavailable("draining", "the server is about to restart")
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
    pub(crate) fn into_response(self, request_id: Option<&str>) -> Response<Body> {
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
        let mut response = Response::new(body::whole(body));
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
