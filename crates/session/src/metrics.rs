//! What a session came to, counted from the events of its log.

use patter_llm::rounded_usd;
use patter_protocol::{EventBody, Metrics, Timestamp};

/// Counts over the whole log; the time is that during which the session was open.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    user_messages: u64,
    ai_responses: u64,
    tool_calls: u64,
    tool_errors: u64,
    input_tokens: u64,
    output_tokens: u64,
    /// `None` once an answer came whose cost is not known.
    cost_usd: Option<f64>,
    some_cost_unknown: bool,
    first_token_sum_ms: u64,
    first_tokens: u64,
    open_since: Option<Timestamp>,
    closed_ms: u64,
}

impl Counters {
    pub(crate) fn apply(&mut self, body: &EventBody, at: Timestamp) {
        match body {
            EventBody::SessionStarted(_) => self.open_since = Some(at),
            EventBody::SessionEnded(_) => {
                self.closed_ms = self.open_ms(at);
                self.open_since = None;
            }
            EventBody::UserMessage(_) => self.user_messages += 1,
            EventBody::ToolCall(_) => self.tool_calls += 1,
            EventBody::ToolResult(result) => self.tool_errors += u64::from(!result.ok),
            EventBody::AiResponse(answer) => {
                self.ai_responses += 1;
                self.input_tokens += answer.usage.input_tokens.unwrap_or(0);
                self.output_tokens += answer.usage.output_tokens.unwrap_or(0);
                match answer.cost_usd {
                    Some(cost) => {
                        self.cost_usd = Some(rounded_usd(self.cost_usd.unwrap_or(0.0) + cost));
                    }
                    None => self.some_cost_unknown = true,
                }
                if let Some(first_token_ms) = answer.timing.first_token_ms {
                    self.first_tokens += 1;
                    self.first_token_sum_ms += first_token_ms;
                }
            }
            EventBody::ToolApproved(_) | EventBody::SessionSummary(_) => {}
        }
    }

    fn open_ms(&self, now: Timestamp) -> u64 {
        self.closed_ms + self.open_since.map_or(0, |since| now.millis_since(since))
    }

    pub(crate) fn metrics(&self, now: Timestamp) -> Metrics {
        Metrics {
            duration_ms: self.open_ms(now),
            user_messages: self.user_messages,
            ai_responses: self.ai_responses,
            tool_calls: self.tool_calls,
            tool_errors: self.tool_errors,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cost_usd: self.cost_usd.filter(|_| !self.some_cost_unknown),
            mean_first_token_ms: mean(self.first_token_sum_ms, self.first_tokens),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of first tokens stay far below 2^52"
)]
fn mean(sum: u64, count: u64) -> Option<f64> {
    (count > 0).then(|| (sum as f64 / count as f64 * 10.0).round() / 10.0)
}
