//! An answer whose end a circuit wants to know.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::stream::{Stream, StreamExt};

use crate::error::LlmError;
use crate::event::ModelEvent;
use crate::model::Answer;

use super::circuit::Permit;
use super::outcome::Outcome;

/// Passes an answer on unchanged and reports how it ended.
pub(super) struct Watched {
    answer: Answer,
    permit: Permit,
}

impl Watched {
    pub(super) fn new(answer: Answer, permit: Permit) -> Self {
        Self { answer, permit }
    }
}

impl Stream for Watched {
    type Item = Result<ModelEvent, LlmError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = ready!(self.answer.poll_next_unpin(cx));
        match &event {
            Some(Ok(ModelEvent::Finish { .. })) => self.permit.end(Outcome::Success),
            Some(Ok(_)) => {}
            Some(Err(error)) => self.permit.end(Outcome::of(error)),
            // Behind a finish or an error this changes nothing.
            None => self.permit.end(Outcome::Failure("truncated")),
        }
        Poll::Ready(event)
    }
}
