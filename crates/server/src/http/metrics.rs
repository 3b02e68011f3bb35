//! `GET /metrics`: what this process counts, in Prometheus' text format 0.0.4.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use http_body_util::Full;

use super::App;

/// `GET /metrics`.
pub(crate) fn report(app: &App) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(app.metrics.text()));
    let headers = response.headers_mut();
    let content = HeaderValue::from_static(patter_metrics::CONTENT_TYPE);
    headers.insert(CONTENT_TYPE, content);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
