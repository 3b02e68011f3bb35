//! What the model says, piece by piece: text is handed on as it comes, calls wait for the end of
//! their step, and all of a step is taken back when another model takes over.

use std::mem;

use chrono::Utc;
use patter_llm::{
    AssistantMessage, FinishReason as ModelFinish, LlmError, ModelEvent, ProviderData, Usage,
};
use patter_protocol::{FinishReason, clean_text};
use tracing::info;

use super::measuring::Arrivals;
use super::phase::Phase;
use super::step::{OpenStep, Voice};
use super::{Failure, Turn, TurnEvent, may_be_charged, tools};

impl Turn {
    pub(super) fn take_piece(&mut self, piece: ModelEvent) {
        let Phase::Streaming { step, arrivals, .. } = &mut self.phase else {
            return;
        };
        let arrived = arrivals.note(&piece);
        let counted = self.meter.count(&piece);
        if !step.is_begun() && !matches!(piece, ModelEvent::Restarted { .. }) {
            self.answered = true;
        }
        match piece {
            ModelEvent::Text(text) => {
                let content = clean_text(text);
                step.say(&content);
                self.first_token.get_or_insert(arrived);
                let index = self.text.push(&content);
                self.events.push_back(TurnEvent::Text {
                    index,
                    content,
                    arrived,
                });
            }
            ModelEvent::Reasoning(text) => {
                step.shown = true;
                let content = clean_text(text);
                self.events.push_back(TurnEvent::Reasoning(content));
            }
            ModelEvent::ToolCall(call) if tools::nests_too_deeply(&call) => {
                let error = self
                    .voice
                    .sent_nonsense("the arguments of a tool call nest too deeply");
                self.fail(&error);
            }
            ModelEvent::ToolCall(call) => step.call(tools::clean(call)),
            ModelEvent::Restarted {
                provider,
                model,
                error,
            } => self.take_over(Voice { provider, model }, &error),
            ModelEvent::Finish {
                reason,
                usage,
                provider_data,
            } => return self.end_step(reason, usage, provider_data),
        }
        if let Err(over) = counted
            && !matches!(self.phase, Phase::Over)
        {
            self.end_over_budget(&over);
        }
    }

    /// Another model answers this step from here on: what the one before said of it is void.
    fn take_over(&mut self, voice: Voice, error: &LlmError) {
        let Phase::Streaming { step, arrivals, .. } = &mut self.phase else {
            return;
        };
        let notice = self.voice.hands_over_to(&voice);
        info!(
            session_id = %self.session_id,
            response_id = %self.response_id,
            provider = self.voice.provider,
            model = self.voice.model,
            %error,
            next_provider = voice.provider,
            next_model = voice.model,
            "another model takes over"
        );
        let begins = step.begins;
        let void = mem::replace(step, OpenStep::new(begins));
        *arrivals = Arrivals::after_failover(&self.measures, &voice);
        let failed = &self.voice;
        self.measures.failed_over(&failed.provider, &failed.model);
        if void.is_begun() || may_be_charged(error) {
            self.add_unpriced_step();
        } else {
            self.meter.close_free();
        }
        let room = self.meter.take_over(&voice.provider, &voice.model);
        self.voice = voice;
        // What nobody was shown was said by nobody.
        self.answered = self.announced;
        self.text.cut_back(begins);
        if self.text.is_empty() {
            // The time to the first token is that to the first one that counts.
            self.first_token = None;
        }
        let left = void.shown.then(|| self.snapshot());
        self.events.push_back(TurnEvent::TakenOver { notice, left });
        if let Err(over) = room {
            self.end_over_budget(&over);
        }
    }

    /// The model has finished a step: the answer is over, or tools are to be run.
    fn end_step(&mut self, reason: ModelFinish, usage: Usage, provider_data: Option<ProviderData>) {
        let Phase::Streaming { step, .. } = mem::replace(&mut self.phase, Phase::Over) else {
            return;
        };
        self.steps += 1;
        let Voice { provider, model } = &self.voice;
        let today = Utc::now().date_naive();
        let prices = self.prices.as_ref();
        let cost_usd = prices.and_then(|it| it.cost(provider, model, &usage, today));
        self.spending.add(usage, cost_usd);
        self.meter.close(usage);
        self.count_step(usage, cost_usd);
        self.private.steps.push(provider_data.clone());
        let message = AssistantMessage {
            provider_data,
            ..step.message
        };
        let wants_tools = message.tool_calls().next().is_some();
        match reason {
            ModelFinish::Length => self.finish(FinishReason::Length, None),
            ModelFinish::ContentFilter => {
                self.finish(
                    FinishReason::ContentFilter,
                    Some(Failure::content_filtered()),
                );
            }
            // What a service calls it does not matter: calls are there to be run.
            ModelFinish::Stop | ModelFinish::ToolCalls if wants_tools => self.run_tools(message),
            ModelFinish::Stop | ModelFinish::ToolCalls if self.is_at_limit => {
                self.finish(FinishReason::ToolLimit, None);
            }
            ModelFinish::Stop | ModelFinish::ToolCalls => self.finish(FinishReason::Stop, None),
        }
    }
}
