//! The answer in flight: when it starts, what it says, how it ends.

use std::future::ready;

use futures_util::FutureExt;
use patter_protocol::{
    AiResponse, EventBody, FinishReason, LiveEvent, Reasoning, ResponseFinished, Token,
};
use tracing::info;

use super::{Session, Wanted, readers};
use crate::conversation::WaitingAnswer;
use crate::frame::Frame;
use crate::origin::Origin;
use crate::plan::{Chosen, choose, ready_to_count};
use crate::turn::{Failure, Turn, TurnEvent, TurnSetup};

impl Session {
    /// Takes up the next message, if none is being answered.
    pub(super) fn start_turn_if_idle(&mut self) {
        if self.turn.is_some() {
            return;
        }
        if let Some(wanted) = self.waiting.pop_front() {
            self.go_on_in_place();
            let turn = Turn::start(self.turn_setup(wanted));
            self.log.written_in(turn.span());
            self.turn = Some(Box::new(turn));
        }
    }

    fn turn_setup(&mut self, wanted: Wanted) -> TurnSetup {
        let resources = &self.resources;
        let question = self.conversation.question(&wanted.message_id);
        let text = question.as_ref().map_or(0, |it| it.text.len() as u64);
        let bytes = self.conversation.bytes() + text;
        TurnSetup {
            session_id: self.session_id.clone(),
            supersedes: wanted.supersedes,
            origin: wanted.origin,
            choosing: match question {
                Some(question) => {
                    let bill = resources.bill(&self.spender);
                    let chosen = choose(resources.routes.clone(), question, bill);
                    ready_to_count(chosen, resources.model.clone(), bytes).boxed()
                }
                None => ready(Chosen::default()).boxed(),
            },
            message_id: wanted.message_id,
            model: resources.model.clone(),
            prices: resources.prices.clone(),
            bill: resources.bill(&self.spender),
            settings: resources.settings.clone(),
            lease: self.lease.watch(),
            measures: resources.measures.clone(),
        }
    }

    /// Goes on with an answer that waits for a person, and whose process is gone.
    pub(super) fn resume_turn(&mut self, answer: WaitingAnswer) {
        let waypoint = &answer.waypoint;
        let wanted = Wanted {
            message_id: waypoint.message_id.clone(),
            supersedes: waypoint.supersedes,
            origin: Origin::none(),
        };
        let route = waypoint.route.clone();
        let plan = route
            .as_ref()
            .and_then(|name| self.resources.routes.get(name));
        let chosen = Chosen {
            plan: plan.cloned().unwrap_or_default(),
            route,
        };
        let bytes = self.conversation.bytes();
        let chosen = ready_to_count(ready(chosen), self.resources.model.clone(), bytes);
        let mut setup = self.turn_setup(wanted);
        setup.choosing = chosen.boxed();
        self.go_on_in_place();
        self.turn = Some(Box::new(Turn::resume(setup, answer)));
    }

    /// What this session took before it came to this process has no place yet.
    fn go_on_in_place(&mut self) {
        let turns = &self.resources.turns;
        self.place.get_or_insert_with(|| turns.go_on());
    }

    pub(super) fn take_turn_event(&mut self, event: TurnEvent) {
        let Some(turn) = &mut self.turn else {
            return;
        };
        let response_id = turn.response_id();
        if let Some(started) = turn.announcement() {
            self.tell(LiveEvent::ResponseStarted(started));
        }
        match event {
            TurnEvent::Chosen(chosen) => self.assign(*chosen),
            TurnEvent::Text {
                index,
                content,
                arrived,
            } => {
                let token = Token {
                    response_id,
                    index,
                    content,
                    count: None,
                };
                self.readers.send_piece(&token, arrived);
            }
            TurnEvent::Reasoning(content) => {
                self.tell(LiveEvent::Reasoning(Reasoning {
                    response_id,
                    content,
                }));
            }
            TurnEvent::Tool { body, private } => self.record(*body, private),
            TurnEvent::Progress(told) => self.tell(told),
            TurnEvent::TakenOver { notice, left } => {
                self.readers.send(&readers::provider_failover(&notice));
                if let Some(left) = left {
                    self.tell(LiveEvent::ResponseSnapshot(left));
                }
            }
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
        while let Some(event) = self.turn.as_deref_mut().and_then(Turn::told) {
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
        turn.count_end(reason);
        let (response, private) = turn.response(reason);
        self.log_answer(&response);
        self.record_in(
            turn.span().clone(),
            EventBody::AiResponse(response),
            private,
        );
        self.start_turn_if_idle();
        self.end_if_done();
    }

    /// What it took, and nothing of what was said.
    fn log_answer(&self, response: &AiResponse) {
        info!(
            session_id = %self.session_id,
            response_id = %response.response_id,
            message_id = %response.message_id,
            provider = response.provider,
            model = response.model,
            finish_reason = ?response.finish_reason,
            input_tokens = response.usage.input_tokens,
            output_tokens = response.usage.output_tokens,
            first_token_ms = response.timing.first_token_ms,
            duration_ms = response.timing.total_ms,
            "answer ended"
        );
    }
}
