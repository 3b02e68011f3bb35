//! What some servers give with a step that calls tools and want to see again with it:
//!
//! - `reasoning_content`, by `DeepSeek` and open models behind other servers
//!   (<https://api-docs.deepseek.com/guides/thinking_mode>);
//! - `reasoning_details`, by `OpenRouter`
//!   (<https://openrouter.ai/docs/guides/best-practices/reasoning-tokens>);
//! - `extra_content` of a call, by Gemini's compatible endpoint, with its signature
//!   (<https://ai.google.dev/gemini-api/docs/thought-signatures>).
//!
//! It travels beside the neutral message as [`ProviderData`] and goes back only to the server and
//! the model that it came from, with the ids that the calls had then. A step without calls keeps
//! nothing: nobody wants it there, and it costs tokens. Its form is `{"host": "...", "model":
//! "...", "calls": [{"id": "...", "extra_content": {...}}], "reasoning_content": "...",
//! "reasoning_details": [...]}`, the last three names as the servers have them.

use serde_json::{Map, Value, json};

use crate::message::{AssistantMessage, ProviderData};
use crate::origin::Origin;

/// The [`ProviderData::kind`] of this API.
const KIND: &str = "openai-chat";

/// What is to go back with a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept<'a> {
    calls: &'a [Value],
    pub(super) reasoning_content: Option<&'a Value>,
    pub(super) reasoning_details: Option<&'a Value>,
}

impl<'a> Kept<'a> {
    /// The id that the server gave to the call at this place.
    pub(super) fn id(&self, call: usize) -> Option<&'a str> {
        self.calls.get(call)?.get("id")?.as_str()
    }

    /// What the server put beside the call at this place.
    pub(super) fn extra_content(&self, call: usize) -> Option<&'a Value> {
        self.calls.get(call)?.get("extra_content")
    }
}

/// Collects the reasoning of one answer.
#[derive(Debug, Default)]
pub(super) struct Replay {
    content: String,
    details: Vec<Map<String, Value>>,
}

impl Replay {
    /// Adds a piece of `reasoning_content`.
    pub(super) fn content(&mut self, piece: &str) {
        self.content.push_str(piece);
    }

    /// Adds entries of `reasoning_details`. Those that follow one another with the same type and
    /// index are pieces of one.
    pub(super) fn details(&mut self, entries: Value) {
        let Value::Array(entries) = entries else {
            return;
        };
        for entry in entries {
            let Value::Object(entry) = entry else {
                continue;
            };
            match self.details.last_mut() {
                Some(last) if is_continued(last, &entry) => append(last, entry),
                _ => self.details.push(entry),
            }
        }
    }

    /// What is to be kept with a step that made calls with these ids and this beside them; `None`
    /// where it is no more than the neutral message says.
    pub(super) fn into_provider_data<'a>(
        self,
        origin: &Origin,
        calls: impl ExactSizeIterator<Item = (&'a str, Option<Value>)>,
    ) -> Option<ProviderData> {
        if calls.len() == 0 {
            return None;
        }
        let mut is_plain = self.content.is_empty() && self.details.is_empty();
        let calls: Vec<_> = calls
            .map(|(id, extra_content)| match extra_content {
                None => json!({"id": id}),
                Some(extra_content) => {
                    is_plain = false;
                    json!({"id": id, "extra_content": extra_content})
                }
            })
            .collect();
        if is_plain {
            return None;
        }
        let mut data = Map::new();
        data.insert("calls".to_owned(), Value::Array(calls));
        if !self.content.is_empty() {
            data.insert("reasoning_content".to_owned(), json!(self.content));
        }
        if !self.details.is_empty() {
            data.insert("reasoning_details".to_owned(), json!(self.details));
        }
        Some(origin.provider_data(KIND, data))
    }
}

/// What was kept with the message, if it came from here and holds as many calls.
pub(super) fn kept<'a>(message: &'a AssistantMessage, origin: &Origin) -> Option<Kept<'a>> {
    let data = origin.data(KIND, message)?;
    let calls = data.get("calls")?.as_array()?;
    let fits = calls.len() == message.tool_calls().count();
    fits.then(|| Kept {
        calls,
        reasoning_content: data.get("reasoning_content"),
        reasoning_details: data.get("reasoning_details"),
    })
}

fn is_continued(last: &Map<String, Value>, entry: &Map<String, Value>) -> bool {
    let same = |key| last.get(key) == entry.get(key);
    let number = |entry: &Map<String, Value>| entry.get("index").is_some_and(Value::is_number);
    let id = |entry: &Map<String, Value>| entry.get("id").is_some_and(Value::is_string);
    number(entry) && same("type") && same("index") && (same("id") || !(id(last) && id(entry)))
}

/// Texts grow; of everything else the last that is not null counts.
fn append(last: &mut Map<String, Value>, entry: Map<String, Value>) {
    for (key, value) in entry {
        match (last.get_mut(&key), value) {
            (Some(Value::String(text)), Value::String(more))
                if matches!(key.as_str(), "text" | "summary" | "data") =>
            {
                text.push_str(&more);
            }
            (Some(_), Value::Null) => {}
            (_, value) => {
                last.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn details(entries: &Value) -> Value {
        let mut replay = Replay::default();
        for entry in entries.as_array().unwrap() {
            replay.details(json!([entry]));
        }
        json!(replay.details)
    }

    #[test]
    fn pieces_of_one_detail_are_joined_and_its_signature_kept() {
        let joined = details(&json!([
            {"type": "reasoning.text", "text": "I ", "format": "f", "index": 0, "signature": ""},
            {"type": "reasoning.text", "text": "see.", "format": null, "index": 0},
            {"type": "reasoning.text", "signature": "c2ln", "index": 0},
            {"type": "reasoning.text", "text": "Next.", "index": 1},
        ]));
        let expected = json!([
            {"type": "reasoning.text", "text": "I see.", "format": "f", "index": 0, "signature": "c2ln"},
            {"type": "reasoning.text", "text": "Next.", "index": 1},
        ]);
        assert_eq!(joined, expected);
    }

    #[test]
    fn details_of_another_kind_id_or_without_an_index_stand_alone() {
        let apart = json!([
            {"type": "reasoning.summary", "summary": "S", "index": 0},
            {"type": "reasoning.encrypted", "data": "YQ==", "id": "a", "index": 0},
            {"type": "reasoning.encrypted", "data": "Yg==", "id": "b", "index": 0},
            {"type": "reasoning.text", "text": "x"},
            {"type": "reasoning.text", "text": "y"},
        ]);
        assert_eq!(details(&apart), apart);
    }
}
