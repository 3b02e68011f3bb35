//! The step of an answer in which tools are run: the calls are recorded, run side by side, and their
//! results are given to the model, until a limit is met.

use std::mem;
use std::sync::Arc;

use futures_util::stream::{BoxStream, FuturesUnordered, StreamExt};
use patter_llm::{AssistantMessage, AssistantPart, Message, ToolResult};
use patter_protocol::{CallId, EventBody, FinishReason, LiveEvent, ToolApproved};
use tokio::sync::{Semaphore, mpsc};
use tracing::Instrument;

use super::phase::Phase;
use super::tools::{self, Call, CallSetup, Ended};
use super::{Turn, TurnEvent};
use crate::measures::Limit;

/// What tools tell of how far they are and nobody has taken yet; what is more is left out.
const MAX_PROGRESS: usize = 16;

impl Turn {
    /// Has the calls of a step recorded, and then run.
    pub(super) fn run_tools(&mut self, mut step: AssistantMessage) {
        self.calls += step.tool_calls().count();
        if let Some(limit) = self.limit_that_is_met() {
            self.ask_for_last_words(step, &limit);
            return;
        }
        let mut calls = Vec::new();
        for part in &mut step.parts {
            if let AssistantPart::ToolCall(model_call) = part {
                let exceeds = self.count_call(&model_call.name);
                let call = Call::new(model_call, exceeds, &self.tools, &mut self.approvals);
                self.text.mark_call(call.call_id);
                calls.push(call);
            }
        }
        self.tell_calls(&calls);
        self.open_calls.clone_from(&calls);
        let request = Arc::make_mut(&mut self.request);
        request.messages.push(Message::Assistant(step));
        self.phase = Phase::RecordingCalls {
            unsafe_calls: calls.iter().map(|call| call.call_id).collect(),
            calls,
        };
    }

    /// Has the calls recorded; with the last one, if any of them waits for a person, where the answer stands.
    fn tell_calls(&mut self, calls: &[Call]) {
        let waits = calls.iter().any(Call::needs_approval);
        for (number, call) in calls.iter().enumerate() {
            let is_last = number + 1 == calls.len();
            let private = (waits && is_last).then(|| self.waypoint().to_value());
            let body = Box::new(call.event(self.response_id));
            let private = private.flatten();
            self.events.push_back(TurnEvent::Tool { body, private });
        }
    }

    fn tell(&mut self, body: EventBody) {
        let (body, private) = (Box::new(body), None);
        self.events.push_back(TurnEvent::Tool { body, private });
    }

    /// A call survives this process from now on. Once all calls of the step do, they are run: one
    /// whose process dies is then known, and is not run again.
    pub(crate) fn call_is_safe(&mut self, call_id: CallId) {
        let Phase::RecordingCalls {
            calls,
            unsafe_calls,
        } = &mut self.phase
        else {
            return;
        };
        unsafe_calls.retain(|unsafe_call| *unsafe_call != call_id);
        if unsafe_calls.is_empty() {
            let calls = mem::take(calls);
            self.approvals.begin();
            self.start_calls(calls, Vec::new());
        }
    }

    /// The approval of a call is in the store: the call may run.
    pub(crate) fn approval_is_stored(&mut self, call_id: CallId) {
        self.approvals.is_stored(call_id);
    }

    /// Runs calls of a step of which others have results already.
    pub(super) fn start_calls(&mut self, calls: Vec<Call>, results: Vec<ToolResult>) {
        let (sender, progress) = mpsc::channel(MAX_PROGRESS);
        self.phase = Phase::RunningTools {
            running: self.run(calls, sender),
            progress,
            results,
        };
    }

    pub(super) fn take_result(&mut self, ended: Ended) {
        self.open_calls.retain(|call| call.call_id != ended.call_id);
        self.close_approval(ended.call_id);
        if let Phase::RunningTools { results, .. } = &mut self.phase {
            results.push(ended.for_model());
        }
        self.tell(ended.event(self.response_id));
    }

    /// All tools have ended: the model gets their results, in the order of its calls.
    pub(super) fn answer_with_results(&mut self) {
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

    /// Counts a call of this tool. Gives how many an answer may have, if that was one too many.
    fn count_call(&mut self, tool: &str) -> Option<usize> {
        let count = self.calls_by_tool.entry(tool.to_owned()).or_default();
        *count += 1;
        let most = self.tools.policy(tool).max_calls;
        let exceeded = most.filter(|most| *count > *most);
        if exceeded.is_some() {
            self.measures.hit(Limit::CallsOfTool);
        }
        exceeded
    }

    /// What a model is told that may call no more tools.
    fn limit_that_is_met(&self) -> Option<String> {
        let (steps, calls) = (self.settings.max_steps, self.settings.max_tool_calls);
        if self.steps >= steps {
            self.measures.hit(Limit::Steps);
            Some(format!("the limit of {steps} steps in one answer is met"))
        } else if self.calls > calls {
            self.measures.hit(Limit::ToolCalls);
            Some(format!("the limit of {calls} calls in one answer is met"))
        } else {
            None
        }
    }

    /// Tells the model which limit it has met, and asks it once more, without tools. The calls of the
    /// step are not run, and in no log.
    fn ask_for_last_words(&mut self, step: AssistantMessage, limit: &str) {
        // The log will not have this step, but one with its text and the last words together.
        self.private.steps.pop();
        if self.is_at_limit {
            self.finish(FinishReason::ToolLimit, None);
            return;
        }
        self.is_at_limit = true;
        let refused = step.tool_calls().map(|call| ToolResult {
            call_id: call.id.clone(),
            name: call.name.clone(),
            outcome: Err(format!(
                "not run: {limit}. Answer now with what you know, and say what is missing."
            )),
        });
        let refused = refused.collect();
        let request = Arc::make_mut(&mut self.request);
        request.messages.push(Message::Assistant(step));
        request.messages.push(Message::ToolResults(refused));
        request.tools.clear();
        self.ask();
    }

    /// Runs the calls of a step, some at a time. Dropping the stream drops the tools that run.
    fn run(
        &self,
        calls: Vec<Call>,
        progress: mpsc::Sender<LiveEvent>,
    ) -> BoxStream<'static, Ended> {
        let setup = CallSetup {
            tools: self.tools.clone(),
            session_id: self.session_id.to_string(),
            timeout: self.settings.turn_timeout,
            response_id: self.response_id,
            progress,
            lease: self.lease.clone(),
            measures: self.measures.clone(),
            slots: Arc::new(Semaphore::new(self.settings.max_parallel_tools.max(1))),
        };
        let calls = calls.into_iter();
        let running: FuturesUnordered<_> = calls
            .map(|call| tools::run(call, setup.clone()).instrument(self.span.clone()))
            .collect();
        running.boxed()
    }

    /// Takes what a person says about a call. `false` if the call does not wait for that.
    pub(crate) fn decide(
        &mut self,
        call_id: CallId,
        approve: bool,
        reason: Option<String>,
    ) -> bool {
        let is_taken = if approve {
            self.approvals.approve(call_id)
        } else {
            self.approvals.refuse(call_id, reason)
        };
        if is_taken && approve {
            let response_id = self.response_id;
            self.tell(EventBody::ToolApproved(ToolApproved {
                response_id,
                call_id,
            }));
        }
        self.close_approval(call_id);
        is_taken
    }

    /// The time in which people decide does not count against the turn.
    fn close_approval(&mut self, call_id: CallId) {
        if let Some(took) = self.approvals.close(call_id) {
            let deadline = self.deadline.deadline() + took;
            self.deadline.as_mut().reset(deadline);
        }
    }

    /// Ends the calls that have no result when the turn ends.
    pub(super) fn close_open_calls(&mut self) {
        for call in mem::take(&mut self.open_calls) {
            let ended = if self.approvals.hold_back(call.call_id) {
                call.not_approved("the answer was stopped before the call could run".to_owned())
            } else {
                call.interrupted()
            };
            self.tell(ended.event(self.response_id));
        }
    }
}
