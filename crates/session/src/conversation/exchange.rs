//! A message and what was answered to it: the smallest piece of a conversation that is shown or left
//! out as a whole, so that no call is ever parted from its result.

use patter_llm::{AssistantMessage, Message, TokenCounter, ToolResult};
use patter_protocol::{JsonObject, MessageId, ResponseId};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) message_id: MessageId,
    pub(super) said: String,
    pub(super) metadata: JsonObject,
    /// The answer that counts, and its steps.
    answer: Option<(ResponseId, Vec<Step>)>,
    /// What was counted already; models of different families count differently.
    tokens: Vec<(TokenCounter, u64)>,
}

/// One step of an answer: what the model made, and what its tools gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Step {
    pub(crate) message: AssistantMessage,
    pub(crate) results: Vec<ToolResult>,
}

impl Exchange {
    pub(super) fn new(message_id: MessageId, said: String, metadata: JsonObject) -> Self {
        Self {
            message_id,
            said,
            metadata,
            answer: None,
            tokens: Vec::new(),
        }
    }

    pub(super) fn set_answer(&mut self, response_id: ResponseId, steps: Vec<Step>) {
        self.answer = Some((response_id, steps));
        self.tokens.clear();
    }

    pub(super) fn response_id(&self) -> Option<ResponseId> {
        self.answer.as_ref().map(|(response_id, _)| *response_id)
    }

    fn steps(&self) -> &[Step] {
        self.answer
            .as_ref()
            .map_or(&[], |(_, steps)| steps.as_slice())
    }

    /// The message alone.
    pub(super) fn question(&self) -> Message {
        Message::user(self.said.clone())
    }

    /// All of it, as a model is shown it.
    pub(super) fn messages(&self) -> Vec<Message> {
        let mut messages = vec![self.question()];
        for step in self.steps() {
            messages.push(Message::Assistant(step.message.clone()));
            if !step.results.is_empty() {
                messages.push(Message::ToolResults(step.results.clone()));
            }
        }
        messages
    }

    /// Tokens of all of it; counted once for each way of counting.
    pub(super) fn tokens(&mut self, counter: TokenCounter) -> u64 {
        let known = self.tokens.iter().find(|(by, _)| *by == counter);
        if let Some((_, tokens)) = known {
            return *tokens;
        }
        let tokens = counter.messages(&self.messages());
        // Most conversations are counted in one way.
        self.tokens.reserve_exact(1);
        self.tokens.push((counter, tokens));
        tokens
    }

    /// What was said, line by line, as a person would write it down: `user: ...`, what its tools
    /// found (`tool NAME: ...`), `assistant: ...`.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("user: {}", self.said)];
        let mut answer = String::new();
        for step in self.steps() {
            answer.push_str(&step.message.joined_text());
            lines.extend(step.results.iter().map(|result| match &result.outcome {
                Ok(value) => format!("tool {}: {value}", result.name),
                Err(problem) => format!("tool {}: failed: {problem}", result.name),
            }));
        }
        if !answer.is_empty() {
            lines.push(format!("assistant: {answer}"));
        }
        lines
    }
}
