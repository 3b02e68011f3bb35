//! What any request must keep to, whatever it asks for.

use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST};
use http::{HeaderValue, Method, Request, StatusCode, Version};
use hyper::body::Incoming;
use patter_protocol::{InvalidId, SessionId};
use percent_encoding::percent_decode_str;

use super::Problem;
use super::doors::Doors;
use crate::admission::{Admission, Refused};
use crate::server::RefusedHead;

/// Refuses what no route wants to see.
///
/// # Errors
///
/// 503 where there are too many connections, 429 where there are from this address, 400, 414 and 431 for a head
/// that was refused, 405 for methods that nobody answers, 400 for a proxy's request and for a `Host` that is
/// missing or stands twice.
pub(crate) fn check(request: &Request<Incoming>) -> Result<(), Problem> {
    let admission = request.extensions().get::<Arc<Admission>>();
    if let Some(refused) = admission.and_then(|admission| admission.refused()) {
        // Others want to be told too.
        return Err(one_too_many(refused).header(CONNECTION, HeaderValue::from_static("close")));
    }
    if let Some(refused) = request.extensions().get::<RefusedHead>() {
        return Err(head(*refused));
    }
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Problem::read_only());
    }
    if request.uri().authority().is_some() {
        return Err(Problem::bad_request(
            "this server is no proxy; ask for a path",
        ));
    }
    let hosts = request.headers().get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        return Err(Problem::bad_request("`Host` must be given once"));
    }
    Ok(())
}

fn one_too_many(refused: Refused) -> Problem {
    match refused {
        Refused::Full => Problem::unavailable("overloaded", "the server has too many connections"),
        Refused::TooMuch(too_much) => too_much.into(),
    }
}

/// A head that did not come through.
fn head(refused: RefusedHead) -> Problem {
    let problem = match refused {
        RefusedHead::Malformed(why) => Problem::bad_request(why),
        RefusedHead::TargetTooLong => {
            let detail = "a target may have 8192 bytes";
            Problem::new(StatusCode::URI_TOO_LONG, "uri_too_long", detail)
        }
        RefusedHead::TooLarge => {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            let detail = "a head may have 64 fields and 16384 bytes";
            Problem::new(status, "head_too_large", detail)
        }
    };
    problem.header(CONNECTION, HeaderValue::from_static("close"))
}

/// Refuses what a page of another origin would change: a browser lets any page send such a request, and only
/// keeps the answer from it.
///
/// # Errors
///
/// 403.
pub(super) fn origin(request: &Request<Incoming>, doors: &Doors) -> Result<(), Problem> {
    let changes = !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if changes {
        doors.page(request.headers())
    } else {
        Ok(())
    }
}

/// Refuses a body that is said to be longer than `limit` bytes before any of it is read.
///
/// # Errors
///
/// 413.
pub(super) fn length(request: &Request<Incoming>, limit: usize) -> Result<(), Problem> {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok());
    let length = length.and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        Err(Problem::too_large(limit))
    } else {
        Ok(())
    }
}

/// A session id as it stands in a path.
///
/// # Errors
///
/// 400 where it is none.
pub(super) fn session_id(segment: &str) -> Result<SessionId, Problem> {
    let text = percent_decode_str(segment).decode_utf8_lossy();
    text.parse()
        .map_err(|error: InvalidId| Problem::invalid_field("session_id", error.to_string()))
}
