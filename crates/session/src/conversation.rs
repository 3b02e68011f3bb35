//! The conversation as the model sees it, built from the events of the log alone: what a session
//! remembers and what it would find after a restart are the same.

mod exchange;
mod recall;
mod steps;

use std::collections::{HashMap, HashSet};

use patter_protocol::{CallId, EventBody, JsonObject, MessageId, ResponseId, UserMessage};
use serde_json::Value;

use crate::plan::Question;
use exchange::Exchange;
pub(crate) use exchange::Step;
use recall::RunningSummary;
pub(crate) use recall::{Overflow, Room};
use steps::CallLedger;
pub(crate) use steps::{PrivateSteps, WaitingAnswer};

/// What was said, in the order in which it was answered.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    answered: Vec<Exchange>,
    waiting: Vec<Exchange>,
    /// Every message id of the log, and its place once it is stored.
    places: HashMap<MessageId, Option<u64>>,
    /// The answer to each message that counts, whether it is shown to a model or not.
    answers: HashMap<MessageId, ResponseId>,
    /// Messages whose place another one took before they were answered.
    replaced: HashSet<MessageId>,
    last_message: Option<MessageId>,
    calls: CallLedger,
    /// What the session was opened with.
    metadata: JsonObject,
    /// Of the oldest of `answered`.
    summary: Option<RunningSummary>,
    /// Rises when something of `answered` is changed or taken out.
    revision: u64,
}

impl Conversation {
    /// Takes in an event: one of the log, or one on its way there. `private` is what was stored
    /// with it.
    pub(crate) fn apply(&mut self, body: &EventBody, private: Option<&Value>) {
        match body {
            EventBody::UserMessage(message) => self.apply_user_message(message),
            EventBody::ToolCall(call) => self.calls.called(call, private),
            EventBody::ToolApproved(approved) => self.calls.approved(approved),
            EventBody::ToolResult(result) => self.calls.ended(result),
            EventBody::AiResponse(answer) => {
                let steps = self.calls.settle(answer, private);
                if !answer.superseded {
                    self.answer(&answer.message_id, answer.response_id, steps);
                }
            }
            EventBody::SessionStarted(started) => self.metadata.clone_from(&started.metadata),
            EventBody::SessionEnded(_) | EventBody::SessionSummary(_) => {}
        }
    }

    fn apply_user_message(&mut self, message: &UserMessage) {
        if let Some(replaced) = &message.replaces {
            if let Some(at) = self.place_in_answered(replaced) {
                self.answered.remove(at);
                self.changed(at);
            } else {
                self.replaced.insert(replaced.clone());
            }
        }
        self.places.entry(message.id.clone()).or_default();
        self.last_message = Some(message.id.clone());
        self.waiting.push(Exchange::new(
            message.id.clone(),
            message.content.clone(),
            message.metadata.clone(),
        ));
    }

    fn answer(&mut self, message_id: &MessageId, response_id: ResponseId, steps: Vec<Step>) {
        self.answers.insert(message_id.clone(), response_id);
        if let Some(at) = self
            .waiting
            .iter()
            .position(|it| it.message_id == *message_id)
        {
            let mut exchange = self.waiting.remove(at);
            if !self.replaced.contains(message_id) {
                exchange.set_answer(response_id, steps);
                self.answered.push(exchange);
            }
        } else if let Some(at) = self.place_in_answered(message_id) {
            if let Some(exchange) = self.answered.get_mut(at) {
                exchange.set_answer(response_id, steps);
            }
            self.changed(at);
        }
    }

    fn place_in_answered(&self, message_id: &MessageId) -> Option<usize> {
        self.answered
            .iter()
            .position(|it| it.message_id == *message_id)
    }

    /// An exchange of `answered` is not what it was: a summary of it is void.
    fn changed(&mut self, at: usize) {
        self.revision += 1;
        self.summary.take_if(|summary| at < summary.covers);
    }

    fn find(&self, message_id: &MessageId) -> Option<&Exchange> {
        let mut all = self.answered.iter().chain(&self.waiting);
        all.find(|it| it.message_id == *message_id)
    }

    /// A message as its route is chosen by.
    pub(crate) fn question(&self, message_id: &MessageId) -> Option<Question> {
        let exchange = self.find(message_id)?;
        let before = self
            .answered
            .iter()
            .filter(|it| it.message_id != *message_id);
        Some(Question {
            text: exchange.said.clone(),
            message_metadata: exchange.metadata.clone(),
            session_metadata: self.metadata.clone(),
            turns: before.count() as u64,
        })
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

    /// The answer to a message that counts, as far as there is one.
    pub(crate) fn answer_to(&self, message_id: &MessageId) -> Option<ResponseId> {
        self.answers.get(message_id).copied()
    }

    /// Whether a call has no result and its answer is not over.
    pub(crate) fn is_open_call(&self, call_id: CallId) -> bool {
        self.calls
            .open()
            .iter()
            .any(|(_, open, _)| *open == call_id)
    }

    /// The calls of answers that are not over and that have no result.
    pub(crate) fn open_calls(&self) -> Vec<(ResponseId, CallId, String)> {
        self.calls.open()
    }

    /// The answer that is not over although calls were made in it, and its calls in order.
    pub(crate) fn open_answer(&self) -> Option<(ResponseId, Vec<CallId>)> {
        self.calls.first_answer()
    }

    /// The answer that is not over and in which calls wait for a person, if it can be gone on with.
    pub(crate) fn waiting_answer(&self) -> Option<WaitingAnswer> {
        let waiting = self.calls.waiting_answer()?;
        let message_id = &waiting.waypoint.message_id;
        let is_its_turn = match waiting.waypoint.supersedes {
            Some(earlier) => self.answer_to(message_id) == Some(earlier),
            None => self.waiting.iter().any(|it| it.message_id == *message_id),
        };
        is_its_turn.then_some(waiting)
    }

    /// The call that waits for a person, if its answer is not over.
    pub(crate) fn waits_for_a_person(&self, call_id: CallId) -> bool {
        self.calls.waits_for_a_person(call_id)
    }

    /// The message that was answered last, with its answer: what `regenerate` speaks of.
    pub(crate) fn last_answer(&self) -> Option<(&MessageId, ResponseId)> {
        let exchange = self.answered.last()?;
        Some((&exchange.message_id, exchange.response_id()?))
    }

    /// Whether anything was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.answered.is_empty() && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests;
