//! What can be seen of the live sessions of a process from outside, without asking their tasks: each
//! notes how it is as it goes on, so that thousands of them are listed at no cost to them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use patter_protocol::{SessionId, Timestamp};

/// A session that is live in this process, as it was a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveSession {
    /// Its id.
    pub session_id: SessionId,
    /// When this process opened it.
    pub since: Timestamp,
    /// How many are attached to it.
    pub readers: usize,
    /// Whether an answer is in flight.
    pub is_answering: bool,
    /// How many messages wait behind that answer, or to be safe while the store is away.
    pub queued_messages: usize,
}

/// Written by the task of one session, and read by anybody.
#[derive(Debug)]
pub(crate) struct Vitals {
    since: Timestamp,
    readers: AtomicUsize,
    is_answering: AtomicBool,
    queued_messages: AtomicUsize,
}

impl Vitals {
    /// Those of a session that is about to be opened.
    pub(crate) fn new() -> Self {
        Self {
            since: Timestamp::now(),
            readers: AtomicUsize::new(0),
            is_answering: AtomicBool::new(false),
            queued_messages: AtomicUsize::new(0),
        }
    }

    /// Notes how many are attached. What is noted need not belong to the same moment.
    pub(crate) fn note_readers(&self, readers: usize) {
        self.readers.store(readers, Ordering::Relaxed);
    }

    /// Notes whether an answer is in flight.
    pub(crate) fn note_answering(&self, is_answering: bool) {
        self.is_answering.store(is_answering, Ordering::Relaxed);
    }

    /// Notes how many messages wait.
    pub(crate) fn note_queued(&self, messages: usize) {
        self.queued_messages.store(messages, Ordering::Relaxed);
    }

    /// How the session with this id is.
    pub(crate) fn read(&self, session_id: &SessionId) -> LiveSession {
        LiveSession {
            session_id: session_id.clone(),
            since: self.since,
            readers: self.readers.load(Ordering::Relaxed),
            is_answering: self.is_answering.load(Ordering::Relaxed),
            queued_messages: self.queued_messages.load(Ordering::Relaxed),
        }
    }
}
