//! What is counted of an answer. For each piece that is one look at the clock and an addition to a
//! histogram which this turn alone has: nothing is shared, looked up, locked or allocated.

use patter_llm::{ModelEvent, Usage};
use patter_protocol::FinishReason;
use tokio::time::Instant;

use super::Turn;
use super::step::Voice;
use crate::measures::{Measures, OfModel};

/// Watches the pieces of one step come in. What it has counted is merged when it is dropped.
#[derive(Debug)]
pub(super) struct Arrivals {
    of_model: OfModel,
    /// When the request was made; `None` once its first piece has come, and where it cannot be told how long
    /// the model took for it.
    asked: Option<Instant>,
    /// The last piece of text or reasoning.
    last: Option<Instant>,
}

impl Arrivals {
    pub(super) fn of_request(measures: &Measures, voice: &Voice, asked: Instant) -> Self {
        Self {
            of_model: measures.of_model(&voice.provider, &voice.model),
            asked: Some(asked),
            last: None,
        }
    }

    /// The model took over from one that had failed before: how long it was asked is not known.
    pub(super) fn after_failover(measures: &Measures, voice: &Voice) -> Self {
        Self {
            of_model: measures.of_model(&voice.provider, &voice.model),
            asked: None,
            last: None,
        }
    }

    /// A piece is here. That is when the turn takes it: a session that has no time for it counts it as
    /// late, but then there is no time for anything, and `patter_inbox_commands` tells.
    pub(super) fn note(&mut self, piece: &ModelEvent) -> Instant {
        let now = Instant::now();
        let is_shown = matches!(piece, ModelEvent::Text(_) | ModelEvent::Reasoning(_));
        if (is_shown || matches!(piece, ModelEvent::ToolCall(_)))
            && let Some(asked) = self.asked.take()
        {
            let took = now.duration_since(asked);
            self.of_model.first_piece.observe(took.as_secs_f64());
        }
        if is_shown && let Some(last) = self.last.replace(now) {
            let gap = now.duration_since(last);
            self.of_model.gaps.observe(gap.as_secs_f64());
        }
        now
    }
}

impl Turn {
    /// Counts what a finished step used, for the model that answered it.
    pub(super) fn count_step(&self, usage: Usage, cost_usd: Option<f64>) {
        let Voice { provider, model } = &self.voice;
        self.measures.spend(provider, model, usage, cost_usd);
    }

    /// Adds a step whose cost will not be known: its provider counts it and does not say how much.
    pub(super) fn add_unpriced_step(&mut self) {
        self.spending.add_unknown();
        self.meter.close_as_thought();
        let Voice { provider, model } = &self.voice;
        self.measures.unpriced(provider, model);
    }

    /// Counts the answer by how it ended.
    pub(crate) fn count_end(&self, reason: FinishReason) {
        let route = self.route.as_deref().unwrap_or("none");
        self.measures.turns(route, reason).inc();
        let took = self.started.elapsed();
        self.measures.turn_time.observe(took.as_secs_f64());
        if let Some(first_token) = self.first_token {
            let after = first_token.duration_since(self.started);
            let Voice { provider, model } = &self.voice;
            self.measures.first_token(provider, model, after);
        }
    }
}
