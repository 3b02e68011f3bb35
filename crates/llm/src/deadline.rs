//! Until when something is waited for.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::TimeoutPhase;

/// Longest wait that is told apart from waiting for ever; a clock cannot be added to without end.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The end of one wait, and what an error says of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    /// What is waited for.
    pub(crate) phase: TimeoutPhase,
    /// How long, in all.
    pub(crate) limit: Duration,
    /// When it is given up.
    pub(crate) at: Instant,
}

impl Deadline {
    /// Waits so long from the given moment on.
    pub(crate) fn new(phase: TimeoutPhase, limit: Duration, from: Instant) -> Self {
        Self {
            phase,
            limit,
            at: from + limit.min(LONGEST),
        }
    }

    /// Whichever of both comes first.
    pub(crate) fn or_earlier(self, other: Self) -> Self {
        if other.at < self.at { other } else { self }
    }
}
