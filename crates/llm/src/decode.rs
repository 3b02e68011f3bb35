//! From the pieces of a wire format to an [`Answer`].

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Duration;

use futures_util::stream;
use serde::Deserialize;
use tokio::time::timeout;
use uuid::Uuid;

use crate::clean;
use crate::error::LlmError;
use crate::event::ModelEvent;
use crate::halves::Halves;
use crate::http::refusal::Refusal;
use crate::model::Answer;
use crate::report::Reporter;
use crate::sse::Pieces;

/// How long the end of a body is waited for once the answer has said that it is over. A body
/// that was read to its end leaves a connection that can be used again.
const GRACE: Duration = Duration::from_millis(100);

/// Understands the pieces of one answer in one wire format.
pub(crate) trait Decode: Send + 'static {
    /// Takes one piece and appends what it says. `Break` says that no piece follows.
    fn piece(
        &mut self,
        data: &str,
        events: &mut VecDeque<ModelEvent>,
    ) -> Result<ControlFlow<()>, LlmError>;

    /// Takes note of the end and appends what has been held back, [`ModelEvent::Finish`] last.
    fn end(&mut self, events: &mut VecDeque<ModelEvent>) -> Result<(), LlmError>;
}

/// The answer in these pieces.
pub(crate) fn answer(pieces: Pieces, decoder: impl Decode) -> Answer {
    let progress = Progress {
        pieces,
        decoder,
        halves: Halves::default(),
        ready: VecDeque::new(),
        end: None,
    };
    // In a box, because every event moves it twice.
    Answer::new(stream::unfold(Box::new(progress), |mut progress| async {
        let event = progress.next().await?;
        Some((event, progress))
    }))
}

/// Reads one piece as JSON.
///
/// # Errors
///
/// JSON or an end mark that ends too early was cut on its way; some services put an error in an
/// array; anything else was written so.
pub(crate) fn chunk<'a, T: Deserialize<'a>>(
    data: &'a str,
    reporter: &Reporter,
) -> Result<T, LlmError> {
    serde_json::from_str(data).map_err(|error| {
        if error.is_eof() || "[DONE]".starts_with(data) {
            reporter.truncated()
        } else if data.starts_with('[') && data.contains("\"error\"") {
            Refusal::read(data, None, None).into_error(reporter)
        } else {
            reporter.malformed(&format!(
                "a piece of the answer is not the JSON expected: {error}"
            ))
        }
    })
}

/// Appends what the model said, fit for storing, unless it is nothing.
pub(crate) fn push_text(
    events: &mut VecDeque<ModelEvent>,
    text: String,
    event: fn(String) -> ModelEvent,
) {
    if !text.is_empty() {
        events.push_back(event(clean::text(text)));
    }
}

/// An id for a call to which the provider gave none.
pub(crate) fn new_call_id() -> String {
    format!("call_{}", Uuid::now_v7().simple())
}

struct Progress<D> {
    pieces: Pieces,
    decoder: D,
    halves: Halves,
    /// Understood and not yet handed out.
    ready: VecDeque<ModelEvent>,
    /// Set when nothing more is read; what it holds is the last item.
    end: Option<Result<(), LlmError>>,
}

impl<D: Decode> Progress<D> {
    async fn next(&mut self) -> Option<Result<ModelEvent, LlmError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            if let Some(end) = &mut self.end {
                return std::mem::replace(end, Ok(())).err().map(Err);
            }
            self.read().await;
        }
    }

    async fn read(&mut self) {
        let end = match self.pieces.next().await {
            Some(Ok(data)) => match self.decoder.piece(&self.halves.mend(data), &mut self.ready) {
                Ok(ControlFlow::Continue(())) => {
                    if !self.ready.is_empty() {
                        self.pieces.answer_has_begun();
                    }
                    return;
                }
                Ok(ControlFlow::Break(())) => {
                    // Whatever comes now, or does not, changes nothing.
                    let _ = timeout(GRACE, self.pieces.next()).await;
                    self.decoder.end(&mut self.ready)
                }
                Err(error) => Err(error),
            },
            Some(Err(error)) => Err(error),
            None => self.decoder.end(&mut self.ready),
        };
        self.end = Some(end);
    }
}
