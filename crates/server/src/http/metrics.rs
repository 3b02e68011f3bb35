//! `GET /metrics`: what this process counts, in Prometheus' text format 0.0.4.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};

use super::{App, Body, Reply, access, body};
use crate::auth::Caller;

/// What the process counts, in Prometheus' text format.
#[utoipa::path(
    get,
    operation_id = "getMetrics",
    path = "/metrics",
    tag = "server",
    responses((status = 200, description = "The metrics", content_type = "text/plain", body = String))
)]
pub(crate) fn report(app: &App) -> Response<Body> {
    let mut response = Response::new(body::whole(app.metrics.text()));
    let headers = response.headers_mut();
    let content = HeaderValue::from_static(patter_metrics::CONTENT_TYPE);
    headers.insert(CONTENT_TYPE, content);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The same at the public port.
///
/// # Errors
///
/// 403 for users.
pub(super) fn for_caller(app: &App, caller: &Caller) -> Reply {
    access::check_operates(caller)?;
    Ok(report(app))
}
