//! One reader's view of a session: what it missed, then what happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use patter_protocol::{CloseCode, LogEpoch, SessionId};
use patter_store::{EventQuery, SessionStore, StoreError, StoredEvent};
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::error::with_causes;
use crate::frame::Frame;
use crate::reader::ReaderQueue;

// The model check has a scheduler of its own.
#[cfg(test)]
use shuttle::future::{JoinHandle, spawn};
#[cfg(not(test))]
use tokio::task::{JoinHandle, spawn};

/// So many bytes of events are read from the store at a time, roughly: a page has as many events as would
/// fit if they were as large as those of the page before it.
const PAGE_BYTES: usize = 256 * 1024;
/// The events of the first page, of which nothing is known.
const FIRST_PAGE: u32 = 16;
/// The most events of a page.
const MAX_PAGE: u32 = 200;
/// How long a store that is away is waited for in the middle of a replay, and the pause in between.
const REPLAY_PATIENCE: Duration = Duration::from_secs(10);
const REPLAY_PAUSE: Duration = Duration::from_millis(500);

/// What a reader has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Nothing: the whole log is replayed.
    Start,
    /// Everything so far: nothing is replayed.
    Now,
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

type ReadingPage = JoinHandle<Result<Vec<StoredEvent>, StoreError>>;

/// A reader of a session. Yields `session_ready`, the durable events that it missed in order,
/// a snapshot if an answer is in flight, and then everything that happens: no event is skipped
/// and none comes twice. Dropping it detaches; an answer in flight goes on.
#[derive(Debug)]
pub struct Attachment {
    session_id: SessionId,
    store: Arc<dyn SessionStore>,
    /// Frames that are to be given before anything else.
    ready: VecDeque<Frame>,
    begins_after: u64,
    replayed: u64,
    replay_to: u64,
    /// Being read by a task of its own: a reader that is not asked for a while, since its connection
    /// does something else, must not keep a connection of the store from others meanwhile.
    page: Option<ReadingPage>,
    /// So many events the next page may have.
    page_limit: u32,
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
            begins_after: attached.replay_after,
            replayed: attached.replay_after,
            replay_to: attached.replay_to,
            page: None,
            page_limit: FIRST_PAGE,
            after_replay: attached.after_replay,
            live: attached.live,
            closed: None,
            away_since: None,
        }
    }

    /// Events of the log come from behind this one on; those up to it are not given.
    #[must_use]
    pub fn begins_after(&self) -> u64 {
        self.begins_after
    }

    /// The next event, or why nothing more comes; the latter for ever after.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
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
        let (store, session_id, after) = (&self.store, &self.session_id, self.replayed);
        let page = self
            .page
            .get_or_insert_with(|| begin_page(store, session_id, after, self.page_limit));
        let read = page.await;
        self.page = None;
        match read.unwrap_or_else(|_panic| Err(StoreError::Unusable("it panicked".to_owned()))) {
            Ok(page) => {
                self.away_since = None;
                let before = self.replayed;
                let mut bytes = 0;
                for stored in page {
                    if stored.event.seq > self.replay_to {
                        break;
                    }
                    self.replayed = stored.event.seq;
                    let frame = Frame::durable(stored.event);
                    bytes += frame.as_str().len();
                    self.ready.push_back(frame);
                    // The client may take its time, and what follows can be read again.
                    if bytes >= PAGE_BYTES {
                        break;
                    }
                }
                self.page_limit = page_limit(self.ready.len(), bytes);
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

/// How many events a page may have, when so many have so many bytes.
fn page_limit(events: usize, bytes: usize) -> u32 {
    let limit = PAGE_BYTES * events / bytes.max(1);
    u32::try_from(limit).unwrap_or(MAX_PAGE).clamp(1, MAX_PAGE)
}

impl Drop for Attachment {
    fn drop(&mut self) {
        if let Some(page) = &self.page {
            page.abort();
        }
    }
}

#[cfg_attr(
    not(test),
    expect(
        clippy::disallowed_methods,
        reason = "the attachment waits for it, and aborts it where it is dropped"
    )
)]
fn begin_page(
    store: &Arc<dyn SessionStore>,
    session_id: &SessionId,
    after: u64,
    limit: u32,
) -> ReadingPage {
    let (store, session_id) = (Arc::clone(store), session_id.clone());
    let query = EventQuery {
        after,
        limit,
        types: Vec::new(),
    };
    spawn(async move { store.events(&session_id, query).await })
}
