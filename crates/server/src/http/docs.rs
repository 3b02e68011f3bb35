//! `GET /docs/`: Swagger UI, in which a person reads the HTTP API and tries it.
//!
//! Everything it needs is in the binary, and its policy lets it talk to this server alone. Swagger UI is
//! taken as it was published; the page around it and its start are ours, files of their own, because the
//! policy lets nothing run that stands in markup.

mod file;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use utoipa_swagger_ui::Config;

use super::{Body, Problem, Reply};
use file::File;

const HTML: &str = "text/html; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

static PAGE: LazyLock<File> = LazyLock::new(|| File::plain(HTML, include_str!("docs/index.html")));
static START: LazyLock<File> =
    LazyLock::new(|| File::plain(JAVASCRIPT, include_str!("docs/start.js")));
static STYLE: LazyLock<File> = LazyLock::new(|| File::plain(CSS, include_str!("docs/page.css")));
static SWAGGER_UI: LazyLock<Option<File>> =
    LazyLock::new(|| published("swagger-ui-bundle.js", JAVASCRIPT));
static SWAGGER_UI_STYLE: LazyLock<Option<File>> =
    LazyLock::new(|| published("swagger-ui.css", CSS));

/// `GET /docs`: the names in the page count from `/docs/`.
pub(super) fn redirect() -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static("/docs/"));
    response
}

/// `GET /docs/`, the page, and what is below it.
///
/// # Errors
///
/// 404 where there is no such file.
pub(super) fn file(path: &str, headers: &HeaderMap) -> Reply {
    let file = match path {
        "/docs/" => Some(&*PAGE),
        "/docs/start.js" => Some(&*START),
        "/docs/page.css" => Some(&*STYLE),
        "/docs/swagger-ui-bundle.js" => SWAGGER_UI.as_ref(),
        "/docs/swagger-ui.css" => SWAGGER_UI_STYLE.as_ref(),
        _ => None,
    };
    file.ok_or_else(|| Problem::not_found("there is nothing here"))?
        .answer(headers)
}

/// A file of Swagger UI.
fn published(name: &str, content_type: &'static str) -> Option<File> {
    // The configuration is for a file that is not used here.
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::default()))
        .ok()
        .flatten()?;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Some(File::gzipped(content_type, bytes))
}
