//! The `AsyncAPI` document of the protocol, made from its types: who builds a client in another
//! language reads there, or generates from it, what this crate says in Rust.

#![expect(
    clippy::indexing_slicing,
    reason = "JSON is asked by name, and answers `null` where there is nothing"
)]

mod messages;

use serde_json::{Map, Value, json};

use crate::error_code::CloseCode;
use crate::limits::{MAX_FRAME_BYTES, MAX_REFUSED_FRAMES};
use crate::{JsonObject, VERSION};
use messages::Messages;

/// The `AsyncAPI` 3.0 document of the WebSocket, from the side of the server: it *receives* what a
/// client sends.
///
/// Every message has its JSON Schema (draft 7, as `AsyncAPI` wants it) and an example that this
/// crate reads. What the close codes mean is in the channel's description, and for programs in
/// its `x-close-codes`.
#[must_use]
pub fn asyncapi() -> Value {
    let Messages {
        from_client,
        from_server,
        schemas,
    } = Messages::of_the_protocol();
    let channel_messages: JsonObject = from_client
        .keys()
        .chain(from_server.keys())
        .map(|name| {
            (
                name.clone(),
                reference(&format!("#/components/messages/{name}")),
            )
        })
        .collect();
    let receive = operation("receive", &from_client, "What a client sends.");
    let send = operation("send", &from_server, "What the server sends.");
    let mut messages = from_client;
    messages.extend(from_server);
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "patter",
            "version": VERSION.to_string(),
            "description": INFO,
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "here": {
                "host": "{host}",
                "protocol": "ws",
                "description": "The port that answers HTTP. Behind a proxy that ends TLS it is `wss`.",
                "variables": {
                    "host": {
                        "default": "localhost:8000",
                        "description": "Name and port of the server.",
                    },
                },
            },
        },
        "channels": {
            "session": {
                "address": "/ws/session/{session_id}",
                "title": "A session",
                "summary": "One conversation. Several connections may be attached to it at once.",
                "description": format!("{CHANNEL}\n\n{}", close_code_table()),
                "servers": [reference("#/servers/here")],
                "parameters": {
                    "session_id": {
                        "description": "Names the session. One that is not known is begun; one that is, is continued. \
                            1 to 128 characters, `[A-Za-z0-9][A-Za-z0-9._~:-]*`.",
                        "examples": ["my-first-session"],
                    },
                },
                "messages": channel_messages,
                "bindings": { "ws": { "method": "GET", "query": query(), "bindingVersion": "0.1.0" } },
                "x-close-codes": close_codes(),
            },
        },
        "operations": { "receive": receive, "send": send },
        "components": { "messages": messages, "schemas": schemas },
    })
}

const INFO: &str = "\
The protocol by which a client talks to a patter server over one WebSocket for each conversation.

Every frame is a text frame that holds one JSON object with a `type`. Events from the server are of two \
kinds: a *durable* one is a row of the session's log, carries `seq`, which rises by exactly 1, and is sent \
only when it is stored; a *live* one may be lost with its connection, and nothing is lost with it, because \
the durable event that follows holds all it said. A receiver ignores fields and, from the server, types that \
it does not know: so the protocol grows.

The HTTP API of the same server is described by its `/openapi.json`.";

const CHANNEL: &str = "\
The first frame from the server is `session_ready`; the stored events behind `after` follow, a \
`response_snapshot` if an answer is in flight, then everything live. What is refused is refused before the \
upgrade, by an answer of the HTTP API (400, 401, 403, 426, 429, 503). A frame that is refused later is \
answered by an `error` and harms nothing. The close code alone says whether to come back:";

/// The query of the handshake.
fn query() -> Value {
    json!({
        "type": "object",
        "properties": {
            "after": {
                "type": "integer",
                "minimum": 0,
                "description": "The client has every durable event up to this `seq`; left out, the whole log is sent.",
            },
            "epoch": {
                "type": "string",
                "format": "uuid",
                "description": "The log in which `after` counts, as `session_ready` named it. Where it is another one by \
                    now, the whole log is sent and `session_ready.reset` is true.",
            },
        },
    })
}

fn operation(action: &str, messages: &Map<String, Value>, summary: &str) -> Value {
    let messages: Vec<_> = messages
        .keys()
        .map(|name| reference(&format!("#/channels/session/messages/{name}")))
        .collect();
    json!({
        "action": action,
        "channel": reference("#/channels/session"),
        "summary": summary,
        "messages": messages,
    })
}

fn reference(target: &str) -> Value {
    json!({ "$ref": target })
}

fn close_codes() -> Vec<Value> {
    let described = messages::descriptions::<CloseCode>();
    CloseCode::ALL
        .into_iter()
        .map(|code| {
            let name = json!(code);
            let description = name.as_str().and_then(|name| described.get(name)).cloned();
            json!({ "code": code.number(), "name": name, "description": description })
        })
        .collect()
}

fn close_code_table() -> String {
    let rows = close_codes().into_iter().map(|row| {
        let text = row["description"].as_str().unwrap_or_default();
        format!("| {} | {text} |\n", row["code"])
    });
    let limits = format!(
        "\nA frame has up to {MAX_FRAME_BYTES} bytes; {MAX_REFUSED_FRAMES} refused frames in a row are too many."
    );
    ["| code | meaning |\n| --- | --- |\n".to_owned()]
        .into_iter()
        .chain(rows)
        .chain([limits])
        .collect()
}
