//! What a client takes, and what it has already.

use std::hash::{DefaultHasher, Hasher};

use bytes::Bytes;
use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::body::Body;

/// Whether a header that lists things has this one in it, and does not say that it has no worth.
pub(crate) fn wants(headers: &HeaderMap, name: HeaderName, thing: &str) -> bool {
    let values = headers.get_all(name);
    values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let named = parts
                .next()
                .is_some_and(|first| first.eq_ignore_ascii_case(thing));
            named && !parts.any(is_worthless)
        })
}

fn is_worthless(parameter: &str) -> bool {
    let worth = parameter
        .strip_prefix("q=")
        .and_then(|worth| worth.parse::<f32>().ok());
    worth.is_some_and(|worth| worth <= 0.0)
}

/// The value of `ETag`, in its quotes. It names the content before compression, and stands for it only within
/// one build; being weak, it is right for the compressed form too.
pub(crate) fn weak_etag(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    format!("W/\"{:016x}\"", hasher.finish())
}

/// JSON that the client need not be sent again where it has the same: `If-None-Match` is heeded.
pub(crate) fn revalidated(request: &HeaderMap, json: Bytes) -> Response<Body> {
    let etag = weak_etag(&json);
    let mut response = if wants(request, IF_NONE_MATCH, &etag) {
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        super::json_bytes(StatusCode::OK, json)
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(ETAG, etag);
    }
    response
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;

    use super::*;

    #[test]
    fn a_list_is_searched_for_what_is_wanted() {
        for (accept, html) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("application/json, TEXT/HTML;q=0.5", true),
            ("text/html;q=0, */*", false),
            ("text/html;q=0.000", false),
            ("*/*", false),
            ("text/htmlx", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(wants(&headers, ACCEPT, "text/html"), html, "{accept}");
        }
    }
}
