//! The name of a request, in every response and in the log: the caller's `x-request-id` where it
//! is harmless, else a new one.

use http::{HeaderName, HeaderValue, Request};
use tower_http::request_id::{MakeRequestId, RequestId};
use uuid::Uuid;

/// `x-request-id`.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const MAX_BYTES: usize = 128;

/// Takes away what a caller gave as an id and what should not go into a log.
pub(crate) fn remove_harmful_id<B>(mut request: Request<B>) -> Request<B> {
    let mut ids = request.headers().get_all(X_REQUEST_ID).iter();
    let harmless = ids.next().is_none_or(is_harmless) && ids.next().is_none();
    if !harmless {
        request.headers_mut().remove(X_REQUEST_ID);
    }
    request
}

fn is_harmless(id: &HeaderValue) -> bool {
    (1..=MAX_BYTES).contains(&id.len())
        && id
            .as_bytes()
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(byte))
}

/// Names requests by UUIDv7, so that they sort by time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _request: &Request<B>) -> Option<RequestId> {
        HeaderValue::try_from(Uuid::now_v7().to_string())
            .ok()
            .map(RequestId::new)
    }
}

/// The name of a request that has gone through here.
pub(crate) fn of<B>(request: &Request<B>) -> Option<String> {
    let id = request.extensions().get::<RequestId>()?;
    id.header_value().to_str().ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_ids_are_kept() {
        for (id, kept) in [
            ("abc-1.2_3", true),
            ("", false),
            ("a b", false),
            ("<script>", false),
            (&"x".repeat(128), true),
            (&"x".repeat(129), false),
        ] {
            let request = Request::builder()
                .header(X_REQUEST_ID, id)
                .body(())
                .unwrap();
            let request = remove_harmful_id(request);
            assert_eq!(request.headers().contains_key(X_REQUEST_ID), kept, "{id}");
        }
    }
}
