//! A span for each request to a model, for whoever collects traces: named and described as
//! OpenTelemetry's conventions for generative AI say. Where nobody collects them there is no span, and
//! an answer passes by untouched. No span is made or entered for a piece of an answer.

mod content;

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use futures_util::stream::{Stream, StreamExt};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use crate::error::LlmError;
use crate::event::{FinishReason, ModelEvent, Usage};
use crate::message::AssistantMessage;
use crate::model::{Answer, ChatModel};
use crate::request::ChatRequest;
use crate::windowed::Window;

/// A model whose requests are spans named `chat MODEL`: to be put right around the model that sends
/// them, so that each try is one. It is the current span while the request is sent.
#[derive(Debug, Clone)]
pub struct Traced<M> {
    model: M,
    content: bool,
}

impl<M: ChatModel> Traced<M> {
    /// Traces what this model is asked, but not what is said.
    pub fn new(model: M) -> Self {
        Self {
            model,
            content: false,
        }
    }

    /// Whether the spans hold what is said too: instructions, messages and answers, as far as they are
    /// not too long.
    #[must_use]
    pub fn with_content(mut self, content: bool) -> Self {
        self.content = content;
        self
    }

    fn span(&self, request: &ChatRequest) -> Span {
        let span = info_span!(
            "chat",
            otel.name = format!("chat {}", self.model.model()),
            otel.kind = "client",
            otel.status_code = Empty,
            error.type = Empty,
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = provider_name(self.model.provider()),
            gen_ai.request.model = self.model.model(),
            gen_ai.request.stream = true,
            gen_ai.request.max_tokens = request.max_output_tokens.map(i64::from),
            gen_ai.request.temperature = request.temperature.map(f64::from),
            gen_ai.conversation.id = request.conversation,
            gen_ai.response.finish_reasons = Empty,
            gen_ai.response.time_to_first_chunk = Empty,
            gen_ai.usage.input_tokens = Empty,
            gen_ai.usage.output_tokens = Empty,
            gen_ai.usage.cache_read.input_tokens = Empty,
            gen_ai.usage.reasoning.output_tokens = Empty,
            gen_ai.system_instructions = Empty,
            gen_ai.input.messages = Empty,
            gen_ai.output.messages = Empty,
        );
        if self.content && !span.is_disabled() {
            if let Some(system) = &request.system {
                span.record("gen_ai.system_instructions", content::system(system));
            }
            span.record("gen_ai.input.messages", content::input(&request.messages));
        }
        span
    }
}

#[async_trait]
impl<M: ChatModel> ChatModel for Traced<M> {
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
        let span = self.span(request);
        if span.is_disabled() {
            return self.model.stream(request).await;
        }
        let asked_at = Instant::now();
        let asked = self.model.stream(request).instrument(span.clone()).await;
        let answer = asked.inspect_err(|error| fail(&span, error.kind()))?;
        Ok(Answer::new(TracedAnswer {
            answer,
            span,
            asked_at: Some(asked_at),
            said: self.content.then(AssistantMessage::default),
            is_over: false,
        }))
    }
}

/// Passes an answer on unchanged, and ends its span with it.
struct TracedAnswer {
    answer: Answer,
    span: Span,
    /// Until the first piece is there.
    asked_at: Option<Instant>,
    /// What was said, if that is recorded.
    said: Option<AssistantMessage>,
    is_over: bool,
}

impl TracedAnswer {
    fn note(&mut self, event: Option<&Result<ModelEvent, LlmError>>) {
        if let Some(asked_at) = self.asked_at.take() {
            let waited = asked_at.elapsed().as_secs_f64();
            self.span
                .record("gen_ai.response.time_to_first_chunk", waited);
        }
        match event {
            Some(Ok(ModelEvent::Finish { reason, usage, .. })) => self.finish(*reason, usage),
            Some(Ok(event)) => {
                if let Some(said) = &mut self.said {
                    content::add(said, event);
                }
            }
            Some(Err(error)) => self.fail(error.kind()),
            None => self.fail("truncated"),
        }
    }

    fn finish(&mut self, reason: FinishReason, usage: &Usage) {
        let span = &self.span;
        span.record("gen_ai.response.finish_reasons", finish_reason(reason));
        for (name, tokens) in [
            ("gen_ai.usage.input_tokens", usage.input_tokens),
            ("gen_ai.usage.output_tokens", usage.output_tokens),
            (
                "gen_ai.usage.cache_read.input_tokens",
                usage.cached_input_tokens,
            ),
            (
                "gen_ai.usage.reasoning.output_tokens",
                usage.reasoning_tokens,
            ),
        ] {
            // A collector is told signed numbers.
            if let Some(tokens) = tokens.and_then(|tokens| i64::try_from(tokens).ok()) {
                span.record(name, tokens);
            }
        }
        if let Some(said) = self.said.take() {
            let said = content::output(said, finish_reason(reason));
            span.record("gen_ai.output.messages", said);
        }
        self.is_over = true;
        touch(span);
    }

    /// Behind the end of the answer this changes nothing.
    fn fail(&mut self, kind: &str) {
        if !self.is_over {
            self.is_over = true;
            fail(&self.span, kind);
        }
    }
}

impl Stream for TracedAnswer {
    type Item = Result<ModelEvent, LlmError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = ready!(self.answer.poll_next_unpin(cx));
        self.note(event.as_ref());
        Poll::Ready(event)
    }
}

impl Drop for TracedAnswer {
    fn drop(&mut self) {
        // Whoever asked has lost interest, as when an answer is cancelled: no failure of the model.
        if !self.is_over {
            self.span.record("error.type", "cancelled");
            touch(&self.span);
        }
    }
}

fn fail(span: &Span, kind: &str) {
    span.record("error.type", kind);
    span.record("otel.status_code", "ERROR");
    touch(span);
}

/// A span counts as over when it was last left, and nobody is in it while an answer streams.
fn touch(span: &Span) {
    span.in_scope(|| {});
}

/// Google's has a name of its own in the conventions; the others are called as they are.
fn provider_name(provider: &str) -> &str {
    match provider {
        "gemini" => "gcp.gemini",
        other => other,
    }
}

fn finish_reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
        FinishReason::ContentFilter => "content_filter",
    }
}
