//! A model that is none: fixed rules that answer offline, always the same way, and say so.
//!
//! It is there to try everything around a model without a key: streaming at a human pace,
//! tool calls (several at once, and one after another where the second needs the first),
//! memory of the conversation, Markdown, and summaries.
//!
//! [`plan`] decides on a step; what it needs for that lives beside it.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use tokio::time::sleep;

use crate::demo::plan::Step;
use crate::error::LlmError;
use crate::event::{FinishReason, ModelEvent, Usage};
use crate::message::{AssistantPart, Message, ToolCall};
use crate::model::{Answer, ChatModel};
use crate::request::ChatRequest;

mod answer;
mod arithmetic;
mod lookup;
mod plan;
mod small_talk;
mod summary;
mod toolbox;
mod wish;
mod words;

/// The offline model.
///
/// Given [`system`](ChatRequest::system) text that begins with `Summarize`, it summarizes the
/// last user message, a transcript of lines `user: ...`, `assistant: ...` and `tool NAME: ...`;
/// a line that begins otherwise goes on with the one before.
///
/// It calls the tools `calculator` and `data_fetcher`, if they are declared.
#[derive(Debug, Clone)]
pub struct Demo {
    pace: Duration,
}

impl Demo {
    /// Speaks at the pace of a quick reader.
    #[must_use]
    pub fn new() -> Self {
        Self {
            pace: Duration::from_millis(25),
        }
    }

    /// Sets how long it waits before each word; zero says everything at once.
    #[must_use]
    pub fn pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }
}

impl Default for Demo {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl ChatModel for Demo {
    fn provider(&self) -> &str {
        "demo"
    }

    fn model(&self) -> &str {
        "demo"
    }

    async fn stream(&self, request: &ChatRequest) -> Result<Answer, LlmError> {
        let events = events(plan::step(request), request);
        let pace = self.pace;
        Ok(Answer::new(stream::unfold(
            events.into_iter(),
            move |mut events| async move {
                let event = events.next()?;
                if matches!(event, ModelEvent::Text(_)) && !pace.is_zero() {
                    sleep(pace).await;
                }
                Some((Ok(event), events))
            },
        )))
    }
}

fn events(step: Step, request: &ChatRequest) -> Vec<ModelEvent> {
    let Step { text, calls } = step;
    let reason = if calls.is_empty() {
        FinishReason::Stop
    } else {
        FinishReason::ToolCalls
    };
    let written = text.len() + calls.iter().map(|call| 40 + call.name.len()).sum::<usize>();
    let usage = Usage {
        input_tokens: Some(tokens(letters(request))),
        output_tokens: Some(tokens(written)),
        ..Usage::default()
    };
    let before = calls_so_far(request);
    let calls = calls.into_iter().enumerate().map(|(index, call)| {
        ModelEvent::ToolCall(ToolCall {
            id: format!("call_{}", before + index + 1),
            ..call
        })
    });
    words::pieces(&text)
        .map(|piece| ModelEvent::Text(piece.to_owned()))
        .chain(calls)
        .chain([ModelEvent::Finish {
            reason,
            usage,
            provider_data: None,
        }])
        .collect()
}

/// A token is about four letters.
fn tokens(letters: usize) -> u64 {
    letters.div_ceil(4) as u64
}

fn letters(request: &ChatRequest) -> usize {
    let system = request.system.as_ref().map_or(0, String::len);
    let messages = request.messages.iter().map(|message| match message {
        Message::User(message) => message.joined_text().len(),
        Message::Assistant(message) => message
            .parts
            .iter()
            .map(|part| match part {
                AssistantPart::Text(text) => text.len(),
                AssistantPart::ToolCall(call) => 40 + call.name.len(),
            })
            .sum(),
        Message::ToolResults(results) => results
            .iter()
            .map(|result| match &result.outcome {
                Ok(value) => value.to_string().len(),
                Err(error) => error.len(),
            })
            .sum(),
    });
    let tools = request.tools.iter().map(|tool| tool.description.len() + 80);
    system + messages.sum::<usize>() + tools.sum::<usize>()
}

fn calls_so_far(request: &ChatRequest) -> usize {
    let calls = |message: &Message| match message {
        Message::Assistant(message) => message.tool_calls().count(),
        Message::User(_) | Message::ToolResults(_) => 0,
    };
    request.messages.iter().map(calls).sum()
}
