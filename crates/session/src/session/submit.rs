//! What clients ask of a session.

use patter_protocol::{
    ClientMessage, ErrorCode, EventBody, FinishReason, MessageId, ResponseId, UserInput,
    UserMessage,
};

use super::{Session, Stage, Wanted};
use crate::command::{Refusal, Submitted, error_event};

impl Session {
    pub(super) fn submit(&mut self, message: ClientMessage) -> Result<Submitted, Refusal> {
        if self.is_ending_for_good() {
            return Err(Refusal::Gone);
        }
        match message {
            ClientMessage::UserMessage(input) => {
                let id = input.id.clone();
                self.take_user_message(input)
                    .map_err(|refusal| refusal.about(id))
            }
            ClientMessage::Cancel { response_id } => self.cancel(response_id),
            ClientMessage::Regenerate => self.regenerate(),
            ClientMessage::ToolApproval { .. } => Err(Refusal::new(
                ErrorCode::UnknownCall,
                "no such tool call waits for approval",
            )),
            ClientMessage::End => {
                self.end_now();
                Ok(Submitted::Taken)
            }
            // These are between a client and its connection; a session has no part in them.
            ClientMessage::AuthRefresh { .. } | ClientMessage::Ping { .. } => Ok(Submitted::Taken),
        }
    }

    fn take_user_message(&mut self, input: UserInput) -> Result<Submitted, Refusal> {
        if let Some(place) = input
            .id
            .as_ref()
            .and_then(|id| self.conversation.place_of(id))
        {
            return Ok(match place {
                Some(seq) => Submitted::RepeatedAt { seq },
                None => Submitted::RepeatedPending,
            });
        }
        self.may_take_message(input.replaces.as_ref())?;
        self.somebody_came();
        if let Some(replaced) = &input.replaces {
            self.drop_message(replaced);
        }
        let message_id = input.id.unwrap_or_else(MessageId::generate);
        let message = UserMessage {
            id: message_id.clone(),
            content: input.content,
            metadata: input.metadata,
            replaces: input.replaces,
        };
        self.record(EventBody::UserMessage(message), None);
        let wanted = Wanted {
            message_id,
            supersedes: None,
        };
        if input.interrupt {
            self.waiting.push_front(wanted);
            self.stop_turn(FinishReason::Cancelled);
        } else {
            self.waiting.push_back(wanted);
        }
        self.start_turn_if_idle();
        Ok(Submitted::Taken)
    }

    fn may_take_message(&self, replaces: Option<&MessageId>) -> Result<(), Refusal> {
        if *self.stage.borrow() != Stage::Serving {
            return Err(Refusal::new(
                ErrorCode::Busy,
                "the server is about to restart",
            ));
        }
        if self.log.is_degraded() {
            return Err(Refusal::new(
                ErrorCode::StoreUnavailable,
                "the database is away; the message was not taken",
            ));
        }
        let limit = self.resources.settings.max_queued_messages;
        if self.turn.is_some() && self.waiting.len() >= limit {
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

    /// Stops or calls off the answer to a message whose place another one takes.
    fn drop_message(&mut self, message_id: &MessageId) {
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
        let in_flight = self.turn.as_ref().map(crate::turn::Turn::response_id);
        if in_flight.is_none() || response_id.is_some_and(|wanted| Some(wanted) != in_flight) {
            return Err(Refusal::new(
                ErrorCode::NothingToCancel,
                "no such answer is in flight",
            ));
        }
        self.stop_turn(FinishReason::Cancelled);
        Ok(Submitted::Taken)
    }

    fn regenerate(&mut self) -> Result<Submitted, Refusal> {
        if *self.stage.borrow() != Stage::Serving {
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
        };
        self.somebody_came();
        self.waiting.push_back(wanted);
        self.start_turn_if_idle();
        Ok(Submitted::Taken)
    }
}
