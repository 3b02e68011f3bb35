//! One chunk of a Chat Completions stream as JSON, in all the forms that compatible servers
//! give it. Only what is used is named; whatever else comes is skipped without being kept. What is large and
//! rare is in a box, since a chunk is moved some times while it is read.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk {
    pub(super) choices: Option<Vec<Choice>>,
    pub(super) usage: Option<Box<WireUsage>>,
    /// Read again, as a refusal, where it is there.
    pub(super) error: Option<IgnoredAny>,
    /// In place of `choices` these make the whole chunk an error, as some servers write them.
    pub(super) message: Option<IgnoredAny>,
    pub(super) detail: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    /// Choices after the first are not asked for.
    pub(super) index: Option<u32>,
    pub(super) delta: Option<Delta>,
    /// In place of `delta` where the answer was not streamed; beside it, it repeats what came.
    pub(super) message: Option<Box<Delta>>,
    pub(super) finish_reason: Option<String>,
    /// What the model behind `OpenRouter` said, which `finish_reason` can hide.
    pub(super) native_finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delta {
    pub(super) content: Option<Content>,
    pub(super) reasoning_content: Option<Content>,
    pub(super) reasoning: Option<Content>,
    /// A list of what `OpenRouter` wants back; its text stands in `reasoning` too.
    pub(super) reasoning_details: Option<Value>,
    pub(super) refusal: Option<Content>,
    pub(super) tool_calls: Option<Vec<ToolDelta>>,
}

impl Chunk {
    /// The text of a chunk that says nothing else.
    pub(super) fn bare_text(&self) -> Option<&str> {
        let Self {
            choices: Some(choices),
            usage: None,
            error: None,
            message: None,
            detail: None,
        } = self
        else {
            return None;
        };
        let [
            Choice {
                index: None | Some(0),
                delta: Some(delta),
                message: None,
                finish_reason: None,
                native_finish_reason: None,
            },
        ] = choices.as_slice()
        else {
            return None;
        };
        match delta {
            Delta {
                content: Some(Content::Text(text)),
                reasoning_content: None,
                reasoning: None,
                reasoning_details: None,
                refusal: None,
                tool_calls: None,
            } => Some(text),
            _ => None,
        }
    }
}

/// Text, plain or as a list of parts.
#[derive(Debug)]
pub(super) enum Content {
    Text(String),
    Parts(Vec<Self>),
    Part(Box<ContentPart>),
    Other,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContentPart {
    pub(super) text: Option<Content>,
    pub(super) thinking: Option<Content>,
}

/// By hand, because an untagged enum would copy every text twice more.
impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("text or a list of its parts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = list.next_element()? {
            parts.push(part);
        }
        Ok(Content::Parts(parts))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Content, A::Error> {
        let part = ContentPart::deserialize(MapAccessDeserializer::new(fields))?;
        Ok(Content::Part(Box::new(part)))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Content, E> {
        Ok(Content::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Content, E> {
        Ok(Content::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Content, E> {
        Ok(Content::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Content, E> {
        Ok(Content::Other)
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Other)
    }
}

/// A piece of a tool call, or a whole one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolDelta {
    pub(super) index: Option<u32>,
    pub(super) id: Option<String>,
    pub(super) function: Option<FunctionDelta>,
    /// What Gemini wants back with the call; may come in a piece of its own.
    pub(super) extra_content: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FunctionDelta {
    pub(super) name: Option<String>,
    /// A piece of JSON text, or an object, or nothing.
    pub(super) arguments: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
    pub(super) prompt_tokens_details: Option<PromptDetails>,
    pub(super) completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PromptDetails {
    pub(super) cached_tokens: Option<u64>,
    pub(super) cache_write_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CompletionDetails {
    pub(super) reasoning_tokens: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_in_a_form_that_nobody_knows_is_passed_over() {
        for odd in [
            "5",
            "-5",
            "1.5",
            "true",
            "null",
            "{}",
            "[]",
            "[null, 5, {\"x\": [1]}]",
            "{\"text\": 5, \"thinking\": {\"text\": null}}",
        ] {
            let delta = format!("{{\"content\": {odd}, \"refusal\": \"no\"}}");
            let delta: Delta = serde_json::from_str(&delta).unwrap();
            let refusal = delta.refusal.unwrap();
            assert!(
                matches!(refusal, Content::Text(text) if text == "no"),
                "{odd}"
            );
        }
    }
}
