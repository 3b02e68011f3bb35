//! `GET /docs/`: Swagger UI, in which a person reads the HTTP API and tries it.
//!
//! Everything it needs is in the binary, and the policy of the other page is enough for it: it talks to
//! this server alone. Swagger UI is taken as it was published; the page around it and its start are ours,
//! files of their own, because the policy lets nothing run that stands in markup. A text of the document
//! with a `style` attribute in it would break the policy, and be shown without.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, LOCATION};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use utoipa_swagger_ui::Config;

use super::fixed::Fixed;
use super::page::PAGE_POLICY;
use super::{Body, Problem, Reply};

const HTML: &str = "text/html; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

static PAGE: LazyLock<Fixed> =
    LazyLock::new(|| Fixed::plain(HTML, include_str!("docs/index.html")));
static START: LazyLock<Fixed> =
    LazyLock::new(|| Fixed::plain(JAVASCRIPT, include_str!("docs/start.js")));
static STYLE: LazyLock<Fixed> = LazyLock::new(|| Fixed::plain(CSS, include_str!("docs/page.css")));
static SWAGGER_UI: LazyLock<Option<Fixed>> =
    LazyLock::new(|| published("swagger-ui-bundle.js", JAVASCRIPT));
static SWAGGER_UI_STYLE: LazyLock<Option<Fixed>> =
    LazyLock::new(|| published("swagger-ui.css", CSS));

/// `GET /docs`: the names in the page count from `/docs/`.
pub(super) fn redirect() -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_static("/docs/"));
    response
}

/// `GET /docs/` and what is below it; the page itself has no name.
///
/// # Errors
///
/// 404 where there is no such file.
pub(super) fn file(name: &str, headers: &HeaderMap) -> Reply {
    let file = match name {
        "" => Some(&*PAGE),
        "start.js" => Some(&*START),
        "page.css" => Some(&*STYLE),
        "swagger-ui-bundle.js" => SWAGGER_UI.as_ref(),
        "swagger-ui.css" => SWAGGER_UI_STYLE.as_ref(),
        _ => None,
    };
    let file = file.ok_or_else(|| Problem::not_found("there is nothing here"))?;
    let mut response = file.answer(headers)?;
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, PAGE_POLICY);
    Ok(response)
}

/// A file of Swagger UI.
fn published(name: &str, content_type: &'static str) -> Option<Fixed> {
    // The configuration is for a file that is not used here.
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::default()))
        .ok()
        .flatten()?;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Some(Fixed::gzipped(content_type, bytes))
}
