//! What others are told of an answer as a whole: that it began, what there is of it, how it ended.

use patter_protocol::{
    self as protocol, AiResponse, FinishReason, ResponseSnapshot, ResponseStarted, Timing,
};
use serde_json::Value;
use tokio::time::Instant;

use super::Turn;

impl Turn {
    /// Who answers; once, as soon as somebody does, and never where nobody did.
    pub(crate) fn announcement(&mut self) -> Option<ResponseStarted> {
        if !self.answered || self.announced {
            return None;
        }
        self.announced = true;
        Some(ResponseStarted {
            response_id: self.response_id,
            message_id: self.message_id.clone(),
            model: self.voice.model.clone(),
            provider: self.voice.provider.clone(),
            route: self.route.clone(),
        })
    }

    /// What the reader that comes now has missed.
    pub(crate) fn snapshot(&self) -> ResponseSnapshot {
        ResponseSnapshot {
            response_id: self.response_id,
            message_id: self.message_id.clone(),
            index: self.text.last_index(),
            content: self.text.content().to_owned(),
            parts: self.text.parts(),
        }
    }

    /// The durable end of the answer, and what is kept with it.
    pub(crate) fn response(&self, finish_reason: FinishReason) -> (AiResponse, Option<Value>) {
        let millis = |from: Instant, to: Instant| {
            u64::try_from(to.duration_since(from).as_millis()).unwrap_or(u64::MAX)
        };
        let usage = self.spending.usage();
        let response = AiResponse {
            response_id: self.response_id,
            message_id: self.message_id.clone(),
            content: self.text.content().to_owned(),
            parts: self.text.parts(),
            finish_reason,
            model: self.voice.model.clone(),
            provider: self.voice.provider.clone(),
            route: self.route.clone(),
            usage: protocol::Usage {
                input_tokens: usage.input_tokens,
                output_tokens: usage.output_tokens,
                cached_input_tokens: usage.cached_input_tokens,
                reasoning_tokens: usage.reasoning_tokens,
            },
            cost_usd: self.spending.cost_usd(),
            timing: Timing {
                first_token_ms: self.first_token.map(|at| millis(self.started, at)),
                total_ms: millis(self.started, Instant::now()),
            },
            supersedes: self.supersedes,
            superseded: false,
        };
        (response, self.private.to_value())
    }
}
