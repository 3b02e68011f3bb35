//! What a turn waits for, one thing at a time.

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use patter_llm::{Answer, LlmError, ModelEvent, ToolResult};
use patter_protocol::{CallId, LiveEvent};
use tokio::sync::mpsc;

use super::measuring::Arrivals;
use super::step::OpenStep;
use super::tools::{Call, Ended};
use crate::budget::Over;
use crate::plan::Chosen;

/// What a turn waits for.
pub(super) enum Phase {
    Choosing(BoxFuture<'static, Chosen>),
    /// For the session, to say how the turn goes on.
    Chosen,
    Asking(BoxFuture<'static, Result<Answer, LlmError>>),
    Streaming {
        answer: Answer,
        step: OpenStep,
        arrivals: Arrivals,
    },
    /// For the session, to say that the calls are safe.
    RecordingCalls {
        calls: Vec<Call>,
        unsafe_calls: Vec<CallId>,
    },
    RunningTools {
        running: BoxStream<'static, Ended>,
        /// How far calls are.
        progress: mpsc::Receiver<LiveEvent>,
        results: Vec<ToolResult>,
    },
    Over,
}

/// What a wait gave.
pub(super) enum Next {
    Chosen(Chosen),
    Accepted(Result<Answer, LlmError>),
    Piece(Option<Result<ModelEvent, LlmError>>),
    ToolProgress(LiveEvent),
    ToolEnded(Option<Ended>),
    /// What the next step takes, or that there is no room for it.
    Booked(Result<(), Over>),
    TimeIsUp,
    Nothing,
}

impl Phase {
    /// Cancel safe: each of the things it waits for is.
    pub(super) async fn next(&mut self) -> Next {
        match self {
            Self::Choosing(chosen) => Next::Chosen(chosen.await),
            Self::Chosen | Self::RecordingCalls { .. } => std::future::pending().await,
            Self::Asking(answer) => Next::Accepted(answer.await),
            Self::Streaming { answer, .. } => Next::Piece(answer.next().await),
            Self::RunningTools {
                running, progress, ..
            } => tokio::select! {
                biased;
                Some(told) = progress.recv() => Next::ToolProgress(told),
                ended = running.next() => Next::ToolEnded(ended),
            },
            Self::Over => Next::Nothing,
        }
    }
}
