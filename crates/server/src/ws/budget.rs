//! Bounds how much a client may send: each ping costs a pong and each message a look at it, and a
//! flood of them would cost the others more than it costs its sender.

use tokio::time::Instant;

/// A token bucket.
#[derive(Debug)]
pub(crate) struct Budget {
    burst: f64,
    per_second: f64,
    left: f64,
    counted_at: Instant,
}

impl Budget {
    /// For pings and pongs: bursts of 20, 10 a second over time.
    pub(crate) fn of_control_frames() -> Self {
        Self::full(20.0, 10.0)
    }

    /// For messages: bursts of 100, 50 a second over time. Nobody types that fast.
    pub(crate) fn of_messages() -> Self {
        Self::full(100.0, 50.0)
    }

    fn full(burst: f64, per_second: f64) -> Self {
        Self {
            burst,
            per_second,
            left: burst,
            counted_at: Instant::now(),
        }
    }

    /// Takes one; `false` if there is none left.
    pub(crate) fn take(&mut self) -> bool {
        let now = Instant::now();
        let refill = now.duration_since(self.counted_at).as_secs_f64() * self.per_second;
        self.left = (self.left + refill).min(self.burst);
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
        let mut budget = Budget::of_control_frames();
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
