//! The events in the body of an answer, as server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! The parsing is sse-stream's; [`fence`] stands before it and sees to what it does not:
//! deadlines, a limit on memory, an event at the end without its blank line, and errors that
//! providers put beside the framing.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::Stream;
use sse_stream::SseByteStream;

use crate::error::LlmError;
use crate::report::Reporter;
use crate::settings::Timeouts;
use crate::sse::fence::Fence;

mod fence;

/// The data of the events of one answer. Dropping it closes the connection.
pub(crate) struct Pieces {
    events: SseByteStream<Fence>,
    reporter: Reporter,
}

impl Pieces {
    pub(crate) fn new(
        body: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static,
        timeouts: Timeouts,
        reporter: Reporter,
    ) -> Self {
        let fence = Fence::new(body.boxed(), timeouts, reporter.clone());
        Self {
            events: SseByteStream::new(fence),
            reporter,
        }
    }

    /// The data of the next event that has any; `None` at the end of the body.
    ///
    /// Cancel safe: nothing is lost if the future is dropped.
    pub(crate) async fn next(&mut self) -> Option<Result<String, LlmError>> {
        loop {
            match self.events.next().await? {
                Ok(event) => match event.data {
                    Some(data) if !data.trim().is_empty() => return Some(Ok(data)),
                    _ => {}
                },
                Err(error) => return Some(Err(self.failure(error))),
            }
        }
    }

    fn failure(&self, error: sse_stream::Error) -> LlmError {
        match error {
            sse_stream::Error::Body(error) => match error.downcast::<LlmError>() {
                Ok(error) => *error,
                Err(error) => self.reporter.malformed(&error.to_string()),
            },
            // A character that only lacks its end was cut together with the stream.
            sse_stream::Error::Utf8Parse(error) if error.error_len().is_none() => {
                self.reporter.truncated()
            }
            error => self.reporter.malformed(&error.to_string()),
        }
    }
}
