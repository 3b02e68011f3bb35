//! A conversation as a model sees it, in words that no provider owns.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::media::Media;

/// One message of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// What a person said.
    User(UserMessage),
    /// What the model answered in one step.
    Assistant(AssistantMessage),
    /// What the tools gave for the calls of the assistant message right before,
    /// one for each call, in the order of the calls.
    ToolResults(Vec<ToolResult>),
}

/// What a person said: text and files in the order they were given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserMessage {
    /// Text and files, in order.
    pub parts: Vec<UserPart>,
}

/// A piece of a [`UserMessage`].
#[derive(Debug, Clone, PartialEq)]
pub enum UserPart {
    /// Text.
    Text(String),
    /// An image or another file.
    Media(Media),
}

/// One step of the model: text and tool calls in the order they were made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssistantMessage {
    /// Text and calls, in order.
    pub parts: Vec<AssistantPart>,
    /// What the provider wants to see again with this message. A backend uses it
    /// if it is its own kind and leaves it out otherwise.
    pub provider_data: Option<ProviderData>,
}

/// A piece of an [`AssistantMessage`].
#[derive(Debug, Clone, PartialEq)]
pub enum AssistantPart {
    /// Text for the person.
    Text(String),
    /// A tool that the model wants to be run.
    ToolCall(ToolCall),
}

/// A tool that the model wants to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Names the call. The provider's own where it gave one, else made by the backend; a caller
    /// may replace it by its own as long as the [`ToolResult`] carries the same.
    pub id: String,
    /// Name of the tool.
    pub name: String,
    /// Arguments, as an object.
    pub arguments: Map<String, Value>,
}

/// What a tool gave.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// The [`ToolCall::id`] it belongs to.
    pub call_id: String,
    /// Name of the tool.
    pub name: String,
    /// What came out, or an explanation of what went wrong for the model to act on.
    pub outcome: Result<Value, String>,
}

/// What a provider gave with an answer and must get back with it, unread: Gemini's thought
/// signatures, the reasoning items of OpenAI. Belongs to one [`AssistantMessage`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderData {
    /// Which backend understands it, such as `gemini`.
    pub kind: String,
    /// Opaque to everybody else.
    pub data: Value,
}

impl Message {
    /// What a person said, in text alone.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User(UserMessage {
            parts: vec![UserPart::Text(text.into())],
        })
    }
}

impl UserMessage {
    /// All its text, joined; files are left out.
    #[must_use]
    pub fn joined_text(&self) -> Cow<'_, str> {
        let mut texts = self.parts.iter().filter_map(|part| match part {
            UserPart::Text(text) => Some(text.as_str()),
            UserPart::Media(_) => None,
        });
        let first = texts.next().unwrap_or_default();
        match texts.next() {
            None => Cow::Borrowed(first),
            Some(second) => Cow::Owned([first, second].into_iter().chain(texts).collect()),
        }
    }
}

impl AssistantMessage {
    /// A message that is nothing but text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            parts: vec![AssistantPart::Text(text.into())],
            provider_data: None,
        }
    }

    /// The calls in it, in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match part {
            AssistantPart::ToolCall(call) => Some(call),
            AssistantPart::Text(_) => None,
        })
    }

    /// All its text, joined.
    pub fn joined_text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| match part {
                AssistantPart::Text(text) => Some(text.as_str()),
                AssistantPart::ToolCall(_) => None,
            })
            .collect()
    }
}
