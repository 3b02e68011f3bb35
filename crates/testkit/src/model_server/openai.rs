//! Answers of Chat Completions: small deltas, lines that end in LF, usage in a chunk of its own,
//! `[DONE]` at the end.

use serde_json::{Value, json};

use super::Reply;

/// Some text in pieces, finished with `stop`.
pub fn text<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Reply {
    let mut events: Vec<Value> = pieces
        .into_iter()
        .map(|piece| delta(&json!({"content": piece})))
        .collect();
    events.push(finish("stop"));
    body(events)
}

/// Calls of tools in one step, each a name and its arguments, with the ids `call_0`, `call_1`
/// and so on, the arguments cut in two, finished with `tool_calls`.
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
        .map(|piece| delta(&json!({"content": piece})))
        .collect();
    for (index, (name, arguments)) in calls.into_iter().enumerate() {
        let arguments = arguments.to_string();
        let (first, second) = arguments.split_at(1);
        events.push(delta(&json!({"tool_calls": [{
            "index": index,
            "id": format!("call_{index}"),
            "type": "function",
            "function": {"name": name, "arguments": ""},
        }]})));
        for piece in [first, second] {
            events.push(delta(
                &json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}),
            ));
        }
    }
    events.push(finish("tool_calls"));
    body(events)
}

/// An answer made of these events, with usage (9 of input, 5 of output, 2 of them reasoning)
/// and `[DONE]` behind them.
pub fn body(events: impl IntoIterator<Item = Value>) -> Reply {
    let usage = json!({"choices": [], "usage": {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "total_tokens": 14,
        "completion_tokens_details": {"reasoning_tokens": 2},
    }});
    let events = events
        .into_iter()
        .chain([usage])
        .map(|event| format!("data: {event}\n\n"));
    Reply::sse(events.collect::<String>() + "data: [DONE]\n\n")
}

/// An event with this delta.
pub fn delta(delta: &Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}], "usage": null})
}

/// An event that ends the answer with the given finish reason.
pub fn finish(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": null})
}

/// A refusal, such as `refusal(401, "invalid_api_key", "wrong key")`.
pub fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let error = json!({"message": message, "type": code, "param": null, "code": code});
    Reply::json(status, &json!({"error": error}))
}
