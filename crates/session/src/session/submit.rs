//! What clients ask of a session.

use patter_protocol::{
    CallId, ClientMessage, ErrorCode, EventBody, FinishReason, MessageId, ResponseId, UserInput,
    UserMessage,
};

use super::admitting::{self, Reply};
use super::{Session, Stage, Wanted};
use crate::command::{Refusal, Submitted, error_event};
use crate::measures::Limit;
use crate::origin::Origin;
use crate::turns::NoPlace;

impl Session {
    /// Does what a client asks, and tells `reply` what became of it: at once, but for a message that
    /// must first be kept on local disk.
    pub(super) fn submit(&mut self, message: ClientMessage, origin: Origin, reply: Reply) {
        let done = match message {
            _ if self.is_ending_for_good() => Err(Refusal::Gone),
            ClientMessage::UserMessage(input) => {
                return self.take_user_message(input, origin, reply);
            }
            ClientMessage::Cancel { response_id } => self.cancel(response_id),
            ClientMessage::Regenerate => self.regenerate(origin),
            ClientMessage::ToolApproval {
                call_id,
                approve,
                reason,
            } => self.decide(call_id, approve, reason),
            ClientMessage::End => {
                self.end_now();
                Ok(Submitted::Taken)
            }
            // These are between a client and its connection; a session has no part in them.
            ClientMessage::AuthRefresh { .. } | ClientMessage::Ping { .. } => Ok(Submitted::Taken),
        };
        // Whoever asked may have left.
        let _gone = reply.send(done);
    }

    fn take_user_message(&mut self, input: UserInput, origin: Origin, reply: Reply) {
        let mut reply = reply;
        if let Some(id) = &input.id {
            if let Some(repeated) = self.repeated(id) {
                let _gone = reply.send(Ok(repeated));
                return;
            }
            match self.join_admission(id, reply) {
                Some(unused) => reply = unused,
                None => return,
            }
        }
        let may_take = self.may_take_message(input.replaces.as_ref());
        if let Err(refusal) = may_take.and_then(|()| self.take_place(&origin)) {
            let _gone = reply.send(Err(refusal.about(input.id)));
            return;
        }
        self.somebody_came();
        let message = UserMessage {
            id: input.id.unwrap_or_else(MessageId::generate),
            content: input.content,
            metadata: input.metadata,
            replaces: input.replaces,
        };
        if self.log.is_degraded() {
            self.admit(message, input.interrupt, origin, reply);
            return;
        }
        self.make_way_for(message.replaces.as_ref());
        let message_id = message.id.clone();
        self.record(EventBody::UserMessage(message), None);
        let _gone = reply.send(Ok(Submitted::Taken));
        self.answer_next(message_id, input.interrupt, origin);
    }

    /// What is to be said about a message that was taken before.
    fn repeated(&self, id: &MessageId) -> Option<Submitted> {
        Some(match self.conversation.place_of(id)? {
            Some(seq) => Submitted::RepeatedAt { seq },
            None if self.log.keeps_message(id) => Submitted::RepeatedKept(admitting::accepted(id)),
            None => Submitted::RepeatedPending,
        })
    }

    /// Puts a message in line for its answer.
    pub(super) fn answer_next(&mut self, message_id: MessageId, interrupt: bool, origin: Origin) {
        let wanted = Wanted {
            message_id,
            supersedes: None,
            origin,
        };
        if interrupt {
            self.waiting.push_front(wanted);
            self.stop_turn(FinishReason::Cancelled);
        } else {
            self.waiting.push_back(wanted);
        }
        self.start_turn_if_idle();
    }

    fn may_take_message(&self, replaces: Option<&MessageId>) -> Result<(), Refusal> {
        if self.stage != Stage::Serving {
            return Err(Refusal::new(
                ErrorCode::Busy,
                "the server is about to restart",
            ));
        }
        let limit = self.resources.settings.max_queued_messages;
        let queued = self.waiting.len() + self.admissions.len();
        let is_first = self.turn.is_none() && self.admissions.is_empty();
        if !is_first && queued >= limit {
            self.resources.measures.hit(Limit::QueuedMessages);
            return Err(Refusal::new(
                ErrorCode::Busy,
                format!("{limit} messages wait for an answer already"),
            ));
        }
        if replaces.is_some() && replaces != self.conversation.last_message() {
            let mut event = error_event(
                ErrorCode::InvalidField,
                "`replaces` must be the id of the last user message",
            );
            event.details.insert("field".to_owned(), "replaces".into());
            return Err(Refusal::Refused(event));
        }
        Ok(())
    }

    /// Has a place for the answer, or for the answers that wait, if there is one.
    fn take_place(&mut self, origin: &Origin) -> Result<(), Refusal> {
        if self.place.is_some() {
            return Ok(());
        }
        match self.resources.turns.begin(origin.asker()) {
            Ok(place) => {
                self.place = Some(place);
                Ok(())
            }
            Err(none) => {
                self.resources.measures.hit(match none {
                    NoPlace::OfAsker => Limit::TurnsOfUser,
                    NoPlace::AtAll => Limit::Turns,
                });
                Err(none.into())
            }
        }
    }

    /// Stops or calls off the answer to a message whose place another one takes.
    pub(super) fn make_way_for(&mut self, replaced: Option<&MessageId>) {
        let Some(message_id) = replaced else {
            return;
        };
        if self
            .turn
            .as_ref()
            .is_some_and(|turn| turn.message_id() == message_id)
        {
            self.stop_turn(FinishReason::Cancelled);
            self.finish_stopped_turn();
        }
        if let Some(at) = self
            .waiting
            .iter()
            .position(|it| it.message_id == *message_id)
        {
            self.waiting.remove(at);
            self.record_unspoken(message_id.clone(), FinishReason::Cancelled);
        }
    }

    fn cancel(&mut self, response_id: Option<ResponseId>) -> Result<Submitted, Refusal> {
        let in_flight = self.turn.as_deref().map(crate::turn::Turn::response_id);
        if in_flight.is_none() || response_id.is_some_and(|wanted| Some(wanted) != in_flight) {
            return Err(Refusal::new(
                ErrorCode::NothingToCancel,
                "no such answer is in flight",
            ));
        }
        self.stop_turn(FinishReason::Cancelled);
        Ok(Submitted::Taken)
    }

    fn decide(
        &mut self,
        call_id: CallId,
        approve: bool,
        reason: Option<String>,
    ) -> Result<Submitted, Refusal> {
        if matches!(self.stage, Stage::Stopping { .. } | Stage::Stopped) {
            return Err(Refusal::new(
                ErrorCode::Busy,
                "the server is about to restart; the call waits at the next one",
            ));
        }
        let turn = self.turn.as_mut();
        if turn.is_some_and(|turn| turn.decide(call_id, approve, reason)) {
            Ok(Submitted::Taken)
        } else {
            Err(Refusal::new(
                ErrorCode::UnknownCall,
                "no such tool call waits for approval",
            ))
        }
    }

    fn regenerate(&mut self, origin: Origin) -> Result<Submitted, Refusal> {
        if self.stage != Stage::Serving {
            return Err(Refusal::new(
                ErrorCode::Busy,
                "the server is about to restart",
            ));
        }
        if self.log.is_degraded() {
            return Err(Refusal::new(
                ErrorCode::StoreUnavailable,
                "the database is away; no further answer is begun",
            ));
        }
        if self.turn.is_some() {
            return Err(Refusal::new(ErrorCode::Busy, "an answer is in flight"));
        }
        let Some((message_id, response_id)) = self.conversation.last_answer() else {
            return Err(Refusal::new(
                ErrorCode::NothingToRegenerate,
                "there is no answer that could be given again",
            ));
        };
        let wanted = Wanted {
            message_id: message_id.clone(),
            supersedes: Some(response_id),
            origin,
        };
        self.take_place(&wanted.origin)?;
        self.somebody_came();
        self.waiting.push_back(wanted);
        self.start_turn_if_idle();
        Ok(Submitted::Taken)
    }
}
