//! One reader's view of a session: what it missed, then what happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use patter_protocol::{CloseCode, LogEpoch, SessionId};
use patter_store::{EventQuery, SessionStore};
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::error::with_causes;
use crate::frame::Frame;
use crate::reader::ReaderQueue;

/// So many events are read from the store at a time.
const REPLAY_PAGE: u32 = 300;
/// How long a store that is away is waited for in the middle of a replay, and the pause in between.
const REPLAY_PATIENCE: Duration = Duration::from_secs(10);
const REPLAY_PAUSE: Duration = Duration::from_millis(500);

/// What a reader has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing: the whole log is replayed.
    Start,
    /// Every durable event up to and including this one.
    Seq {
        /// The last event that the reader has.
        seq: u64,
        /// The log that it is of, as `session_ready` named it. Without one the current log is
        /// meant; with another one the whole log is replayed.
        epoch: Option<LogEpoch>,
    },
}

/// What a reader gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// An event.
    Frame(Frame),
    /// Nothing more comes, and why.
    Closed(CloseCode),
}

/// What the session's task gives a reader when it takes it in.
#[derive(Debug)]
pub(crate) struct Attached {
    /// `session_ready`.
    pub(crate) ready: Frame,
    /// Replay starts behind this.
    pub(crate) replay_after: u64,
    /// Replay ends with this; whatever is stored later comes through `live`.
    pub(crate) replay_to: u64,
    /// What is told after the replay: a snapshot if an answer is in flight, notices.
    pub(crate) after_replay: Vec<Frame>,
    /// Everything since the reader was taken in.
    pub(crate) live: ReaderQueue,
}

/// A reader of a session. Yields `session_ready`, the durable events that it missed in order,
/// a snapshot if an answer is in flight, and then everything that happens: no event is skipped
/// and none comes twice. Dropping it detaches; an answer in flight goes on.
#[derive(Debug)]
pub struct Attachment {
    session_id: SessionId,
    store: Arc<dyn SessionStore>,
    /// Frames that are to be given before anything else.
    ready: VecDeque<Frame>,
    replayed: u64,
    replay_to: u64,
    after_replay: Vec<Frame>,
    live: ReaderQueue,
    closed: Option<CloseCode>,
    /// Since when the store has not answered.
    away_since: Option<Instant>,
}

impl Attachment {
    pub(crate) fn new(
        session_id: SessionId,
        store: Arc<dyn SessionStore>,
        attached: Attached,
    ) -> Self {
        Self {
            session_id,
            store,
            ready: VecDeque::from([attached.ready]),
            replayed: attached.replay_after,
            replay_to: attached.replay_to,
            after_replay: attached.after_replay,
            live: attached.live,
            closed: None,
            away_since: None,
        }
    }

    /// The next event, or why nothing more comes; the latter for ever after.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped; a page of the log may be read again.
    pub async fn next(&mut self) -> Delivery {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Delivery::Frame(frame);
            }
            if let Some(code) = self.closed {
                return Delivery::Closed(code);
            }
            if self.replayed < self.replay_to {
                self.read_page().await;
                continue;
            }
            if !self.after_replay.is_empty() {
                self.ready.extend(self.after_replay.drain(..));
                continue;
            }
            match self.live.next().await {
                Ok(frame) => return Delivery::Frame(frame),
                Err(code) => self.closed = Some(code),
            }
        }
    }

    async fn read_page(&mut self) {
        let query = EventQuery {
            after: self.replayed,
            limit: REPLAY_PAGE,
            types: Vec::new(),
        };
        match self.store.events(&self.session_id, query).await {
            Ok(page) => {
                self.away_since = None;
                let before = self.replayed;
                for stored in page {
                    if stored.event.seq > self.replay_to {
                        break;
                    }
                    self.replayed = stored.event.seq;
                    self.ready.push_back(Frame::durable(stored.event));
                }
                if self.replayed == before {
                    warn!(session_id = %self.session_id, after = before, "the log has a gap");
                    self.closed = Some(CloseCode::Internal);
                }
            }
            Err(error) if error.is_retryable() && self.may_wait() => {
                sleep(REPLAY_PAUSE).await;
            }
            Err(error) => {
                warn!(session_id = %self.session_id, error = with_causes(&error), "cannot replay the log");
                self.closed = Some(CloseCode::Internal);
            }
        }
    }
    /// Whether the store is not away for too long.
    fn may_wait(&mut self) -> bool {
        let since = self.away_since.get_or_insert_with(Instant::now);
        since.elapsed() < REPLAY_PATIENCE
    }
}
