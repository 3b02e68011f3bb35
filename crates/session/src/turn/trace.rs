//! The span of an answer, for whoever collects traces. It begins with the answer, and is over when the
//! answer is stored. Requests to models, calls of tools and writes to the store are its children.

use patter_protocol::{FinishReason, MessageId, SessionId};
use serde::Serialize;
use tracing::field::Empty;
use tracing::{Span, info_span};

use super::{Failure, Turn};
use crate::origin::Origin;

pub(super) fn begin(session_id: &SessionId, message_id: &MessageId, origin: &Origin) -> Span {
    let span = info_span!(
        parent: origin.parent(),
        "turn",
        otel.status_code = Empty,
        error.type = Empty,
        gen_ai.operation.name = "invoke_agent",
        gen_ai.conversation.id = %session_id,
        gen_ai.response.finish_reasons = Empty,
        patter.message.id = %message_id,
        patter.response.id = Empty,
        patter.route = Empty,
        patter.steps = Empty,
        patter.tool_calls = Empty,
    );
    origin.link(&span);
    span
}

impl Turn {
    /// That of the answer.
    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// Notes how the answer ended.
    pub(super) fn trace_end(&self, reason: FinishReason, failure: Option<&Failure>) {
        let span = &self.span;
        if span.is_disabled() {
            return;
        }
        span.record("gen_ai.response.finish_reasons", word(&reason));
        span.record("patter.response.id", self.response_id.to_string());
        span.record("patter.route", self.route.as_deref());
        // A collector is told signed numbers.
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        span.record("patter.steps", number(self.steps));
        span.record("patter.tool_calls", number(self.calls));
        if let Some(failure) = failure {
            span.record("error.type", word(&failure.code()));
            span.record("otel.status_code", "ERROR");
        }
        // A span counts as over when it was last left, and nobody is in this one while a model talks.
        span.in_scope(|| {});
    }
}

/// What the protocol calls it.
fn word(value: &impl Serialize) -> String {
    let word = serde_json::to_value(value).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}
