//! How often a caller may do something: so many in a row, and over time so many an hour or a minute.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::{Quota, RateLimiter};

use super::Who;
use super::clock::TokioClock;
use super::table::{Asked, Table};
use crate::metrics::LimitMeasures;

/// So often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Per(Quota);

impl Per {
    /// So many an hour, which may all come at once.
    pub(super) fn hour(count: NonZeroU32) -> Self {
        Self(Quota::per_hour(count))
    }

    /// So many a minute, of which `burst` may come at once.
    pub(super) fn minute(count: NonZeroU32, burst: NonZeroU32) -> Self {
        Self(Quota::per_minute(count).allow_burst(burst))
    }
}

/// How often a user, and how often a network. The two are counted apart: no crowd of addresses makes the
/// server forget a user.
#[derive(Debug)]
pub(super) struct Rates {
    users: Rate,
    networks: Rate,
}

impl Rates {
    pub(super) fn new(users: Per, networks: Per, measures: &Arc<LimitMeasures>) -> Self {
        Self {
            users: Rate::new(users, measures),
            networks: Rate::new(networks, measures),
        }
    }

    /// Counts one.
    ///
    /// # Errors
    ///
    /// How long to wait, where it is one too many.
    pub(super) fn take(&self, who: &Who) -> Result<(), Duration> {
        self.of(who).check(&Asked::to_take(who))
    }

    /// Whether one more would be granted.
    ///
    /// # Errors
    ///
    /// How long to wait until it would.
    pub(super) fn look(&self, who: &Who) -> Result<(), Duration> {
        self.of(who).check(&Asked::to_look(who))
    }

    /// Forgets who has all of it again.
    pub(super) fn clean(&self) {
        for rate in [&self.users, &self.networks] {
            rate.limiter.retain_recent();
            rate.limiter.shrink_to_fit();
        }
    }

    /// How many are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.users.limiter.len() + self.networks.limiter.len()
    }

    fn of(&self, who: &Who) -> &Rate {
        match who {
            Who::User(_) => &self.users,
            Who::Network(_) => &self.networks,
        }
    }
}

#[derive(Debug)]
struct Rate {
    limiter: RateLimiter<Asked, Table, TokioClock, NoOpMiddleware<Duration>>,
    clock: TokioClock,
}

impl Rate {
    fn new(Per(quota): Per, measures: &Arc<LimitMeasures>) -> Self {
        let clock = TokioClock::start();
        Self {
            limiter: RateLimiter::new(quota, Table::new(Arc::clone(measures)), clock),
            clock,
        }
    }

    fn check(&self, asked: &Asked) -> Result<(), Duration> {
        let checked = self.limiter.check_key(asked);
        checked.map_err(|until| until.wait_time_from(self.clock.now()))
    }
}
