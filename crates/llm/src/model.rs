//! The one trait of this crate, and the stream that it answers with.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;
use futures_util::stream::{BoxStream, Stream, StreamExt};

use crate::error::LlmError;
use crate::event::ModelEvent;
use crate::request::ChatRequest;
use crate::windowed::Window;

/// A language model that can be asked.
#[async_trait]
pub trait ChatModel: Debug + Send + Sync {
    /// Name of the provider, such as `gemini`.
    fn provider(&self) -> &str;

    /// Name of the model at the provider.
    fn model(&self) -> &str;

    /// How many tokens it takes; `None` where that is not known. Only [`Windowed`](crate::Windowed)
    /// knows, and whatever wraps one passes it on.
    fn window(&self) -> Option<&Window> {
        None
    }

    /// Asks, and returns when the provider has accepted the request.
    ///
    /// # Errors
    ///
    /// Where the provider could not be reached or did not accept the request. What goes wrong
    /// later comes as an error of the [`Answer`], which is then over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future or the [`Answer`] closes the request at the provider.
    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError>;
}

/// A model that several callers share.
#[async_trait]
impl<M: ChatModel + ?Sized> ChatModel for Arc<M> {
    fn provider(&self) -> &str {
        (**self).provider()
    }

    fn model(&self) -> &str {
        (**self).model()
    }

    fn window(&self) -> Option<&Window> {
        (**self).window()
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        (**self).stream(request).await
    }
}

/// The pieces of one answer, in order. Dropping it closes the request at the provider.
pub struct Answer {
    events: BoxStream<'static, Result<ModelEvent, LlmError>>,
}

impl Answer {
    /// Wraps a stream that ends after [`ModelEvent::Finish`] or the first error. It is not asked
    /// again after its end.
    pub fn new(events: impl Stream<Item = Result<ModelEvent, LlmError>> + Send + 'static) -> Self {
        Self {
            events: events.fuse().boxed(),
        }
    }

    /// The next piece; `None` after the end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Option<Result<ModelEvent, LlmError>> {
        self.events.next().await
    }
}

impl Stream for Answer {
    type Item = Result<ModelEvent, LlmError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(cx)
    }
}

impl Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}
