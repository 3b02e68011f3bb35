//! One event of a Responses stream as JSON. Only what is used is named; whatever else comes is
//! skipped without being kept.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// One event, read in one pass whatever the order of its fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    /// Missing where a whole response came instead of events.
    #[serde(rename = "type")]
    pub(super) kind: Option<Kind>,
    pub(super) delta: Option<String>,
    /// Where in the response the item stands.
    pub(super) output_index: Option<u64>,
    /// Kept as it is: its forms are many, and some of them go back to the service unread.
    pub(super) item: Option<Value>,
    pub(super) response: Option<Response>,
    /// Read again, as a refusal, where it is there.
    pub(super) error: Option<IgnoredAny>,
}

/// The type of an event alone.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    #[serde(rename = "type")]
    pub(super) kind: Kind,
}

/// The types that matter. The `event:` line says the same, but some servers leave it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Kind {
    #[serde(
        rename = "response.output_text.delta",
        alias = "response.refusal.delta"
    )]
    Text,
    #[serde(
        rename = "response.reasoning_summary_text.delta",
        alias = "response.reasoning_text.delta"
    )]
    Reasoning,
    #[serde(rename = "response.output_item.added")]
    ItemBegun,
    #[serde(rename = "response.output_item.done")]
    ItemDone,
    #[serde(rename = "response.completed")]
    Completed,
    #[serde(rename = "response.incomplete")]
    Incomplete,
    #[serde(rename = "response.failed")]
    Failed,
    #[serde(rename = "response.cancelled")]
    Cancelled,
    #[serde(rename = "error")]
    Error,
    #[serde(other)]
    Other,
}

/// The response as it stands at its end.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Response {
    pub(super) status: Option<Status>,
    pub(super) output: Option<Vec<Value>>,
    pub(super) usage: Option<WireUsage>,
    pub(super) incomplete_details: Option<IncompleteDetails>,
    /// Read again, as a refusal, where it is there.
    pub(super) error: Option<IgnoredAny>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Completed,
    Incomplete,
    Failed,
    Cancelled,
    /// Under way or waiting: no end at all.
    #[serde(other)]
    Other,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct IncompleteDetails {
    pub(super) reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    pub(super) input_tokens: Option<u64>,
    pub(super) output_tokens: Option<u64>,
    pub(super) input_tokens_details: Option<InputDetails>,
    pub(super) output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InputDetails {
    pub(super) cached_tokens: Option<u64>,
    pub(super) cache_write_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OutputDetails {
    pub(super) reasoning_tokens: Option<u64>,
}
