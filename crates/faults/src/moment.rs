//! Points in time on one scale: the monotonic clock of the suite, from its start.
//!
//! What carries a time of the wall clock (a row, for one) is put on the same scale, so that a fault,
//! a request to the model and the birth of a row can be put in order.

use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// When the suite began, by both clocks.
static START: LazyLock<(Instant, DateTime<Utc>)> = LazyLock::new(|| (Instant::now(), Utc::now()));

/// A point in time, in seconds from the start of the suite; what was before it is negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Moment(f64);

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self::of(Instant::now())
    }

    /// A time of the monotonic clock.
    #[must_use]
    pub fn of(instant: Instant) -> Self {
        let (start, _) = *START;
        Self(instant.saturating_duration_since(start).as_secs_f64())
    }

    /// A time of the wall clock.
    #[must_use]
    pub fn of_wall(time: DateTime<Utc>) -> Self {
        let (_, start) = *START;
        let micros = (time - start).num_microseconds().unwrap_or(i64::MAX);
        #[expect(
            clippy::cast_precision_loss,
            reason = "microseconds of a run fit a float"
        )]
        Self(micros as f64 / 1e6)
    }

    /// So many seconds from the start; for histories made by hand.
    #[must_use]
    pub fn at(seconds: f64) -> Self {
        Self(seconds)
    }

    /// From an earlier moment to this one; zero if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs_f64((self.0 - earlier.0).max(0.0))
    }

    /// This moment and a bit.
    #[must_use]
    pub fn plus(self, more: Duration) -> Self {
        Self(self.0 + more.as_secs_f64())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} s", self.0)
    }
}
