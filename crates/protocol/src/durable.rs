//! Durable events: the rows of a session's log. One is sent only when it is stored.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::JsonObject;
use crate::ids::{CallId, EventId, MessageId, ResponseId};
use crate::timestamp::Timestamp;

/// A row of a session's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DurableEvent {
    /// Its place in the log: 1, 2, 3, without gaps.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: u64,
    /// Names the event.
    pub event_id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What a durable event tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventBody {
    /// The session's first event, and again when it is reopened.
    SessionStarted(SessionStarted),
    /// A client's message.
    UserMessage(UserMessage),
    /// The model asked for a tool.
    ToolCall(ToolCall),
    /// Somebody let the tool run.
    ToolApproved(ToolApproved),
    /// The tool ended.
    ToolResult(ToolResult),
    /// An answer is over; exactly one for each answer, however it ended.
    AiResponse(AiResponse),
    /// The session is finalized.
    SessionEnded(SessionEnded),
    /// The summary came only after `session_ended`.
    SessionSummary(SessionSummary),
}

impl EventBody {
    /// The `type` on the wire and in the store.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::SessionStarted(_) => "session_started",
            Self::UserMessage(_) => "user_message",
            Self::ToolCall(_) => "tool_call",
            Self::ToolApproved(_) => "tool_approved",
            Self::ToolResult(_) => "tool_result",
            Self::AiResponse(_) => "ai_response",
            Self::SessionEnded(_) => "session_ended",
            Self::SessionSummary(_) => "session_summary",
        }
    }
}

/// See [`EventBody::SessionStarted`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SessionStarted {
    /// The authenticated user, if any.
    pub user_id: Option<String>,
    /// What was given when the session was made.
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub metadata: JsonObject,
}

/// See [`EventBody::UserMessage`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UserMessage {
    /// Names the message: the client's, or one that the server made.
    pub id: MessageId,
    /// What was said, trimmed.
    pub content: String,
    /// What the client gave with it.
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub metadata: JsonObject,
    /// The earlier message that this one takes the place of.
    pub replaces: Option<MessageId>,
}

/// See [`EventBody::ToolCall`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ToolCall {
    /// The answer in which it was made.
    pub response_id: ResponseId,
    /// Names the call.
    pub call_id: CallId,
    /// Name of the tool.
    pub name: String,
    /// Arguments that the model gave.
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub arguments: JsonObject,
    /// Whether it waits until somebody approves.
    pub needs_approval: bool,
}

/// See [`EventBody::ToolApproved`]. It is stored before the tool runs; where somebody refused the call, its
/// result says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ToolApproved {
    /// The answer in which the call was made.
    pub response_id: ResponseId,
    /// The call, with the arguments that its event has.
    pub call_id: CallId,
}

/// See [`EventBody::ToolResult`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ToolResult {
    /// The answer in which the call was made.
    pub response_id: ResponseId,
    /// The call that ended.
    pub call_id: CallId,
    /// Name of the tool.
    pub name: String,
    /// Whether the tool did what was asked.
    pub ok: bool,
    /// What it gave, where `ok`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    #[cfg_attr(test, ts(type = "unknown", optional))]
    pub content: Option<Value>,
    /// What went wrong, where not `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub error: Option<ToolError>,
    /// How long it took, in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub duration_ms: u64,
}

/// Reads a field that is there as `Some`, also where it is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Why a tool did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ToolError {
    /// For programs.
    pub code: ToolErrorCode,
    /// For people and models.
    pub message: String,
}

/// The kinds of [`ToolError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ToolErrorCode {
    /// The arguments do not fit the tool.
    InvalidArguments,
    /// There is no such tool.
    UnknownTool,
    /// The tool took too long.
    Timeout,
    /// The result is too large.
    TooLarge,
    /// The address is one that must not be reached.
    BlockedAddress,
    /// Nobody approved the call.
    NotApproved,
    /// The tool gave what cannot be kept.
    InvalidOutput,
    /// The server stopped while the tool ran; whether it had an effect is not known.
    Interrupted,
    /// The tool failed.
    Failed,
}

/// See [`EventBody::AiResponse`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AiResponse {
    /// Names the answer.
    pub response_id: ResponseId,
    /// The user message that it answers.
    pub message_id: MessageId,
    /// All the text of the answer, joined.
    pub content: String,
    /// Where the tools stood in it; empty, and left out, where none was called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Part>>"))]
    pub parts: Vec<Part>,
    /// How it ended.
    pub finish_reason: FinishReason,
    /// Name of the model.
    pub model: String,
    /// Name of the provider.
    pub provider: String,
    /// Name of the route that chose them; left out where none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub route: Option<String>,
    /// Tokens of all its steps.
    pub usage: Usage,
    /// What it cost, in US dollars; `null` where that is not known.
    pub cost_usd: Option<f64>,
    /// How long it took.
    pub timing: Timing,
    /// The answer whose place it takes.
    pub supersedes: Option<ResponseId>,
    /// Whether another answer counts although it came to the log earlier; left out where not. This
    /// one was given while the store was away, and kept on local disk.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub superseded: bool,
}

/// A piece of an answer: text, or a tool call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(untagged)]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A tool call.
    Call {
        /// Names the call.
        call_id: CallId,
    },
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model said all it had to say.
    Stop,
    /// The model met a token limit.
    Length,
    /// A client stopped it.
    Cancelled,
    /// The provider withheld it.
    ContentFilter,
    /// It asked for more rounds of tools than are allowed.
    ToolLimit,
    /// It failed.
    Error,
    /// The server stopped in the middle of it.
    Interrupted,
}

/// Tokens of an answer; `null` where the provider did not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Usage {
    /// Tokens of the requests, cached ones included.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub input_tokens: Option<u64>,
    /// Tokens of the answer, reasoning included.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub output_tokens: Option<u64>,
    /// Of the input, those that the provider had cached.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub cached_input_tokens: Option<u64>,
    /// Of the output, those spent on thinking.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub reasoning_tokens: Option<u64>,
}

/// How long an answer took, in milliseconds from the moment its message was taken up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Timing {
    /// To the first piece of text; `null` if none came.
    #[cfg_attr(test, ts(type = "number | null"))]
    pub first_token_ms: Option<u64>,
    /// To the end.
    #[cfg_attr(test, ts(type = "number"))]
    pub total_ms: u64,
}

/// See [`EventBody::SessionEnded`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SessionEnded {
    /// Why.
    pub reason: EndReason,
    /// What was talked about; `null` where no summary could be had in time.
    pub summary: Option<String>,
    /// What it came to.
    pub metrics: Metrics,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// A client said so.
    Client,
    /// The last client left and did not come back in time.
    Disconnect,
    /// Nothing happened for long.
    Idle,
    /// The server stopped.
    Shutdown,
    /// The server that held it was lost.
    Recovered,
}

/// What a session came to, counted over its whole log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Metrics {
    /// How long it was open, in milliseconds: from each `session_started` to its `session_ended`.
    #[cfg_attr(test, ts(type = "number"))]
    pub duration_ms: u64,
    /// Messages of clients.
    #[cfg_attr(test, ts(type = "number"))]
    pub user_messages: u64,
    /// Answers, however they ended.
    #[cfg_attr(test, ts(type = "number"))]
    pub ai_responses: u64,
    /// Tool calls.
    #[cfg_attr(test, ts(type = "number"))]
    pub tool_calls: u64,
    /// Tool calls that went wrong.
    #[cfg_attr(test, ts(type = "number"))]
    pub tool_errors: u64,
    /// Tokens of all requests.
    #[cfg_attr(test, ts(type = "number"))]
    pub input_tokens: u64,
    /// Tokens of all answers.
    #[cfg_attr(test, ts(type = "number"))]
    pub output_tokens: u64,
    /// Cost of the answers in US dollars; `null` where that of one is not known.
    pub cost_usd: Option<f64>,
    /// Mean time to the first token; `null` if there was none.
    pub mean_first_token_ms: Option<f64>,
}

/// See [`EventBody::SessionSummary`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SessionSummary {
    /// What was talked about.
    pub summary: String,
    /// The part of the log that it covers.
    pub covers: SummaryRange,
}

/// A part of a log, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SummaryRange {
    /// The first event.
    #[cfg_attr(test, ts(type = "number"))]
    pub from_seq: u64,
    /// The last event.
    #[cfg_attr(test, ts(type = "number"))]
    pub to_seq: u64,
}
