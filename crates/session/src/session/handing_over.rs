//! How a session leaves this process without ending: everything it has to say is made safe, then its
//! lease is given back. Whoever is asked for it next goes on with it; if nobody is, a sweeper
//! finalizes it when the linger has passed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use patter_protocol::{CloseCode, FinishReason};
use tokio::time::Instant;
use tracing::warn;

use super::{Flow, Session, Stage, readers};
use crate::turn::Turn;

/// How long the store may take to hear that a session is free. The lease runs out anyway.
const RELEASE_LIMIT: Duration = Duration::from_secs(2);

impl Session {
    /// The manager has come one step further with shutting down.
    pub(super) fn take_stage(&mut self, stage: Stage) -> Flow {
        self.stage = stage;
        match stage {
            Stage::Serving => {}
            Stage::Draining { .. } => self.readers.send(&readers::draining()),
            Stage::Stopping { .. } => {
                // The spread may be a shorter one from here on.
                self.departure = None;
                self.close_what_cannot_be_left();
                self.end_without_summary();
            }
            Stage::Stopped => {
                if !self.log.is_safe() {
                    warn!(session_id = %self.session_id, "the server stopped before everything was stored");
                }
                return Flow::Close(CloseCode::Restart);
            }
        }
        Flow::GoOn
    }

    /// Ends all answers but one that only waits for people.
    fn close_what_cannot_be_left(&mut self) {
        if self.turn.as_deref().is_some_and(Turn::can_be_left) {
            self.close_waiting(FinishReason::Interrupted);
        } else {
            self.close_answers(FinishReason::Interrupted);
        }
    }

    /// Whether it is time to leave. A session's share of the spread begins when it has nothing left to
    /// do, not when the drain does: answers that end together must not send their clients away
    /// together.
    pub(super) fn is_to_be_handed_over(&mut self) -> bool {
        let is_stopping = matches!(self.stage, Stage::Stopping { .. });
        if is_stopping && (self.turn.is_some() || !self.waiting.is_empty()) {
            // An answer may have waited for people when that began, and wait no more.
            self.close_what_cannot_be_left();
        }
        if !self.may_leave() {
            self.departure = None;
            return false;
        }
        let Some(spread) = self.stage.spread() else {
            return false;
        };
        let now = Instant::now();
        let share = self.share_of(spread);
        *self.departure.get_or_insert(now + share) <= now
    }

    /// A part of `spread` that is this session's own.
    fn share_of(&self, spread: Duration) -> Duration {
        let mut hasher = DefaultHasher::new();
        self.session_id.hash(&mut hasher);
        let per_mille = u32::try_from(hasher.finish() % 1_000).unwrap_or_default();
        spread * per_mille / 1_000
    }

    /// Whether the session has nothing left to do here that another process could not go on with.
    fn may_leave(&self) -> bool {
        // Who goes on with the session goes on waiting for people.
        self.turn.as_deref().is_none_or(Turn::can_be_left)
            && self.waiting.is_empty()
            && self.admissions.is_empty()
            && self.ending.is_none()
            && match self.stage {
                // There is time to wait for the store: with what is on this disk alone, whoever goes on
                // with the session would ask again what has been asked.
                Stage::Serving | Stage::Draining { .. } => self.log.is_stored(),
                Stage::Stopping { .. } | Stage::Stopped => self.log.is_safe(),
            }
    }

    /// Gives the lease back, unless it is lost. (A session that has ended has given it back.)
    pub(super) async fn let_go(&mut self, code: CloseCode) {
        if matches!(code, CloseCode::Restart | CloseCode::Internal) {
            let store = &*self.resources.store;
            self.lease.release(store, RELEASE_LIMIT).await;
        }
    }
}
