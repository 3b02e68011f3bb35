//! The step of an answer that a model is at, and who that model is. All that was said in a step is
//! void when another model takes over.

use patter_llm::{AssistantMessage, AssistantPart, ChatModel, LlmError, ToolCall};

use super::answer_text::Mark;

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Voice {
    pub(super) provider: String,
    pub(super) model: String,
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct OpenStep {
    /// What it said.
    pub(super) message: AssistantMessage,
    /// Where its text begins in that of the answer.
    pub(super) begins: Mark,
    /// Whether readers were shown any of it.
    pub(super) shown: bool,
}

impl Voice {
    pub(super) fn of(model: &dyn ChatModel) -> Self {
        Self {
            provider: model.provider().to_owned(),
            model: model.model().to_owned(),
        }
    }

    /// What readers are told when `other` takes over.
    pub(super) fn hands_over_to(&self, other: &Self) -> String {
        format!(
            "{} of {} failed. {} of {} answers instead.",
            self.model, self.provider, other.model, other.provider
        )
    }

    pub(super) fn sent_nonsense(&self, message: &str) -> LlmError {
        LlmError::Malformed {
            provider: self.provider.clone(),
            message: message.to_owned(),
        }
    }

    pub(super) fn broke_off(&self) -> LlmError {
        LlmError::Truncated {
            provider: self.provider.clone(),
        }
    }
}

impl OpenStep {
    pub(super) fn new(begins: Mark) -> Self {
        Self {
            message: AssistantMessage::default(),
            begins,
            shown: false,
        }
    }

    /// Whether the model said anything.
    pub(super) fn is_begun(&self) -> bool {
        self.shown || !self.message.parts.is_empty()
    }

    pub(super) fn say(&mut self, piece: &str) {
        self.shown = true;
        match self.message.parts.last_mut() {
            Some(AssistantPart::Text(text)) => text.push_str(piece),
            _ => self
                .message
                .parts
                .push(AssistantPart::Text(piece.to_owned())),
        }
    }

    pub(super) fn call(&mut self, call: ToolCall) {
        self.message.parts.push(AssistantPart::ToolCall(call));
    }
}
