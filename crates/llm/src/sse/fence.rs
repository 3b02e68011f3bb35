//! Stands between the network and the SSE parser and lets through what the parser can take.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt};
use tokio::time::{Instant, Sleep, sleep};

use crate::error::{LlmError, TimeoutPhase};
use crate::report::Reporter;
use crate::settings::Timeouts;

/// Most bytes of one event. Signatures and inline data are long, so this is far above them.
const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;
/// Most bytes of one answer.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// llama.cpp reports a failure in a line with this field, which SSE does not know.
const ERROR_FIELD: &[u8] = b"error:";

/// A body with deadlines and limits. At its end comes the blank line that may be missing, and
/// before it whatever JSON stood outside the framing (an error, or a whole answer that was not
/// streamed), framed.
pub(super) struct Fence {
    body: BoxStream<'static, reqwest::Result<Bytes>>,
    timer: Pin<Box<Sleep>>,
    timeouts: Timeouts,
    reporter: Reporter,
    lines: Lines,
    ended: bool,
}

impl Fence {
    pub(super) fn new(
        body: BoxStream<'static, reqwest::Result<Bytes>>,
        timeouts: Timeouts,
        reporter: Reporter,
    ) -> Self {
        let timer = Box::pin(sleep(timeouts.first_token));
        Self {
            body,
            timer,
            timeouts,
            reporter,
            lines: Lines::default(),
            ended: false,
        }
    }

    /// What is waited for, and how long.
    fn waiting(&self) -> (TimeoutPhase, Duration) {
        if self.lines.begun {
            (TimeoutPhase::NextToken, self.timeouts.next_token)
        } else {
            (TimeoutPhase::FirstToken, self.timeouts.first_token)
        }
    }

    fn pass(&mut self, bytes: &Bytes) -> Result<Bytes, LlmError> {
        let framed = self.lines.read(bytes);
        let (_, limit) = self.waiting();
        self.timer.as_mut().reset(Instant::now() + limit);
        if self.lines.event > MAX_EVENT_BYTES || self.lines.answer > MAX_ANSWER_BYTES {
            return Err(self
                .reporter
                .malformed("the answer is larger than any answer should be"));
        }
        Ok(bytes.slice(..framed))
    }
}

impl Stream for Fence {
    type Item = Result<Bytes, LlmError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match self.body.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(bytes))) => Poll::Ready(Some(self.pass(&bytes))),
            Poll::Ready(Some(Err(error))) => {
                Poll::Ready(Some(Err(self.reporter.connection(error))))
            }
            Poll::Ready(None) => {
                self.ended = true;
                Poll::Ready(Some(Ok(self.lines.ending())))
            }
            Poll::Pending => {
                std::task::ready!(self.timer.as_mut().poll(cx));
                let (phase, limit) = self.waiting();
                Poll::Ready(Some(Err(self.reporter.timeout(phase, limit))))
            }
        }
    }
}

/// Follows the lines of a body without keeping them.
#[derive(Debug, Default)]
struct Lines {
    /// Whether anything but comments has come.
    begun: bool,
    /// The first bytes of the line.
    head: [u8; ERROR_FIELD.len()],
    /// How many bytes of the line have come, its end not counted.
    line: usize,
    /// How many bytes of the event have come.
    event: usize,
    /// How many bytes have come.
    answer: usize,
    /// All that came after the framing was left.
    unframed: Option<Vec<u8>>,
}

impl Lines {
    /// Takes note of the next bytes; how many of them, from the first, are framed.
    fn read(&mut self, bytes: &[u8]) -> usize {
        self.answer += bytes.len();
        for (position, byte) in bytes.iter().enumerate() {
            if self.unframed.is_some() {
                let rest = bytes.get(position..).unwrap_or_default();
                self.keep_unframed(rest);
                return position;
            }
            self.read_byte(*byte);
        }
        bytes.len()
    }

    fn keep_unframed(&mut self, bytes: &[u8]) {
        self.event += bytes.len();
        self.unframed
            .get_or_insert_default()
            .extend_from_slice(bytes);
    }

    fn read_byte(&mut self, byte: u8) {
        self.event += 1;
        match byte {
            b'\n' if self.line == 0 => self.event = 0,
            b'\n' => self.line = 0,
            b'\r' => {}
            _ => {
                if let Some(place) = self.head.get_mut(self.line) {
                    *place = byte;
                    self.read_head(byte);
                }
                self.line += 1;
            }
        }
    }

    /// No line of SSE begins with a bracket.
    fn read_head(&mut self, byte: u8) {
        if self.line == 0 {
            self.begun |= byte != b':';
            if matches!(byte, b'{' | b'[') {
                self.unframed = Some(vec![byte]);
            }
        } else if self.line + 1 == ERROR_FIELD.len() && self.head == ERROR_FIELD {
            self.unframed = Some(Vec::new());
        }
    }

    /// What is to be put behind the last byte. Line ends in JSON mean nothing, and would end
    /// the field here.
    fn ending(&mut self) -> Bytes {
        let Some(unframed) = self.unframed.take() else {
            return Bytes::from_static(b"\n\n");
        };
        let mut ending = b"\n\ndata: ".to_vec();
        ending.extend(unframed.into_iter().map(|byte| match byte {
            b'\n' | b'\r' => b' ',
            other => other,
        }));
        ending.extend_from_slice(b"\n\n");
        Bytes::from(ending)
    }
}
