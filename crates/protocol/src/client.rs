//! What a client sends, and how a frame becomes it.
//!
//! Frames come from anybody, so they are read in two steps that both answer with a precise
//! [`ParseError`]: first strict JSON, then the fields one by one.

mod fields;
mod strict_json;

use schemars::JsonSchema;
use serde::Serialize;

use crate::JsonObject;
use crate::bearer_token::BearerToken;
use crate::error_code::ErrorCode;
use crate::ids::{CallId, MessageId, ResponseId};
use crate::limits::{MAX_CONTENT_BYTES, MAX_METADATA_BYTES};
use fields::Fields;

/// One frame from a client.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Say something; starts a turn.
    UserMessage(UserInput),
    /// Stop the answer in flight.
    Cancel {
        /// Only if it is this one.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        response_id: Option<ResponseId>,
    },
    /// Answer the last user message again.
    Regenerate,
    /// Let a tool call that waits for approval run, or refuse it.
    ToolApproval {
        /// The call.
        call_id: CallId,
        /// Whether it may run.
        approve: bool,
        /// Why, for the log and the model.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        reason: Option<String>,
    },
    /// Finalize the session now.
    End,
    /// A fresh credential for the same user.
    AuthRefresh {
        /// The credential.
        #[cfg_attr(test, ts(as = "String"))]
        token: BearerToken,
    },
    /// Answered with `pong`.
    Ping {
        /// Comes back with the `pong`; up to 64 characters.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, ts(optional))]
        nonce: Option<String>,
    },
}

/// See [`ClientMessage::UserMessage`].
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UserInput {
    /// What is said: 1 to [`MAX_CONTENT_BYTES`] bytes after trimming, no U+0000.
    #[schemars(extend("minLength" = 1, "pattern" = r"\S"))]
    pub content: String,
    /// Names the message, so that it can be sent again and is answered once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub id: Option<MessageId>,
    /// Kept with the message; up to [`MAX_METADATA_BYTES`] bytes of JSON.
    #[serde(skip_serializing_if = "JsonObject::is_empty")]
    #[schemars(default)]
    #[cfg_attr(test, ts(type = "Record<string, unknown>", optional))]
    pub metadata: JsonObject,
    /// Cancel the answer in flight first, and go ahead of the queue.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    #[cfg_attr(test, ts(type = "boolean", optional))]
    pub interrupt: bool,
    /// An edit: the last user message, whose place this one takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub replaces: Option<MessageId>,
}

impl UserInput {
    /// A message that is nothing but text.
    pub fn text(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            id: None,
            metadata: JsonObject::new(),
            interrupt: false,
            replaces: None,
        }
    }

    /// Reads a message that comes by another way than a frame: an object with the fields of
    /// `user_message`, in which `type` is not looked at.
    ///
    /// # Errors
    ///
    /// As [`ClientMessage::parse`].
    pub fn parse(json: &str) -> Result<Self, ParseError> {
        parse_user_input(&mut Fields::new(strict_json::parse_object(json)?))
    }
}

/// Why a frame was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Not JSON, not an object, an object with a key twice, or nested too deeply.
    #[error("not a JSON object: {0}")]
    InvalidJson(String),
    /// No such `type`.
    #[error("there is no message type `{0}`")]
    UnknownType(String),
    /// A field is missing, of the wrong kind, empty or too long.
    #[error("`{field}` {problem}")]
    InvalidField {
        /// Name of the field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
        /// The user message that it stands in, if its `id` could be read.
        message_id: Option<MessageId>,
    },
}

impl ParseError {
    /// The code that goes to the client.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidJson(_) => ErrorCode::InvalidJson,
            Self::UnknownType(_) => ErrorCode::UnknownType,
            Self::InvalidField { .. } => ErrorCode::InvalidField,
        }
    }

    /// The user message that was refused, if its `id` could be read.
    #[must_use]
    pub fn message_id(&self) -> Option<&MessageId> {
        match self {
            Self::InvalidField { message_id, .. } => message_id.as_ref(),
            Self::InvalidJson(_) | Self::UnknownType(_) => None,
        }
    }

    /// The field to blame, if there is one.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidField { field, .. } => Some(field),
            Self::InvalidJson(_) | Self::UnknownType(_) => None,
        }
    }
}

/// So much of an unknown `type`, or of a key that stands twice, is told back.
const MAX_ECHOED_CHARS: usize = 40;
const MAX_REASON_CHARS: usize = 1_000;
const MAX_NONCE_CHARS: usize = 64;
const MAX_TOKEN_BYTES: usize = 8_192;

impl ClientMessage {
    /// Reads a frame. Fields that it does not know are ignored; the older names `message` for
    /// `content` and `end_session` for `end` are understood.
    ///
    /// # Errors
    ///
    /// Says what is wrong, in the order in which a person would look: JSON, `type`, fields.
    pub fn parse(frame: &str) -> Result<Self, ParseError> {
        let mut fields = Fields::new(strict_json::parse_object(frame)?);
        let message_type = fields.required_text("type")?;
        match message_type.as_str() {
            "user_message" => Ok(Self::UserMessage(parse_user_input(&mut fields)?)),
            "cancel" => Ok(Self::Cancel {
                response_id: fields.uuid("response_id")?.map(ResponseId::from),
            }),
            "regenerate" => Ok(Self::Regenerate),
            "tool_approval" => Ok(Self::ToolApproval {
                call_id: fields
                    .uuid("call_id")?
                    .map(CallId::from)
                    .ok_or_else(|| fields::missing("call_id"))?,
                approve: fields
                    .flag("approve")?
                    .ok_or_else(|| fields::missing("approve"))?,
                reason: fields.short_text("reason", MAX_REASON_CHARS)?,
            }),
            "end" | "end_session" => Ok(Self::End),
            "auth_refresh" => {
                let token = fields.required_text("token")?;
                if token.is_empty() || token.len() > MAX_TOKEN_BYTES {
                    return Err(fields::invalid("token", "must have 1 to 8192 bytes"));
                }
                Ok(Self::AuthRefresh {
                    token: token.into(),
                })
            }
            "ping" => Ok(Self::Ping {
                nonce: fields.short_text("nonce", MAX_NONCE_CHARS)?,
            }),
            other => Err(ParseError::UnknownType(
                other.chars().take(MAX_ECHOED_CHARS).collect(),
            )),
        }
    }

    /// The frame as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Nothing in these types can fail to serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn parse_user_input(fields: &mut Fields) -> Result<UserInput, ParseError> {
    // First, so that whatever else is wrong can be told of this message.
    let id = fields.message_id("id")?;
    parse_rest(fields, id.clone()).map_err(|error| match error {
        ParseError::InvalidField { field, problem, .. } => ParseError::InvalidField {
            field,
            problem,
            message_id: id,
        },
        other => other,
    })
}

fn parse_rest(fields: &mut Fields, id: Option<MessageId>) -> Result<UserInput, ParseError> {
    let content = match fields.text("content")? {
        Some(content) => content,
        None => fields
            .text("message")?
            .ok_or_else(|| fields::missing("content"))?,
    };
    let trimmed = content.trim();
    if trimmed.is_empty() {
        return Err(fields::invalid("content", "must not be empty"));
    }
    if trimmed.len() > MAX_CONTENT_BYTES {
        let bytes = trimmed.len();
        let problem =
            format!("has {bytes} bytes of UTF-8; at most {MAX_CONTENT_BYTES} are allowed");
        return Err(fields::invalid("content", problem));
    }
    let content = if trimmed.len() == content.len() {
        content
    } else {
        trimmed.to_owned()
    };
    Ok(UserInput {
        content,
        id,
        metadata: fields.object("metadata", MAX_METADATA_BYTES)?,
        interrupt: fields.flag("interrupt")?.unwrap_or(false),
        replaces: fields.message_id("replaces")?,
    })
}
