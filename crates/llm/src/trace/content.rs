//! What was said, as attributes of a span have it: JSON in a form that the conventions give.

use serde_json::{Value, json};

use crate::event::ModelEvent;
use crate::message::{AssistantMessage, AssistantPart, Message, UserPart};

/// So many bytes of text stand in one attribute, about: spans wait in memory for their collector.
const MAX_BYTES: usize = 32 * 1024;

/// `gen_ai.system_instructions`.
pub(super) fn system(text: &str) -> String {
    json!([part(text)]).to_string()
}

/// `gen_ai.input.messages`: the newest messages that are not too long together, and always one.
pub(super) fn input(messages: &[Message]) -> String {
    let mut shown = Vec::new();
    let mut bytes = 0;
    for message in messages.iter().rev() {
        let message = message_json(message);
        bytes += message.to_string().len();
        if bytes > MAX_BYTES && !shown.is_empty() {
            break;
        }
        shown.push(message);
    }
    shown.reverse();
    Value::Array(shown).to_string()
}

/// `gen_ai.output.messages`.
pub(super) fn output(said: AssistantMessage, finish_reason: &str) -> String {
    let mut message = message_json(&Message::Assistant(said));
    if let Value::Object(fields) = &mut message {
        fields.insert("finish_reason".to_owned(), finish_reason.into());
    }
    json!([message]).to_string()
}

/// Adds a piece of the answer to what was said.
pub(super) fn add(said: &mut AssistantMessage, event: &ModelEvent) {
    match event {
        ModelEvent::Text(text) => match said.parts.last_mut() {
            Some(AssistantPart::Text(all)) if all.len() > MAX_BYTES => {}
            Some(AssistantPart::Text(all)) => all.push_str(text),
            _ => said.parts.push(AssistantPart::Text(text.clone())),
        },
        ModelEvent::ToolCall(call) => said.parts.push(AssistantPart::ToolCall(call.clone())),
        // What a model thinks is not what it says.
        ModelEvent::Reasoning(_) | ModelEvent::Restarted { .. } | ModelEvent::Finish { .. } => {}
    }
}

fn message_json(message: &Message) -> Value {
    let (role, parts): (_, Vec<_>) = match message {
        Message::User(message) => ("user", message.parts.iter().filter_map(user_part).collect()),
        Message::Assistant(message) => (
            "assistant",
            message.parts.iter().map(assistant_part).collect(),
        ),
        Message::ToolResults(results) => {
            let parts = results.iter().map(|result| {
                let response = match &result.outcome {
                    Ok(value) => short(&value.to_string()).to_owned(),
                    Err(why) => short(why).to_owned(),
                };
                json!({ "type": "tool_call_response", "id": result.call_id, "response": response })
            });
            ("tool", parts.collect())
        }
    };
    json!({ "role": role, "parts": parts })
}

/// Files are left out.
fn user_part(user_part: &UserPart) -> Option<Value> {
    match user_part {
        UserPart::Text(text) => Some(part(text)),
        UserPart::Media(_) => None,
    }
}

fn assistant_part(assistant_part: &AssistantPart) -> Value {
    match assistant_part {
        AssistantPart::Text(text) => part(text),
        AssistantPart::ToolCall(call) => json!({
            "type": "tool_call",
            "id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }),
    }
}

fn part(text: &str) -> Value {
    json!({ "type": "text", "content": short(text) })
}

fn short(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_BYTES))
        .unwrap_or(text)
}
