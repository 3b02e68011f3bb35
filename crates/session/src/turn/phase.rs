//! What a turn waits for, one thing at a time.

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use patter_llm::{Answer, AssistantMessage, LlmError, ModelEvent, ToolResult};

use super::tools::Ended;

/// What a turn waits for.
pub(super) enum Phase {
    Asking(BoxFuture<'static, Result<Answer, LlmError>>),
    Streaming {
        answer: Answer,
        step: AssistantMessage,
    },
    RunningTools {
        running: BoxStream<'static, Ended>,
        results: Vec<ToolResult>,
    },
    Over,
}

/// What a wait gave.
pub(super) enum Next {
    Accepted(Result<Answer, LlmError>),
    Piece(Option<Result<ModelEvent, LlmError>>),
    ToolEnded(Option<Ended>),
    TimeIsUp,
    Nothing,
}

impl Phase {
    /// Cancel safe: each of the things it waits for is.
    pub(super) async fn next(&mut self) -> Next {
        match self {
            Self::Asking(answer) => Next::Accepted(answer.await),
            Self::Streaming { answer, .. } => Next::Piece(answer.next().await),
            Self::RunningTools { running, .. } => Next::ToolEnded(running.next().await),
            Self::Over => Next::Nothing,
        }
    }
}
