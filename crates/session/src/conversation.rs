//! The conversation as the model sees it, built from the events of the log alone: what a session
//! remembers and what it would find after a restart are the same.

mod steps;

use std::collections::HashMap;

use patter_llm::{AssistantMessage, Message, ToolResult};
use patter_protocol::{CallId, EventBody, MessageId, ResponseId, UserMessage};
use serde_json::Value;

use steps::CallLedger;
pub(crate) use steps::PrivateSteps;

/// What was said, in the order in which it was answered.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    answered: Vec<Exchange>,
    waiting: Vec<Exchange>,
    /// Every message id of the log, and its place once it is stored.
    places: HashMap<MessageId, Option<u64>>,
    last_message: Option<MessageId>,
    calls: CallLedger,
}

/// A message and what was answered to it.
#[derive(Debug)]
struct Exchange {
    message_id: MessageId,
    said: String,
    /// The answer that counts, and its steps.
    answer: Option<(ResponseId, Vec<Step>)>,
}

/// One step of an answer: what the model made, and what its tools gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Step {
    pub(crate) message: AssistantMessage,
    pub(crate) results: Vec<ToolResult>,
}

impl Conversation {
    /// Takes in an event: one of the log, or one on its way there. `private` is what was stored
    /// with it.
    pub(crate) fn apply(&mut self, body: &EventBody, private: Option<&Value>) {
        match body {
            EventBody::UserMessage(message) => self.apply_user_message(message),
            EventBody::ToolCall(call) => self.calls.called(call),
            EventBody::ToolResult(result) => self.calls.ended(result),
            EventBody::AiResponse(answer) => {
                let steps = self.calls.settle(answer, private);
                self.answer(&answer.message_id, answer.response_id, steps);
            }
            EventBody::SessionStarted(_)
            | EventBody::SessionEnded(_)
            | EventBody::SessionSummary(_) => {}
        }
    }

    fn apply_user_message(&mut self, message: &UserMessage) {
        if let Some(replaced) = &message.replaces {
            self.answered
                .retain(|exchange| exchange.message_id != *replaced);
        }
        self.places.entry(message.id.clone()).or_default();
        self.last_message = Some(message.id.clone());
        self.waiting.push(Exchange {
            message_id: message.id.clone(),
            said: message.content.clone(),
            answer: None,
        });
    }

    fn answer(&mut self, message_id: &MessageId, response_id: ResponseId, steps: Vec<Step>) {
        if let Some(at) = self
            .waiting
            .iter()
            .position(|it| it.message_id == *message_id)
        {
            let mut exchange = self.waiting.remove(at);
            exchange.answer = Some((response_id, steps));
            self.answered.push(exchange);
        } else if let Some(exchange) = self
            .answered
            .iter_mut()
            .find(|it| it.message_id == *message_id)
        {
            exchange.answer = Some((response_id, steps));
        }
    }

    /// Notes where in the log a message stands.
    pub(crate) fn stored(&mut self, message_id: &MessageId, seq: u64) {
        self.places.insert(message_id.clone(), Some(seq));
    }

    /// Whether a message was taken before: `None` if not, else its place, if it has one already.
    pub(crate) fn place_of(&self, message_id: &MessageId) -> Option<Option<u64>> {
        self.places.get(message_id).copied()
    }

    /// The last message that was said.
    pub(crate) fn last_message(&self) -> Option<&MessageId> {
        self.last_message.as_ref()
    }

    /// The messages that have no answer, oldest first.
    pub(crate) fn unanswered(&self) -> Vec<MessageId> {
        self.waiting
            .iter()
            .map(|exchange| exchange.message_id.clone())
            .collect()
    }

    /// The calls of answers that are not over and that have no result.
    pub(crate) fn open_calls(&self) -> Vec<(ResponseId, CallId, String)> {
        self.calls.open()
    }

    /// The answer that is not over although calls were made in it, and its calls in order.
    pub(crate) fn open_answer(&self) -> Option<(ResponseId, Vec<CallId>)> {
        self.calls.first_answer()
    }

    /// The message that was answered last, with its answer: what `regenerate` speaks of.
    pub(crate) fn last_answer(&self) -> Option<(&MessageId, ResponseId)> {
        let exchange = self.answered.last()?;
        let (response_id, _) = exchange.answer.as_ref()?;
        Some((&exchange.message_id, *response_id))
    }

    /// Whether anything was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.answered.is_empty() && self.waiting.is_empty()
    }

    /// What a model is shown when it is to answer `message_id`: everything that was answered
    /// before, and the message.
    pub(crate) fn messages_for(&self, message_id: &MessageId) -> Vec<Message> {
        let mut messages = Vec::new();
        for exchange in self
            .answered
            .iter()
            .filter(|it| it.message_id != *message_id)
        {
            messages.push(Message::user(exchange.said.clone()));
            for step in exchange.steps() {
                messages.push(Message::Assistant(step.message.clone()));
                if !step.results.is_empty() {
                    messages.push(Message::ToolResults(step.results.clone()));
                }
            }
        }
        let asked = self.answered.iter().chain(&self.waiting);
        messages.extend(
            asked
                .filter(|it| it.message_id == *message_id)
                .map(|exchange| Message::user(exchange.said.clone())),
        );
        messages
    }

    /// What was said, line by line, as a person would write it down: `user: ...`, what its tools
    /// found (`tool NAME: ...`), `assistant: ...`.
    pub(crate) fn transcript(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for exchange in self.answered.iter().chain(&self.waiting) {
            lines.push(format!("user: {}", exchange.said));
            let mut answer = String::new();
            for step in exchange.steps() {
                answer.push_str(&step.message.joined_text());
                lines.extend(step.results.iter().map(|result| match &result.outcome {
                    Ok(value) => format!("tool {}: {value}", result.name),
                    Err(problem) => format!("tool {}: failed: {problem}", result.name),
                }));
            }
            if !answer.is_empty() {
                lines.push(format!("assistant: {answer}"));
            }
        }
        lines
    }
}

impl Exchange {
    fn steps(&self) -> &[Step] {
        self.answer
            .as_ref()
            .map_or(&[], |(_, steps)| steps.as_slice())
    }
}

#[cfg(test)]
mod tests;
