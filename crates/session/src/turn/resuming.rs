//! An answer that waits for a person is left by one process and gone on with by another.

use std::time::Duration;

use patter_llm::Message;
use tokio::time::Instant;

use super::answer_text::AnswerText;
use super::phase::Phase;
use super::spending::Spending;
use super::step::Voice;
use super::tools::Call;
use super::{Turn, TurnSetup};
use crate::conversation::{Step, WaitingAnswer};
use crate::waypoint::Waypoint;

/// What is left to do of a step, once the route is known.
pub(super) struct Resumption {
    steps: Vec<Step>,
    calls: Vec<Call>,
}

impl Turn {
    /// Goes on with an answer whose process is gone. Nothing of it was lost: its text is in the snapshot,
    /// and each of its calls either waits or has its result.
    pub(crate) fn resume(setup: TurnSetup, answer: WaitingAnswer) -> Self {
        let WaitingAnswer {
            response_id,
            waypoint,
            steps,
            waiting,
        } = answer;
        let mut turn = Self::start(setup);
        let now = Instant::now();
        let before = |millis: u64| now.checked_sub(Duration::from_millis(millis));
        turn.response_id = response_id;
        turn.text = AnswerText::restored(&waypoint);
        turn.voice = Voice {
            provider: waypoint.provider,
            model: waypoint.model,
        };
        turn.route = waypoint.route;
        turn.answered = true;
        turn.meter.restore(waypoint.usage, waypoint.cost_usd);
        turn.spending = Spending::restored(waypoint.usage, waypoint.cost_usd);
        turn.steps = waypoint.steps.len();
        turn.private.steps = waypoint.steps;
        turn.started = before(waypoint.elapsed_ms).unwrap_or(now);
        let first_token = waypoint.first_token_ms.map(Duration::from_millis);
        turn.first_token = first_token.and_then(|after| turn.started.checked_add(after));
        for call in steps.iter().flat_map(|step| step.message.tool_calls()) {
            turn.calls += 1;
            *turn.calls_by_tool.entry(call.name.clone()).or_default() += 1;
        }
        let calls = waiting.into_iter();
        let calls: Vec<_> = calls
            .map(|(call_id, call)| Call::again(call_id, call, &mut turn.approvals))
            .collect();
        turn.approvals.begin();
        turn.open_calls.clone_from(&calls);
        turn.resumption = Some(Resumption { steps, calls });
        turn
    }

    /// Takes up the step where it was left.
    pub(super) fn go_on(&mut self, resumption: Resumption) {
        let Resumption { mut steps, calls } = resumption;
        let last = steps.pop().unwrap_or_default();
        let request = std::sync::Arc::make_mut(&mut self.request);
        for step in steps {
            request.messages.push(Message::Assistant(step.message));
            request.messages.push(Message::ToolResults(step.results));
        }
        request.messages.push(Message::Assistant(last.message));
        self.start_calls(calls, last.results);
    }

    /// Whether the turn does nothing but wait for people, and can be left to another process.
    pub(crate) fn can_be_left(&self) -> bool {
        let mut open = self.open_calls.iter();
        matches!(self.phase, Phase::RunningTools { .. })
            && self.events.is_empty()
            && !self.open_calls.is_empty()
            && open.all(|call| self.approvals.await_decision_on(call.call_id))
    }

    /// Where the answer stands.
    pub(super) fn waypoint(&self) -> Waypoint {
        let since_start = |at: Instant| {
            let since = at.duration_since(self.started);
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        };
        Waypoint {
            message_id: self.message_id.clone(),
            supersedes: self.supersedes,
            route: self.route.clone(),
            provider: self.voice.provider.clone(),
            model: self.voice.model.clone(),
            content: self.text.content().to_owned(),
            pieces: self.text.pieces(),
            calls: self.text.calls().to_vec(),
            steps: self.private.steps.clone(),
            usage: self.spending.usage(),
            cost_usd: self.spending.cost_usd(),
            first_token_ms: self.first_token.map(since_start),
            elapsed_ms: since_start(Instant::now()),
        }
    }
}
