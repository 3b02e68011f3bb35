//! When a circuit opens, and when it is probed.

use std::time::Duration;

/// When a [`CircuitBreaker`](crate::CircuitBreaker) opens, and when it is probed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerPolicy {
    /// Requests that ended longer ago do not count; 30 s by default.
    pub window: Duration,
    /// It does not open on fewer requests than this; 10 by default.
    pub fewest_requests: u32,
    /// The share of these, from 0 to 1, that must have failed for it to open; 0.5 by default.
    pub failed_share: f64,
    /// From the opening to the first probe. Each probe that fails doubles the wait for the next.
    /// 10 s by default.
    pub first_wait: Duration,
    /// No wait is longer than this; 60 s by default. A probe that takes longer still counts, but
    /// no longer keeps others from being one.
    pub longest_wait: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            fewest_requests: 10,
            failed_share: 0.5,
            first_wait: Duration::from_secs(10),
            longest_wait: Duration::from_secs(60),
        }
    }
}

impl BreakerPolicy {
    /// Whether so many failures among so many requests open the circuit.
    pub(super) fn opens(&self, requests: u32, failures: u32) -> bool {
        requests >= self.fewest_requests
            && f64::from(failures) >= self.failed_share * f64::from(requests)
    }

    /// The wait for the next probe when so many have failed.
    pub(super) fn wait(&self, failed_probes: u32) -> Duration {
        let factor = 1u32.checked_shl(failed_probes).unwrap_or(u32::MAX);
        self.first_wait
            .saturating_mul(factor)
            .min(self.longest_wait)
    }
}
