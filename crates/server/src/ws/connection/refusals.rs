//! Why a frame of a client is not taken, in the words of the protocol.

use patter_protocol::{ErrorCode, ErrorEvent, JsonObject, ParseError};

/// A frame could not be read.
pub(super) fn parse_error_event(error: &ParseError) -> ErrorEvent {
    let mut details = JsonObject::new();
    if let Some(field) = error.field() {
        details.insert("field".to_owned(), field.into());
    }
    ErrorEvent {
        code: error.code(),
        message: error.to_string(),
        retryable: false,
        message_id: error.message_id().cloned(),
        response_id: None,
        details,
    }
}

/// Messages come faster than anybody needs.
pub(super) fn flood_event() -> ErrorEvent {
    let mut details = JsonObject::new();
    details.insert("retry_after_ms".to_owned(), 1_000.into());
    ErrorEvent {
        code: ErrorCode::RateLimited,
        message: "too many messages at a time on this connection; the message was not taken"
            .to_owned(),
        retryable: true,
        message_id: None,
        response_id: None,
        details,
    }
}

/// The session ended while the message was on its way; the next connection opens it again.
pub(super) fn gone_event() -> ErrorEvent {
    ErrorEvent {
        code: ErrorCode::Busy,
        message: "the session is just being closed; connect again and send the message again"
            .to_owned(),
        retryable: true,
        message_id: None,
        response_id: None,
        details: JsonObject::new(),
    }
}
