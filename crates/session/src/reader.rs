//! A reader's queue: bounded in frames and in bytes, filled by the session's task without ever
//! waiting, emptied by the [`Attachment`](crate::Attachment). For a reader that lags pieces of text are
//! joined as they come, and one whose queue is full is dropped; it comes back with `after` and misses nothing.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use patter_protocol::{CloseCode, Token};
use tokio::sync::oneshot;
use tokio::task::coop;
use tokio::time::Instant;

use crate::frame::Frame;

const MAX_QUEUED_FRAMES: usize = 4_096;
const MAX_QUEUED_BYTES: usize = 1 << 20;
/// While so much waits, pieces of text are joined: most of a piece's bytes are not text.
const JOIN_FROM_BYTES: usize = 64 * 1024;
/// So much text goes out in one piece at most.
const MAX_JOINED_BYTES: usize = 16 * 1024;
/// What a piece has around its text, roughly.
const AROUND_TEXT_BYTES: usize = 128;
/// An empty queue keeps room for so many frames.
const KEPT_FRAMES: usize = 8;

/// The session's end of the queue.
#[derive(Debug)]
pub(crate) struct Reader {
    queue: Arc<Mutex<Queue>>,
}

/// Completes when the reader's end of its queue is gone.
pub(crate) type ReaderGone = oneshot::Receiver<std::convert::Infallible>;

/// The reader's end of the queue.
#[derive(Debug)]
pub(crate) struct ReaderQueue {
    queue: Arc<Mutex<Queue>>,
    /// Nothing is ever sent through it: that it is dropped is the message.
    _here: oneshot::Sender<std::convert::Infallible>,
}

#[derive(Debug, Default)]
struct Queue {
    entries: VecDeque<Entry>,
    /// Of all of them.
    bytes: usize,
    /// Why it ends. Only the first reason counts.
    closed: Option<CloseCode>,
    /// The session's end is gone.
    is_over: bool,
    /// The reader's end is gone.
    is_gone: bool,
    /// The reader's, once it has waited.
    waker: Option<Waker>,
    is_waiting: bool,
}

#[derive(Debug)]
enum Entry {
    Frame(Frame),
    Text(Joined),
}

/// Pieces of one answer, to become one frame.
#[derive(Debug)]
struct Joined {
    /// All their text, and the index of the last one.
    token: Token,
    pieces: u32,
    /// When the first of them came.
    arrived: Instant,
}

pub(crate) fn queue() -> (Reader, ReaderGone, ReaderQueue) {
    let (here, gone) = oneshot::channel();
    let queue = Arc::<Mutex<Queue>>::default();
    let reader = Reader {
        queue: Arc::clone(&queue),
    };
    let queue = ReaderQueue { queue, _here: here };
    (reader, gone, queue)
}

impl Reader {
    /// Whether nobody reads any more.
    pub(crate) fn is_gone(&self) -> bool {
        lock(&self.queue).is_gone
    }

    /// Adds a frame. `false` if the reader is gone or has to go, and then it is closed.
    pub(crate) fn push(&self, frame: &Frame) -> bool {
        lock(&self.queue).push(Entry::Frame(frame.clone()))
    }

    /// Adds a piece of text that came at this moment, as a frame of its own where the reader keeps up; `frame` is
    /// that, made when the first reader needs it. Otherwise like [`push`](Self::push).
    pub(crate) fn push_piece(
        &self,
        token: &Token,
        arrived: Instant,
        frame: &mut Option<Frame>,
    ) -> bool {
        let lags = lock(&self.queue).bytes > JOIN_FROM_BYTES;
        if lags {
            return lock(&self.queue).join(token, arrived);
        }
        // Nobody else adds anything meanwhile.
        let frame = frame.get_or_insert_with(|| Frame::piece(token, arrived));
        self.push(frame)
    }

    /// Says why the queue ends. What waits in it is still delivered. Only the first reason counts.
    pub(crate) fn close(&self, code: CloseCode) {
        lock(&self.queue).closed.get_or_insert(code);
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut queue = lock(&self.queue);
        queue.is_over = true;
        queue.wake();
    }
}

impl ReaderQueue {
    /// The next frame, or why there is none any more.
    ///
    /// Cancel safe: a frame that was not returned stays in the queue.
    pub(crate) async fn next(&mut self) -> Result<Frame, CloseCode> {
        let next = poll_fn(|context| lock(&self.queue).poll_pop(context));
        Ok(match coop::cooperative(next).await? {
            Entry::Frame(frame) => frame,
            Entry::Text(joined) => joined.into_frame(),
        })
    }
}

impl Drop for ReaderQueue {
    fn drop(&mut self) {
        let mut queue = lock(&self.queue);
        queue.is_gone = true;
        queue.entries = VecDeque::new();
        queue.bytes = 0;
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    // Nothing that could panic is done under the lock.
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    fn push(&mut self, entry: Entry) -> bool {
        if !self.has_room(entry.bytes()) || self.entries.len() >= MAX_QUEUED_FRAMES {
            return self.drop_out();
        }
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        self.wake();
        true
    }

    /// Adds a piece to the one that waits last, if that is of the same answer.
    fn join(&mut self, token: &Token, arrived: Instant) -> bool {
        let bytes = token.content.len();
        match self.entries.back_mut() {
            Some(Entry::Text(last)) if last.takes(token) => {
                last.add(token);
                self.bytes += bytes;
                self.has_room(0) || self.drop_out()
            }
            _ => self.push(Entry::Text(Joined {
                token: token.clone(),
                pieces: 1,
                arrived,
            })),
        }
    }

    fn has_room(&self, bytes: usize) -> bool {
        !self.is_gone
            && self.closed.is_none()
            && (self.bytes == 0 || self.bytes + bytes <= MAX_QUEUED_BYTES)
    }

    /// What waits is incomplete from here on; the reader had better come back at once.
    fn drop_out(&mut self) -> bool {
        self.closed.get_or_insert(CloseCode::TooSlow);
        self.entries = VecDeque::new();
        self.bytes = 0;
        self.wake();
        false
    }

    fn poll_pop(&mut self, context: &Context<'_>) -> Poll<Result<Entry, CloseCode>> {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.bytes();
            if self.entries.is_empty() && self.entries.capacity() > KEPT_FRAMES {
                self.entries = VecDeque::new();
            }
            return Poll::Ready(Ok(entry));
        }
        if self.is_over || self.closed == Some(CloseCode::TooSlow) {
            return Poll::Ready(Err(self.closed.unwrap_or(CloseCode::Internal)));
        }
        let waker = context.waker();
        if !self.waker.as_ref().is_some_and(|it| it.will_wake(waker)) {
            self.waker = Some(waker.clone());
        }
        self.is_waiting = true;
        Poll::Pending
    }

    fn wake(&mut self) {
        if std::mem::take(&mut self.is_waiting)
            && let Some(waker) = &self.waker
        {
            waker.wake_by_ref();
        }
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.bytes().len(),
            Self::Text(joined) => AROUND_TEXT_BYTES + joined.token.content.len(),
        }
    }
}

impl Joined {
    fn takes(&self, token: &Token) -> bool {
        self.token.response_id == token.response_id && self.token.content.len() < MAX_JOINED_BYTES
    }

    fn add(&mut self, token: &Token) {
        self.token.index = token.index;
        self.token.content.push_str(&token.content);
        self.pieces += 1;
    }

    fn into_frame(mut self) -> Frame {
        self.token.count = (self.pieces > 1).then_some(self.pieces);
        Frame::piece(&self.token, self.arrived)
    }
}

#[cfg(test)]
mod tests;
