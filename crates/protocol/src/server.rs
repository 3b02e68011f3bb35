//! Whatever a server sends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::durable::DurableEvent;
use crate::live::LiveEvent;

/// One frame from the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(untagged)]
pub enum ServerMessage {
    /// A row of the log.
    Durable(DurableEvent),
    /// Told and not kept.
    Live(LiveEvent),
}

impl ServerMessage {
    /// The frame as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Live(LiveEvent::Token(token)) => token.to_json(),
            // Nothing in these types can fail to serialize: keys are strings and floats are finite
            // or become `null`. An empty frame would be noticed; a panic would end the session.
            other => serde_json::to_string(other).unwrap_or_default(),
        }
    }
}

impl From<DurableEvent> for ServerMessage {
    fn from(event: DurableEvent) -> Self {
        Self::Durable(event)
    }
}

impl From<LiveEvent> for ServerMessage {
    fn from(event: LiveEvent) -> Self {
        Self::Live(event)
    }
}
