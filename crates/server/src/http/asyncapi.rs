//! `GET /asyncapi.json`: the protocol of the WebSocket, for people and programs.

use std::sync::LazyLock;

use http::HeaderMap;

use super::Reply;
use super::fixed::Fixed;

static DOCUMENT: LazyLock<Fixed> = LazyLock::new(|| {
    let document = patter_protocol::asyncapi();
    Fixed::plain("application/json", format!("{document:#}\n"))
});

/// The document that patter-protocol makes of its types.
///
/// # Errors
///
/// None that it knows of.
pub(super) fn document(headers: &HeaderMap) -> Reply {
    DOCUMENT.answer(headers)
}
