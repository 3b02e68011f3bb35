//! A model whose use somebody pays for: for what is asked beside the answers. It is counted and never
//! refused, since its number is bounded by that of the answers.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use patter_llm::{Answer, ChatModel, ChatRequest, LlmError, ModelEvent, Usage, Window};

use super::bill::Bill;
use super::estimate::{input_tokens, output_tokens};
use crate::turn::may_be_charged;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Metered {
    model: Arc<dyn ChatModel>,
    bill: Bill,
}

impl Metered {
    pub(crate) fn new(model: Arc<dyn ChatModel>, bill: Bill) -> Self {
        Self { model, bill }
    }
}

/// What one request uses. Dropped before the provider said what it was, it counts as it was thought.
struct Tally {
    bill: Bill,
    provider: String,
    model: String,
    input_tokens: u64,
    output_tokens: u64,
    is_open: bool,
}

impl Tally {
    fn note(&mut self, piece: &Result<ModelEvent, LlmError>) {
        let Ok(piece) = piece else {
            return;
        };
        self.output_tokens += output_tokens(piece);
        match piece {
            ModelEvent::Finish { usage, .. } => {
                self.charge(*usage);
                self.is_open = false;
            }
            ModelEvent::Restarted {
                provider,
                model,
                error,
            } => {
                if self.output_tokens > 0 || may_be_charged(error) {
                    self.charge(Usage::default());
                }
                self.provider.clone_from(provider);
                self.model.clone_from(model);
                self.output_tokens = 0;
            }
            ModelEvent::Text(_) | ModelEvent::Reasoning(_) | ModelEvent::ToolCall(_) => {}
        }
    }

    fn charge(&self, usage: Usage) {
        self.bill.charge(
            &self.provider,
            &self.model,
            usage,
            self.input_tokens,
            self.output_tokens,
        );
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if self.is_open {
            self.charge(Usage::default());
        }
    }
}

#[async_trait]
impl ChatModel for Metered {
    fn provider(&self) -> &str {
        self.model.provider()
    }

    fn model(&self) -> &str {
        self.model.model()
    }

    fn window(&self) -> Option<&Window> {
        self.model.window()
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        let mut tally = Tally {
            bill: self.bill.clone(),
            provider: self.provider().to_owned(),
            model: self.model().to_owned(),
            input_tokens: input_tokens(request),
            output_tokens: 0,
            is_open: true,
        };
        match self.model.stream(request).await {
            Ok(answer) => Ok(Answer::new(answer.inspect(move |piece| tally.note(piece)))),
            Err(error) => {
                tally.is_open = may_be_charged(&error);
                Err(error)
            }
        }
    }
}
