//! What the sessions of a process come to, for whoever runs it: counted here by plain atomics, read by
//! way of [`SessionManager::register_metrics`](crate::SessionManager::register_metrics).
//!
//! Labels are words of this crate, and names of models, routes and tools that the process was set up with.
//! What a client or a model made up is no label.

mod standing;
mod table;
mod words;

use std::time::Duration;

use patter_llm::Usage;
use patter_metrics::{
    CounterVec, Error, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    LocalHistogram, Registry,
};
use patter_protocol::{EndReason, FinishReason};

pub(crate) use standing::{SessionState, Standing};
pub use table::METRICS;
pub(crate) use table::{INBOX_COMMANDS, SPOOL_METRICS, spool_samples};
pub(crate) use words::{Limit, SummaryKind};

/// For metrics without labels.
const NONE: [&str; 0] = [];

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Measures {
    sessions: IntGaugeVec,
    pub(crate) opened: IntCounter,
    ended: IntCounterVec,
    pub(crate) leases_lost: IntCounter,
    pub(crate) swept: IntCounter,
    sweeps: IntCounterVec,
    messages_waiting: IntGauge,
    events_unstored: IntGauge,
    turns: IntCounterVec,
    pub(crate) turn_time: Histogram,
    pub(crate) preparation: Histogram,
    first_token: HistogramVec,
    first_piece: HistogramVec,
    piece_gap: HistogramVec,
    tokens: IntCounterVec,
    cost: CounterVec,
    unpriced: IntCounterVec,
    failovers: IntCounterVec,
    tool_time: HistogramVec,
    summaries: IntCounterVec,
    limits: IntCounterVec,
}

/// What is counted of one model. Looked up once for each step of an answer, and not for its pieces.
#[derive(Debug)]
pub(crate) struct OfModel {
    pub(crate) first_piece: Histogram,
    /// Filled by one step alone, without anything shared, and merged when it is dropped.
    pub(crate) gaps: LocalHistogram,
}

impl Default for Measures {
    fn default() -> Self {
        let measures = Self {
            sessions: table::SESSIONS.levels(),
            opened: table::OPENED.counts().with_label_values(&NONE),
            ended: table::ENDED.counts(),
            leases_lost: table::LEASES_LOST.counts().with_label_values(&NONE),
            swept: table::SWEPT.counts().with_label_values(&NONE),
            sweeps: table::SWEEPS.counts(),
            messages_waiting: table::MESSAGES_WAITING.levels().with_label_values(&NONE),
            events_unstored: table::EVENTS_UNSTORED.levels().with_label_values(&NONE),
            turns: table::TURNS.counts(),
            turn_time: table::TURN_TIME.measures().with_label_values(&NONE),
            preparation: table::PREPARATION.measures().with_label_values(&NONE),
            first_token: table::FIRST_TOKEN.measures(),
            first_piece: table::FIRST_PIECE.measures(),
            piece_gap: table::PIECE_GAP.measures(),
            tokens: table::TOKENS.counts(),
            cost: table::COST.sums(),
            unpriced: table::UNPRICED.counts(),
            failovers: table::FAILOVERS.counts(),
            tool_time: table::TOOL_TIME.measures(),
            summaries: table::SUMMARIES.counts(),
            limits: table::LIMITS.counts(),
        };
        measures.begin_at_zero();
        measures
    }
}

impl Measures {
    /// What has few values is there from the beginning: a monitor cannot tell a count that is not there from one
    /// that was never watched, and misses the step from nothing to one.
    fn begin_at_zero(&self) {
        for state in SessionState::ALL {
            self.sessions(state);
        }
        for reason in words::FINISH_REASONS {
            self.turns("none", reason);
        }
        for reason in words::END_REASONS {
            self.ended.with_label_values(&[words::end_reason(reason)]);
        }
        for limit in Limit::ALL {
            self.limits.with_label_values(&[limit.word()]);
        }
        for outcome in ["ok", "failed"] {
            self.sweeps.with_label_values(&[outcome]);
        }
        for kind in SummaryKind::ALL {
            for outcome in ["made", "failed"] {
                self.summaries.with_label_values(&[kind.word(), outcome]);
            }
        }
    }

    /// Begins to count for a model, at zero.
    pub(crate) fn expect_model(&self, provider: &str, model: &str) {
        let labels = [provider, model];
        self.of_model(provider, model);
        self.first_token.with_label_values(&labels);
        self.spend(provider, model, Usage::default(), Some(0.0));
        self.unpriced.with_label_values(&labels);
        self.failovers.with_label_values(&labels);
    }

    pub(crate) fn of_model(&self, provider: &str, model: &str) -> OfModel {
        let labels = [provider, model];
        OfModel {
            first_piece: self.first_piece.with_label_values(&labels),
            gaps: self.piece_gap.with_label_values(&labels).local(),
        }
    }

    /// Counts a step of an answer that was finished.
    pub(crate) fn spend(&self, provider: &str, model: &str, usage: Usage, cost: Option<f64>) {
        for (kind, count) in [
            ("input", usage.input_tokens),
            ("output", usage.output_tokens),
            ("cached_input", usage.cached_input_tokens),
            ("reasoning", usage.reasoning_tokens),
        ] {
            let counter = self.tokens.with_label_values(&[provider, model, kind]);
            counter.inc_by(count.unwrap_or(0));
        }
        match cost {
            // A price below nothing would be a fault of the configuration, and no counter takes it.
            Some(cost) => self.cost(provider, model, cost.max(0.0)),
            None => self.unpriced(provider, model),
        }
    }

    fn cost(&self, provider: &str, model: &str, dollars: f64) {
        let cost = self.cost.with_label_values(&[provider, model]);
        cost.inc_by(dollars);
    }

    /// Counts a step of an answer whose cost is not known.
    pub(crate) fn unpriced(&self, provider: &str, model: &str) {
        self.unpriced.with_label_values(&[provider, model]).inc();
    }

    pub(crate) fn failed_over(&self, provider: &str, model: &str) {
        self.failovers.with_label_values(&[provider, model]).inc();
    }

    pub(crate) fn first_token(&self, provider: &str, model: &str, after: Duration) {
        let first_token = self.first_token.with_label_values(&[provider, model]);
        first_token.observe(after.as_secs_f64());
    }

    pub(crate) fn turns(&self, route: &str, reason: FinishReason) -> IntCounter {
        self.turns
            .with_label_values(&[route, words::finish_reason(reason)])
    }

    pub(crate) fn tool_call(&self, tool: &str, took: Duration) {
        let time = self.tool_time.with_label_values(&[tool]);
        time.observe(took.as_secs_f64());
    }

    pub(crate) fn ended(&self, reason: EndReason) {
        let reason = words::end_reason(reason);
        self.ended.with_label_values(&[reason]).inc();
    }

    pub(crate) fn hit(&self, limit: Limit) {
        self.limits.with_label_values(&[limit.word()]).inc();
    }

    /// Counts a sweep.
    pub(crate) fn looked(&self, went_well: bool) {
        let outcome = if went_well { "ok" } else { "failed" };
        self.sweeps.with_label_values(&[outcome]).inc();
    }

    pub(crate) fn summarized(&self, kind: SummaryKind, went_well: bool) {
        let outcome = if went_well { "made" } else { "failed" };
        let labels = [kind.word(), outcome];
        self.summaries.with_label_values(&labels).inc();
    }

    fn sessions(&self, state: SessionState) -> IntGauge {
        self.sessions.with_label_values(&[state.word()])
    }

    /// Hands all of it to a registry.
    pub(crate) fn register(&self, registry: &Registry) -> Result<(), Error> {
        registry.register(Box::new(self.sessions.clone()))?;
        registry.register(Box::new(self.opened.clone()))?;
        registry.register(Box::new(self.ended.clone()))?;
        registry.register(Box::new(self.leases_lost.clone()))?;
        registry.register(Box::new(self.swept.clone()))?;
        registry.register(Box::new(self.sweeps.clone()))?;
        registry.register(Box::new(self.messages_waiting.clone()))?;
        registry.register(Box::new(self.events_unstored.clone()))?;
        registry.register(Box::new(self.turns.clone()))?;
        registry.register(Box::new(self.turn_time.clone()))?;
        registry.register(Box::new(self.preparation.clone()))?;
        registry.register(Box::new(self.first_token.clone()))?;
        registry.register(Box::new(self.first_piece.clone()))?;
        registry.register(Box::new(self.piece_gap.clone()))?;
        registry.register(Box::new(self.tokens.clone()))?;
        registry.register(Box::new(self.cost.clone()))?;
        registry.register(Box::new(self.unpriced.clone()))?;
        registry.register(Box::new(self.failovers.clone()))?;
        registry.register(Box::new(self.tool_time.clone()))?;
        registry.register(Box::new(self.summaries.clone()))?;
        registry.register(Box::new(self.limits.clone()))
    }
}
