//! Live events: they may be lost with a connection, and nothing is lost with them.

mod token_json;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::JsonObject;
use crate::durable::{FinishReason, Part};
use crate::error_code::{ErrorCode, NoticeCode};
use crate::ids::{CallId, LogEpoch, MessageId, ResponseId, SessionId};
use crate::limits::Limits;

/// An event that is told and not kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveEvent {
    /// The first frame on every connection.
    SessionReady(SessionReady),
    /// The database is away; the message is safe on local disk.
    Accepted(Accepted),
    /// The model accepted the request.
    ResponseStarted(ResponseStarted),
    /// A piece of text.
    Token(Token),
    /// A piece of the model's visible thinking.
    Reasoning(Reasoning),
    /// How far the call of a tool is.
    ToolProgress(ToolProgress),
    /// Replaces all the text of this answer that the client has.
    ResponseSnapshot(ResponseSnapshot),
    /// The last piece was sent; the `ai_response` follows when it is stored.
    ResponseFinished(ResponseFinished),
    /// Something that was asked for did not happen.
    Error(ErrorEvent),
    /// Something a person would want to know.
    Notice(Notice),
    /// Answer to `ping`.
    Pong(Pong),
}

/// See [`LiveEvent::SessionReady`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SessionReady {
    /// [`VERSION`](crate::VERSION).
    pub protocol: u32,
    /// The session.
    pub session_id: SessionId,
    /// Names the log that `seq` counts in.
    pub epoch: LogEpoch,
    /// The highest `seq` stored when the connection was attached.
    #[cfg_attr(test, ts(type = "number"))]
    pub last_seq: u64,
    /// What the client said it holds is void: the whole log follows.
    pub reset: bool,
    /// The session had been finalized and was opened again.
    pub reopened: bool,
    /// Name of the model.
    pub model: String,
    /// Name of the provider.
    pub provider: String,
    /// Names of the tools.
    pub tools: Vec<String>,
    /// What the client must keep to.
    pub limits: Limits,
}

/// See [`LiveEvent::Accepted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Accepted {
    /// The message.
    pub id: MessageId,
    /// How safe it is.
    pub durability: Durability,
}

/// How safe a message is that is not stored yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// It is on the disk of the server.
    Spooled,
}

/// See [`LiveEvent::ResponseStarted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ResponseStarted {
    /// Names the answer.
    pub response_id: ResponseId,
    /// The user message that it answers.
    pub message_id: MessageId,
    /// Name of the model.
    pub model: String,
    /// Name of the provider.
    pub provider: String,
    /// Name of the route that chose them; `null` where none did.
    pub route: Option<String>,
}

/// See [`LiveEvent::Token`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Token {
    /// The answer.
    pub response_id: ResponseId,
    /// 0, 1, 2, ... within the answer; of joined pieces, the last one's.
    #[cfg_attr(test, ts(type = "number"))]
    pub index: u64,
    /// The text.
    pub content: String,
    /// How many pieces were joined for a reader that lags; left out where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub count: Option<u32>,
}

/// See [`LiveEvent::Reasoning`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Reasoning {
    /// The answer.
    pub response_id: ResponseId,
    /// The text.
    pub content: String,
}

/// See [`LiveEvent::ToolProgress`]. Few tools tell it, and what they tell too fast is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ToolProgress {
    /// The answer.
    pub response_id: ResponseId,
    /// The call.
    pub call_id: CallId,
    /// How much is done, in a unit of the tool's own; it grows.
    pub done: f64,
    /// How much there is to do, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub total: Option<f64>,
    /// What is being done, where the tool says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub message: Option<String>,
}

/// See [`LiveEvent::ResponseSnapshot`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ResponseSnapshot {
    /// The answer.
    pub response_id: ResponseId,
    /// The user message that it answers.
    pub message_id: MessageId,
    /// The index of the last token in `content`; -1 if there is none. The next `token` has this + 1.
    #[cfg_attr(test, ts(type = "number"))]
    pub index: i64,
    /// All its text so far.
    pub content: String,
    /// Where the tools stand in it so far; empty where none was called.
    pub parts: Vec<Part>,
}

/// See [`LiveEvent::ResponseFinished`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ResponseFinished {
    /// The answer.
    pub response_id: ResponseId,
    /// How it ended.
    pub finish_reason: FinishReason,
}

/// See [`LiveEvent::Error`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ErrorEvent {
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// Whether the same may succeed later.
    pub retryable: bool,
    /// The message it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub message_id: Option<MessageId>,
    /// The answer it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub response_id: Option<ResponseId>,
    /// What the code says is here.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    #[cfg_attr(test, ts(type = "Record<string, unknown>", optional))]
    pub details: JsonObject,
}

/// See [`LiveEvent::Notice`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Notice {
    /// For programs.
    pub code: NoticeCode,
    /// For people.
    pub message: String,
}

/// See [`LiveEvent::Pong`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Pong {
    /// What the `ping` carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub nonce: Option<String>,
}
