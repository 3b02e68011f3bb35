//! What the finished items of a response say.

use serde_json::{Map, Value};

use crate::openai::tool_text;

/// What an item is, as far as a client has to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemKind {
    Message,
    Reasoning,
    FunctionCall,
    /// Tools that the service runs itself, and what there may be tomorrow.
    Other,
}

pub(super) fn kind(item: &Value) -> ItemKind {
    match text_at(item, "type") {
        Some("message") => ItemKind::Message,
        Some("reasoning") => ItemKind::Reasoning,
        Some("function_call") => ItemKind::FunctionCall,
        _ => ItemKind::Other,
    }
}

/// The text of a field that has any.
pub(super) fn text_at<'a>(item: &'a Value, field: &str) -> Option<&'a str> {
    item.get(field)?.as_str().filter(|text| !text.is_empty())
}

/// The texts in a message, refusals included, or in the summary and content of a reasoning item.
pub(super) fn texts(item: &Value) -> impl Iterator<Item = &str> {
    let parts = ["summary", "content"]
        .into_iter()
        .filter_map(|field| item.get(field)?.as_array())
        .flatten();
    parts.filter_map(|part| text_at(part, "text").or_else(|| text_at(part, "refusal")))
}

/// The arguments of a call that came whole.
pub(super) fn arguments(call: &Value) -> Option<Map<String, Value>> {
    match call.get("arguments") {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(arguments)) => Some(arguments.clone()),
        Some(Value::String(text)) => tool_text::read_arguments(text),
        Some(_) => None,
    }
}

/// Whether a call came whole although the answer was cut.
pub(super) fn is_whole_before_cut(call: &Value) -> bool {
    let arguments = text_at(call, "arguments").and_then(tool_text::read_written_arguments);
    arguments.is_some() && text_at(call, "status") != Some("incomplete")
}
