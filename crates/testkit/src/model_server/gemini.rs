//! Answers of Gemini: a whole response in each event, lines that end in CRLF, no end marker.

use serde_json::{Value, json};

use super::Reply;

/// Tokens that every answer reports: 9 of input, 5 of output, 2 of them thoughts.
fn usage() -> Value {
    json!({"promptTokenCount": 9, "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "totalTokenCount": 14})
}

/// Some text in pieces, finished with `STOP`.
pub fn text<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Reply {
    let mut events: Vec<Value> = pieces
        .into_iter()
        .map(|piece| parts(&json!([{"text": piece}])))
        .collect();
    events.push(finish("STOP"));
    body(events)
}

/// Calls of tools in one step, each a name and its arguments, without ids, finished with
/// `STOP`, as Gemini does. The first call is signed.
pub fn calls<'a>(calls: impl IntoIterator<Item = (&'a str, Value)>) -> Reply {
    text_and_calls([], calls)
}

/// Some text and then calls, as for [`text`] and [`calls`].
pub fn text_and_calls<'a>(
    pieces: impl IntoIterator<Item = &'a str>,
    calls: impl IntoIterator<Item = (&'a str, Value)>,
) -> Reply {
    let mut events: Vec<Value> = pieces
        .into_iter()
        .map(|piece| parts(&json!([{"text": piece}])))
        .collect();
    let mut list: Vec<Value> = calls
        .into_iter()
        .map(|(name, arguments)| json!({"functionCall": {"name": name, "args": arguments}}))
        .collect();
    if let Some(first) = list.first_mut() {
        first["thoughtSignature"] = json!("U2lnbmVk");
    }
    events.push(parts(&Value::Array(list)));
    events.push(finish("STOP"));
    body(events)
}

/// An answer made of these events.
pub fn body(events: impl IntoIterator<Item = Value>) -> Reply {
    Reply::sse(
        events
            .into_iter()
            .map(|event| format!("data: {event}\r\n\r\n"))
            .collect::<String>(),
    )
}

/// An event with these parts.
pub fn parts(parts: &Value) -> Value {
    json!({"candidates": [{"content": {"parts": parts, "role": "model"}, "index": 0}], "usageMetadata": usage()})
}

/// An event that ends the answer with the given finish reason.
pub fn finish(reason: &str) -> Value {
    json!({"candidates": [{"finishReason": reason, "index": 0}], "usageMetadata": usage()})
}

/// A refusal, such as `refusal(503, "UNAVAILABLE", "overloaded")`.
pub fn refusal(code: u16, status: &str, message: &str) -> Reply {
    Reply::json(
        code,
        &json!({"error": {"code": code, "message": message, "status": status}}),
    )
}
