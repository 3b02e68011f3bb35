//! The codes by which a client knows what happened.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why something that was asked for did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not JSON, not an object, nested too deeply.
    InvalidJson,
    /// No such `type`.
    UnknownType,
    /// A field is missing, of the wrong kind, empty or too long; `details.field` names it.
    InvalidField,
    /// The queue of waiting messages is full.
    Busy,
    /// Too many messages; `details.retry_after_ms`.
    RateLimited,
    /// A budget is spent; `details.limit`, `details.resets_at`.
    LimitReached,
    /// No answer is in flight.
    NothingToCancel,
    /// There is no message to answer again.
    NothingToRegenerate,
    /// No tool call of that name waits for approval.
    UnknownCall,
    /// The model failed.
    ProviderError,
    /// The model was too slow.
    ProviderTimeout,
    /// The model's service limits the rate of requests.
    ProviderRateLimited,
    /// The model's service refused the server's credentials.
    ProviderAuth,
    /// The model's service withheld the answer.
    ContentFiltered,
    /// The event could not be made durable at all; the message was not taken.
    StoreUnavailable,
    /// A defect.
    Internal,
}

impl ErrorCode {
    /// Whether a frame that was refused with this code counts towards closing the connection.
    #[must_use]
    pub fn is_malformed_frame(self) -> bool {
        matches!(
            self,
            Self::InvalidJson | Self::UnknownType | Self::InvalidField
        )
    }
}

/// What a person would want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NoticeCode {
    /// The database is away.
    StoreDegraded,
    /// The database is back.
    StoreRecovered,
    /// Another provider took over.
    ProviderFailover,
    /// The server is about to restart.
    Draining,
    /// Answers come from the offline demo and not from a language model.
    DemoModel,
}

/// The close codes of the WebSocket. The code alone tells a client whether to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CloseCode {
    /// After `end`. Do not come back.
    Normal,
    /// Protocol violation. Do not come back.
    ProtocolError,
    /// A binary frame. Do not come back.
    Unsupported,
    /// Not UTF-8. Do not come back.
    InvalidPayload,
    /// Too many refused frames in a row, or a flood. Do not come back.
    PolicyViolation,
    /// A frame over [`MAX_FRAME_BYTES`](crate::MAX_FRAME_BYTES). Do not come back.
    TooBig,
    /// A defect. Come back, backing off.
    Internal,
    /// The server drains or restarts. Come back after a random pause of up to 5 s.
    Restart,
    /// The credentials ran out. Come back with new ones.
    Unauthorized,
    /// No longer allowed. Do not come back.
    Forbidden,
    /// Idle too long. Come back when there is something to say.
    Idle,
    /// The session moved to another owner. Come back.
    Moved,
    /// This reader is too slow. Come back with `after`.
    TooSlow,
}

impl CloseCode {
    /// Every code, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Normal,
        Self::ProtocolError,
        Self::Unsupported,
        Self::InvalidPayload,
        Self::PolicyViolation,
        Self::TooBig,
        Self::Internal,
        Self::Restart,
        Self::Unauthorized,
        Self::Forbidden,
        Self::Idle,
        Self::Moved,
        Self::TooSlow,
    ];

    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::ProtocolError => 1002,
            Self::Unsupported => 1003,
            Self::InvalidPayload => 1007,
            Self::PolicyViolation => 1008,
            Self::TooBig => 1009,
            Self::Internal => 1011,
            Self::Restart => 1012,
            Self::Unauthorized => 4401,
            Self::Forbidden => 4403,
            Self::Idle => 4408,
            Self::Moved => 4409,
            Self::TooSlow => 4413,
        }
    }
}
