//! Bounds how many pings and pongs a client may send: each ping costs a pong, and a flood of them
//! would cost more than it costs its sender.

use tokio::time::Instant;

const BURST: f64 = 20.0;
const PER_SECOND: f64 = 10.0;

/// A token bucket: bursts of 20, 10 a second over time.
#[derive(Debug)]
pub(crate) struct ControlBudget {
    left: f64,
    counted_at: Instant,
}

impl ControlBudget {
    /// A full bucket.
    pub(crate) fn new() -> Self {
        Self {
            left: BURST,
            counted_at: Instant::now(),
        }
    }

    /// Takes one; `false` if there is none left.
    pub(crate) fn take(&mut self) -> bool {
        let now = Instant::now();
        let refill = now.duration_since(self.counted_at).as_secs_f64() * PER_SECOND;
        self.left = (self.left + refill).min(BURST);
        self.counted_at = now;
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_fine_and_a_flood_is_not() {
        let mut budget = ControlBudget::new();
        for _ in 0..20 {
            assert!(budget.take());
        }
        assert!(!budget.take());
        for _ in 0..100 {
            tokio::time::advance(Duration::from_millis(101)).await;
            assert!(budget.take());
        }
    }
}
