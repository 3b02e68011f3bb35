//! The answer in flight: when it starts, what it says, how it ends.

use patter_llm::{ChatRequest, ToolDeclaration};
use patter_protocol::{
    EventBody, FinishReason, LiveEvent, Reasoning, ResponseFinished, ResponseStarted, Token,
};

use super::{Session, Wanted};
use crate::frame::Frame;
use crate::turn::{Failure, Turn, TurnEvent, TurnSetup};

impl Session {
    /// Takes up the next message, if none is being answered.
    pub(super) fn start_turn_if_idle(&mut self) {
        if self.turn.is_some() {
            return;
        }
        if let Some(wanted) = self.waiting.pop_front() {
            self.turn = Some(Turn::start(self.turn_setup(wanted)));
        }
    }

    fn turn_setup(&self, wanted: Wanted) -> TurnSetup {
        let resources = &self.resources;
        let request = ChatRequest {
            system: resources.system_prompt.clone(),
            messages: self.conversation.messages_for(&wanted.message_id),
            tools: resources
                .tools
                .specs()
                .into_iter()
                .map(|spec| ToolDeclaration {
                    name: spec.name.clone(),
                    description: spec.description.clone(),
                    parameters: spec.parameters.clone(),
                })
                .collect(),
            max_output_tokens: resources.settings.max_output_tokens,
            temperature: resources.settings.temperature,
        };
        TurnSetup {
            session_id: self.session_id.clone(),
            message_id: wanted.message_id,
            supersedes: wanted.supersedes,
            model: resources.model.clone(),
            tools: resources.tools.clone(),
            request,
            settings: resources.settings.clone(),
        }
    }

    pub(super) fn take_turn_event(&mut self, event: TurnEvent) {
        let Some(turn) = &self.turn else {
            return;
        };
        let response_id = turn.response_id();
        match event {
            TurnEvent::Started => {
                let started = ResponseStarted {
                    response_id,
                    message_id: turn.message_id().clone(),
                    model: self.resources.model.model().to_owned(),
                    provider: self.resources.model.provider().to_owned(),
                    route: None,
                };
                self.tell(LiveEvent::ResponseStarted(started));
            }
            TurnEvent::Text { index, content } => {
                self.tell(LiveEvent::Token(Token {
                    response_id,
                    index,
                    content,
                    count: None,
                }));
            }
            TurnEvent::Reasoning(content) => {
                self.tell(LiveEvent::Reasoning(Reasoning {
                    response_id,
                    content,
                }));
            }
            TurnEvent::Tool(body) => self.record(*body, None),
            TurnEvent::Finished { reason, failure } => self.finish_turn(reason, failure),
        }
    }

    /// Encodes an event once for all readers; not at all where nobody reads.
    pub(super) fn tell(&mut self, event: LiveEvent) {
        if !self.readers.is_empty() {
            self.readers.send(&Frame::live(event));
        }
    }

    /// Stops the answer in flight, if there is one; its end comes through the loop.
    pub(super) fn stop_turn(&mut self, reason: FinishReason) {
        if let Some(turn) = &mut self.turn {
            turn.stop(reason);
        }
    }

    /// Takes in what a stopped turn still has to tell, without waiting for the loop.
    pub(super) fn finish_stopped_turn(&mut self) {
        while let Some(event) = self.turn.as_mut().and_then(Turn::told) {
            self.take_turn_event(event);
        }
    }

    fn finish_turn(&mut self, reason: FinishReason, failure: Option<Failure>) {
        let Some(turn) = self.turn.take() else {
            return;
        };
        let response_id = turn.response_id();
        if let Some(failure) = failure {
            self.tell(LiveEvent::Error(
                failure.event(turn.message_id().clone(), response_id),
            ));
        }
        let finished = ResponseFinished {
            response_id,
            finish_reason: reason,
        };
        self.tell(LiveEvent::ResponseFinished(finished));
        let (response, private) = turn.response(reason);
        self.record(EventBody::AiResponse(response), private);
        self.start_turn_if_idle();
        self.end_if_done();
    }
}
