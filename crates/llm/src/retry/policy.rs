//! How often, and after how long, a model is asked again.

use std::time::Duration;

use backon::ExponentialBuilder;

/// How often, and after how long, [`Retry`](crate::Retry) asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many more tries there are; 2 by default.
    pub retries: usize,
    /// The longest delay before the first of them; it doubles with each. Half of a delay is fixed
    /// and half is chance, so that those who failed together do not come back together. 0.5 s by
    /// default.
    pub first_delay: Duration,
    /// No delay is longer than this; 8 s by default.
    pub longest_delay: Duration,
    /// A provider that asks to wait up to this long is granted it; one that asks for more is not
    /// asked again. 20 s by default.
    pub longest_retry_after: Duration,
    /// No new try begins when this much time has passed since the first began; 30 s by default.
    /// One that has begun may take as long as it does. So a model that is silent up to its
    /// deadline for the first token (45 s) is waited for once and not three times, while somebody
    /// else could answer.
    pub tries_begin_within: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 2,
            first_delay: Duration::from_millis(500),
            longest_delay: Duration::from_secs(8),
            longest_retry_after: Duration::from_secs(20),
            tries_begin_within: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// The delays before the further tries, as far as they are ours to choose.
    pub(super) fn delays(&self) -> ExponentialBuilder {
        // The jitter of backon adds up to as much again; so it starts from the half.
        ExponentialBuilder::new()
            .with_jitter()
            .with_min_delay(self.first_delay / 2)
            .with_max_delay(self.longest_delay / 2)
            .with_max_times(self.retries)
    }
}
