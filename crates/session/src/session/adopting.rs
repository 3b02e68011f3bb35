//! What this machine kept of a session on local disk, and could not store before the session was
//! opened again: it goes in now, through the session that is there.
//!
//! Somebody else may have had the session meanwhile. Then what a person said goes in all the same, and
//! so does an answer that was given here. It takes the place of one that the other one could only call
//! interrupted; where the other one has answered, that answer counts.

use std::collections::{HashMap, HashSet};

use patter_protocol::{
    AiResponse, DurableEvent, EventBody, EventId, FinishReason, ResponseId, Timestamp,
};
use patter_store::{Fence, Kept};
use tracing::{info, warn};

use super::Session;

/// Events of the spool that are not in the log.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    kept: Vec<Kept>,
    /// Events of the spool that are in the log.
    stored: Vec<EventId>,
    /// The answers that are in the log, and not from the spool.
    ended: HashMap<ResponseId, Ended>,
}

/// An answer that came to its end somewhere else, or before.
#[derive(Debug, Clone, Copy)]
struct Ended {
    at: Timestamp,
    /// Whether it is no more than the word that there is none.
    is_void: bool,
}

impl Leftovers {
    pub(super) fn new(kept: Vec<Kept>) -> Self {
        Self {
            kept,
            ..Self::default()
        }
    }

    /// An event of the log.
    pub(super) fn found_in_log(&mut self, event: &DurableEvent) {
        if self.kept.is_empty() {
            return;
        }
        let mut kept = self.kept.iter();
        if let Some(at) = kept.position(|it| it.event.event_id == event.event_id) {
            self.kept.remove(at);
            self.stored.push(event.event_id);
        } else if let EventBody::AiResponse(answer) = &event.body {
            let is_void = match answer.finish_reason {
                FinishReason::Interrupted => true,
                FinishReason::Error => answer.content.is_empty(),
                _ => false,
            };
            let at = event.at;
            self.ended.insert(answer.response_id, Ended { at, is_void });
        }
    }

    /// Whether any of them tells what the log does not know.
    pub(super) fn has_news(&self) -> bool {
        self.kept.iter().any(|kept| !is_told_anew(&kept.event.body))
    }

    /// All of them, those in the log included.
    pub(super) fn into_ids(self) -> Vec<EventId> {
        let kept = self.kept.into_iter().map(|kept| kept.event.event_id);
        self.stored.into_iter().chain(kept).collect()
    }

    /// The answers that came to their end.
    fn answers(&self) -> HashSet<ResponseId> {
        let answer = |kept: &Kept| match &kept.event.body {
            EventBody::AiResponse(answer) => Some(answer.response_id),
            _ => None,
        };
        self.kept.iter().filter_map(answer).collect()
    }

    /// Gives new ids to answers that came to their end here, and that somebody else brought to another
    /// end meanwhile.
    fn take_new_ids(&mut self) {
        let ended_twice = |id: &ResponseId| self.ended.contains_key(id);
        let answers = self.answers().into_iter().filter(ended_twice);
        let new_ids: HashMap<_, _> = answers.map(|id| (id, ResponseId::generate())).collect();
        let ids = self
            .kept
            .iter_mut()
            .flat_map(|kept| response_ids(&mut kept.event.body));
        for id in ids {
            if let Some(new_id) = new_ids.get(id) {
                *id = *new_id;
            }
        }
    }
}

/// Whether an event has no place in a log that went on without it: the session was opened anew, and
/// will end anew.
fn is_told_anew(body: &EventBody) -> bool {
    matches!(
        body,
        EventBody::SessionStarted(_)
            | EventBody::ToolApproved(_)
            | EventBody::SessionEnded(_)
            | EventBody::SessionSummary(_)
    )
}

/// The answers that an event is about.
fn response_ids(body: &mut EventBody) -> Vec<&mut ResponseId> {
    match body {
        EventBody::ToolCall(call) => vec![&mut call.response_id],
        EventBody::ToolApproved(approved) => vec![&mut approved.response_id],
        EventBody::ToolResult(result) => vec![&mut result.response_id],
        EventBody::AiResponse(answer) => {
            let earlier = answer.supersedes.as_mut();
            earlier
                .into_iter()
                .chain([&mut answer.response_id])
                .collect()
        }
        EventBody::SessionStarted(_)
        | EventBody::UserMessage(_)
        | EventBody::SessionEnded(_)
        | EventBody::SessionSummary(_) => Vec::new(),
    }
}

impl Session {
    /// Takes in what is left of an earlier opening of the session.
    pub(super) fn adopt(&mut self, mut leftovers: Leftovers, fence: Fence) {
        if !leftovers.kept.is_empty() {
            let events = leftovers.kept.len();
            info!(session_id = %self.session_id, events, "storing what was kept on local disk");
        }
        leftovers.take_new_ids();
        let answers = leftovers.answers();
        let Leftovers {
            kept,
            stored: mut void,
            ended,
        } = leftovers;
        let last_end = ended.values().map(|ended| ended.at).max();
        for Kept {
            fence: its_fence,
            mut event,
        } in kept
        {
            let event_id = event.event_id;
            let somebody_came_between = its_fence.0 + 1 < fence.0;
            if let EventBody::AiResponse(answer) = &mut event.body {
                self.fit_answer(answer, &ended);
            }
            let was_ended_since = somebody_came_between && last_end >= Some(event.at);
            if self.has_place(&event.body, &answers, &ended, was_ended_since) {
                self.conversation.apply(&event.body, event.private.as_ref());
                self.counters.apply(&event.body, event.at);
                self.log.push_kept(event);
                continue;
            }
            if somebody_came_between {
                let event_type = event.body.type_name();
                warn!(session_id = %self.session_id, event_type, %event_id, "an event that was kept has no place any more");
            }
            void.push(event_id);
        }
        self.log.forget(void);
    }

    /// Says how an answer that was kept and one that the log has stand to each other.
    fn fit_answer(&self, answer: &mut AiResponse, ended: &HashMap<ResponseId, Ended>) {
        let Some(current) = self.conversation.answer_to(&answer.message_id) else {
            return;
        };
        if answer.supersedes == Some(current) {
            return;
        }
        let is_void = ended.get(&current).is_some_and(|ended| ended.is_void);
        answer.supersedes = is_void.then_some(current);
        answer.superseded = !is_void;
    }

    /// Whether an event has a place in the log as it is now. `answers` came to their end here, those of
    /// `ended` somewhere else or before; `was_ended_since` where somebody else ended one after the event.
    fn has_place(
        &self,
        body: &EventBody,
        answers: &HashSet<ResponseId>,
        ended: &HashMap<ResponseId, Ended>,
        was_ended_since: bool,
    ) -> bool {
        match body {
            EventBody::ToolCall(call) if answers.contains(&call.response_id) => true,
            EventBody::ToolCall(call) if ended.contains_key(&call.response_id) => false,
            // Whoever had the session ended the answer to its message first, and no earlier than seconds
            // after the call, when the lease had run out: clocks need not agree any better.
            EventBody::ToolCall(_) => !was_ended_since,
            // What it was for has not run: a call runs when its approval is in the store.
            EventBody::ToolApproved(_) => false,
            EventBody::ToolResult(result) => self.conversation.is_open_call(result.call_id),
            EventBody::UserMessage(message) => self.conversation.place_of(&message.id).is_none(),
            EventBody::AiResponse(_) => true,
            EventBody::SessionStarted(_)
            | EventBody::SessionEnded(_)
            | EventBody::SessionSummary(_) => false,
        }
    }
}
