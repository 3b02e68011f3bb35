//! The span of a request, for traces: a child of the caller's, where `traceparent` names it.

use http::{Method, Request, StatusCode};
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::telemetry::traces;

pub(crate) fn request<B>(request: &Request<B>) -> Span {
    let span = info_span!(
        "request",
        otel.name = request.method().as_str(),
        otel.kind = "server",
        otel.status_code = Empty,
        http.route = Empty,
        http.request.method = request.method().as_str(),
        http.response.status_code = Empty,
        url.path = request.uri().path(),
        url.scheme = "http",
    );
    traces::set_parent(&span, request.headers());
    span
}

/// Notes what was asked for, by a template of which there are only so many.
pub(crate) fn route(method: &Method, template: &str) {
    let span = Span::current();
    span.record("http.route", template);
    span.record("otel.name", format!("{method} {template}"));
}

/// Notes how the request was answered.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    // A collector is told signed numbers.
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}
