//! The states of a circuit and the ways between them. No clock and no lock: the time is given.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::outcome::Outcome;
use super::policy::BreakerPolicy;
use super::window::Window;

/// What a circuit does, and what it has seen.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CircuitStatus {
    /// Whether requests are let through.
    pub state: CircuitState,
    /// When it last opened or closed; `None` where it has been closed from the start.
    pub since: Option<Instant>,
    /// Requests that ended in the window of the policy; the last that led to the opening where it
    /// is open.
    pub requests: u32,
    /// Those of them that failed.
    pub failures: u32,
    /// Counts since the process started.
    pub totals: CircuitTotals,
}

/// Whether requests are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitState {
    /// All are.
    Closed,
    /// None is.
    Open {
        /// When it is probed.
        retry_after: Duration,
    },
    /// The next one, or one that is on its way, is the probe that decides; others are not.
    HalfOpen,
}

/// Counts of one circuit, which only grow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CircuitTotals {
    /// Requests that were let through.
    pub requests: u64,
    /// Requests that were answered with [`LlmError::CircuitOpen`](crate::LlmError::CircuitOpen).
    pub rejected: u64,
    /// Requests that failed, by [`LlmError::kind`](crate::LlmError::kind).
    pub failures: BTreeMap<&'static str, u64>,
    /// How often it opened; a probe that failed does not count.
    pub opened: u64,
}

/// A request that was let through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Admission {
    /// Of the machine, at that time.
    generation: u64,
    at: Instant,
    pub(super) is_probe: bool,
}

/// A change that is worth telling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Opened { wait: Duration },
    ProbeFailed { wait: Duration },
    Closed,
}

#[derive(Debug)]
pub(super) struct Machine {
    policy: BreakerPolicy,
    position: Position,
    /// See [`CircuitStatus::since`].
    since: Option<Instant>,
    /// Changes with the position: a request that began before says nothing about now.
    generation: u64,
    window: Window,
    totals: CircuitTotals,
}

#[derive(Debug)]
enum Position {
    Closed,
    Open {
        until: Instant,
        failed_probes: u32,
        /// When the last probe began that has no end yet.
        probe: Option<Instant>,
    },
}

impl Machine {
    pub(super) fn new(policy: BreakerPolicy) -> Self {
        Self {
            policy,
            position: Position::Closed,
            since: None,
            generation: 0,
            window: Window::new(policy.window),
            totals: CircuitTotals::default(),
        }
    }

    /// Lets a request through, or says when to come back.
    pub(super) fn admit(&mut self, now: Instant) -> Result<Admission, Duration> {
        let admitted = self.place(now);
        match admitted {
            Ok(_) => self.totals.requests += 1,
            Err(_) => self.totals.rejected += 1,
        }
        admitted
    }

    fn place(&mut self, now: Instant) -> Result<Admission, Duration> {
        let is_probe = match &mut self.position {
            Position::Closed => false,
            Position::Open { until, .. } if now < *until => return Err(*until - now),
            Position::Open { probe, .. } => {
                // A probe that hangs must not keep the circuit open for good.
                let patience = self.policy.longest_wait;
                if probe.is_some_and(|began| now.duration_since(began) < patience) {
                    // Nobody knows when it ends; if it fails, the next is not before this.
                    return Err(self.policy.first_wait);
                }
                *probe = Some(now);
                true
            }
        };
        Ok(Admission {
            generation: self.generation,
            at: now,
            is_probe,
        })
    }

    /// A request that was let through is over.
    pub(super) fn end(
        &mut self,
        request: Admission,
        outcome: Outcome,
        now: Instant,
    ) -> Option<Change> {
        if let Outcome::Failure(kind) = outcome {
            *self.totals.failures.entry(kind).or_default() += 1;
        }
        if request.generation != self.generation {
            return None;
        }
        match (&mut self.position, outcome) {
            (Position::Closed, Outcome::Neither) => None,
            (Position::Closed, Outcome::Success) => {
                self.window.add(false, now);
                None
            }
            (Position::Closed, Outcome::Failure(_)) => {
                let (requests, failures) = self.window.add(true, now);
                if !self.policy.opens(requests, failures) {
                    return None;
                }
                self.totals.opened += 1;
                self.since = Some(now);
                let wait = self.open(0, now);
                Some(Change::Opened { wait })
            }
            (Position::Open { probe, .. }, Outcome::Neither) => {
                // Only its own place: it may have taken so long that another one has begun.
                if *probe == Some(request.at) {
                    *probe = None;
                }
                None
            }
            (Position::Open { .. }, Outcome::Success) => {
                self.position = Position::Closed;
                self.since = Some(now);
                self.generation += 1;
                self.window.clear();
                Some(Change::Closed)
            }
            (Position::Open { failed_probes, .. }, Outcome::Failure(_)) => {
                let failed_probes = failed_probes.saturating_add(1);
                let wait = self.open(failed_probes, now);
                Some(Change::ProbeFailed { wait })
            }
        }
    }

    /// Opens, and gives the wait for the next probe.
    fn open(&mut self, failed_probes: u32, now: Instant) -> Duration {
        let wait = self.policy.wait(failed_probes);
        self.position = Position::Open {
            until: now + wait,
            failed_probes,
            probe: None,
        };
        self.generation += 1;
        wait
    }

    pub(super) fn status(&mut self, now: Instant) -> CircuitStatus {
        let (requests, failures) = self.window.count(now);
        let state = match &self.position {
            Position::Closed => CircuitState::Closed,
            Position::Open { until, .. } if now < *until => CircuitState::Open {
                retry_after: *until - now,
            },
            Position::Open { .. } => CircuitState::HalfOpen,
        };
        CircuitStatus {
            state,
            since: self.since,
            requests,
            failures,
            totals: self.totals.clone(),
        }
    }
}
