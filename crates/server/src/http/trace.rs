//! The span of a request, for traces: a child of the caller's, where `traceparent` names it.

use http::{Method, Request, StatusCode};
use tracing::field::Empty;
use tracing::{Span, info_span};

use super::layers::shortened;
use crate::telemetry::traces;

pub(crate) fn request<B>(request: &Request<B>) -> Span {
    let span = info_span!(
        "request",
        otel.name = known(request.method()),
        otel.kind = "server",
        otel.status_code = Empty,
        http.route = Empty,
        http.request.method = known(request.method()),
        http.response.status_code = Empty,
        url.path = shortened(request.uri().path()),
        url.scheme = "http",
    );
    traces::set_parent(&span, request.headers());
    span
}

/// A method by its name; `_OTHER` for those that HTTP does not define, as the semantic conventions have it.
fn known(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS
        | Method::CONNECT
        | Method::TRACE => method.as_str(),
        _ => "_OTHER",
    }
}

/// Notes what was asked for, by a template of which there are only so many.
pub(crate) fn route(method: &Method, template: &str) {
    let span = Span::current();
    span.record("http.route", template);
    if !span.is_disabled() {
        span.record("otel.name", format!("{} {template}", known(method)));
    }
}

/// Notes how the request was answered.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    // A collector is told signed numbers.
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}
