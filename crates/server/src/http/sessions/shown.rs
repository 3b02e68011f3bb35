//! A session as it is answered.

use patter_protocol::{DurableEvent, JsonObject, LogEpoch, Metrics, SessionId, Timestamp};
use patter_store::SessionRecord;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::http::App;

/// Told of a summary that the last try brought no nearer.
const NO_SUMMARY: &str = "the model could not be had to summarize it; the server's log says why";

/// A session at a glance.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub(in crate::http) struct SessionJson {
    session_id: SessionId,
    /// The user, where one is known.
    user_id: Option<String>,
    /// When it was first opened.
    start_time: Timestamp,
    /// When it was finalized; null while it is active.
    end_time: Option<Timestamp>,
    /// Whether it is not finalized.
    is_active: bool,
    /// Whether this server holds it in memory.
    is_live: bool,
    /// What was talked about; null where there is no summary (yet).
    summary: Option<String>,
    /// Why there is no summary although there should be one; left out where nothing went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary_error: Option<String>,
    /// The client's own.
    metadata: JsonObject,
    /// What it came to, once finalized.
    #[schemars(with = "Option<Metrics>")]
    metrics: Option<Value>,
    /// The highest `seq` of its log; 0 if there is none.
    last_seq: u64,
    /// Names this incarnation of the log.
    epoch: LogEpoch,
    /// When it came into being.
    created_at: Timestamp,
    /// When it was last changed.
    updated_at: Timestamp,
}

impl SessionJson {
    pub(in crate::http) fn of(app: &App, mut record: SessionRecord) -> Self {
        let metrics = record.metadata.remove("metrics");
        Self {
            is_live: app.sessions.is_live(&record.session_id),
            session_id: record.session_id,
            user_id: record.user_id,
            start_time: record.start_time,
            end_time: record.end_time,
            is_active: record.is_active,
            summary: record.summary,
            // The store has what the provider said, which is for the log.
            summary_error: record.summary_error.map(|_| NO_SUMMARY.to_owned()),
            metadata: record.metadata,
            metrics,
            last_seq: record.last_seq,
            epoch: record.epoch,
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

/// A session and its log.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SessionAndEvents")]
pub(in crate::http) struct SessionAndEventsJson {
    /// The session.
    pub(super) session: SessionJson,
    /// The first thousand events of its log, in order.
    #[schemars(with = "Vec<DurableEvent>")]
    pub(super) events: Vec<Box<RawValue>>,
}
