//! One answer: asks the model, hands on what it says, runs the tools that it asks for, and asks
//! again, until the model stops or a budget does.
//!
//! A turn is pulled by the session's task and has no task of its own: what it waits for is kept in
//! it, so a wait can be broken off at any time, and dropping the turn closes the request.

mod answer_text;
mod failure;
mod phase;
mod tools;

use std::collections::VecDeque;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;

use patter_llm::{
    AssistantMessage, AssistantPart, ChatModel, ChatRequest, FinishReason as ModelFinish, LlmError,
    Message, ModelEvent, Usage,
};
use patter_protocol::{
    self as protocol, AiResponse, EventBody, FinishReason, MessageId, ResponseId, ResponseSnapshot,
    SessionId, Timing, clean_text,
};
use patter_tools::ToolRegistry;
use tokio::time::{Instant, Sleep, sleep};

use crate::conversation::PrivateSteps;
use crate::settings::SessionSettings;
use answer_text::AnswerText;
pub(crate) use failure::Failure;
use phase::{Next, Phase};
use tools::{Call, Ended};

/// What a turn needs from its session.
pub(crate) struct TurnSetup {
    pub(crate) session_id: SessionId,
    pub(crate) message_id: MessageId,
    pub(crate) supersedes: Option<ResponseId>,
    pub(crate) model: Arc<dyn ChatModel>,
    pub(crate) tools: ToolRegistry,
    pub(crate) request: ChatRequest,
    pub(crate) settings: Arc<SessionSettings>,
}

/// What happens in a turn.
#[derive(Debug)]
pub(crate) enum TurnEvent {
    /// The model accepted the first request.
    Started,
    /// A piece of text, and its index in the answer.
    Text { index: u64, content: String },
    /// A piece of visible thinking.
    Reasoning(String),
    /// A tool was called, or a call ended.
    Tool(Box<EventBody>),
    /// The turn is over; ask it for its [`Turn::response`].
    Finished {
        reason: FinishReason,
        failure: Option<Failure>,
    },
}

/// See the [module](self).
pub(crate) struct Turn {
    setup: TurnSetup,
    response_id: ResponseId,
    /// Shared with the request in flight, and with nobody when it is changed.
    request: Arc<ChatRequest>,
    phase: Phase,
    /// What happened and was not handed on yet.
    events: VecDeque<TurnEvent>,
    /// Calls without a result.
    open_calls: Vec<Call>,
    text: AnswerText,
    usage: Usage,
    private: PrivateSteps,
    steps: usize,
    calls: usize,
    started: Instant,
    first_token: Option<Instant>,
    deadline: Pin<Box<Sleep>>,
}

impl Turn {
    pub(crate) fn start(mut setup: TurnSetup) -> Self {
        let request = Arc::new(mem::take(&mut setup.request));
        let deadline = Box::pin(sleep(setup.settings.turn_timeout));
        let mut turn = Self {
            setup,
            response_id: ResponseId::generate(),
            request,
            phase: Phase::Over,
            events: VecDeque::new(),
            open_calls: Vec::new(),
            text: AnswerText::default(),
            usage: Usage::default(),
            private: PrivateSteps::default(),
            steps: 0,
            calls: 0,
            started: Instant::now(),
            first_token: None,
            deadline,
        };
        turn.ask();
        turn
    }

    pub(crate) fn response_id(&self) -> ResponseId {
        self.response_id
    }

    pub(crate) fn message_id(&self) -> &MessageId {
        &self.setup.message_id
    }

    /// What happens next; `None` after [`TurnEvent::Finished`].
    ///
    /// Cancel safe: what is waited for, and what was seen, stays in the turn.
    pub(crate) async fn next(&mut self) -> Option<TurnEvent> {
        loop {
            if let Some(event) = self.told() {
                return Some(event);
            }
            if matches!(self.phase, Phase::Over) {
                return None;
            }
            self.advance().await;
        }
    }

    /// What has happened already and was not handed on yet.
    pub(crate) fn told(&mut self) -> Option<TurnEvent> {
        self.events.pop_front()
    }

    /// Stops the turn. What it still has to tell, up to [`TurnEvent::Finished`], is there at once.
    pub(crate) fn stop(&mut self, reason: FinishReason) {
        if !matches!(self.phase, Phase::Over) {
            self.finish(reason, None);
        }
    }

    /// Ends the turn because of a defect.
    pub(crate) fn fail_internally(&mut self) {
        if !matches!(self.phase, Phase::Over) {
            self.finish(FinishReason::Error, Some(Failure::internal()));
        }
    }

    /// Waits for one thing and takes it in. The wait is cancel safe, and taking in does not wait.
    async fn advance(&mut self) {
        let next = tokio::select! {
            biased;
            () = &mut self.deadline => Next::TimeIsUp,
            next = self.phase.next() => next,
        };
        match next {
            Next::Accepted(Ok(answer)) => {
                if self.steps == 0 {
                    self.events.push_back(TurnEvent::Started);
                }
                self.phase = Phase::Streaming {
                    answer,
                    step: AssistantMessage::default(),
                };
            }
            Next::Piece(Some(Ok(piece))) => self.take_piece(piece),
            Next::Piece(None) => {
                let provider = self.setup.model.provider().to_owned();
                self.fail(&LlmError::Truncated { provider });
            }
            Next::Accepted(Err(error)) | Next::Piece(Some(Err(error))) => self.fail(&error),
            Next::ToolEnded(Some(ended)) => self.take_result(ended),
            Next::ToolEnded(None) => self.answer_with_results(),
            Next::TimeIsUp => {
                let limit = self.setup.settings.turn_timeout;
                self.finish(FinishReason::Error, Some(Failure::turn_timeout(limit)));
            }
            Next::Nothing => {}
        }
    }

    /// Sends the request as it stands now.
    fn ask(&mut self) {
        let model = Arc::clone(&self.setup.model);
        let request = Arc::clone(&self.request);
        self.phase = Phase::Asking(Box::pin(async move { model.stream(&request).await }));
    }

    fn take_piece(&mut self, piece: ModelEvent) {
        match piece {
            ModelEvent::Text(text) => self.take_text(clean_text(text)),
            ModelEvent::Reasoning(text) => {
                self.events
                    .push_back(TurnEvent::Reasoning(clean_text(text)));
            }
            ModelEvent::ToolCall(call) => {
                if tools::nests_too_deeply(&call) {
                    self.fail(&LlmError::Malformed {
                        provider: self.setup.model.provider().to_owned(),
                        message: "the arguments of a tool call nest too deeply".to_owned(),
                    });
                } else if let Phase::Streaming { step, .. } = &mut self.phase {
                    step.parts.push(AssistantPart::ToolCall(tools::clean(call)));
                }
            }
            ModelEvent::Restarted { .. } => {
                if let Phase::Streaming { step, .. } = &mut self.phase {
                    *step = AssistantMessage::default();
                }
            }
            ModelEvent::Finish {
                reason,
                usage,
                provider_data,
            } => {
                self.usage += usage;
                self.steps += 1;
                let Phase::Streaming { mut step, .. } = mem::replace(&mut self.phase, Phase::Over)
                else {
                    return;
                };
                self.private.steps.push(provider_data.clone());
                step.provider_data = provider_data;
                self.end_step(reason, step);
            }
        }
    }

    fn take_text(&mut self, content: String) {
        self.first_token.get_or_insert_with(Instant::now);
        if let Phase::Streaming { step, .. } = &mut self.phase {
            match step.parts.last_mut() {
                Some(AssistantPart::Text(text)) => text.push_str(&content),
                _ => step.parts.push(AssistantPart::Text(content.clone())),
            }
        }
        let index = self.text.push(&content);
        self.events.push_back(TurnEvent::Text { index, content });
    }

    /// The model has finished a step: the answer is over, or tools are to be run.
    fn end_step(&mut self, reason: ModelFinish, step: AssistantMessage) {
        let wants_tools = step.tool_calls().next().is_some();
        match reason {
            ModelFinish::Length => self.finish(FinishReason::Length, None),
            ModelFinish::ContentFilter => {
                self.finish(
                    FinishReason::ContentFilter,
                    Some(Failure::content_filtered()),
                );
            }
            // What a service calls it does not matter: calls are there to be run.
            ModelFinish::Stop | ModelFinish::ToolCalls if wants_tools => self.run_tools(step),
            ModelFinish::Stop | ModelFinish::ToolCalls => self.finish(FinishReason::Stop, None),
        }
    }

    fn run_tools(&mut self, mut step: AssistantMessage) {
        self.calls += step.tool_calls().count();
        if self.steps >= self.setup.settings.max_steps
            || self.calls > self.setup.settings.max_tool_calls
        {
            self.finish(FinishReason::ToolLimit, None);
            return;
        }
        let mut calls = Vec::new();
        for part in &mut step.parts {
            if let AssistantPart::ToolCall(model_call) = part {
                let call = Call::new(model_call, &self.setup.tools);
                self.text.mark_call(call.call_id);
                self.events
                    .push_back(TurnEvent::Tool(Box::new(call.event(self.response_id))));
                calls.push(call);
            }
        }
        self.open_calls.clone_from(&calls);
        let request = Arc::make_mut(&mut self.request);
        request.messages.push(Message::Assistant(step));
        let running = tools::run(calls, &self.setup);
        self.phase = Phase::RunningTools {
            running,
            results: Vec::new(),
        };
    }

    fn take_result(&mut self, ended: Ended) {
        self.open_calls.retain(|call| call.call_id != ended.call_id);
        if let Phase::RunningTools { results, .. } = &mut self.phase {
            results.push(ended.for_model());
        }
        self.events
            .push_back(TurnEvent::Tool(Box::new(ended.event(self.response_id))));
    }

    /// All tools have ended: the model gets their results, in the order of its calls.
    fn answer_with_results(&mut self) {
        let Phase::RunningTools { results, .. } = mem::replace(&mut self.phase, Phase::Over) else {
            return;
        };
        let request = Arc::make_mut(&mut self.request);
        let results = match request.messages.last() {
            Some(Message::Assistant(step)) => tools::in_order_of_calls(step, results),
            _ => results,
        };
        request.messages.push(Message::ToolResults(results));
        self.ask();
    }

    fn fail(&mut self, error: &LlmError) {
        let reason = match error {
            LlmError::Blocked { .. } => FinishReason::ContentFilter,
            _ => FinishReason::Error,
        };
        self.finish(reason, Some(Failure::of_model(error)));
    }

    fn finish(&mut self, reason: FinishReason, failure: Option<Failure>) {
        // Closes the request and drops the tools that still run.
        self.phase = Phase::Over;
        for call in mem::take(&mut self.open_calls) {
            self.events.push_back(TurnEvent::Tool(Box::new(
                call.interrupted().event(self.response_id),
            )));
        }
        self.events
            .push_back(TurnEvent::Finished { reason, failure });
    }

    /// What the reader that comes now has missed.
    pub(crate) fn snapshot(&self) -> ResponseSnapshot {
        ResponseSnapshot {
            response_id: self.response_id,
            message_id: self.setup.message_id.clone(),
            index: self.text.last_index(),
            content: self.text.content().to_owned(),
            parts: self.text.parts(),
        }
    }

    /// The durable end of the answer, and what is kept with it.
    pub(crate) fn response(
        &self,
        finish_reason: FinishReason,
    ) -> (AiResponse, Option<serde_json::Value>) {
        let millis = |from: Instant, to: Instant| {
            u64::try_from(to.duration_since(from).as_millis()).unwrap_or(u64::MAX)
        };
        let response = AiResponse {
            response_id: self.response_id,
            message_id: self.setup.message_id.clone(),
            content: self.text.content().to_owned(),
            parts: self.text.parts(),
            finish_reason,
            model: self.setup.model.model().to_owned(),
            provider: self.setup.model.provider().to_owned(),
            usage: protocol::Usage {
                input_tokens: self.usage.input_tokens,
                output_tokens: self.usage.output_tokens,
                cached_input_tokens: self.usage.cached_input_tokens,
                reasoning_tokens: self.usage.reasoning_tokens,
            },
            cost_usd: None,
            timing: Timing {
                first_token_ms: self.first_token.map(|at| millis(self.started, at)),
                total_ms: millis(self.started, Instant::now()),
            },
            supersedes: self.setup.supersedes,
        };
        (response, self.private.to_value())
    }
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn")
            .field("response_id", &self.response_id)
            .finish_non_exhaustive()
    }
}
