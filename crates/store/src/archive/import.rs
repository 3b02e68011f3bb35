//! A session from elsewhere, made ready for a database.

use chrono::{DateTime, Utc};
use patter_protocol::{DurableEvent, EventBody, JsonObject, SessionId, Timestamp};
use serde_json::Value;

use super::{ImportedSession, METRICS_KEY};
use crate::encode::{EncodedEvent, checked_text, checked_time, encode_event, json_text};
use crate::error::StoreError;
use crate::record::NewEvent;

/// So many events are written by one statement, and so many bytes of them, or one event.
const CHUNK: usize = 500;
const CHUNK_BYTES: usize = 512 * 1024;

/// The events in pieces of which each can be written by one statement in time, and what comes before each.
pub(crate) fn chunks(events: &[EncodedEvent]) -> impl Iterator<Item = (&[EncodedEvent], i64)> {
    let mut bytes = 0;
    let mut count = 0;
    let pieces = events.chunk_by(move |event, next| {
        bytes += event.content.len() + event.metadata.len();
        count += 1;
        let fits = count < CHUNK && bytes + next.content.len() + next.metadata.len() <= CHUNK_BYTES;
        if !fits {
            (bytes, count) = (0, 0);
        }
        fits
    });
    pieces.scan(0, |before, piece| {
        let after = *before;
        *before += i64::try_from(piece.len()).unwrap_or(i64::MAX);
        Some((piece, after))
    })
}

/// The session's row and its log. The log starts with `seq` 1.
#[derive(Debug)]
pub(crate) struct EncodedImport {
    pub(crate) session_id: SessionId,
    pub(crate) user_id: Option<String>,
    pub(crate) start_time: DateTime<Utc>,
    pub(crate) end_time: DateTime<Utc>,
    pub(crate) summary: Option<String>,
    /// A JSON object, with the metrics.
    pub(crate) metadata: String,
    pub(crate) last_seq: i64,
    pub(crate) events: Vec<EncodedEvent>,
}

/// What a log comes to.
#[derive(Default)]
struct Projection {
    end_time: Option<Timestamp>,
    summary: Option<String>,
    metrics: Option<Value>,
}

impl Projection {
    /// As a store's row follows the log.
    fn apply(&mut self, event: &DurableEvent) -> Result<(), StoreError> {
        match &event.body {
            EventBody::SessionStarted(_) => self.end_time = None,
            EventBody::SessionEnded(ended) => {
                self.end_time = Some(event.at);
                self.summary.clone_from(&ended.summary);
                let metrics = serde_json::to_value(ended.metrics);
                self.metrics = Some(metrics.map_err(|error| StoreError::Rejected(error.into()))?);
            }
            EventBody::SessionSummary(summary) => self.summary = Some(summary.summary.clone()),
            EventBody::UserMessage(_)
            | EventBody::ToolCall(_)
            | EventBody::ToolApproved(_)
            | EventBody::ToolResult(_)
            | EventBody::AiResponse(_) => {}
        }
        Ok(())
    }
}

/// Encodes a session with its log.
///
/// # Errors
///
/// [`StoreError::Rejected`] if the log has gaps, or something in it cannot be stored.
pub(crate) fn encode_import(session: ImportedSession) -> Result<EncodedImport, StoreError> {
    let mut projection = Projection::default();
    let mut end_time = session.start_time;
    let mut events = Vec::with_capacity(session.events.len());
    for (place, event) in (1..).zip(session.events) {
        if event.seq != place {
            let why = format!("the log has {} where {place} should be", event.seq);
            return Err(StoreError::Rejected(why.into()));
        }
        projection.apply(&event)?;
        end_time = event.at;
        events.push(encode_event(NewEvent {
            event_id: event.event_id,
            at: event.at,
            body: event.body,
            private: None,
        })?);
    }
    let summary = projection.summary.map(checked_text).transpose()?;
    Ok(EncodedImport {
        session_id: session.session_id,
        user_id: session.user_id.map(checked_text).transpose()?,
        start_time: checked_time(session.start_time)?,
        end_time: checked_time(projection.end_time.unwrap_or(end_time))?,
        summary,
        metadata: with_metrics(session.metadata, projection.metrics)?,
        last_seq: i64::try_from(events.len())
            .map_err(|error| StoreError::Rejected(error.into()))?,
        events,
    })
}

fn with_metrics(mut metadata: JsonObject, metrics: Option<Value>) -> Result<String, StoreError> {
    metadata.remove(METRICS_KEY);
    metadata.extend(metrics.map(|metrics| (METRICS_KEY.to_owned(), metrics)));
    json_text(&Value::Object(metadata))
}
