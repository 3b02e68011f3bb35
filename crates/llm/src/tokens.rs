//! How many tokens a request has, before it is sent.
//!
//! Text is counted with the model's own vocabulary where this crate has it (feature `o200k`) and
//! estimated otherwise, rather too high than too low. What providers wrap around a message is
//! counted by a flat number, and so is what is no text.

use serde::{Deserialize, Serialize};

use crate::catalog::ModelInfo;
use crate::media::Media;
use crate::message::{AssistantMessage, AssistantPart, Message, ToolResult, UserPart};
use crate::request::ChatRequest;

mod estimate;
mod json;
#[cfg(feature = "o200k")]
mod o200k;

/// What stands around a message: role, begin and end. OpenAI counts 3 or 4
/// (<https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken>).
const MESSAGE: u64 = 4;

/// What stands around a call, a result or a declaration of a tool, by the same source.
const TOOL: u64 = 12;

/// A picture, where the catalog does not say what it costs. OpenAI's models have at most 1,445
/// tokens for one by their tiles, or 2,500 by their patches; Gemini's have 1,120.
const IMAGE: u64 = 2_500;

/// Speech at 32 kbit/s has 4,000 bytes in a second, for which Gemini counts 32 tokens; whatever
/// has a higher rate is counted too high.
const BYTES_PER_SOUND_TOKEN: u64 = 128;

/// A page of text in a PDF has some 10 kB, and 560 tokens at Gemini.
const BYTES_PER_FILE_TOKEN: u64 = 16;

/// Which vocabulary a model splits its text by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tokenizer {
    /// `o200k_base`, of OpenAI's models since GPT-4o. Estimated where the feature `o200k` is off.
    O200k,
}

/// Counts the tokens of texts and messages for one model. Cheap to make and to copy.
///
/// It takes time in proportion to the text, whatever the text: some 20 ms for a megabyte by a
/// vocabulary and 5 ms by the estimate. The first count by a vocabulary takes two seconds more, and
/// 70 MB for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenCounter {
    measure: Measure,
    image: u64,
}

/// What a text is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Estimate,
    #[cfg(feature = "o200k")]
    O200k,
    /// A token has at least one byte, so no text has more tokens.
    Bytes,
}

impl TokenCounter {
    /// The counter for a model.
    #[must_use]
    pub fn of(model: &ModelInfo) -> Self {
        Self {
            measure: match model.tokenizer {
                #[cfg(feature = "o200k")]
                Some(Tokenizer::O200k) => Measure::O200k,
                _ => Measure::Estimate,
            },
            image: model.image_tokens.unwrap_or(IMAGE),
        }
    }

    /// The counter for a model of which nothing is known.
    #[must_use]
    pub const fn estimate() -> Self {
        Self {
            measure: Measure::Estimate,
            image: IMAGE,
        }
    }

    /// Tokens of a text by itself.
    #[must_use]
    pub fn text(self, text: &str) -> u64 {
        match self.measure {
            Measure::Estimate => estimate::tokens(text),
            #[cfg(feature = "o200k")]
            Measure::O200k => o200k::tokens_of(text).unwrap_or_else(|| estimate::tokens(text)),
            Measure::Bytes => text.len() as u64,
        }
    }

    /// Tokens that a message adds to a request.
    #[must_use]
    pub fn message(self, message: &Message) -> u64 {
        let parts = match message {
            Message::User(message) => message.parts.iter().map(|part| self.part(part)).sum(),
            Message::Assistant(message) => self.assistant(message),
            Message::ToolResults(results) => results.iter().map(|each| self.result(each)).sum(),
        };
        MESSAGE + parts
    }

    /// Tokens that the messages add to a request.
    #[must_use]
    pub fn messages(self, messages: &[Message]) -> u64 {
        messages.iter().map(|message| self.message(message)).sum()
    }

    /// Tokens of what a request has beside its messages: system text and tools.
    #[must_use]
    pub fn preamble(self, request: &ChatRequest) -> u64 {
        let system = request.system.as_deref();
        let tools = request.tools.iter().map(|tool| {
            TOOL + self.text(&tool.name)
                + self.text(&tool.description)
                + self.json(&tool.parameters)
        });
        system.map_or(0, |text| MESSAGE + self.text(text)) + tools.sum::<u64>()
    }

    /// At least as many as the request can have by any tokenizer, found without reading its text.
    pub(crate) fn upper_bound(self, request: &ChatRequest) -> u64 {
        let bytes = self.bytes();
        bytes.preamble(request) + bytes.messages(&request.messages)
    }

    /// A counter that takes every byte for a token: never too few, and found without reading text.
    #[must_use]
    pub fn bytes(self) -> Self {
        Self {
            measure: Measure::Bytes,
            ..self
        }
    }

    /// Whether the first count loads a vocabulary.
    pub(crate) fn has_to_be_loaded(self) -> bool {
        !matches!(self.measure, Measure::Estimate | Measure::Bytes)
    }

    fn part(self, part: &UserPart) -> u64 {
        match part {
            UserPart::Text(text) => self.text(text),
            UserPart::Media(media) => self.media(media),
        }
    }

    fn media(self, media: &Media) -> u64 {
        let bytes = media.data.len() as u64;
        let (kind, _) = media.mime_type.split_once('/').unwrap_or_default();
        match kind {
            "image" => self.image,
            "audio" | "video" => bytes.div_ceil(BYTES_PER_SOUND_TOKEN),
            // As many as its bytes in the worst case, which for text is not unlikely.
            "text" => bytes,
            _ => bytes.div_ceil(BYTES_PER_FILE_TOKEN),
        }
    }

    fn assistant(self, message: &AssistantMessage) -> u64 {
        let parts = message.parts.iter().map(|part| match part {
            AssistantPart::Text(text) => self.text(text),
            AssistantPart::ToolCall(call) => {
                TOOL + self.text(&call.id) + self.text(&call.name) + self.json(&call.arguments)
            }
        });
        let data = message.provider_data.as_ref();
        // Nobody but the provider can read it. It is mostly Base64 of encrypted text.
        let data = data.map_or(0, |data| json::bytes(&data.data).div_ceil(4));
        parts.sum::<u64>() + data
    }

    fn result(self, result: &ToolResult) -> u64 {
        let outcome = match &result.outcome {
            Ok(value) => self.json(value),
            Err(message) => self.text(message),
        };
        TOOL + self.text(&result.call_id) + self.text(&result.name) + outcome
    }

    fn json(self, value: &impl Serialize) -> u64 {
        if self.measure == Measure::Bytes {
            json::bytes(value)
        } else {
            self.text(&json::text(value))
        }
    }
}
