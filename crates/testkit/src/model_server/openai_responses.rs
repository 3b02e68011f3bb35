//! Answers of OpenAI's Responses: named events, lines that end in LF, each item begun, told in
//! deltas and finished, the whole response at the end. Refusals are those of [`super::openai`].

use serde_json::{Value, json};

use super::Reply;

/// Some text in pieces, in one message.
pub fn text<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Reply {
    text_and_calls(pieces, [])
}

/// Calls of tools in one step, each a name and its arguments, with the ids `call_0`, `call_1`
/// and so on, the arguments cut in two.
pub fn calls<'a>(calls: impl IntoIterator<Item = (&'a str, Value)>) -> Reply {
    text_and_calls([], calls)
}

/// Some text and then calls, as for [`text`] and [`calls`].
pub fn text_and_calls<'a>(
    pieces: impl IntoIterator<Item = &'a str>,
    calls: impl IntoIterator<Item = (&'a str, Value)>,
) -> Reply {
    let mut events = Vec::new();
    let mut items = Vec::new();
    let mut whole = String::new();
    for piece in pieces {
        whole.push_str(piece);
        events
            .push(json!({"type": "response.output_text.delta", "output_index": 0, "delta": piece}));
    }
    if !events.is_empty() {
        let message = message(&whole);
        events.insert(0, begun(0, &message));
        events.push(done(0, &message));
        items.push(message);
    }
    for (number, (name, arguments)) in calls.into_iter().enumerate() {
        let place = items.len();
        let call = call(&format!("call_{number}"), name, &arguments);
        events.push(begun(place, &call));
        let arguments = arguments.to_string();
        let (first, second) = arguments.split_at(1);
        events.extend([first, second].map(|piece| {
            json!({"type": "response.function_call_arguments.delta", "output_index": place, "delta": piece})
        }));
        events.push(done(place, &call));
        items.push(call);
    }
    body(events.into_iter().chain([completed(&items)]))
}

/// An answer made of these events, numbered and with their names before them.
pub fn body(events: impl IntoIterator<Item = Value>) -> Reply {
    let start = json!({"type": "response.created", "response": {"status": "in_progress", "output": [], "usage": null}});
    let events = [start].into_iter().chain(events).enumerate();
    Reply::sse(
        events
            .map(|(number, mut event)| {
                event["sequence_number"] = json!(number);
                let name = event["type"].as_str().unwrap();
                format!("event: {name}\ndata: {event}\n\n")
            })
            .collect::<String>(),
    )
}

/// An event that begins the item, in which there is nothing yet.
pub fn begun(place: usize, item: &Value) -> Value {
    let mut item = item.clone();
    item["status"] = json!("in_progress");
    if item["type"] == "function_call" {
        item["arguments"] = json!("");
    } else {
        item["content"] = json!([]);
    }
    json!({"type": "response.output_item.added", "output_index": place, "item": item})
}

/// An event with a piece of the text of a message.
pub fn delta(place: usize, piece: &str) -> Value {
    json!({"type": "response.output_text.delta", "output_index": place, "content_index": 0, "delta": piece})
}

/// An event that finishes the item.
pub fn done(place: usize, item: &Value) -> Value {
    json!({"type": "response.output_item.done", "output_index": place, "item": item})
}

/// The event that ends a response with these items, with usage (9 of input, 5 of output, 2 of
/// them reasoning).
pub fn completed(items: &[Value]) -> Value {
    json!({"type": "response.completed", "response": {
        "status": "completed",
        "error": null,
        "incomplete_details": null,
        "output": items,
        "usage": {
            "input_tokens": 9,
            "output_tokens": 5,
            "total_tokens": 14,
            "output_tokens_details": {"reasoning_tokens": 2},
        },
    }})
}

/// The event that ends a response which was cut, such as by `max_output_tokens`.
pub fn incomplete(items: &[Value], reason: &str) -> Value {
    let mut event = completed(items);
    event["type"] = json!("response.incomplete");
    event["response"]["status"] = json!("incomplete");
    event["response"]["incomplete_details"] = json!({"reason": reason});
    event
}

/// A message that says this.
pub fn message(text: &str) -> Value {
    let content = json!([{"type": "output_text", "text": text, "annotations": []}]);
    json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content})
}

/// A call of a tool.
pub fn call(id: &str, name: &str, arguments: &Value) -> Value {
    json!({
        "type": "function_call",
        "id": format!("fc_{id}"),
        "call_id": id,
        "name": name,
        "arguments": arguments.to_string(),
        "status": "completed",
    })
}

/// Reasoning that goes back, with this in place of what is encrypted.
pub fn reasoning(encrypted: &str) -> Value {
    json!({"type": "reasoning", "id": format!("rs_{encrypted}"), "summary": [], "encrypted_content": encrypted})
}
