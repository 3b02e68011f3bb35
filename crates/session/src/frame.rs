//! An event as it goes out: encoded once, shared by every reader.

use bytes::Bytes;
use patter_protocol::{DurableEvent, LiveEvent, ServerMessage, Token};
use tokio::time::Instant;

/// One event of the protocol as JSON text. Cloning shares the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    json: Bytes,
    seq: Option<u64>,
    arrived: Option<Instant>,
}

impl Frame {
    pub(crate) fn live(event: LiveEvent) -> Self {
        Self {
            json: ServerMessage::Live(event).to_json().into(),
            seq: None,
            arrived: None,
        }
    }

    /// A piece of text that came from a model at this moment.
    pub(crate) fn piece(token: &Token, arrived: Instant) -> Self {
        Self {
            json: token.to_json().into(),
            seq: None,
            arrived: Some(arrived),
        }
    }

    pub(crate) fn durable(event: DurableEvent) -> Self {
        let seq = Some(event.seq);
        Self {
            json: ServerMessage::Durable(event).to_json().into(),
            seq,
            arrived: None,
        }
    }

    /// The JSON, which is UTF-8.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.json
    }

    /// The JSON as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // It was made from a `String`.
        std::str::from_utf8(&self.json).unwrap_or_default()
    }

    /// When what it tells came from the model, if it is a piece of text: whoever writes it to a socket can
    /// tell how long it was under way here. Of several pieces that are joined, the first.
    #[must_use]
    pub fn arrived(&self) -> Option<Instant> {
        self.arrived
    }

    /// The place in the log, if the event is a durable one.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        self.seq
    }

    /// The event itself, read back from the JSON: for readers that want types and not text.
    ///
    /// # Errors
    ///
    /// None that a frame of this crate could cause.
    pub fn message(&self) -> Result<ServerMessage, serde_json::Error> {
        serde_json::from_slice(&self.json)
    }
}
