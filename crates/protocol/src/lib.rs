#![doc = include_str!("../README.md")]

mod asyncapi;
mod bearer_token;
mod client;
mod durable;
mod error_code;
mod ids;
mod limits;
mod live;
mod server;
mod text;
mod timestamp;

pub use asyncapi::asyncapi;
pub use bearer_token::BearerToken;
pub use client::{ClientMessage, ParseError, UserInput};
pub use durable::{
    AiResponse, DurableEvent, EndReason, EventBody, FinishReason, Metrics, Part, SessionEnded,
    SessionStarted, SessionSummary, SummaryRange, Timing, ToolApproved, ToolCall, ToolError,
    ToolErrorCode, ToolResult, Usage, UserMessage,
};
pub use error_code::{CloseCode, ErrorCode, NoticeCode};
pub use ids::{CallId, EventId, InvalidId, LogEpoch, MessageId, ResponseId, SessionId};
pub use limits::{
    Limits, MAX_CONTENT_BYTES, MAX_FRAME_BYTES, MAX_JSON_DEPTH, MAX_METADATA_BYTES,
    MAX_REFUSED_FRAMES,
};
pub use live::{
    Accepted, Durability, ErrorEvent, LiveEvent, Notice, Pong, Reasoning, ResponseFinished,
    ResponseSnapshot, ResponseStarted, SessionReady, Token, ToolProgress,
};
pub use server::ServerMessage;
pub use text::{clean_json, clean_text};
pub use timestamp::Timestamp;

/// The version of the protocol that these types are.
pub const VERSION: u32 = 1;

/// A JSON object, as it stands in `metadata`, `arguments` and `details`.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;

#[cfg(test)]
mod typescript;
