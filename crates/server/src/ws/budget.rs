//! Bounds how much a client may send: each ping costs a pong and each message a look at it, and a
//! flood of them would cost the others more than it costs its sender.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::limits::TokioClock;

/// How much a client may send, in a row and over time.
#[derive(Debug)]
pub(crate) struct Budget(
    RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>,
);

const CONTROL_BURST: NonZeroU32 = NonZeroU32::new(20).unwrap();
const CONTROL_PER_SECOND: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Nobody types that fast.
const MESSAGE_BURST: NonZeroU32 = NonZeroU32::new(100).unwrap();
const MESSAGES_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).unwrap();

impl Budget {
    /// For pings and pongs.
    pub(crate) fn of_control_frames() -> Self {
        Self::of(CONTROL_PER_SECOND, CONTROL_BURST)
    }

    /// For messages.
    pub(crate) fn of_messages() -> Self {
        Self::of(MESSAGES_PER_SECOND, MESSAGE_BURST)
    }

    fn of(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self(RateLimiter::direct_with_clock(quota, TokioClock::start()))
    }

    /// Takes one; `false` if there is none left.
    pub(crate) fn take(&self) -> bool {
        self.0.check().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_fine_and_a_flood_is_not() {
        let budget = Budget::of_control_frames();
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
