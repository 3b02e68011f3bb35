//! Bodies: what is answered, whole or as a stream, and what is sent here, read within limits.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tower::BoxError;

use super::Problem;

/// A body comes in so long, and a large one as fast as this.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
const SLOWEST_BYTES_PER_SECOND: usize = 1024 * 1024;

/// What is answered. A stream that fails in the middle breaks the connection, so that nobody takes it
/// for whole.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A body that is there already.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body that comes piece by piece.
pub(crate) fn stream<E>(pieces: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Body
where
    E: Into<BoxError> + 'static,
{
    StreamBody::new(pieces.map(|piece| piece.map(Frame::data)))
        .map_err(Into::into)
        .boxed_unsync()
}

/// What a request brings, at most `limit` bytes of it.
///
/// # Errors
///
/// 413 for more, 415 for what is compressed, 408 where it is too slow, 400 where the connection breaks on the
/// way.
pub(crate) async fn bytes(request: Request<Incoming>, limit: usize) -> Result<Bytes, Problem> {
    if request.headers().contains_key(CONTENT_ENCODING) {
        let detail = "a body must not be compressed";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "unsupported_media_type", detail));
    }
    let patience = BODY_TIMEOUT + Duration::from_secs((limit / SLOWEST_BYTES_PER_SECOND) as u64);
    let body = Limited::new(request.into_body(), limit).collect();
    let Ok(read) = timeout(patience, body).await else {
        let detail = "the body took too long";
        let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail);
        return Err(problem.header(CONNECTION, HeaderValue::from_static("close")));
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_large(limit)),
        Err(_broken) => Err(Problem::bad_request("the body ended too early")),
    }
}

/// The JSON that a request brings; where it brings nothing, what an empty object would say.
///
/// # Errors
///
/// 415 for another type, 413 for more than `limit` bytes, 400 for what is no JSON or does not fit; the
/// field is named then.
pub(crate) async fn json<T: DeserializeOwned>(
    request: Request<Incoming>,
    limit: usize,
) -> Result<T, Problem> {
    let is_json = is_json(request.headers());
    let bytes = bytes(request, limit).await?;
    if bytes.is_empty() {
        return from_json(b"{}");
    }
    if is_json {
        from_json(&bytes)
    } else {
        Err(not_json())
    }
}

/// Reads JSON into a type.
///
/// # Errors
///
/// 400, with the field where one is to blame.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Of a list, serde would make an object by the order of the fields.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        let detail = "the body must be an object";
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            detail,
        ));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let fault = error.into_inner();
        if fault.is_data() {
            let field = if path == "." { "body".to_owned() } else { path };
            Problem::invalid_field(field, fault.to_string())
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "invalid_json", fault.to_string())
        }
    })?;
    reader.end().map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_json", error.to_string())
    })?;
    Ok(read)
}

/// Whether a request says that it brings JSON; merge patches (RFC 7396) are such.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next());
    kind.map(str::trim).is_some_and(|kind| {
        kind.eq_ignore_ascii_case("application/json")
            || kind.eq_ignore_ascii_case("application/merge-patch+json")
    })
}

/// 415.
pub(crate) fn not_json() -> Problem {
    let detail = "the body must be JSON, and `Content-Type` must say so";
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        detail,
    )
}
