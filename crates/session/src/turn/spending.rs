//! What an answer used and cost, step by step. A sum with an unknown part is unknown, never less
//! than it was.

use patter_llm::{LlmError, Usage, rounded_usd};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Spending {
    usage: Usage,
    /// In US dollars; `None` once there is a part whose cost is not known.
    cost_usd: Option<f64>,
}

impl Default for Spending {
    fn default() -> Self {
        Self {
            usage: Usage::default(),
            cost_usd: Some(0.0),
        }
    }
}

impl Spending {
    /// Adds a step that was finished, with its cost if that is known.
    pub(super) fn add(&mut self, usage: Usage, cost_usd: Option<f64>) {
        self.usage += usage;
        self.cost_usd = self
            .cost_usd
            .zip(cost_usd)
            .map(|(sum, more)| rounded_usd(sum + more));
    }

    /// Adds a step that was begun and broken off: its provider counts it and does not say how much.
    pub(super) fn add_unknown(&mut self) {
        self.cost_usd = None;
    }

    /// What was spent when an answer was left.
    pub(super) fn restored(usage: Usage, cost_usd: Option<f64>) -> Self {
        Self { usage, cost_usd }
    }

    pub(super) fn usage(&self) -> Usage {
        self.usage
    }

    pub(super) fn cost_usd(&self) -> Option<f64> {
        self.cost_usd
    }
}

/// Whether a provider may charge for a request that failed so before anything of its answer was seen: it
/// took the request, or nobody knows whether it did. What it refused, and what was not sent, is free.
pub(crate) fn may_be_charged(error: &LlmError) -> bool {
    match error {
        LlmError::Settings { .. }
        | LlmError::Auth { .. }
        | LlmError::RateLimited { .. }
        | LlmError::Quota { .. }
        | LlmError::InvalidRequest { .. }
        | LlmError::NotFound { .. }
        | LlmError::Server { .. }
        | LlmError::CircuitOpen { .. } => false,
        // Blocked, broken off, too slow, or not to be read.
        _ => true,
    }
}
