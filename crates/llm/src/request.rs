//! What is asked of a model.

use serde_json::Value;

use crate::media::Media;
use crate::message::{AssistantMessage, Message, ToolResult, UserMessage, UserPart};

/// One request: the conversation so far, what the model may call, and its limits.
#[derive(Debug, Clone, Default)]
pub struct ChatRequest {
    /// Instructions that stand above the conversation.
    pub system: Option<String>,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// Tools that the model may call.
    pub tools: Vec<ToolDeclaration>,
    /// At most this many tokens of answer; the provider's own limit where `None`.
    pub max_output_tokens: Option<u32>,
    /// Sampling temperature. Several current models ignore or refuse it, so it is
    /// sent only where it is set, and not to a model of OpenAI that is known to refuse it.
    pub temperature: Option<f32>,
    /// Names the conversation, for [`Traced`](crate::Traced) alone: no provider is told.
    pub conversation: Option<String>,
}

/// A tool as a model sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolDeclaration {
    /// 1 to 64 characters of `[A-Za-z0-9_-]`, beginning with a letter or `_`.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON Schema of its arguments; the root is an object.
    pub parameters: Value,
}

impl ChatRequest {
    /// An empty request.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the instructions.
    #[must_use]
    pub fn system(mut self, text: impl Into<String>) -> Self {
        self.system = Some(text.into());
        self
    }

    /// Adds what a person said.
    #[must_use]
    pub fn user(mut self, text: impl Into<String>) -> Self {
        self.messages.push(Message::user(text));
        self
    }

    /// Adds what a person said about these files, the files first.
    #[must_use]
    pub fn user_with(
        mut self,
        files: impl IntoIterator<Item = Media>,
        text: impl Into<String>,
    ) -> Self {
        let mut parts: Vec<_> = files.into_iter().map(UserPart::Media).collect();
        parts.push(UserPart::Text(text.into()));
        self.messages.push(Message::User(UserMessage { parts }));
        self
    }

    /// Adds what the model answered.
    #[must_use]
    pub fn assistant(mut self, message: AssistantMessage) -> Self {
        self.messages.push(Message::Assistant(message));
        self
    }

    /// Adds the results of the calls in the assistant message before.
    #[must_use]
    pub fn tool_results(mut self, results: Vec<ToolResult>) -> Self {
        self.messages.push(Message::ToolResults(results));
        self
    }

    /// Offers tools.
    #[must_use]
    pub fn tools(mut self, tools: impl IntoIterator<Item = ToolDeclaration>) -> Self {
        self.tools.extend(tools);
        self
    }

    /// Limits the answer, in tokens.
    #[must_use]
    pub fn max_output_tokens(mut self, tokens: u32) -> Self {
        self.max_output_tokens = Some(tokens);
        self
    }
}
