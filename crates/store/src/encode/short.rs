//! What a person would read of a tool's call and of its result.

use patter_protocol::{EventBody, ToolResult};
use serde_json::Value;

/// The longest short form, in bytes: enough to be found by a search, little enough to be read.
const MAX_BYTES: usize = 2_000;

/// The short form of a tool's call or result: the tool's name, then arguments, result or error.
/// `None` for other events.
pub(super) fn of_tool_event(body: &EventBody) -> Option<String> {
    let mut short = match body {
        EventBody::ToolCall(call) => {
            format!("{} {}", call.name, Value::Object(call.arguments.clone()))
        }
        EventBody::ToolResult(result) => short_result(result),
        EventBody::SessionStarted(_)
        | EventBody::UserMessage(_)
        | EventBody::ToolApproved(_)
        | EventBody::AiResponse(_)
        | EventBody::SessionEnded(_)
        | EventBody::SessionSummary(_) => return None,
    };
    short.truncate(short.floor_char_boundary(MAX_BYTES));
    Some(short)
}

fn short_result(result: &ToolResult) -> String {
    let name = &result.name;
    match (&result.error, &result.content) {
        (Some(error), _) => format!("{name} failed: {}", error.message),
        // A text is read without the quotes and the escapes of JSON.
        (None, Some(Value::String(text))) => format!("{name} {text}"),
        (None, Some(value)) => format!("{name} {value}"),
        (None, None) => name.clone(),
    }
}
