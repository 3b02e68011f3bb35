//! Finds out whether anybody is still there: a ping every 25 s that must be answered within 10 s,
//! and half an hour without a word on either side ends the connection.
//!
//! Every proxy on the way cuts what is silent for a minute; the pings keep the way open.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

const PING_INTERVAL: Duration = Duration::from_secs(25);
const PONG_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// The clock of one connection.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    /// Fires at the next point of time at which something may be due. Words that come and go do
    /// not touch it, so that a token costs no timer.
    timer: Pin<Box<Sleep>>,
    next_ping: Instant,
    /// Set while a ping waits for its answer.
    pong_due: Option<Instant>,
    last_word: Instant,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Send a ping.
    Ping,
    /// Nothing: an answer came in time.
    Nothing,
    /// The other side did not answer the last ping.
    Gone,
    /// Nobody has said a word for half an hour.
    Idle,
}

impl Heartbeat {
    /// Starts now.
    pub(crate) fn start() -> Self {
        let now = Instant::now();
        let next_ping = now + PING_INTERVAL;
        Self {
            timer: Box::pin(sleep_until(next_ping)),
            next_ping,
            pong_due: None,
            last_word: now,
        }
    }

    /// Something came from the other side: it is there.
    pub(crate) fn heard(&mut self) {
        self.pong_due = None;
    }

    /// A message came or an event went out: the connection is in use.
    pub(crate) fn in_use(&mut self, now: Instant) {
        self.last_word = now;
    }

    /// Waits until something is due.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub(crate) async fn next(&mut self) -> Beat {
        self.timer.as_mut().await;
        let now = Instant::now();
        let beat = self.due(now);
        if beat == Beat::Ping {
            self.next_ping = now + PING_INTERVAL;
            self.pong_due = Some(now + PONG_TIMEOUT);
        }
        let wake = self
            .pong_due
            .map_or(self.next_ping, |due| due.min(self.next_ping));
        self.timer.as_mut().reset(wake);
        beat
    }

    fn due(&self, now: Instant) -> Beat {
        if self.pong_due.is_some_and(|due| due <= now) {
            Beat::Gone
        } else if now.duration_since(self.last_word) >= IDLE_TIMEOUT {
            Beat::Idle
        } else if self.next_ping <= now {
            Beat::Ping
        } else {
            Beat::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_unanswered_ping_means_that_nobody_is_there() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::start();
        assert_eq!(heartbeat.next().await, Beat::Ping);
        assert_eq!(heartbeat.next().await, Beat::Gone);
        assert_eq!(start.elapsed().as_secs(), 35);
    }

    #[tokio::test(start_paused = true)]
    async fn who_answers_pings_and_says_nothing_is_idle_after_half_an_hour() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::start();
        loop {
            match heartbeat.next().await {
                Beat::Ping => heartbeat.heard(),
                Beat::Nothing => {}
                end => {
                    assert_eq!(end, Beat::Idle);
                    break;
                }
            }
        }
        assert_eq!(start.elapsed(), IDLE_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_word_now_and_then_keeps_the_connection() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::start();
        while start.elapsed() < 3 * IDLE_TIMEOUT {
            assert!(matches!(heartbeat.next().await, Beat::Ping | Beat::Nothing));
            heartbeat.heard();
            heartbeat.in_use(Instant::now());
        }
    }
}
