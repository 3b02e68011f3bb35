//! One answer: a route is chosen, then the model is asked, what it says is handed on, the tools that
//! it asks for are run, and it is asked again, until the model stops or a budget does.
//!
//! A turn is pulled by the session's task and has no task of its own: what it waits for is kept in
//! it, so a wait can be broken off at any time, and dropping the turn closes the request.

mod answer_text;
mod approval;
mod failure;
mod measuring;
mod phase;
mod pieces;
mod record;
mod resuming;
mod spending;
mod step;
mod tool_step;
mod tools;
mod trace;

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use patter_llm::{Catalog, ChatModel, ChatRequest, LlmError};
use patter_protocol::{
    EventBody, FinishReason, LiveEvent, MessageId, ResponseId, ResponseSnapshot, SessionId,
};
use patter_tools::ToolRegistry;
use serde_json::Value;
use tokio::time::{Instant, Sleep, sleep};
use tracing::{Instrument, Span, info, warn};

use crate::budget::{Bill, Meter, Over};
use crate::conversation::PrivateSteps;
use crate::leases::LeaseWatch;
use crate::measures::{Limit, Measures};
use crate::origin::Origin;
use crate::plan::Chosen;
use crate::settings::SessionSettings;
pub(crate) use answer_text::AnswerText;
use approval::Approvals;
pub(crate) use failure::Failure;
use measuring::Arrivals;
use phase::{Next, Phase};
use resuming::Resumption;
use spending::Spending;
pub(crate) use spending::may_be_charged;
use step::{OpenStep, Voice};
use tools::Call;

/// What a turn needs from its session.
pub(crate) struct TurnSetup {
    pub(crate) session_id: SessionId,
    pub(crate) message_id: MessageId,
    pub(crate) supersedes: Option<ResponseId>,
    pub(crate) origin: Origin,
    /// Chooses the route; its own deadline is shorter than the turn's.
    pub(crate) choosing: BoxFuture<'static, Chosen>,
    /// Who is named where the turn ends before anybody is asked.
    pub(crate) model: Arc<dyn ChatModel>,
    pub(crate) prices: Option<Arc<Catalog>>,
    /// Where what is spent is to be booked.
    pub(crate) bill: Option<Bill>,
    pub(crate) settings: Arc<SessionSettings>,
    /// No model is asked and no tool is run while somebody else may have the session.
    pub(crate) lease: LeaseWatch,
    pub(crate) measures: Arc<Measures>,
}

/// How a turn goes on once its route is known.
pub(crate) struct Assignment {
    pub(crate) route: Option<String>,
    pub(crate) model: Arc<dyn ChatModel>,
    /// The tools that may be called.
    pub(crate) tools: ToolRegistry,
    pub(crate) request: ChatRequest,
}

/// What happens in a turn.
#[derive(Debug)]
pub(crate) enum TurnEvent {
    /// The route is known; the turn waits for its [`Turn::assign`].
    Chosen(Box<Chosen>),
    /// A piece of text, its index in the answer, and when it came.
    Text {
        index: u64,
        content: String,
        arrived: Instant,
    },
    /// A piece of visible thinking.
    Reasoning(String),
    /// A tool was called, or approved, or a call ended.
    Tool {
        body: Box<EventBody>,
        /// What is kept with it.
        private: Option<Value>,
    },
    /// How far a call is.
    Progress(LiveEvent),
    /// Another model took over, and what the one before said in this step is void.
    TakenOver {
        /// What readers are told.
        notice: String,
        /// What is left of the answer, if readers were shown what is void now.
        left: Option<ResponseSnapshot>,
    },
    /// The turn is over; ask it for its [`Turn::response`].
    Finished {
        reason: FinishReason,
        failure: Option<Failure>,
    },
}

/// See the [module](self).
pub(crate) struct Turn {
    session_id: SessionId,
    message_id: MessageId,
    supersedes: Option<ResponseId>,
    settings: Arc<SessionSettings>,
    prices: Option<Arc<Catalog>>,
    response_id: ResponseId,
    route: Option<String>,
    model: Arc<dyn ChatModel>,
    tools: ToolRegistry,
    /// Shared with the request in flight, and with nobody when it is changed.
    request: Arc<ChatRequest>,
    phase: Phase,
    /// What happened and was not handed on yet.
    events: VecDeque<TurnEvent>,
    /// Calls without a result.
    open_calls: Vec<Call>,
    approvals: Approvals,
    text: AnswerText,
    /// Who was asked last.
    voice: Voice,
    /// Whether anybody said anything.
    answered: bool,
    /// Whether readers were told who answers.
    announced: bool,
    spending: Spending,
    meter: Meter,
    private: PrivateSteps,
    steps: usize,
    calls: usize,
    /// By the name of the tool.
    calls_by_tool: HashMap<String, usize>,
    /// Whether the model was told that no more tools are run, and asked for its last words.
    is_at_limit: bool,
    started: Instant,
    first_token: Option<Instant>,
    deadline: Pin<Box<Sleep>>,
    lease: LeaseWatch,
    /// What an earlier process has left to do, until the route is known.
    resumption: Option<Resumption>,
    span: Span,
    measures: Arc<Measures>,
    /// When the model was asked last.
    asked: Instant,
}

impl Turn {
    pub(crate) fn start(setup: TurnSetup) -> Self {
        let span = trace::begin(&setup.session_id, &setup.message_id, &setup.origin);
        let choosing = setup.choosing.instrument(span.clone()).boxed();
        Self {
            session_id: setup.session_id,
            message_id: setup.message_id,
            supersedes: setup.supersedes,
            deadline: Box::pin(sleep(setup.settings.turn_timeout)),
            settings: setup.settings,
            lease: setup.lease,
            measures: setup.measures,
            prices: setup.prices,
            response_id: ResponseId::generate(),
            route: None,
            voice: Voice::of(&*setup.model),
            model: setup.model,
            tools: ToolRegistry::default(),
            request: Arc::default(),
            phase: Phase::Choosing(choosing),
            events: VecDeque::new(),
            open_calls: Vec::new(),
            approvals: Approvals::default(),
            text: AnswerText::default(),
            answered: false,
            announced: false,
            spending: Spending::default(),
            meter: Meter::new(setup.bill),
            private: PrivateSteps::default(),
            steps: 0,
            calls: 0,
            calls_by_tool: HashMap::new(),
            is_at_limit: false,
            started: Instant::now(),
            asked: Instant::now(),
            first_token: None,
            resumption: None,
            span,
        }
    }

    /// Asks the model of the chosen route.
    pub(crate) fn assign(&mut self, assignment: Assignment) {
        if matches!(self.phase, Phase::Chosen) {
            self.route = assignment.route;
            self.model = assignment.model;
            if self.resumption.is_none() {
                self.voice = Voice::of(&*self.model);
            }
            self.tools = assignment.tools;
            self.request = Arc::new(assignment.request);
            match self.resumption.take() {
                Some(resumption) => self.go_on(resumption),
                None => {
                    let preparation = self.started.elapsed();
                    self.measures.preparation.observe(preparation.as_secs_f64());
                    self.ask();
                }
            }
        }
    }

    pub(crate) fn response_id(&self) -> ResponseId {
        self.response_id
    }

    pub(crate) fn message_id(&self) -> &MessageId {
        &self.message_id
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
        // People may take their time.
        let people_decide =
            matches!(self.phase, Phase::RunningTools { .. }) && self.approvals.are_awaited();
        let next = tokio::select! {
            biased;
            () = &mut self.deadline, if !people_decide => Next::TimeIsUp,
            booked = self.meter.booked() => Next::Booked(booked),
            next = self.phase.next(), if !self.meter.must_wait() => next,
        };
        match next {
            Next::Chosen(chosen) => {
                self.phase = Phase::Chosen;
                self.events.push_back(TurnEvent::Chosen(Box::new(chosen)));
            }
            Next::Accepted(Ok(answer)) => {
                self.voice = Voice::of(&*self.model);
                let step = OpenStep::new(self.text.mark());
                let arrivals = Arrivals::of_request(&self.measures, &self.voice, self.asked);
                self.phase = Phase::Streaming {
                    answer,
                    step,
                    arrivals,
                };
            }
            Next::Piece(Some(Ok(piece))) => self.take_piece(piece),
            Next::Piece(None) => self.fail(&self.voice.broke_off()),
            Next::Accepted(Err(error)) | Next::Piece(Some(Err(error))) => self.fail(&error),
            Next::ToolProgress(told) => self.events.push_back(TurnEvent::Progress(told)),
            Next::ToolEnded(Some(ended)) => self.take_result(ended),
            Next::ToolEnded(None) => self.answer_with_results(),
            Next::TimeIsUp => {
                self.measures.hit(Limit::TurnTime);
                let limit = self.settings.turn_timeout;
                self.finish(FinishReason::Error, Some(Failure::turn_timeout(limit)));
            }
            Next::Booked(Ok(())) => {}
            Next::Booked(Err(over)) => self.end_over_budget(&over),
            Next::Nothing => {}
        }
    }

    /// Sends the request as it stands now.
    fn ask(&mut self) {
        let model = Arc::clone(&self.model);
        let request = Arc::clone(&self.request);
        let (provider, name) = (model.provider(), model.model());
        if let Err(over) = self.meter.begin(&request, provider, name) {
            self.end_over_budget(&over);
            return;
        }
        let mut lease = self.lease.clone();
        self.asked = Instant::now();
        let asking = async move {
            lease.safe().await;
            model.stream(&request).await
        };
        self.phase = Phase::Asking(Box::pin(asking.instrument(self.span.clone())));
    }

    /// There is no room for more: the answer ends with what there is of it.
    fn end_over_budget(&mut self, over: &Over) {
        self.measures.hit(Limit::Budget);
        info!(
            session_id = %self.session_id,
            response_id = %self.response_id,
            limit = over.limit(),
            "a budget is spent"
        );
        self.finish(FinishReason::Error, Some(Failure::over_budget(over)));
    }

    fn fail(&mut self, error: &LlmError) {
        let was_answered = match &self.phase {
            Phase::Streaming { step, .. } => step.is_begun(),
            _ => false,
        };
        if !was_answered {
            self.phase = Phase::Over;
            if may_be_charged(error) {
                self.add_unpriced_step();
            } else {
                self.meter.close_free();
            }
        }
        let reason = match error {
            LlmError::Blocked { .. } => FinishReason::ContentFilter,
            _ => FinishReason::Error,
        };
        warn!(
            session_id = %self.session_id,
            response_id = %self.response_id,
            provider = self.voice.provider,
            model = self.voice.model,
            %error,
            "the model failed"
        );
        self.finish(reason, Some(Failure::of_model(error)));
    }

    fn finish(&mut self, reason: FinishReason, failure: Option<Failure>) {
        // Closes the request and drops the tools that still run.
        let phase = mem::replace(&mut self.phase, Phase::Over);
        if self.meter.holds_back() {
            self.meter.close_free();
        } else if let Phase::Asking(_) | Phase::Streaming { .. } = phase {
            self.add_unpriced_step();
        }
        self.close_open_calls();
        self.trace_end(reason, failure.as_ref());
        self.events
            .push_back(TurnEvent::Finished { reason, failure });
    }
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn")
            .field("response_id", &self.response_id)
            .finish_non_exhaustive()
    }
}
