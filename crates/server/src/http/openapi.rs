//! The document of the HTTP API: OpenAPI 3.1. Paths, parameters and answers stand above the handlers; the
//! schemas are those of the types that are sent, the protocol's among them.

#![expect(
    clippy::indexing_slicing,
    reason = "JSON is asked by name, and answers `null` where there is nothing"
)]

mod schemas;

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, Response};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::{
    Body, analytics, asyncapi, health, messages, metrics, models, negotiation, search, sessions,
    tickets, tools, usage,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "patter",
        description = "Conversations with language models that lose nothing. Their events come by a \
            WebSocket at `/ws/session/{session_id}`, which `/asyncapi.json` describes, or by an event stream \
            from `/api/sessions/{session_id}/messages`. Times are RFC 3339 in UTC. Every answer has an \
            `x-request-id`: the caller's, if it is harmless, else a new one.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/")),
    tags(
        (name = "conversation", description = "Say something, without a WebSocket"),
        (name = "sessions", description = "What was said, and what is known about it"),
        (name = "server", description = "What the server is and how it is"),
    ),
    paths(
        messages::say,
        tickets::issue,
        sessions::list,
        sessions::mint,
        sessions::show,
        sessions::rename,
        sessions::delete,
        sessions::end,
        sessions::events,
        sessions::with_events,
        sessions::export,
        sessions::import,
        search::search,
        analytics::analytics,
        usage::usage,
        models::list,
        tools::list,
        health::report,
        health::live,
        health::ready,
        metrics::report,
        serve,
        asyncapi::serve,
    )
)]
struct Api;

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| super::json_text(&build()));

/// The document of this API.
#[utoipa::path(
    get,
    operation_id = "getOpenApi",
    path = "/openapi.json",
    tag = "server",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value))
)]
pub(super) fn serve(request: &HeaderMap) -> Response<Body> {
    negotiation::revalidated(request, DOCUMENT.clone())
}

fn build() -> Value {
    // A document of texts and numbers always serializes.
    let mut document = serde_json::to_value(Api::openapi()).unwrap_or_default();
    // What `request_body` cannot say of a reference.
    document["paths"]["/api/sessions"]["post"]["requestBody"]["required"] = Value::Bool(false);
    document["components"] = json!({
        "schemas": schemas::all(),
        "securitySchemes": { "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "The JWT of a user, or the token of a service: needed where `auth.mode` is `jwt` or `token`",
        } },
    });
    document["security"] = json!([{ "bearer": [] }, {}]);
    let paths = document["paths"].as_object_mut();
    for operation in paths.into_iter().flat_map(operations) {
        describe_problems(operation);
        leave_out_errors(operation);
        demand_body(operation);
    }
    document
}

fn operations(paths: &mut Map<String, Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    let methods = paths.values_mut().filter_map(Value::as_object_mut);
    methods
        .flat_map(Map::values_mut)
        .filter_map(Value::as_object_mut)
}

/// A body is needed where it is not said that it may be left out: utoipa says neither of a schema that it
/// knows by reference.
fn demand_body(operation: &mut Map<String, Value>) {
    if let Some(body) = operation
        .get_mut("requestBody")
        .and_then(Value::as_object_mut)
    {
        body.entry("required").or_insert(true.into());
    }
}

/// What a handler says to its callers in Rust about errors says the document by answers.
fn leave_out_errors(operation: &mut Map<String, Value>) {
    let Some(description) = operation.get("description").and_then(Value::as_str) else {
        return;
    };
    let (told, _) = description
        .split_once("# Errors")
        .unwrap_or((description, ""));
    match told.trim() {
        "" => operation.remove("description"),
        told => operation.insert("description".to_owned(), told.into()),
    };
}

/// What is not granted is answered in one form, whatever was asked for.
fn describe_problems(operation: &mut Map<String, Value>) {
    let Some(responses) = operation
        .get_mut("responses")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    responses.insert(
        "default".to_owned(),
        json!({ "description": "The request is not granted; `code` says why" }),
    );
    for (status, response) in responses.iter_mut() {
        let is_problem = status == "default" || status.starts_with(['4', '5']);
        if is_problem && response.get("content").is_none() {
            response["content"] = json!({
                "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } }
            });
        }
    }
}
