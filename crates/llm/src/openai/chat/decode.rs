//! From the chunks of Chat Completions to events.
//!
//! The finish reason may come more than once and before the usage, so the end of the answer is
//! `[DONE]` or the end of the body; without any finish reason it was cut.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::decode::{Decode, chunk, push_text};
use crate::error::LlmError;
use crate::event::{FinishReason, ModelEvent, Usage};
use crate::http::refusal::Refusal;
use crate::openai::chat::calls::{Calls, Completed};
use crate::openai::chat::dialect::Dialect;
use crate::openai::chat::replay::Replay;
use crate::openai::chat::template::Template;
use crate::openai::chat::wire::{Choice, Chunk, Content, ContentPart, Delta, WireUsage};
use crate::origin::Origin;
use crate::report::Reporter;

/// The state of one answer.
#[derive(Debug)]
pub(in crate::openai) struct Decoder {
    reporter: Reporter,
    origin: Origin,
    template: Template,
    calls: Calls,
    replay: Replay,
    usage: Usage,
    finish_reason: Option<String>,
    /// Whether `OpenRouter` says that a limit was met.
    hidden_limit: bool,
}

impl Decoder {
    /// Ready for an answer in this dialect.
    pub(in crate::openai) fn new(dialect: &Dialect, reporter: Reporter) -> Self {
        Self {
            reporter,
            origin: dialect.origin.clone(),
            template: Template::default(),
            calls: Calls::default(),
            replay: Replay::default(),
            usage: Usage::default(),
            finish_reason: None,
            hidden_limit: false,
        }
    }

    fn choice(
        &mut self,
        choice: Choice,
        events: &mut VecDeque<ModelEvent>,
    ) -> Result<(), LlmError> {
        if choice.index.unwrap_or(0) != 0 {
            return Ok(());
        }
        if let Some(delta) = choice
            .delta
            .or_else(|| choice.message.map(|message| *message))
        {
            self.delta(delta, events)?;
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            self.finish_reason = Some(reason);
        }
        self.hidden_limit |= matches!(
            choice.native_finish_reason.as_deref(),
            Some("length" | "max_tokens" | "max_output_tokens" | "MAX_TOKENS")
        );
        Ok(())
    }

    fn delta(&mut self, delta: Delta, events: &mut VecDeque<ModelEvent>) -> Result<(), LlmError> {
        let Delta {
            content,
            reasoning_content,
            reasoning,
            reasoning_details,
            refusal,
            tool_calls,
        } = delta;
        if let Some(Content::Text(thinking)) = &reasoning_content {
            self.replay.content(thinking);
        }
        if let Some(details) = reasoning_details {
            self.replay.details(details);
        }
        // Some servers fill both.
        if let Some(thinking) = reasoning_content.or(reasoning) {
            push_content(events, thinking, ModelEvent::Reasoning);
        }
        for text in [content, refusal].into_iter().flatten() {
            push_content(events, text, ModelEvent::Text);
        }
        for piece in tool_calls.unwrap_or_default() {
            self.calls
                .add(piece)
                .map_err(|error| self.reporter.malformed(&error.to_string()))?;
        }
        Ok(())
    }

    fn usage(&mut self, usage: &WireUsage) {
        let input = usage.prompt_tokens_details.as_ref();
        let reasoning = usage
            .completion_tokens_details
            .as_ref()
            .and_then(|details| details.reasoning_tokens);
        self.usage = Usage {
            input_tokens: usage.prompt_tokens,
            output_tokens: usage.completion_tokens,
            cached_input_tokens: input.and_then(|details| details.cached_tokens),
            cache_write_tokens: input.and_then(|details| details.cache_write_tokens),
            reasoning_tokens: reasoning,
        };
    }

    fn reason(&self) -> Result<FinishReason, LlmError> {
        let Some(reason) = self.finish_reason.as_deref() else {
            return Err(self.reporter.truncated());
        };
        match reason {
            "length" | "model_length" | "max_tokens" => Ok(FinishReason::Length),
            "content_filter" => Ok(FinishReason::ContentFilter),
            "error" | "abort" | "network_error" | "insufficient_system_resource" => Err(self
                .reporter
                .server(&format!("it stopped with {reason}"), None)),
            _ if self.hidden_limit => Ok(FinishReason::Length),
            // The word for calls is not to be relied on, nor are there words for stopping only.
            _ if self.calls.is_empty() => Ok(FinishReason::Stop),
            _ => Ok(FinishReason::ToolCalls),
        }
    }
}

impl Decode for Decoder {
    fn piece(
        &mut self,
        data: &str,
        events: &mut VecDeque<ModelEvent>,
    ) -> Result<ControlFlow<()>, LlmError> {
        if let Some(text) = self.template.text_of(data) {
            push_text(events, text, ModelEvent::Text);
            return Ok(ControlFlow::Continue(()));
        }
        if data.trim() == "[DONE]" {
            return Ok(ControlFlow::Break(()));
        }
        let chunk: Chunk = chunk(data, &self.reporter)?;
        self.template.learn(data, &chunk);
        let is_bare_error =
            chunk.choices.is_none() && (chunk.message.is_some() || chunk.detail.is_some());
        for choice in chunk.choices.unwrap_or_default() {
            self.choice(choice, events)?;
        }
        if let Some(usage) = &chunk.usage {
            self.usage(usage);
        }
        if chunk.error.is_some() || is_bare_error {
            return Err(Refusal::read(data, None, None).into_error(&self.reporter));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn end(&mut self, events: &mut VecDeque<ModelEvent>) -> Result<(), LlmError> {
        let reason = self.reason()?;
        let calls = std::mem::take(&mut self.calls);
        let calls = match reason {
            FinishReason::ContentFilter => Vec::new(),
            FinishReason::Length => calls.complete_before_cut(),
            FinishReason::Stop | FinishReason::ToolCalls => calls.complete().map_err(|name| {
                self.reporter.malformed(&format!(
                    "the arguments of its call of \"{name}\" are no object"
                ))
            })?,
        };
        let kept = calls.iter().map(
            |Completed {
                 call,
                 extra_content,
             }| (call.id.as_str(), extra_content.clone()),
        );
        let provider_data = std::mem::take(&mut self.replay).into_provider_data(&self.origin, kept);
        events.extend(
            calls
                .into_iter()
                .map(|Completed { call, .. }| ModelEvent::ToolCall(call)),
        );
        events.push_back(ModelEvent::Finish {
            reason,
            usage: self.usage,
            provider_data,
        });
        Ok(())
    }
}

/// Appends the text in it; thinking that stands among the parts of a text is set apart.
fn push_content(
    events: &mut VecDeque<ModelEvent>,
    content: Content,
    event: fn(String) -> ModelEvent,
) {
    match content {
        Content::Text(text) => push_text(events, text, event),
        Content::Parts(parts) => {
            for part in parts {
                push_content(events, part, event);
            }
        }
        Content::Part(part) => {
            let ContentPart { text, thinking } = *part;
            if let Some(thinking) = thinking {
                push_content(events, thinking, ModelEvent::Reasoning);
            }
            if let Some(text) = text {
                push_content(events, text, event);
            }
        }
        Content::Other => {}
    }
}
