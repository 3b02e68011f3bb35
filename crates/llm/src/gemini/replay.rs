//! The parts of an answer that must go back to Gemini exactly as they came.
//!
//! Gemini 3 and newer sign parts and refuse a conversation in which a signature is missing or
//! has moved (<https://ai.google.dev/gemini-api/docs/thought-signatures>). The signed answer
//! therefore travels beside the neutral one, as [`ProviderData`]:
//! `{"host": "...", "model": "...", "parts": [...]}`.

use serde_json::{Map, Value, json};

use crate::gemini::wire::{FunctionCall, Part};
use crate::message::{AssistantMessage, ProviderData};
use crate::origin::Origin;

/// The [`ProviderData::kind`] of this backend.
const KIND: &str = "gemini";

/// Collects the parts of one answer.
#[derive(Debug, Default)]
pub(super) struct Replay {
    parts: Vec<Part>,
    /// Whether there is anything in the parts that the neutral message cannot hold.
    needed: bool,
}

impl Replay {
    /// Adds visible text. Only unsigned text is joined with unsigned text.
    pub(super) fn text(&mut self, text: &str, signature: Option<String>) {
        if signature.is_none() {
            if text.is_empty() {
                return;
            }
            if let Some(Part {
                text: Some(last),
                thought_signature: None,
                ..
            }) = self.parts.last_mut()
            {
                last.push_str(text);
                return;
            }
        }
        self.needed |= signature.is_some();
        let text = Some(text.to_owned());
        self.parts.push(Part {
            text,
            thought_signature: signature,
            ..Part::default()
        });
    }

    /// Adds a signed thought; those without a signature need not go back.
    pub(super) fn signed_thought(&mut self, text: String, signature: String) {
        self.needed = true;
        self.parts.push(Part {
            text: Some(text),
            thought: Some(true),
            thought_signature: Some(signature),
            ..Part::default()
        });
    }

    /// Adds a call.
    pub(super) fn call(&mut self, call: FunctionCall, signature: Option<String>) {
        self.needed |= signature.is_some() || call.id.is_some();
        self.parts.push(Part {
            function_call: Some(call),
            thought_signature: signature,
            ..Part::default()
        });
    }

    /// What is to be kept with the answer; `None` where the neutral message says it all.
    pub(super) fn into_provider_data(self, origin: &Origin) -> Option<ProviderData> {
        if !self.needed {
            return None;
        }
        let data = Map::from_iter([("parts".to_owned(), json!(self.parts))]);
        Some(origin.provider_data(KIND, data))
    }
}

/// The parts kept with a message, if they are from here and hold as many calls as the message.
/// Signatures from elsewhere are refused, and so is a wrong number of calls.
pub(super) fn parts<'a>(message: &'a AssistantMessage, origin: &Origin) -> Option<&'a [Value]> {
    let parts = origin.data(KIND, message)?.get("parts")?.as_array()?;
    let calls = parts
        .iter()
        .filter(|part| part.get("functionCall").is_some())
        .count();
    (calls == message.tool_calls().count()).then_some(parts.as_slice())
}

/// The ids that Gemini gave to the calls among these parts, in order.
pub(super) fn native_ids(parts: &[Value]) -> impl Iterator<Item = Option<&str>> {
    parts
        .iter()
        .filter_map(|part| part.get("functionCall"))
        .map(|call| call.get("id").and_then(Value::as_str))
}
