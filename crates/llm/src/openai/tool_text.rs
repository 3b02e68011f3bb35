//! The arguments and results of tools as the text in which both APIs of OpenAI carry them.

mod repair;

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::conversation::NO_RESULT;
use crate::message::ToolResult;

/// Writes arguments as a text that holds JSON.
pub(super) fn arguments<S: Serializer>(
    arguments: &&Map<String, Value>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = serde_json::to_string(arguments).map_err(serde::ser::Error::custom)?;
    text.serialize(serializer)
}

/// Reads the arguments of a whole call: no text at all stands for none, and what is not quite JSON is
/// [repaired](repair) where only one thing can have been meant.
pub(super) fn read_arguments(text: &str) -> Option<Map<String, Value>> {
    if matches!(text.trim(), "" | "null") {
        return Some(Map::new());
    }
    read_written_arguments(text).or_else(|| repair::repair(text))
}

/// Reads the arguments of a call that may have been cut: one without any may have been about to
/// get some.
pub(super) fn read_written_arguments(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// What the model is told about a call.
pub(super) fn result(result: Option<&ToolResult>) -> Cow<'_, str> {
    match result.map(|result| &result.outcome) {
        Some(Ok(Value::String(text))) => Cow::Borrowed(text),
        Some(Ok(value)) => Cow::Owned(value.to_string()),
        Some(Err(error)) => Cow::Owned(json!({"error": error}).to_string()),
        None => Cow::Owned(json!({"error": NO_RESULT}).to_string()),
    }
}
