//! A reader's queue: bounded in frames and in bytes, filled by the session's task without ever
//! waiting, emptied by the [`Attachment`](crate::Attachment). A reader that lags gets pieces of text
//! joined, and one whose queue is full is dropped; it comes back with `after` and misses nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use patter_protocol::{CloseCode, LiveEvent};
use tokio::sync::{mpsc, oneshot};

use crate::frame::Frame;

const MAX_QUEUED_FRAMES: usize = 4_096;
const MAX_QUEUED_BYTES: usize = 1 << 20;
/// While so much waits, pieces of text go out joined: most of a piece's bytes are not text.
const JOIN_FROM_BYTES: usize = 64 * 1024;
/// So much text goes out in one piece at most.
const MAX_JOINED_BYTES: usize = 16 * 1024;

/// The session's end of the queue.
#[derive(Debug)]
pub(crate) struct Reader {
    frames: mpsc::Sender<Frame>,
    shared: Arc<Shared>,
}

/// Completes when the reader's end of its queue is gone.
pub(crate) type ReaderGone = oneshot::Receiver<std::convert::Infallible>;

/// The reader's end of the queue.
#[derive(Debug)]
pub(crate) struct ReaderQueue {
    frames: mpsc::Receiver<Frame>,
    /// Taken out of the queue, and not joined with those before it.
    held: Option<Frame>,
    shared: Arc<Shared>,
    /// Nothing is ever sent through it: that it is dropped is the message.
    _here: oneshot::Sender<std::convert::Infallible>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Bytes of the frames that wait.
    queued_bytes: AtomicUsize,
    /// Set once, before the session drops its end.
    closed: OnceLock<CloseCode>,
}

pub(crate) fn queue() -> (Reader, ReaderGone, ReaderQueue) {
    let (sender, receiver) = mpsc::channel(MAX_QUEUED_FRAMES);
    let (here, gone) = oneshot::channel();
    let shared = Arc::new(Shared::default());
    (
        Reader {
            frames: sender,
            shared: Arc::clone(&shared),
        },
        gone,
        ReaderQueue {
            frames: receiver,
            held: None,
            shared,
            _here: here,
        },
    )
}

impl Reader {
    /// Whether nobody reads any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.frames.is_closed()
    }

    /// Adds a frame. `false` if the reader is gone or has to go, and then it is closed.
    pub(crate) fn push(&self, frame: &Frame) -> bool {
        let bytes = frame.bytes().len();
        let queued = self.shared.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = queued == 0 || queued.saturating_add(bytes) <= MAX_QUEUED_BYTES;
        if fits && self.frames.try_send(frame.clone()).is_ok() {
            return true;
        }
        self.close(CloseCode::TooSlow);
        false
    }

    /// Says why the queue ends. What waits in it is still delivered. Only the first reason counts.
    pub(crate) fn close(&self, code: CloseCode) {
        // An earlier reason stands.
        let _already_closed = self.shared.closed.set(code);
    }
}

impl ReaderQueue {
    /// The next frame, or why there is none any more.
    ///
    /// Cancel safe: a frame that was not returned stays in the queue.
    pub(crate) async fn next(&mut self) -> Result<Frame, CloseCode> {
        if self.shared.closed.get() == Some(&CloseCode::TooSlow) {
            // What waits is incomplete anyway; the reader had better come back at once.
            return Err(CloseCode::TooSlow);
        }
        let next = match self.held.take() {
            Some(frame) => Some(frame),
            None => self.frames.recv().await.inspect(|frame| self.took(frame)),
        };
        match next {
            Some(frame) if frame.is_token() && self.lags() => Ok(self.join(frame)),
            Some(frame) => Ok(frame),
            None => Err(self
                .shared
                .closed
                .get()
                .copied()
                .unwrap_or(CloseCode::Internal)),
        }
    }

    fn took(&self, frame: &Frame) {
        let bytes = frame.bytes().len();
        self.shared.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn lags(&self) -> bool {
        self.shared.queued_bytes.load(Ordering::Relaxed) > JOIN_FROM_BYTES
    }

    /// Joins a piece of text with those of the same answer that wait right behind it.
    fn join(&mut self, first: Frame) -> Frame {
        let Some(mut joined) = first.token() else {
            return first;
        };
        let mut count = 1;
        while joined.content.len() < MAX_JOINED_BYTES
            && let Ok(frame) = self.frames.try_recv()
        {
            self.took(&frame);
            match frame.token() {
                Some(token) if token.response_id == joined.response_id => {
                    joined.index = token.index;
                    joined.content.push_str(&token.content);
                    count += 1;
                }
                _ => {
                    self.held = Some(frame);
                    break;
                }
            }
        }
        if count == 1 {
            return first;
        }
        joined.count = Some(count);
        Frame::live(LiveEvent::Token(joined)).of_piece(first.arrived())
    }
}

#[cfg(test)]
mod tests {
    use patter_protocol::{Pong, ResponseId, Token};

    use super::*;

    fn frame(bytes: usize) -> Frame {
        Frame::live(LiveEvent::Pong(Pong {
            nonce: Some("x".repeat(bytes)),
        }))
    }

    #[tokio::test]
    async fn a_reader_that_does_not_read_is_closed_by_frames_and_by_bytes() {
        let (reader, _gone, mut queue) = queue();
        for _ in 0..MAX_QUEUED_FRAMES {
            assert!(reader.push(&frame(1)));
        }
        assert!(!reader.push(&frame(1)));
        assert_eq!(queue.next().await, Err(CloseCode::TooSlow));

        let (reader, _gone, mut queue) = super::queue();
        assert!(reader.push(&frame(MAX_QUEUED_BYTES / 2)));
        assert!(!reader.push(&frame(MAX_QUEUED_BYTES / 2)));
        assert_eq!(queue.next().await, Err(CloseCode::TooSlow));
    }

    fn token(response_id: ResponseId, index: u64) -> Frame {
        Frame::live(LiveEvent::Token(Token {
            response_id,
            index,
            content: format!("{index} "),
            count: None,
        }))
    }

    #[tokio::test]
    async fn pieces_of_one_answer_are_joined_for_a_reader_that_lags() {
        let (reader, _gone, mut queue) = queue();
        let (one, two) = (ResponseId::generate(), ResponseId::generate());
        let mut expected = String::new();
        for index in 0..1_000 {
            assert!(reader.push(&token(one, index)));
            expected.push_str(&format!("{index} "));
        }
        assert!(reader.push(&frame(1)));
        assert!(reader.push(&token(two, 0)));
        let joined = queue.next().await.unwrap().token().unwrap();
        assert_eq!((joined.index, joined.count), (999, Some(1_000)));
        assert_eq!(joined.content, expected);
        assert_eq!(queue.next().await, Ok(frame(1)));
        assert_eq!(queue.next().await, Ok(token(two, 0)));
        assert_eq!(queue.shared.queued_bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn pieces_are_not_joined_for_a_reader_that_keeps_up() {
        let (reader, _gone, mut queue) = queue();
        let response_id = ResponseId::generate();
        for index in 0..10 {
            assert!(reader.push(&token(response_id, index)));
        }
        for index in 0..10 {
            assert_eq!(queue.next().await, Ok(token(response_id, index)));
        }
    }

    #[tokio::test]
    async fn one_frame_may_be_larger_than_the_queue() {
        let (reader, _gone, mut queue) = queue();
        assert!(reader.push(&frame(2 * MAX_QUEUED_BYTES)));
        assert!(queue.next().await.is_ok());
        assert!(reader.push(&frame(1)));
    }

    #[tokio::test]
    async fn what_waits_is_delivered_before_the_close_code() {
        let (reader, _gone, mut queue) = queue();
        assert!(reader.push(&frame(1)));
        reader.close(CloseCode::Normal);
        drop(reader);
        assert!(queue.next().await.is_ok());
        assert_eq!(queue.next().await, Err(CloseCode::Normal));
    }

    #[tokio::test]
    async fn a_reader_that_left_is_noticed() {
        let (_reader, gone, queue) = queue();
        drop(queue);
        assert!(gone.await.is_err());
    }
}
