//! What this machine kept of a session on local disk, and could not store before the session was
//! opened again: it goes in now, through the session that is there.
//!
//! Somebody else may have had the session meanwhile. Then what a person said goes in all the same, and
//! an answer that was given here takes the place of what the other one had to put there.

use std::collections::{HashMap, HashSet};

use patter_protocol::{DurableEvent, EventBody, EventId, ResponseId};
use patter_store::{Fence, Kept, NewEvent};
use tracing::{info, warn};

use super::Session;

/// Events of the spool that are not in the log.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    kept: Vec<Kept>,
    /// Events of the spool that are in the log.
    stored: Vec<EventId>,
    /// Answers that came to their end here, and that somebody else brought to another end meanwhile:
    /// what is left of them goes in under a new id.
    new_ids: HashMap<ResponseId, ResponseId>,
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
        let mut kept = self.kept.iter();
        if let Some(at) = kept.position(|it| it.event.event_id == event.event_id) {
            self.kept.remove(at);
            self.stored.push(event.event_id);
        } else if let EventBody::AiResponse(other_end) = &event.body
            && self.answers().contains(&other_end.response_id)
        {
            self.new_ids
                .insert(other_end.response_id, ResponseId::generate());
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

    fn take_new_ids(&mut self) {
        for kept in &mut self.kept {
            if let Some(id) = response_id(&mut kept.event.body)
                && let Some(new_id) = self.new_ids.get(id)
            {
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
        EventBody::SessionStarted(_) | EventBody::SessionEnded(_) | EventBody::SessionSummary(_)
    )
}

/// The answer that an event is of.
fn response_id(body: &mut EventBody) -> Option<&mut ResponseId> {
    match body {
        EventBody::ToolCall(call) => Some(&mut call.response_id),
        EventBody::ToolResult(result) => Some(&mut result.response_id),
        EventBody::AiResponse(answer) => Some(&mut answer.response_id),
        EventBody::SessionStarted(_)
        | EventBody::UserMessage(_)
        | EventBody::SessionEnded(_)
        | EventBody::SessionSummary(_) => None,
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
        let mut void = leftovers.stored;
        for Kept {
            fence: its_fence,
            event,
        } in leftovers.kept
        {
            let event_id = event.event_id;
            let somebody_came_between = its_fence.0 + 1 < fence.0;
            match self.fitted(event, &answers, somebody_came_between) {
                Some(event) => {
                    self.conversation.apply(&event.body, event.private.as_ref());
                    self.counters.apply(&event.body, event.at);
                    self.log.push_kept(event);
                }
                None => void.push(event_id),
            }
        }
        self.log.forget(void);
    }

    /// The event as it fits into the log as it is now; `None` if it has no place there any more.
    fn fitted(
        &self,
        mut event: NewEvent,
        answers: &HashSet<ResponseId>,
        somebody_came_between: bool,
    ) -> Option<NewEvent> {
        let is_wanted = match &mut event.body {
            EventBody::UserMessage(message) => self.conversation.place_of(&message.id).is_none(),
            EventBody::ToolCall(call) => {
                !somebody_came_between || answers.contains(&call.response_id)
            }
            EventBody::ToolResult(result) => self.conversation.is_open_call(result.call_id),
            EventBody::AiResponse(answer) => {
                if let Some(current) = self.conversation.answer_to(&answer.message_id) {
                    answer.supersedes = Some(current);
                }
                true
            }
            EventBody::SessionStarted(_)
            | EventBody::SessionEnded(_)
            | EventBody::SessionSummary(_) => false,
        };
        if !is_wanted && somebody_came_between {
            let event_type = event.body.type_name();
            warn!(session_id = %self.session_id, event_type, event_id = %event.event_id, "an event that was kept has no place any more");
        }
        is_wanted.then_some(event)
    }
}
