//! The names of things on the wire. Each is a type of its own, so that none can stand in for another.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not a session id.
    #[error(
        "a session id has 1 to 128 characters of `A-Z a-z 0-9 . _ ~ : -` and begins with a letter or a digit"
    )]
    Session,
    /// Not a message id.
    #[error("a message id has 1 to 64 characters and no U+0000")]
    Message,
}

/// Names a session: 1 to 128 characters, `[A-Za-z0-9][A-Za-z0-9._~:-]*`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[A-Za-z0-9][A-Za-z0-9._~:-]{0,127}$"))]
// Shared, as is a message id: a conversation and its log keep them in several places.
pub struct SessionId(Arc<str>);

impl SessionId {
    /// The longest session id, in bytes (all its characters are ASCII).
    pub const MAX_LENGTH: usize = 128;

    /// A new id, a `UUIDv7`: ids made later sort later.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7().to_string().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SessionId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let first_is_fine = text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        let all_are_fine = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._~:-".contains(&byte));
        if first_is_fine && all_are_fine && text.len() <= Self::MAX_LENGTH {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId::Session)
        }
    }
}

impl FromStr for SessionId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_from(text.to_owned())
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a user message within its session: chosen by the client, else a `UUIDv7`.
/// 1 to 64 characters, no U+0000.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("minLength" = 1, "maxLength" = Self::MAX_CHARS))]
pub struct MessageId(Arc<str>);

impl MessageId {
    /// The longest message id, in characters.
    pub const MAX_CHARS: usize = 64;

    /// A new id, a `UUIDv7`.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7().to_string().into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MessageId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        if text.is_empty() || text.contains('\0') || text.chars().count() > Self::MAX_CHARS {
            return Err(InvalidId::Message);
        }
        Ok(Self(text.into()))
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        #[cfg_attr(test, derive(ts_rs::TS))]
        #[serde(transparent)]
        pub struct $name(#[cfg_attr(test, ts(type = "string"))] Uuid);

        impl $name {
            /// A new id; ids made later sort later.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id as a UUID.
            #[must_use]
            pub fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// Names a durable event: a write that is tried twice is stored once.
    EventId
}
uuid_id! {
    /// Names an answer of the model.
    ResponseId
}
uuid_id! {
    /// Names a tool call within its session.
    CallId
}
uuid_id! {
    /// Names an incarnation of a session's log: it changes when the log was not merely continued,
    /// and what a client holds of the old one is void.
    LogEpoch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_is_what_the_protocol_allows() {
        for good in ["a", "0", "a.b_c~d:e-f", &"x".repeat(128)] {
            assert!(good.parse::<SessionId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            ".a",
            "~a",
            "a b",
            "a/b",
            "..",
            "ä",
            "a\0",
            &"x".repeat(129),
        ] {
            assert!(bad.parse::<SessionId>().is_err(), "{bad:?}");
        }
    }

    /// Input 77.
    #[test]
    fn a_message_id_is_counted_in_characters() {
        assert!(MessageId::try_from("é".repeat(64)).is_ok());
        assert!(MessageId::try_from("é".repeat(65)).is_err());
        assert!(MessageId::try_from(String::new()).is_err());
        assert!(MessageId::try_from("a\0".to_owned()).is_err());
    }
}
