//! `GET /asyncapi.json`: the protocol of the WebSocket, for people and programs.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, Response};

use super::{Body, json_text, negotiation};

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| json_text(&patter_protocol::asyncapi()));

/// The document of the WebSocket.
#[utoipa::path(
    get,
    operation_id = "getAsyncApi",
    path = "/asyncapi.json",
    tag = "server",
    responses((status = 200, description = "AsyncAPI 3.0", body = serde_json::Value))
)]
pub(super) fn serve(request: &HeaderMap) -> Response<Body> {
    negotiation::revalidated(request, DOCUMENT.clone())
}
