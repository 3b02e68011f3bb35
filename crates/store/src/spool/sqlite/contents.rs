//! What is in the file, as far as one must know without reading it: sizes by session.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use patter_protocol::SessionId;
use tokio::time::Instant;

/// A number of events and how large they are together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) events: u64,
    /// As they are encoded.
    pub(super) bytes: u64,
}

impl Size {
    pub(super) fn add(&mut self, other: Self) {
        self.events = self.events.saturating_add(other.events);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    pub(super) fn subtract(&mut self, other: Self) {
        self.events = self.events.saturating_sub(other.events);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}

/// What a transaction has changed about one session.
#[derive(Debug)]
pub(super) struct Effect {
    pub(super) session_id: SessionId,
    pub(super) added: Size,
    pub(super) removed: Size,
}

/// The sizes. The task writes them, everybody reads them.
#[derive(Debug, Default)]
pub(super) struct Contents(Mutex<Sizes>);

#[derive(Debug, Default)]
struct Sizes {
    /// Sessions of which something is kept.
    sessions: HashMap<SessionId, Size>,
    total: Size,
    /// Since when there is one.
    filled_since: Option<Instant>,
}

impl Contents {
    /// The file was read.
    pub(super) fn replace(&self, sessions: HashMap<SessionId, Size>) {
        let mut sizes = self.lock();
        sizes.sessions = sessions;
        sizes.sessions.retain(|_, size| size.events > 0);
        let mut total = Size::default();
        for size in sizes.sessions.values() {
            total.add(*size);
        }
        sizes.total = total;
        sizes.follow_clock();
    }

    /// A transaction was committed.
    pub(super) fn apply(&self, effects: Vec<Effect>) {
        let mut sizes = self.lock();
        for effect in effects {
            sizes.total.add(effect.added);
            sizes.total.subtract(effect.removed);
            let size = sizes.sessions.entry(effect.session_id.clone()).or_default();
            size.add(effect.added);
            size.subtract(effect.removed);
            if size.events == 0 {
                sizes.sessions.remove(&effect.session_id);
            }
        }
        sizes.follow_clock();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().sessions.is_empty()
    }

    pub(super) fn sessions(&self) -> Vec<SessionId> {
        self.lock().sessions.keys().cloned().collect()
    }

    pub(super) fn holds(&self, session_id: &SessionId) -> bool {
        self.lock().sessions.contains_key(session_id)
    }

    /// The size of all, and for how long there has been something.
    pub(super) fn total(&self) -> (Size, Option<Duration>) {
        let sizes = self.lock();
        (sizes.total, sizes.filled_since.map(|since| since.elapsed()))
    }

    fn lock(&self) -> MutexGuard<'_, Sizes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sizes {
    /// Notes when there begins to be something, and when there is nothing any more.
    fn follow_clock(&mut self) {
        self.filled_since = if self.sessions.is_empty() {
            None
        } else {
            self.filled_since.or_else(|| Some(Instant::now()))
        };
    }
}
