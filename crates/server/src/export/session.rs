//! What a file says of a session besides its log.

use patter_protocol::{JsonObject, LogEpoch, Metrics, SessionId, Timestamp};
use patter_store::{METRICS_KEY, SessionRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The session of an export. An import takes the first four over; the log says the rest, but for the
/// `epoch`, which is new.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportedSession {
    pub(crate) session_id: SessionId,
    pub(crate) user_id: Option<String>,
    pub(crate) start_time: Timestamp,
    /// The client's own.
    pub(crate) metadata: JsonObject,
    pub(crate) end_time: Option<Timestamp>,
    pub(crate) is_active: bool,
    pub(crate) summary: Option<String>,
    #[schemars(with = "Option<Metrics>")]
    pub(crate) metrics: Option<Value>,
    pub(crate) last_seq: u64,
    pub(crate) epoch: LogEpoch,
}

impl From<SessionRecord> for ExportedSession {
    fn from(mut record: SessionRecord) -> Self {
        Self {
            metrics: record.metadata.remove(METRICS_KEY),
            session_id: record.session_id,
            user_id: record.user_id,
            start_time: record.start_time,
            metadata: record.metadata,
            end_time: record.end_time,
            is_active: record.is_active,
            summary: record.summary,
            last_seq: record.last_seq,
            epoch: record.epoch,
        }
    }
}
