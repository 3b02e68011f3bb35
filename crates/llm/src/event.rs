//! What a model answers, piece by piece.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::error::LlmError;
use crate::message::{ProviderData, ToolCall};

/// One piece of an answer. An answer that is whole ends with [`ModelEvent::Finish`], exactly once;
/// one that ends otherwise ends with an error.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelEvent {
    /// A piece of text for the person, never empty, as the provider sent it.
    Text(String),
    /// A piece of the model's visible thinking, never empty.
    Reasoning(String),
    /// A complete tool call.
    ToolCall(ToolCall),
    /// Another model answers from here on, and afresh: what this answer said before is void.
    /// Comes from a [`ChatModel`](crate::ChatModel) that has others to turn to.
    Restarted {
        /// Provider that answers now.
        provider: String,
        /// Model that answers now.
        model: String,
        /// What went wrong with the one before; where several failed in between without a word,
        /// with the one of them that says most.
        error: LlmError,
    },
    /// The end.
    Finish {
        /// Why the model stopped.
        reason: FinishReason,
        /// What the step cost, as far as the provider said.
        usage: Usage,
        /// To be put into the [`AssistantMessage`](crate::AssistantMessage) that this step becomes.
        provider_data: Option<ProviderData>,
    },
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// It said all it had to say.
    Stop,
    /// A token limit was met; the text is cut.
    Length,
    /// It waits for the results of its tool calls.
    ToolCalls,
    /// The prompt or the answer was withheld by the provider's filter.
    ContentFilter,
}

/// Tokens of one step. `None` where the provider did not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of the request, cached ones included.
    pub input_tokens: Option<u64>,
    /// Tokens of the answer, reasoning included.
    pub output_tokens: Option<u64>,
    /// Of the input, those that the provider had cached.
    pub cached_input_tokens: Option<u64>,
    /// Of the input, those that the provider has put into its cache for the next time.
    pub cache_write_tokens: Option<u64>,
    /// Of the output, those spent on thinking.
    pub reasoning_tokens: Option<u64>,
}

impl AddAssign for Usage {
    /// Sums what is known; unknown plus known is known.
    fn add_assign(&mut self, other: Self) {
        fn add(sum: &mut Option<u64>, more: Option<u64>) {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        }
        add(&mut self.input_tokens, other.input_tokens);
        add(&mut self.output_tokens, other.output_tokens);
        add(&mut self.cached_input_tokens, other.cached_input_tokens);
        add(&mut self.cache_write_tokens, other.cache_write_tokens);
        add(&mut self.reasoning_tokens, other.reasoning_tokens);
    }
}
