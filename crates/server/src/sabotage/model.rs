//! A model whose answers go on when nobody wants them any more.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream;
use patter_llm::{Answer, ChatModel, ChatRequest, LlmError, Window};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

/// Events that wait for whoever reads the answer.
const QUEUE: usize = 64;

#[derive(Debug)]
pub(super) struct DeafModel {
    inner: Arc<dyn ChatModel>,
    answers: TaskTracker,
}

impl DeafModel {
    pub(super) fn new(inner: Arc<dyn ChatModel>) -> Self {
        let answers = TaskTracker::new();
        Self { inner, answers }
    }
}

#[async_trait]
impl ChatModel for DeafModel {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    fn model(&self) -> &str {
        self.inner.model()
    }

    fn window(&self) -> Option<&Window> {
        self.inner.window()
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        let mut answer = self.inner.stream(request).await?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        self.answers.spawn(async move {
            while let Some(event) = answer.next().await {
                // Whether anybody takes it or not.
                let _unwanted = sender.send(event).await;
            }
        });
        Ok(Answer::new(stream::unfold(
            receiver,
            async |mut receiver| receiver.recv().await.map(|event| (event, receiver)),
        )))
    }
}
