//! The events in the body of an answer, as server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>), within the time that an
//! answer may take.
//!
//! [`parser`] cuts the body into events; here it is read, and given up when nothing comes.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, Stream};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::deadline::Deadline;
use crate::error::{LlmError, TimeoutPhase};
use crate::report::Reporter;
use crate::settings::Timeouts;
use crate::sse::parser::Parser;

mod parser;

/// Ends a line and an event that the end of the body left open.
const BLANK_LINE: &[u8] = b"\n\n";

/// The data of the events of one answer. Dropping it closes the connection.
pub(crate) struct Pieces {
    body: BoxStream<'static, reqwest::Result<Bytes>>,
    parser: Parser,
    wait: Wait,
    reporter: Reporter,
    /// What was handed out last.
    piece: Bytes,
    ended: bool,
}

impl Pieces {
    /// The events of this body. `whole` is the end of all waiting for it.
    pub(crate) fn new(
        body: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
        timeouts: Timeouts,
        whole: Deadline,
        reporter: Reporter,
    ) -> Self {
        Self {
            body: body.boxed(),
            parser: Parser::default(),
            wait: Wait::new(timeouts, whole),
            reporter,
            piece: Bytes::new(),
            ended: false,
        }
    }

    /// Says that the model has begun to answer: not every event is a piece of its answer, and one
    /// that thinks in silence after the first of them has as long as one that says nothing at all.
    pub(crate) fn answer_has_begun(&mut self) {
        self.wait.begun = true;
    }

    /// The data of the next event that has any; `None` at the end of the body.
    ///
    /// Cancel safe: nothing is lost if the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Result<&str, LlmError>> {
        // Given back before waiting, so that the connection can use its buffer again.
        self.piece = Bytes::new();
        self.piece = match self.advance().await? {
            Ok(piece) => piece,
            Err(error) => return Some(Err(error)),
        };
        Some(std::str::from_utf8(&self.piece).map_err(|error| {
            // A character that only lacks its end was cut together with the stream.
            match error.error_len() {
                None => self.reporter.truncated(),
                Some(_) => self.reporter.malformed(&error.to_string()),
            }
        }))
    }

    async fn advance(&mut self) -> Option<Result<Bytes, LlmError>> {
        loop {
            match self.parser.next() {
                Ok(Some(data)) => return Some(Ok(data)),
                Ok(None) if self.ended => return self.parser.unframed().map(Ok),
                Ok(None) => {}
                Err(error) => return Some(Err(self.reporter.malformed(&error.to_string()))),
            }
            match self.receive().await {
                Ok(Some(bytes)) => self.parser.push(bytes),
                Ok(None) => {
                    self.ended = true;
                    self.parser.push(Bytes::from_static(BLANK_LINE));
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The next bytes of the body. What has come counts before what is late, but an answer
    /// without end does not: it has always something to say.
    async fn receive(&mut self) -> Result<Option<Bytes>, LlmError> {
        let now = Instant::now();
        let deadline = self.wait.begin(now);
        let late = |deadline: Deadline| self.reporter.timeout(deadline.phase, deadline.limit);
        if now >= self.wait.whole.at {
            return Err(late(self.wait.whole));
        }
        let received = tokio::select! {
            biased;
            received = self.body.next() => received,
            () = self.wait.timer.as_mut() => return Err(late(deadline)),
        };
        self.wait.since = None;
        received
            .transpose()
            .map_err(|error| self.reporter.connection(error))
    }
}

/// How long the body has been waited for. Time that the reader takes for itself does not count.
struct Wait {
    timeouts: Timeouts,
    whole: Deadline,
    /// Whether the model has begun to answer.
    begun: bool,
    /// When the wait began; `None` when there is something to read.
    since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Wait {
    fn new(timeouts: Timeouts, whole: Deadline) -> Self {
        Self {
            timeouts,
            whole,
            begun: false,
            since: None,
            timer: Box::pin(sleep_until(whole.at)),
        }
    }

    /// Begins to wait, or goes on, and sets the timer.
    fn begin(&mut self, now: Instant) -> Deadline {
        let since = *self.since.get_or_insert(now);
        let (phase, limit) = if self.begun {
            (TimeoutPhase::NextToken, self.timeouts.next_token)
        } else {
            (TimeoutPhase::FirstToken, self.timeouts.first_token)
        };
        let deadline = Deadline::new(phase, limit, since).or_earlier(self.whole);
        if self.timer.deadline() != deadline.at {
            self.timer.as_mut().reset(deadline.at);
        }
        deadline
    }
}

#[cfg(test)]
mod tests;
