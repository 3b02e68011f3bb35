//! From Gemini's chunks to events.
//!
//! The end of the answer is the end of the body: a finish reason may come early, and more than
//! once. Tool calls are therefore held back until the end, where the last reason says whether
//! they may be run.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::clean;
use crate::decode::{Decode, chunk, new_call_id, push_text};
use crate::error::LlmError;
use crate::event::{FinishReason, ModelEvent, Usage};
use crate::gemini::replay::Replay;
use crate::gemini::wire::{Candidate, Chunk, FunctionCall, Part, PromptFeedback, UsageMetadata};
use crate::http::refusal::Refusal;
use crate::message::ToolCall;
use crate::origin::Origin;
use crate::report::Reporter;

/// The state of one answer.
#[derive(Debug)]
pub(super) struct Decoder {
    origin: Origin,
    reporter: Reporter,
    calls: Vec<ToolCall>,
    replay: Replay,
    usage: Usage,
    finish_reason: Option<String>,
    finish_message: Option<String>,
    blocked: Option<String>,
}

impl Decoder {
    /// Ready for an answer.
    pub(super) fn new(origin: Origin, reporter: Reporter) -> Self {
        Self {
            origin,
            reporter,
            calls: Vec::new(),
            replay: Replay::default(),
            usage: Usage::default(),
            finish_reason: None,
            finish_message: None,
            blocked: None,
        }
    }

    fn candidate(
        &mut self,
        candidate: Candidate,
        events: &mut VecDeque<ModelEvent>,
    ) -> Result<(), LlmError> {
        if candidate.index.unwrap_or(0) != 0 {
            return Ok(());
        }
        for part in candidate
            .content
            .and_then(|content| content.parts)
            .unwrap_or_default()
        {
            self.part(part, events)?;
        }
        if candidate.finish_reason.is_some() {
            self.finish_reason = candidate.finish_reason;
            self.finish_message = candidate.finish_message;
        }
        Ok(())
    }

    fn part(&mut self, part: Part, events: &mut VecDeque<ModelEvent>) -> Result<(), LlmError> {
        let Part {
            text,
            thought,
            function_call,
            thought_signature,
        } = part;
        if let Some(call) = function_call {
            return self.call(call, thought_signature);
        }
        let Some(text) = text else {
            return Ok(());
        };
        if thought == Some(true) {
            if let Some(signature) = thought_signature {
                self.replay.signed_thought(text.clone(), signature);
            }
            push_text(events, text, ModelEvent::Reasoning);
        } else {
            self.replay.text(&text, thought_signature);
            push_text(events, text, ModelEvent::Text);
        }
        Ok(())
    }

    fn call(&mut self, call: FunctionCall, signature: Option<String>) -> Result<(), LlmError> {
        if call.will_continue == Some(true) {
            return Err(self
                .reporter
                .malformed("the arguments of a call come in pieces"));
        }
        let Some(name) = call.name.clone().filter(|name| !name.is_empty()) else {
            return Err(self.reporter.malformed("a call has no name"));
        };
        let id = call.id.clone().filter(|id| !id.is_empty());
        self.calls.push(ToolCall {
            id: id.map_or_else(new_call_id, clean::text),
            name: clean::text(name),
            arguments: clean::object(call.args.clone().unwrap_or_default()),
        });
        self.replay.call(call, signature);
        Ok(())
    }

    fn usage(&mut self, counts: UsageMetadata) {
        let UsageMetadata {
            prompt_token_count,
            candidates_token_count,
            thoughts_token_count,
            cached_content_token_count,
        } = counts;
        let output = match (candidates_token_count, thoughts_token_count) {
            (None, None) => None,
            (answer, thoughts) => Some(answer.unwrap_or(0).saturating_add(thoughts.unwrap_or(0))),
        };
        // Early chunks lack some counts; none is ever taken back.
        self.usage = Usage {
            input_tokens: prompt_token_count.or(self.usage.input_tokens),
            output_tokens: output.or(self.usage.output_tokens),
            cached_input_tokens: cached_content_token_count.or(self.usage.cached_input_tokens),
            reasoning_tokens: thoughts_token_count.or(self.usage.reasoning_tokens),
            cache_write_tokens: None,
        };
    }

    /// What the last finish reason means, see
    /// <https://ai.google.dev/api/generate-content#FinishReason>.
    fn reason(&self) -> Result<FinishReason, LlmError> {
        let Some(reason) = self.finish_reason.as_deref() else {
            return Err(match &self.blocked {
                Some(reason) => self.reporter.blocked(&format!("the prompt: {reason}")),
                None => self.reporter.truncated(),
            });
        };
        let explained = || match &self.finish_message {
            Some(message) => format!("{reason}: {message}"),
            None => reason.to_owned(),
        };
        match reason {
            // The second is a word of servers that stand in for Gemini.
            "STOP" | "FUNCTION_CALL" if self.calls.is_empty() => Ok(FinishReason::Stop),
            "STOP" | "FUNCTION_CALL" => Ok(FinishReason::ToolCalls),
            "MAX_TOKENS" => Ok(FinishReason::Length),
            "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII"
            | "MODEL_ARMOR" => Ok(FinishReason::ContentFilter),
            image if image.starts_with("IMAGE_") => Ok(FinishReason::ContentFilter),
            "MALFORMED_FUNCTION_CALL"
            | "UNEXPECTED_TOOL_CALL"
            | "TOO_MANY_TOOL_CALLS"
            | "MALFORMED_RESPONSE" => Err(self.reporter.malformed(&explained())),
            "MISSING_THOUGHT_SIGNATURE" => Err(self.reporter.invalid_request(&explained())),
            _ => Err(self
                .reporter
                .server(&format!("it stopped with {}", explained()), None)),
        }
    }
}

impl Decode for Decoder {
    fn piece(
        &mut self,
        data: &str,
        events: &mut VecDeque<ModelEvent>,
    ) -> Result<ControlFlow<()>, LlmError> {
        if data == "[DONE]" {
            // Not Gemini's, but some proxies send it.
            return Ok(ControlFlow::Continue(()));
        }
        let chunk: Chunk = chunk(data, &self.reporter)?;
        for candidate in chunk.candidates.unwrap_or_default() {
            self.candidate(candidate, events)?;
        }
        if let Some(counts) = chunk.usage_metadata {
            self.usage(counts);
        }
        if let Some(PromptFeedback {
            block_reason: Some(reason),
            block_reason_message,
        }) = chunk.prompt_feedback
        {
            self.blocked = Some(block_reason_message.unwrap_or(reason));
        }
        if chunk.error.is_some() {
            return Err(Refusal::read(data, None, None).into_error(&self.reporter));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn end(&mut self, events: &mut VecDeque<ModelEvent>) -> Result<(), LlmError> {
        let reason = self.reason()?;
        if reason != FinishReason::ContentFilter {
            events.extend(self.calls.drain(..).map(ModelEvent::ToolCall));
        }
        let provider_data = std::mem::take(&mut self.replay).into_provider_data(&self.origin);
        events.push_back(ModelEvent::Finish {
            reason,
            usage: self.usage,
            provider_data,
        });
        Ok(())
    }
}
