//! How each wire says what the rows of the table are about.

use patter_testkit::model_server::{Reply, gemini, openai, openai_responses};
use serde_json::{Value, json};

use crate::support::Wire;

/// What one wire sends.
pub(super) struct Speech {
    pub(super) wire: Wire,
    /// A text in pieces, finished.
    pub(super) text: fn(&[&str]) -> Reply,
    /// The event that says one piece of text.
    pub(super) piece: fn(&str) -> Value,
    /// A refusal with this status.
    pub(super) refusal: fn(u16) -> Reply,
    /// A whole call of the tool with this name.
    pub(super) call: fn(&str) -> Reply,
    /// A call whose arguments are no JSON.
    pub(super) broken_call: fn() -> Reply,
    /// "Hi", stopped once in the usual way and once by a limit.
    pub(super) two_finishes: fn() -> Reply,
    /// What no answer holds before its finish.
    pub(super) finish: &'static str,
}

pub(super) const GEMINI: Speech = Speech {
    wire: Wire::Gemini,
    text: |pieces| gemini::text(pieces.iter().copied()),
    piece: |text| gemini::parts(&json!([{"text": text}])),
    refusal: |status| {
        let word = match status {
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            429 => "RESOURCE_EXHAUSTED",
            503 => "UNAVAILABLE",
            _ => "INTERNAL",
        };
        gemini::refusal(status, word, "no")
    },
    call: |name| gemini::calls([(name, json!({"city": "Ulm"}))]),
    broken_call: || {
        let call = json!({"functionCall": {"name": "look_up", "args": "{\"city\": "}});
        gemini::body([gemini::parts(&json!([call])), gemini::finish("STOP")])
    },
    two_finishes: || {
        gemini::body([
            gemini::finish("STOP"),
            gemini::parts(&json!([{"text": "Hi"}])),
            gemini::finish("MAX_TOKENS"),
        ])
    },
    finish: "\"finishReason\":\"STOP\"",
};

pub(super) const CHAT: Speech = Speech {
    wire: Wire::OpenAi,
    text: |pieces| openai::text(pieces.iter().copied()),
    piece: |text| openai::delta(&json!({"content": text})),
    refusal: |status| {
        let word = match status {
            401 => "invalid_api_key",
            404 => "model_not_found",
            429 => "rate_limit_exceeded",
            400 | 403 => "invalid_request_error",
            _ => "server_error",
        };
        openai::refusal(status, word, "no")
    },
    call: |name| openai::calls([(name, json!({"city": "Ulm"}))]),
    broken_call: || {
        let function = json!({"name": "look_up", "arguments": "{\"city\": "});
        let calls = json!({"tool_calls": [{"index": 0, "id": "call_0", "function": function}]});
        openai::body([openai::delta(&calls), openai::finish("tool_calls")])
    },
    two_finishes: || {
        openai::body([
            openai::delta(&json!({"content": "Hi"})),
            openai::finish("stop"),
            openai::finish("length"),
        ])
    },
    finish: "\"finish_reason\":\"",
};

pub(super) const RESPONSES: Speech = Speech {
    wire: Wire::Responses,
    text: |pieces| openai_responses::text(pieces.iter().copied()),
    piece: |text| openai_responses::delta(0, text),
    refusal: CHAT.refusal,
    call: |name| openai_responses::calls([(name, json!({"city": "Ulm"}))]),
    broken_call: || {
        let mut call = openai_responses::call("call_0", "look_up", &json!({}));
        call["arguments"] = json!("{\"city\": ");
        openai_responses::body([
            openai_responses::done(0, &call),
            openai_responses::completed(&[call]),
        ])
    },
    // The message says that it is whole, the response that it is not.
    two_finishes: || {
        let message = openai_responses::message("Hi");
        openai_responses::body([
            openai_responses::done(0, &message),
            openai_responses::incomplete(&[message], "max_output_tokens"),
        ])
    },
    finish: "\"type\":\"response.completed\"",
};
