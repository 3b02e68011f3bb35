//! The web page and its files, as they are built into the binary, and what `/` says to those who
//! are no browsers.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use super::{Body, Problem, Reply, body, wants};
use crate::assets::{self, Asset};

/// What the page may load and do: its own files, its own server, and nothing that was written by
/// somebody who only talked to it.
pub(super) const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types dompurify",
);

/// `GET /`: the page for a browser, the way to everything else for everybody else.
///
/// # Errors
///
/// 404 where no page was built in.
pub(crate) fn home(headers: &HeaderMap) -> Reply {
    let mut response = if wants(headers, ACCEPT, "text/html") {
        let page = assets::find("/").ok_or_else(|| Problem::not_found("there is no page"))?;
        serve(page, headers)
    } else {
        super::json(StatusCode::OK, &metadata())
    };
    response
        .headers_mut()
        .append(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// Any other file of the page.
///
/// # Errors
///
/// 404 if there is none of that name, 405 for anything but reading it.
pub(crate) fn file(path: &str, method: &Method, headers: &HeaderMap) -> Reply {
    let asset = assets::find(path).ok_or_else(|| Problem::not_found("there is nothing here"))?;
    if matches!(*method, Method::GET | Method::HEAD) {
        Ok(serve(asset, headers))
    } else {
        Err(Problem::read_only())
    }
}

fn metadata() -> serde_json::Value {
    json!({
        "name": "patter",
        "version": env!("CARGO_PKG_VERSION"),
        "protocol": patter_protocol::VERSION,
        "links": {
            "documentation": "/docs",
            "openapi": "/openapi.json",
            "asyncapi": "/asyncapi.json",
            "websocket": "/ws/session/{session_id}",
            "sessions": "/api/sessions",
            "session": "/api/sessions/{session_id}",
            "events": "/api/sessions/{session_id}/events",
            "messages": "/api/sessions/{session_id}/messages",
            "search": "/api/search",
            "analytics": "/api/analytics",
            "models": "/api/models",
            "tools": "/api/tools",
            "health": "/health",
            "live": "/health/live",
            "ready": "/health/ready",
            "metrics": "/metrics",
        },
    })
}

fn serve(asset: &'static Asset, request: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::default());
    let headers = response.headers_mut();
    let caching = if asset.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(etag) = HeaderValue::from_str(&asset.etag) {
        headers.insert(ETAG, etag);
    }
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if asset.content_type.starts_with("text/html") {
        headers.insert(CONTENT_SECURITY_POLICY, PAGE_POLICY);
    }
    if wants(request, IF_NONE_MATCH, &asset.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    let content = match asset.brotli {
        Some(brotli) if wants(request, ACCEPT_ENCODING, "br") => {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("br"));
            brotli
        }
        _ => asset.bytes,
    };
    *response.body_mut() = body::whole(content);
    response
}
